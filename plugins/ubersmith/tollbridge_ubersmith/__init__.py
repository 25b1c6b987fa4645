"""ubersmith: Ubersmith's API 2.0."""

from tollbridge_ubersmith.adapter import UbersmithAdapter

__all__ = ["UbersmithAdapter"]
