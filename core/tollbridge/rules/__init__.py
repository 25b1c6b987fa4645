"""The rules of billing: pure functions, no input or output, no clock.

metering: hours → tokens · pricing: tokens → money · calendar: months and due dates · invoicing: what becomes of a
client's month, and the words of its lines · entry: a client's month, as it is kept and sent · overdue: invoices → user
status · accounts: clients and users → who is created, linked or reported.
"""
