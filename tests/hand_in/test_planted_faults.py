"""Each planted fault fails the check that is there for it, and no other; a good hand-in fails none."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agegender.artifacts import read_json, write_json
from agegender.brief import MARKING_TABLE, NOTEBOOK_STEPS
from agegender.hand_in import CRITERIA, Verdict, check_hand_in
from agegender.hand_in.models import ContractCheck

pytestmark = pytest.mark.timeout(1200)  # the first test waits for the models to be made and loaded

A, B, NOTEBOOK, REPORT = "age_gender_A.keras", "age_gender_B.keras", "age_gender_submit.ipynb", "report.pdf"


@dataclass(frozen=True)
class Spoilt:
    """What a fault may change and use.

    Attributes:
        folder: A good hand-in, to be spoilt.
        models: Model files by name.
        report_of: Sets a report.
    """

    folder: Path
    models: dict[str, Path]
    report_of: Callable[..., bytes]


Spoil = Callable[[Spoilt], object]


def notebook(change: Callable[[list[dict[str, Any]]], object]) -> Spoil:
    """Spoil the notebook's cells."""

    def spoil(given: Spoilt) -> None:
        content = read_json(given.folder / NOTEBOOK)
        change(content["cells"])
        write_json(given.folder / NOTEBOOK, content)

    return spoil


def report(**changes: Any) -> Spoil:
    """Set another report."""
    return lambda given: (given.folder / REPORT).write_bytes(given.report_of(**changes))


def model(file: str, name: str) -> Spoil:
    """Put another model in a model's place, without a record."""

    def spoil(given: Spoilt) -> None:
        shutil.copy(given.models[name], given.folder / file)
        (given.folder / file).with_suffix(".json").unlink()

    return spoil


def files(change: Callable[[Path], object]) -> Spoil:
    """Spoil the folder."""
    return lambda given: change(given.folder)


def code(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["cell_type"] == "code"]


STEP_3A = 9
"""Place among the code cells of one whose output is text and a picture that no check asks for."""


def cleared(cells: list[dict[str, Any]]) -> None:
    code(cells)[STEP_3A].update(outputs=[], execution_count=None)


def outputs_alone_cleared(cells: list[dict[str, Any]]) -> None:
    code(cells)[STEP_3A]["outputs"] = []


def out_of_order(cells: list[dict[str, Any]]) -> None:
    code(cells)[2]["execution_count"] = 40


