"""An audit as files: the findings as tables, the corrections to edit, the page to look at, and a record."""

from __future__ import annotations

from pathlib import Path

from agegender.artifacts import atomic_path, write_json, write_text
from agegender.audit.findings import corrections_of
from agegender.audit.page import audit_page
from agegender.audit.run import AuditResult
from agegender.data.corrections import write_corrections

FINDINGS = "findings"
CORRECTIONS = "corrections.csv"
PAGE = "audit.html"
RECORD = "audit.json"


def save_audit(result: AuditResult, folder: str | Path) -> list[Path]:
    """Write `findings.parquet`, `findings.csv`, `corrections.csv`, `audit.html` and `audit.json`.

    The page holds thumbnails of the images under audit: it is bound by the terms of the data.

    Raises:
        OutputError: The folder cannot be written or the disk is full.
        MissingExtraError: The page needs jinja2.
    """
    folder = Path(folder)
    page = audit_page(result)  # first: it may lack its extra, and then nothing is written
    table = result.table()
    written = []
    for suffix in ("parquet", "csv"):
        path = folder / f"{FINDINGS}.{suffix}"
        with atomic_path(path) as temporary:
            if suffix == "parquet":
                table.to_parquet(temporary, index=False)
            else:
                table.to_csv(temporary, index=False)
        written.append(path)
    written.append(write_corrections(corrections_of(result.findings), folder / CORRECTIONS))
    written.append(write_text(folder / PAGE, page))
    faces = result.faces
    record = {
        "data": {"source": faces.data.source, "fingerprint": faces.data.fingerprint, "images": faces.own},
        "against": None
        if faces.against is None
        else {
            "source": faces.against.source,
            "fingerprint": faces.against.fingerprint,
            "images": len(faces.against),
        },
        "findings": result.counts(),
        "notes": result.notes,
    }
    written.append(write_json(folder / RECORD, record))
    return written
