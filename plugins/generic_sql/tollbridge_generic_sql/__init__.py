"""generic_sql: any billing system that keeps its clients and invoices in an SQL database."""

from tollbridge_generic_sql.adapter import GenericSqlAdapter

__all__ = ["GenericSqlAdapter"]
