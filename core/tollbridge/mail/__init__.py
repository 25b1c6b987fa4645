"""E-mail: kept in the ledger's outbox, delivered over SMTP; ``mail/delivery.py`` says what that promises."""

from tollbridge.mail.background import Delivery
from tollbridge.mail.delivery import MailReport, deliver_due
from tollbridge.mail.sender import NoServer, Sender

__all__ = ["Delivery", "MailReport", "NoServer", "Sender", "deliver_due"]
