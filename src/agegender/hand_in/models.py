"""The two model files: under their names, keeping the contract, two different ones, and started as the brief asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegender.artifacts import read_json, sha256_file
from agegender.errors import ModelError
from agegender.hand_in.criteria import failed, judge, passed
from agegender.hand_in.folder import HandInFolder
from agegender.hand_in.result import Finding
from agegender.lineage import learnt_from
from agegender.run_folder import MODELS

if TYPE_CHECKING:
    from agegender.models.contract import ContractReport

ContractCheck = Callable[[Sequence[Path]], "list[ContractReport]"]
"""Holds files against the contract: `agegender.models.contract.check_models`, or what has its answers already."""

WANTED_START = {"A": "random", "B": "imagenet"}


def check_models(folder: HandInFolder, contract: ContractCheck | None) -> Iterator[Finding]:
    """Look at the model files.

    Args:
        folder: The hand-in.
        contract: Loads the files and holds them against the contract; None leaves that out and says so.
    """
    files = folder.models
    others = [path.name for path in folder.of_kind(".keras") + folder.of_kind(".h5") if path not in files.values()]
    there = f"There is {', '.join(others)}." if others else "No other model file is there."
    for model in MODELS:
        name = f"model_{model}_file"
        yield passed(name, _size(files[model])) if model in files else failed(name, f"It is not there. {there}")
    reports = _contract_reports(files, contract) if contract is not None else {}
    for model in MODELS:
        yield _contract(model, files, reports.get(model))
    yield _differ(files)
    yield from _records(files)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _contract_reports(files: dict[str, Path], contract: ContractCheck) -> dict[str, ContractReport | str]:
    """A report a model, or why there is none. Together first, since the backend then starts only once."""
    if not files:
        return {}
    try:
        return dict(zip(files, contract(list(files.values())), strict=True))
    except ModelError:  # one file may have brought the process down: each by itself says which
        return {model: _one_report(path, contract) for model, path in files.items()}


def _one_report(path: Path, contract: ContractCheck) -> ContractReport | str:
    try:
        return contract([path])[0]
    except ModelError as error:
        return str(error)


def _contract(model: str, files: dict[str, Path], report: ContractReport | str | None) -> Finding:
    name = f"model_{model}_contract"
    if model not in files:
        return failed(name, "There is no file to load.", f"See model_{model}_file.")
    if report is None:
        return judge(name, "The file was not loaded, as asked.", "Run this again with the models, or agegender check.")
    if isinstance(report, str):
        return failed(name, report)
    if report.passed:
        return passed(name, f"all {len(report.checks)} lines, under Keras {report.versions['keras']}")
    found = "; ".join(f"{check.name}: {check.found}" for check in report.broken)
    return failed(name, found, " ".join(dict.fromkeys(check.advice for check in report.broken)))


def _differ(files: dict[str, Path]) -> Finding:
    if len(files) < len(MODELS):
        return judge("models_differ", "One of them is not there.", "See model_A_file and model_B_file.")
    if len({sha256_file(path) for path in files.values()}) < len(files):
        return failed("models_differ", "Both files hold the same bytes.")
    return passed("models_differ", "two different files")


def _records(files: dict[str, Path]) -> Iterator[Finding]:
    """What the sidecars say, where they lie beside the models; a hand-in need not hold them."""
    records: dict[str, dict[str, Any]] = {}
    strangers = []
    for model, path in files.items():
        sidecar = path.with_suffix(".json")
        if sidecar.is_file():
            try:
                records[model] = read_json(sidecar)
            except (json.JSONDecodeError, UnicodeDecodeError):
                records[model] = {}
            if not isinstance(records[model], dict) or records[model].get("sha256") != sha256_file(path):
                strangers.append(path.name)
                del records[model]
    if strangers:
        yield failed("model_records", f"{', '.join(strangers)} is another file than its .json describes: outdated?")
    elif records:
        yield passed("model_records", f"{', '.join(files[model].name for model in records)}: same SHA-256")
    else:
        yield judge("model_records", "No record lies beside the models.", "See that both are the latest files.")
    for model in MODELS:
        yield _start(model, records.get(model))


def _start(model: str, record: dict[str, Any] | None) -> Finding:
    name = f"model_{model}_start"
    origin = (record or {}).get("started_from")
    if not isinstance(origin, dict) or "start" not in origin:
        return judge(name, "No record says where its weights started; the file alone cannot.", "Look at the code.")
    start, source = origin["start"], origin.get("source", origin["start"])
    teachers = [teacher for teacher in learnt_from(record or {}) if isinstance(teacher, dict)]
    taught = [teacher for teacher in teachers if teacher.get("started_from") != "random"]
    if model == "A" and taught:
        return failed(name, f"It learnt in part from {taught[0].get('file')}, which saw other weights.")
    if start == "file":
        return judge(name, f"It started from the weights in {source}.", "See what trained those weights.")
    if start != WANTED_START[model]:
        return failed(name, f"It started from {source}.")
    return passed(name, source)
