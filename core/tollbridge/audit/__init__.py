"""The audit: everything derived a second time from the sources, and nothing of what the jobs said is believed.

It shares values and rules with the jobs, and no more: it imports nothing of theirs, and it only reads.
"""

from tollbridge.audit.auditing import audit
from tollbridge.audit.evidence import Sources
from tollbridge.audit.findings import Audit, Finding

__all__ = ["Audit", "Finding", "Sources", "audit"]
