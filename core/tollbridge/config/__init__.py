"""bridge.toml: its keys as typed settings, and reading it."""

from tollbridge.config.bridge_toml import load_settings, named_adapter
from tollbridge.config.settings import (
    FEED,
    METER,
    AccountsSettings,
    BillingSettings,
    DistributedSettings,
    LedgerSettings,
    MailSettings,
    MeterSettings,
    NotifySettings,
    OperatorSettings,
    PagesSettings,
    PricingSettings,
    ServerSettings,
    Settings,
    SolusSettings,
    UsageFields,
    UsageSettings,
)

__all__ = [
    "FEED",
    "METER",
    "AccountsSettings",
    "BillingSettings",
    "DistributedSettings",
    "LedgerSettings",
    "MailSettings",
    "MeterSettings",
    "NotifySettings",
    "OperatorSettings",
    "PagesSettings",
    "PricingSettings",
    "ServerSettings",
    "Settings",
    "SolusSettings",
    "UsageFields",
    "UsageSettings",
    "load_settings",
    "named_adapter",
]