def with_error(cells: list[dict[str, Any]]) -> None:
    error = {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": ["ValueError: bad"]}
    code(cells)[5]["outputs"].append(error)


def without_step(key: str) -> Callable[[list[dict[str, Any]]], None]:
    heading = next(step.heading for step in NOTEBOOK_STEPS if step.key == key)

    def remove(cells: list[dict[str, Any]]) -> None:
        place = next(number for number, cell in enumerate(cells) if heading in "".join(cell["source"]))
        del cells[place : place + 3]

    return remove


def without_pictures(cells: list[dict[str, Any]]) -> None:
    heading = next(step.heading for step in NOTEBOOK_STEPS if step.key == "4A")
    place = next(number for number, cell in enumerate(cells) if heading in "".join(cell["source"]))
    del cells[place + 2]["outputs"][1]


def run_by(cells: list[dict[str, Any]]) -> None:
    code(cells)[0]["metadata"] = {"executionInfo": {"user": {"displayName": "Grace Hopper", "userId": "0123"}}}


def office_file(folder: Path) -> None:
    core = '<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:creator>Grace Hopper</dc:creator></cp:coreProperties>'
    with zipfile.ZipFile(folder / "report.docx", "w") as archive:
        archive.writestr("docProps/core.xml", core)


def photographed(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Grace Hopper"
    Image.new("RGB", (8, 8)).save(folder / "figure.jpg", exif=exif)


def named_in_office_text(folder: Path) -> None:
    with zipfile.ZipFile(folder / "notes.docx", "w") as archive:
        runs = "<w:p><w:r><w:t>by Ada</w:t></w:r><w:r><w:t> Lovelace</w:t></w:r></w:p>"
        archive.writestr("word/document.xml", f"<w:document>{runs}</w:document>")


def recorded(file: str, **values: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = (folder / file).with_suffix(".json")
        write_json(path, read_json(path) | values)

    return change


FAULTS: dict[str, tuple[Spoil, set[str]]] = {
    "none": (files(Path.exists), set()),
    "none, one person alone": (report(members=(("s1234567", 100),)), set()),
    "none, a record that does not say where the weights started": (files(recorded(A, started_from="?")), set()),
    "a renamed model": (
        files(lambda folder: (folder / A).rename(folder / "model_A.keras")),
        {"model_A_file", "model_A_contract"},
    ),
    "a gender head of softmax 2": (model(A, "softmax of 2"), {"model_A_contract"}),
    "a custom layer": (model(B, "own layer"), {"model_B_contract"}),
    "the same file twice": (model(B, "A"), {"models_differ"}),
    "an outdated model": (files(recorded(A, sha256="0" * 64)), {"model_records"}),
    "Model A from ImageNet": (
        files(recorded(A, started_from={"start": "imagenet", "source": "ImageNet"})),
        {"model_A_start"},
    ),
    "Model A taught by a model from ImageNet": (
        files(recorded(A, teachers=[{"file": "B.keras", "started_from": "imagenet"}])),
        {"model_A_start"},
    ),
    "Model A that went on from a model from ImageNet": (
        files(recorded(A, went_on_from={"file": "B.keras", "started_from": "imagenet"})),
        {"model_A_start"},
    ),
    "a cleared cell": (notebook(cleared), {"notebook_outputs"}),
    "a cell whose outputs alone are cleared": (notebook(outputs_alone_cleared), {"notebook_outputs"}),
    "cells out of order": (notebook(out_of_order), {"notebook_order"}),
    "an error in a cell": (notebook(with_error), {"notebook_errors"}),
    "no step 3B": (notebook(without_step("3B")), {"step_3B"}),
    "no evaluation": (notebook(without_step("5")), {"step_5"}),
    "no learning curves": (notebook(without_pictures), {"step_4A"}),
    "a notebook of another name": (
        files(lambda folder: (folder / NOTEBOOK).rename(folder / "mine.ipynb")),
        {"notebook_file"},
    ),
    "a notebook that is none": (files(lambda folder: (folder / NOTEBOOK).write_text("{}")), {"notebook_file"}),
    "1,501 words": (report(words=1501), {"report_words"}),
    "2,000 words by another program": (report(words=2000, keyword=False), {"report_words"}),
    "80:20": (report(members=(("s1234567", 80), ("s7654321", 20))), {"report_form"}),
    "a sum of 90": (report(members=(("s1234567", 50), ("s7654321", 40))), {"report_form"}),
    "names in place of IDs": (report(members=(("Grace", 60), ("Alan", 40))), {"report_form"}),
    "no form": (report(form=False), {"report_form"}),
    "a missing link": (report(links=("https://drive.google.com/file/d/1AAAAAAAAAAAA/view",)), {"report_links"}),
    "a link that is no share link": (
        report(links=("https://drive.google.com/drive/my-drive", "https://drive.google.com/file/d/1BBBBBBBBBB/view")),
        {"report_links"},
    ),
    "no section 3": (report(sections=(1, 2, 4)), {"section_3"}),
    "no report": (files(lambda folder: (folder / REPORT).unlink()), {"report_file"}),
    "a report that is no PDF": (
        files(lambda folder: (folder / REPORT).write_bytes(b"%PDF-1.7 broken")),
        {"report_file"},
    ),
    "an author in the PDF's properties": (report(author="Grace Hopper"), {"anonymous_metadata"}),
    "an author of git config in the report": (report(more="Written by Ada Lovelace."), {"anonymous_text"}),
    "who ran a cell on Colab": (notebook(run_by), {"anonymous_metadata", "anonymous_text"}),
    "an author in an office file": (files(office_file), {"anonymous_metadata", "anonymous_text"}),
    "an author in a picture": (files(photographed), {"anonymous_metadata"}),
    "an author in two runs of an office file": (files(named_in_office_text), {"anonymous_text"}),
    "an author in the notebook's text": (
        notebook(lambda cells: cells[0]["source"].append("by LOVELACE, Ada\n")),
        {"anonymous_text"},
    ),
    "an author in a file's name": (
        files(lambda folder: (folder / "ada_lovelace_notes.txt").write_text("nothing")),
        {"anonymous_text"},
    ),
}  # fmt: skip


@pytest.fixture
def given(hand_in: Path, model_files: dict[str, Path], report_of: Callable[..., bytes]) -> Spoilt:
    return Spoilt(hand_in, model_files, report_of)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_right_checks(fault: str, given: Spoilt, contract: ContractCheck) -> None:
    spoil, expected = FAULTS[fault]
    spoil(given)
    result = check_hand_in(given.folder, contract=contract)
    assert {check.name for check in result.failed} == expected, [(one.name, one.found) for one in result.failed]
    assert result.passed is (not expected)
    assert all(check.found and check.advice for check in result.failed)


def test_at_least_twelve_faults_are_planted() -> None:
    assert sum(bool(expected) for _, expected in FAULTS.values()) >= 12


def test_every_check_is_made_and_nothing_is_left_to_a_person_that_can_be_seen(
    hand_in: Path, contract: ContractCheck
) -> None:
    result = check_hand_in(hand_in, contract=contract)
    assert [check.name for check in result.checks] == list(CRITERIA)
    assert {check.verdict for check in result.checks} == {Verdict.PASSED}


def test_found_says_what_and_where(given: Spoilt, contract: ContractCheck) -> None:
    for fault in ("a gender head of softmax 2", "a cleared cell", "an author of git config in the report"):
        FAULTS[fault][0](given)
    found = {check.name: check.found for check in check_hand_in(given.folder, contract=contract).failed}
    assert "output_units" in found["model_A_contract"]
    assert "gender_sigmoid" in found["model_A_contract"]
    assert "cell 16" in found["notebook_outputs"]
    assert found["anonymous_text"] == "'Ada Lovelace' in report.pdf"


def test_the_marking_table_follows_its_checks(given: Spoilt, contract: ContractCheck) -> None:
    hand_in = given.folder
    rows = {row.name: row for row in check_hand_in(hand_in, contract=contract).marking}
    assert list(rows) == [row.key for row in MARKING_TABLE]
    assert rows["A_network"].verdict is Verdict.PASSED
    assert rows["A_age"].verdict is Verdict.JUDGE
    notebook(without_step("4B"))(given)
    (hand_in / A).unlink()
    (hand_in / REPORT).unlink()
    rows = {row.name: row for row in check_hand_in(hand_in, contract=contract).marking}
    failed = {name for name, row in rows.items() if row.verdict is Verdict.FAILED}
    assert failed == {
        *("A_network", "A_age", "A_gender", "A_explained"),
        *("B_curves", "B_explained", "summary", "penalties"),
    }


def test_models_are_not_loaded_when_asked_not_to(hand_in: Path) -> None:
    result = check_hand_in(hand_in, contract=None)
    left = {check.name for check in result.checks if check.verdict is Verdict.JUDGE}
    assert left == {"model_A_contract", "model_B_contract"}
    assert json.loads(json.dumps(result.as_json()))["passed"] is True
