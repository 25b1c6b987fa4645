"""What sums and lists of many invoices are made from: the tax of each, and indexes that hold all of it."""

from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.documents import documents
from tollbridge.ledger.schema import Money
from tollbridge.model import EXACT
from tollbridge.rules.entry import Document
from tollbridge.rules.pricing import tax_amounts

revision = "0010"
down_revision = "0009"

_BATCH = 1000
_INVOICES = sa.table(
    "invoices",
    sa.column("id", sa.Integer),
    sa.column("subtotal", Money),
    sa.column("total", Money),
    sa.column("tax", Money),
    sa.column("document", sa.Text),
)


def upgrade() -> None:
    """The tax of what is there is what was shown: on top of the lines or, where prices include it, in them."""
    op.add_column("invoices", sa.Column("tax", Money, nullable=False, server_default="0"))
    _fill(op.get_bind())
    op.create_index("invoices_listed", "invoices", ["month", "client_id"])
    op.create_index("invoices_numbered", "invoices", ["billing_id"])
    sums = ["month", "state", "currency", "billing_status", "tokens", "total", "tax"]
    op.create_index("invoices_sums", "invoices", sums)
    for name, columns, there in (
        ("invoices_with_problem", ["state", "month"], "problem IS NOT NULL"),
        ("invoices_written_off", ["month"], "written_off IS NOT NULL"),
        ("invoices_made_twice", ["other_billing_id"], "other_billing_id IS NOT NULL"),
    ):
        op.create_index(name, "invoices", columns, sqlite_where=sa.text(there), postgresql_where=sa.text(there))


def _fill(connection: sa.Connection) -> None:
    table = _INVOICES.c
    query = sa.select(table.id, table.subtotal, table.total, table.document).order_by(table.id).limit(_BATCH)
    taxed = sa.update(_INVOICES).where(table.id == sa.bindparam("b_id")).values(tax=sa.bindparam("b_tax", type_=Money))
    after = 0
    while rows := connection.execute(query.where(table.id > after)).all():
        taxes = [{"b_id": row.id, "b_tax": tax} for row in rows if (tax := _tax(row))]
        if taxes:
            connection.execute(taxed, taxes)
        after = rows[-1].id


def _tax(row: Any) -> Decimal:
    price = orjson.loads(row.document)["price"]
    if not price["prices_include_tax"]:
        return EXACT.subtract(row.total, row.subtotal)
    if not price["taxes"]:
        return Decimal(0)
    document = documents.loads(row.document, Document)
    return sum((amount for _, amount in tax_amounts(document.price, document.taxed)), Decimal(0))
