"""Cells of code are the package's own text, whole or in part, and say so while they run."""

from __future__ import annotations

import re

import pytest

from agegender.errors import SettingError
from agegender.notebook.shown_code import confirm_shown, definitions, module_source, shown_cell
from agegender.notebook.source import notebook_source

SHOWN = re.compile(r'^confirm_shown\("([\w.]+)", In\[-1\]\)$', re.MULTILINE)


def shown_cells() -> list[tuple[str, str]]:
    """Module and text of every cell of the notebook that shows code."""
    cells = [cell.partition("\n")[2] for cell in re.split(r"^# %%", notebook_source(), flags=re.MULTILINE)]
    return [(found.group(1), cell) for cell in cells if (found := SHOWN.search(cell))]


def test_a_whole_module_is_shown_word_for_word() -> None:
    cell = shown_cell("agegender.models.losses")
    assert cell.startswith(module_source("agegender.models.losses").strip())
    assert SHOWN.findall(cell) == ["agegender.models.losses"]


def test_a_part_brings_the_imports_that_it_needs_and_runs_alone() -> None:
    cell = shown_cell("agegender.models.efficientnet_lite", ["_scaled_channels", "CHANNEL_MULTIPLE"])
    values: dict[str, object] = {"confirm_shown": lambda *_: None, "In": [""]}
    exec(compile(cell, "cell", "exec"), values)
    assert values["_scaled_channels"](32, 1.1) == 32  # type: ignore[operator]
    assert "keras" not in values
    assert "_block" not in values


def test_a_part_takes_from_its_module_what_is_not_shown() -> None:
    cell = shown_cell("agegender.training.fit", ["start_phase"])
    line = next(line for line in cell.splitlines() if line.startswith("from agegender.training.fit import"))
    assert "_trunk_multipliers" in line
    assert "import math" in cell
    assert "EpochBatches" not in cell


def test_a_constant_brings_the_string_that_documents_it() -> None:
    cell = shown_cell("agegender.labels", ["AGE_BANDS"])
    assert '"""Inclusive bounds in years' in cell
    assert "FEMALE_THRESHOLD" not in cell


@pytest.mark.parametrize(
    ("module", "names", "said"),
    [
        ("agegender.models.none", (), "no module"),
        ("os.path", (), "no module"),
        ("agegender.labels", ("Nothing",), "does not define Nothing"),
    ],
)
def test_what_is_not_there_cannot_be_shown(module: str, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        shown_cell(module, names)


def test_every_shown_cell_of_the_notebook_holds_the_definitions_of_its_module() -> None:
    cells = shown_cells()
    assert len(cells) >= 10
    for module, cell in cells:
        installed, shown = definitions(module_source(module)), definitions(cell)
        assert shown, module
        assert {name: installed.get(name) for name in shown} == shown, module
    whole = {module for module, cell in cells if set(definitions(cell)) == set(definitions(module_source(module)))}
    for module in ("models.custom_cnn", "models.losses", "training.recipes.model_a", "training.recipes.model_b"):
        assert f"agegender.{module}" in whole


def test_a_cell_of_another_version_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cell = shown_cell("agegender.labels", ["age_band"])
    confirm_shown("agegender.labels", cell)
    assert capsys.readouterr().out.startswith("As in agegender.labels of agegender ")
    confirm_shown("agegender.labels", cell.replace("high + 1", "high"))
    said = capsys.readouterr().out
    assert "age_band differ from agegender.labels" in said
    assert "--source-only" in said
