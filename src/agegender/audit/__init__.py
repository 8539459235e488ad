"""The audit room: what is wrong with a folder of labelled faces, with evidence and a way to mend it.

It reads data and answers; it trains nothing, and needs no Keras. Names are looked up when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
