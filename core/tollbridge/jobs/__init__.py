"""The work itself: accounts, invoices and overdue, each alone or as the daily job."""
