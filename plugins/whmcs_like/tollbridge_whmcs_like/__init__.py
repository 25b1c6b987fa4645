"""whmcs_like: WHMCS, and billing systems that speak its classic API."""

from tollbridge_whmcs_like.adapter import WhmcsAdapter

__all__ = ["WhmcsAdapter"]
