"""Mails and notices: kept in the ledger's outbox, delivered over SMTP and to the operator's webhook.

``mail/delivery.py`` says what that promises.
"""

from tollbridge.mail.background import Delivery
from tollbridge.mail.delivery import MailReport, deliver_due
from tollbridge.mail.notices import carriers, deliver_notices
from tollbridge.mail.sender import NoServer, Sender
from tollbridge.mail.webhook import Webhook

__all__ = [
    "Delivery", "MailReport", "NoServer", "Sender", "Webhook", "carriers", "deliver_due", "deliver_notices",
]  # fmt: skip
