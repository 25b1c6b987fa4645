"""The panel's settings as a fresh panel has them, and how a PATCH changes them."""

import copy
from typing import Any

_LIVE: dict[str, Any] = {
    "uuid": "00000000-0000-0000-0000-000000000000",
    "hostname": "panel.example",
    "force_autoupdate": True,
    "latest_version": "1.1.20873",
    "send_statistic": True,
    "limit_group": None,
    "registration": {"role": "CLIENT"},
    "features": {
        "hide_plan_name": False,
        "hide_plan_section": False,
        "hide_user_data": False,
        "hide_location_section": False,
        "hide_api_documentation_link": False,
        "allow_registration": True,
        "allow_password_recovery": True,
    },
    "billing_integration": {
        "type": "whmcs",
        "drivers": {"whmcs": {"url": "https://billing.example/modules/addons/solusio/api/", "token": "token"}},
    },
    "token_api": {"url": "https://panel.example:443/api/v1", "is_enabled": True},
    "theme": {
        "brand_name": "SOLUS IO",
        "primary_color": "#000000",
        "secondary_color": "#FFFFFF",
        "logo": "https://panel.example/public/logo.png",
        "favicon": None,
        "terms_and_conditions_url": "https://panel.example/terms",
    },
    "mail": {
        "host": "mail.example",
        "port": "25",
        "username": None,
        "password": None,
        "encryption": False,
        "from_email": "panel@panel.example",
        "from_name": "panel.example",
        "test_mail": None,
    },
    "dns": {
        "type": "powerdns",
        "ttl": 60,
        "server_hostname_template": "{{random-prefix}}.panel.example",
        "reverse_dns_domain_template": "{{ip}}.panel.example",
        "register_fqdn_on_server_create": False,
        "drivers": {"powerdns": {"host": "dns.example", "api_key": None, "port": "443", "https": True}},
    },
    "compute_resource": {
        "rescue_iso_url": "https://panel.example/rescue.iso",
        "balance_strategy": "round-robin",
    },
    "network_rules": {
        "arp": False,
        "dhcp": True,
        "cloud_init": True,
        "smtp": True,
        "icmp": False,
        "icmp_reply": False,
        "portmapper": True,
    },
    "notifications": {},
    "update": {"method": "auto", "channel": "stable"},
    "update_channels": ["stable", "mainline", "testing"],
    "update_schedule": {"scheduled_days": [6, 7], "scheduled_time": "06:00"},
    "non_existent_vms_remover": {"enabled": False, "interval": 1},
}


def fresh_settings() -> dict[str, Any]:
    """The settings of a new panel: numbers as text, nulls and the billing token in clear, like a live one."""
    return copy.deepcopy(_LIVE)


def merged(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``patch``: objects are merged key by key, everything else is replaced."""
    result = dict(base)
    for key, value in patch.items():
        present = result.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            result[key] = merged(present, value)
        else:
            result[key] = copy.deepcopy(value)
    return result
