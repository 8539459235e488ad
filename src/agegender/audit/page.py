"""The audit as one HTML file that needs nothing beside it: every finding with its picture, pairs side by side."""

from __future__ import annotations

import base64
import importlib.resources
from typing import Any

import cv2
import numpy as np

from agegender.audit.findings import Finding
from agegender.audit.run import AuditResult
from agegender.labels import AGE_BANDS, Gender, age_band, band_name
from agegender.optional import require

MOST_SHOWN = 120
"""Findings a kind; the tables hold all of them. A picture is 3 kB, so that a page stays below some 5 MB."""

PICTURE_SIDE = 112
PICTURE_QUALITY = 80


def audit_page(result: AuditResult) -> str:
    """The page as a string of HTML; names of files and labels are escaped.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    jinja2 = require("jinja2", "audit")
    source = importlib.resources.files("agegender.audit").joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pictures = _Pictures(result)
    sections = []
    for kind in result.kinds:
        findings = result.of_kind(kind.name)
        sections.append(
            {
                "kind": kind,
                "count": len(findings),
                "hidden": max(0, len(findings) - MOST_SHOWN),
                "cards": [pictures.card(finding) for finding in findings[:MOST_SHOWN]],
            }
        )
    faces = result.faces
    return environment.from_string(source).render(
        source=faces.data.source,
        against=faces.against.source if faces.against is not None else None,
        images=faces.own,
        drawn=faces.data.drawn,
        notes=result.notes,
        sections=sections,
        bars=_bars(result),
    )


class _Pictures:
    """Cards of findings: pictures as data addresses, with the labels under them."""

    def __init__(self, result: AuditResult) -> None:
        faces = result.faces
        self._faces = faces
        self._rows = {file: row for row, file in enumerate(faces.data.table["file"])}
        against = faces.against
        self._others = {} if against is None else {
            file: faces.own + row for row, file in enumerate(against.table["file"])
        }  # fmt: skip

    def card(self, finding: Finding) -> dict[str, Any]:
        """What the template shows of one finding."""
        shown = [self._rows[finding.file]] if finding.file else []
        if finding.other:
            shown.append((self._others if finding.problem == "leakage" else self._rows)[finding.other])
        return {"finding": finding, "pictures": [self._picture(row) for row in shown]}

    def _picture(self, row: int) -> dict[str, str]:
        faces = self._faces
        unit = "year" if faces.age(row) == 1 else "years"
        return {
            "address": _data_address(faces.image(row)),
            "file": faces.file(row),
            "labels": f"{faces.age(row)} {unit}, {faces.gender(row)}",
        }


def _data_address(image: np.ndarray) -> str:
    side = (PICTURE_SIDE, PICTURE_SIDE)
    small = cv2.resize(image, side, interpolation=cv2.INTER_AREA)
    _, content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode('ascii')}"


def _bars(result: AuditResult) -> list[dict[str, Any]]:
    """Images by age band and gender, with each bar's width in percent of the longest."""
    table = result.faces.data.table
    bands = np.array([age_band(age) for age in table["age"]])
    genders = table["gender"].astype(str).to_numpy()
    rows = []
    for low, high in AGE_BANDS:
        band = band_name(low, high)
        counts = {str(gender): int(((bands == band) & (genders == str(gender))).sum()) for gender in Gender}
        rows.append({"band": band, "counts": counts})
    longest = max(1, *(count for row in rows for count in row["counts"].values()))
    for row in rows:
        row["widths"] = {gender: round(100 * count / longest, 2) for gender, count in row["counts"].items()}
    return rows
