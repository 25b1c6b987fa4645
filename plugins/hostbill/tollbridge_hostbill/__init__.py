"""hostbill: HostBill's admin API."""

from tollbridge_hostbill.adapter import HostBillAdapter

__all__ = ["HostBillAdapter"]
