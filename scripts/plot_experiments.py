"""Draw docs/images/experiments.{png,svg} from docs/experiments.csv: validation over the experiments, in their order."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from agegender.reporting import save_figure, style

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "experiments.csv"
LOOKS = {"A": style.TRAINING_LINE, "B": style.VALIDATION_LINE}
STANDARD_ERROR_YEARS = 0.15
"""Of an age MAE on the 1,000 validation images: the deviation of one error, about 5 years, over the root of n."""


@style.styled
def experiments_figure(table: pd.DataFrame) -> Figure:
    """Age MAE and gender accuracy of each experiment's saved file on the same validation images.

    Args:
        table: `experiment`, `model`, `idea`, `validation_mae` in years, `validation_gender` in percent.
    """
    figure = style.new_figure(style.PAGE_WIDTH, 0.9 + 0.3 * len(table), drawn=False)
    style.overall_title(figure, "Experiments in order, on the same 1,000 validation images")
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    for axes, column, label in zip(
        panels, ("validation_mae", "validation_gender"), ("age MAE, years", "gender right, %"), strict=True
    ):
        for model, rows in table.groupby("model"):
            look = {**LOOKS[str(model)], "linestyle": "none"}
            error = STANDARD_ERROR_YEARS if column == "validation_mae" else None
            axes.errorbar(
                rows[column], rows.index, xerr=error, capsize=2, elinewidth=0.8, label=f"Model {model}", **look
            )
        axes.set_xlabel(label)
        style.light_grid(axes, "x")
    panels[0].set_yticks(
        range(len(table)),
        [f"{number}: {idea}" for number, idea in zip(table["experiment"], table["idea"], strict=True)],
    )
    panels[0].invert_yaxis()
    panels[0].legend(loc="best")
    return figure


def experiments_caption(table: pd.DataFrame) -> str:
    """What the figure shows."""
    return (
        f"Validation of {len(table)} trainings on one split, saved files with the mirror average; bars are one "
        "standard error of the mean. Two files answer the same images, so the difference of two rows has a smaller "
        "standard error, of about 0.1 years between trainings of one network."
    )


def main() -> None:
    """Draw it."""
    table = pd.read_csv(TABLE)
    for path in save_figure(
        experiments_figure(table), ROOT / "docs" / "images", "experiments", experiments_caption(table)
    ):
        print(f"Wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
