"""The fields of a plan beyond its prices, and what they are when nobody says otherwise."""

from typing import Any

GIB = 1024**3


def _unlimited(unit: str) -> dict[str, Any]:
    return {"is_enabled": False, "limit": 0, "unit": unit}


def plan_details(vcpu: int = 1, ram: int = GIB, disk: int = 25) -> dict[str, Any]:
    """Details of a plan with ``vcpu`` cores, ``ram`` bytes and ``disk`` GiB."""
    return {
        "virtualization_type": "kvm",
        "params": {
            "disk": disk,
            "ram": ram,
            "vcpu": vcpu,
            "vcpu_units": 1000,
            "vcpu_limit": 100,
            "io_priority": 4,
            "swap": 0,
        },
        "storage_type": "fb",
        "image_format": "qcow2",
        "is_default": False,
        "is_visible": True,
        "is_custom": False,
        "is_snapshot_available": True,
        "is_snapshots_enabled": False,
        "is_backup_available": True,
        "is_additional_ips_available": True,
        "backup_settings": {"is_incremental_backup_enabled": False, "incremental_backups_limit": 1},
        "limits": {
            "disk_bandwidth": _unlimited("Bps"),
            "disk_iops": _unlimited("iops"),
            "network_incoming_bandwidth": _unlimited("Kbps"),
            "network_outgoing_bandwidth": _unlimited("Kbps"),
            "network_incoming_traffic": _unlimited("KiB"),
            "network_outgoing_traffic": _unlimited("KiB"),
            "network_total_traffic": _unlimited("KiB"),
            "network_reduce_bandwidth": _unlimited("Kbps"),
            "backups_number": _unlimited("units"),
        },
        "reset_limit_policy": "first_day_of_month",
        "network_traffic_limit_type": "separate",
        "iso_image_tokens_per_hour": 0,
        "iso_image_tokens_per_month": 0,
        "available_locations": [],
        "available_os_image_versions": [],
        "available_applications": [],
        "available_offers": [],
        "netfilter": {"value": "disabled", "is_editable": False},
        "ppp": {"value": False, "is_editable": False},
        "tun_tap": {"value": False, "is_editable": False},
        "position": 0,
    }
