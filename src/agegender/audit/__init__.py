"""The audit room: what is wrong with a folder of labelled faces, with evidence and a way to mend it.

It reads data and answers; it trains nothing, and needs no Keras. Names are looked up when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agegender.optional import lazy_attributes

if TYPE_CHECKING:
    from agegender.audit.estimates import Estimates, estimates_from_predictions
    from agegender.audit.faces import Faces
    from agegender.audit.findings import Finding
    from agegender.audit.run import KINDS, AuditResult, audit
    from agegender.audit.save import save_audit

__all__ = ["KINDS", "AuditResult", "Estimates", "Faces", "Finding", "audit", "estimates_from_predictions", "save_audit"]

_HOMES = {
    "Estimates": "estimates",
    "estimates_from_predictions": "estimates",
    "Faces": "faces",
    "Finding": "findings",
    "KINDS": "run",
    "AuditResult": "run",
    "audit": "run",
    "save_audit": "save",
}

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
