"""Tollbridge's adapter for Acme."""

from tollbridge_acme.adapter import AcmeAdapter

__all__ = ["AcmeAdapter"]
