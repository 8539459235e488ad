"""Write the README's table of results from the sidecars of the shipped models; figures are never typed by hand.

python scripts/results_table.py [--check]
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

from agegender.artifacts import read_json, write_text
from agegender.lineage import stretches
from agegender.run_folder import MODELS, RunFolder

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- results: scripts/results_table.py -->", "<!-- end of results -->"
STARTS = {"imagenet": "from ImageNet", "random": "from scratch"}
HEADER = (
    "| | age MAE on test, years | gender right on test | validation{} | training images{}, last epoch | training |\n"
    "|---|---|---|---|---|---|"
)


def table(models: Path) -> str:
    """The table of a folder of shipped models, as Markdown."""
    sidecars = {model: RunFolder(models).sidecar(model) for model in MODELS}
    records = {model: read_json(path) for model, path in sidecars.items() if path.is_file()}
    whose = " of the twin" if any("twin" in record for record in records.values()) else ""
    return "\n".join([HEADER.format(whose, whose), *(_row(model, record) for model, record in records.items())])


def _row(model: str, sidecar: dict[str, Any]) -> str:
    test = sidecar["test"]["rgb"]
    twin = sidecar.get("twin", sidecar)
    validation, last = twin["validation"]["rgb"], twin["last_epoch"]
    start = STARTS.get(sidecar["started_from"]["start"], "from a file of weights")
    cells = [
        f"Model {model}, {sidecar['parameters'] / 1e6:.1f} M parameters, {start}",
        f"{_years(test['mae'])}",
        f"{_percent(test['gender_accuracy'])}",
        f"{_years(validation['mae'])}, {_percent(validation['gender_accuracy'])}",
        f"{last['train_age_mae']:.2f}, {last['train_gender_accuracy']:.1%}".replace("%", " %"),
        _training(sidecar),
    ]
    return "| " + " | ".join(cells) + " |"


def _training(sidecar: dict[str, Any]) -> str:
    """As `4 x (14 epochs of 4,000 images, 2 of 5,000), 2 of 5,000`."""
    told = []
    for runs, parts in itertools.groupby(stretches(sidecar), key=lambda stretch: stretch.runs):
        words = [f"{part.epochs} of {part.images:,}" for part in parts]
        if not told:
            words[0] = words[0].replace(" of ", " epochs of ") + " images"
        told.append(f"{runs} x ({', '.join(words)})" if runs > 1 else ", ".join(words))
    return ", ".join(told)


def _years(interval: dict[str, float]) -> str:
    return f"{interval['value']:.2f} ({interval['low']:.2f} to {interval['high']:.2f})"


def _percent(interval: dict[str, float]) -> str:
    return f"{100 * interval['value']:.1f} % ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})"


def written(readme: str, models: Path) -> str:
    """The README with the table of these models between its two marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"README.md lacks the marks {BEGIN} and {END} around its table of results.")
    return f"{before}{BEGIN}\n{table(models)}\n{END}{after}"


def main() -> None:
    """Write it, or say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="Only compare; exit code 1 if it differs.")
    check = parser.parse_args().check
    path = ROOT / "README.md"
    former = path.read_text(encoding="utf-8")
    wanted = written(former, ROOT / "models")
    if check:
        sys.exit(wanted != former)
    write_text(path, wanted)
    print("Wrote the table of results into README.md")


if __name__ == "__main__":
    main()
