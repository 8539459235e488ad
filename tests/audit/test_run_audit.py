"""The whole audit on planted problems, its files and its page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agegender.audit import KINDS, AuditResult, Estimates, Faces, audit, save_audit
from agegender.audit import page as page_module
from agegender.data.corrections import read_corrections
from agegender.errors import InputError
from agegender.labels import Gender


@pytest.fixture(scope="module")
def result(drawn_images, dataset_of, changes) -> AuditResult:
    """130 faces, four copies planted, one of them with another label; two faces in the other data too."""
    images, ages, genders = drawn_images
    copies = np.stack([images[0], changes["cut"](images[1]), changes["flipped"](images[2]), images[3] // 2 + 40])
    own = dataset_of(
        np.concatenate([images[:130], copies]),
        [*ages[:130], ages[0] + 8, *ages[1:4]],
        [*genders[:130], *genders[:4]],
    )
    other = dataset_of(np.stack([images[200], changes["recompressed"](images[10]), images[11]]))
    return audit(Faces(own, other))


def test_every_planted_problem_is_found(result: AuditResult) -> None:
    assert [(one.file, one.other) for one in result.of_kind("identical")] == [("0130.jpg", "0000.jpg")]
    near = {frozenset((one.file, one.other)) for one in result.of_kind("near_duplicate")}
    planted = {frozenset((f"000{row}.jpg", f"013{row}.jpg")) for row in (1, 2, 3)}
    assert planted <= near
    assert len(near - planted) <= 1, "the drawer makes faces that differ by little more than their colours"
    assert {(one.file, one.other) for one in result.of_kind("leakage")} == {
        ("0010.jpg", "0001.jpg"), ("0011.jpg", "0002.jpg"),
    }  # fmt: skip
    conflicts = {(one.file, one.other): one for one in result.of_kind("label_conflict")}
    assert conflicts[("0000.jpg", "0130.jpg")].suggestion.startswith("age=")
    assert len(conflicts) <= 2
    assert any("plain image features" in note for note in result.notes)
    assert any("watermarks" in note for note in result.notes)
    assert list(result.counts()) == [kind.name for kind in KINDS]
    assert result.of_kind("no_face") == [], "a drawn face is a face to the detector"


def test_kinds_have_names_of_their_own_and_say_how_they_work() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert re.fullmatch(r"[a-z_]+", kind.name)
        assert kind.title
        assert kind.how.endswith(".")
        assert kind.score_means


def test_files_tables_and_corrections(result: AuditResult, tmp_path: Path) -> None:
    written = save_audit(result, tmp_path / "audit")
    assert {path.name for path in written} == {
        "findings.parquet", "findings.csv", "corrections.csv", "audit.html", "audit.json",
    }  # fmt: skip
    table = pd.read_parquet(tmp_path / "audit" / "findings.parquet")
    again = pd.read_csv(tmp_path / "audit" / "findings.csv", keep_default_na=False)
    assert table["file"].tolist() == again["file"].tolist() == [one.file for one in result.findings]
    record = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    assert record["findings"] == result.counts()
    corrections = read_corrections(tmp_path / "audit" / "corrections.csv")
    corrected = corrections.apply(result.faces.data.table)
    assert {"0130.jpg", "0010.jpg", "0011.jpg"} <= corrections.dropped
    assert len(corrected) == result.faces.own - len(corrections.dropped)
    first = corrected.set_index("file").loc["0000.jpg"]
    assert first["age"] == int(result.of_kind("label_conflict")[0].suggestion.removeprefix("age="))


def test_the_page_is_one_file_with_pictures_side_by_side(result: AuditResult) -> None:
    page = page_module.audit_page(result)
    assert not re.findall(r"(?:src|href)=\"(?!data:image/jpeg;base64,|#)", page)
    assert "url(" not in page
    assert "<script" not in page
    pairs = [one for one in result.findings if one.other]
    assert page.count("<figure>") >= 2 * len(pairs)
    assert page.count("alt=") == page.count("<img")
    assert "nothing here is about people" in page
    for one in result.findings[:20]:
        assert one.suggestion in page


def test_names_are_escaped_and_long_lists_cut(drawn_images, dataset_of, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    data = dataset_of(np.repeat(drawn_images[0][:1], 6, axis=0))
    names = [f"<script>alert({row})</script>.jpg" for row in range(6)]
    faces = Faces(dataclasses.replace(data, table=data.table.assign(file=names), drawn=False))
    monkeypatch.setattr(page_module, "MOST_SHOWN", 4)
    page = page_module.audit_page(audit(faces))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "11 more stand in findings.csv." in page  # 15 pairs of 6 equal files
    assert "nothing here is about people" not in page


def test_models_answers_come_before_plain_features(drawn_images, dataset_of) -> None:
    images, ages, genders = drawn_images
    rows = np.arange(100)
    female = np.array([0.95 if gender is Gender.FEMALE else 0.05 for gender in genders[:100]])
    told = np.array(ages[:100], float)
    written = list(ages)
    written[5] = min(116, written[5] + 60)
    faces = Faces(dataset_of(images, written, genders))
    answers = [Estimates(rows, told, female, "predictions", trusted=True)]
    found = audit(faces, answers=answers).of_kind("doubtful_age")
    assert (found[0].file, found[0].suggestion) == ("0005.jpg", "drop")
    assert all(one.suggestion == "look" for one in found if int(one.file[:4]) >= 100)


def test_nothing_to_audit_is_an_error(dataset_of, drawn_images) -> None:
    import dataclasses

    data = dataset_of(drawn_images[0][:1])
    empty = dataclasses.replace(data, table=data.table[:0], images=data.images[:0], origin=data.origin[:0])
    with pytest.raises(InputError, match="no images to audit"):
        audit(Faces(empty))
