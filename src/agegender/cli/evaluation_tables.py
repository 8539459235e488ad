"""An evaluation as tables on a terminal. Computes nothing: every number comes from the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.types import Interval

if TYPE_CHECKING:
    from rich.console import Console

    from agegender.evaluation.compare import ComparisonResult
    from agegender.evaluation.evaluate import Figures
    from agegender.evaluation.suite import Evaluation

DRAWN_MARK = "drawn faces"
"""Stands in the title of every table about drawn faces: such a figure is never quoted as accuracy on people."""


def print_evaluation(evaluation: Evaluation, console: Console, *, by: Sequence[str] = ()) -> None:
    """Print figures with intervals, figures by age band and by other columns, both channel orders, and paired tests.

    Args:
        evaluation: What was measured.
        console: Where to print.
        by: Columns to print beside the age bands.
    """
    console.print(figures_table(evaluation))
    for column in dict.fromkeys(["age", *by]):
        console.print(groups_table(evaluation, column))
    for agreement in evaluation.order_agreement:
        console.print(
            f"{escape(agreement.model)}, BGR against RGB: age differs by {agreement.mean_age_difference:.3f} years on "
            f"average (at most {agreement.largest_age_difference:.2f}); gender agrees on "
            f"{percent(agreement.gender_agreement, 2)} of the images.",
            soft_wrap=True,
        )
    for comparison in evaluation.comparisons:
        console.print()
        console.print(comparison_table(evaluation, comparison))
        console.print(escape(_describe(comparison)), soft_wrap=True)
    if len(evaluation.comparisons) > 1:
        console.print("The p values are not adjusted for the number of pairs.")
    if evaluation.drawn:
        console.print(
            "These are drawn faces: the figures say that the pipeline works, nothing about people.", soft_wrap=True
        )


def figures_table(evaluation: Evaluation) -> Table:
    """One line a model and channel order; each figure with its 95 % interval below it."""
    table = _table(evaluation, f"{evaluation.n:,} images, 95 % intervals below each figure", lines=True)
    for heading in ("model", "order"):
        table.add_column(heading)
    for heading in ("age MAE,\nyears", "median\nerror", "within\n5 years", "age bias,\nyears", "gender\nright"):
        table.add_column(heading, justify="right")
    for result in evaluation.results:
        figures = result.figures
        table.add_row(
            escape(result.model),
            result.order.upper(),
            _years(figures.mae, 3),
            _years(figures.median, 2),
            _share(figures.cs5, 2),
            _years(figures.bias, 2, sign="+"),
            _share(figures.gender_accuracy, 2),
        )
    return table


def groups_table(evaluation: Evaluation, column: str) -> Table:
    """Figures by the groups of one column, in the first channel order measured, the models below one another."""
    order = evaluation.results[0].order
    what = "age band" if column == "age" else column
    table = _table(evaluation, f"by {what}, {order.upper()}, 95 % intervals in brackets")
    for heading in (what, "model"):
        table.add_column(heading)
    for heading in ("images", "age MAE,\nyears", "age bias,\nyears", "gender\nright"):
        table.add_column(heading, justify="right")
    results = [result for result in evaluation.results if result.order == order]
    few = False
    for parts in zip(*(result.by(column) for result in results), strict=True):
        for result, part in zip(results, parts, strict=True):
            few |= part.few
            figures = part.figures
            table.add_row(
                escape(part.name) if result is results[0] else "",
                escape(result.model),
                f"{figures.n:,}{'*' if part.few else ' '}",
                *_group_cells(figures),
                style="dim" if part.few else None,
                end_section=result is results[-1] and len(results) > 1,
            )
    if few:
        table.caption = "* too few images for the figures to mean much"
    return table


def comparison_table(evaluation: Evaluation, comparison: ComparisonResult) -> Table:
    """The paired test of two models: difference, interval and p value of age and gender."""
    first, second = escape(comparison.first), escape(comparison.second)
    table = _table(evaluation, f"{first} against {second}, paired, {comparison.order.upper()}")
    table.add_column("")
    for heading in (f"{first} minus {second}", "95 % interval", "p value"):
        table.add_column(heading, justify="right")
    age, gender = comparison.mae_difference, comparison.gender_accuracy_difference
    table.add_row(
        "age error, years",
        f"{age.value:+.3f}",
        f"{age.low:+.2f} to {age.high:+.2f}",
        f"{comparison.age_p_value:.4f}",
    )
    table.add_row(
        "gender right, % points",
        f"{100 * gender.value:+.2f}",
        f"{100 * gender.low:+.1f} to {100 * gender.high:+.1f}",
        f"{comparison.gender_p_value:.4f}",
    )
    return table


def percent(share: float, digits: int) -> str:
    """A share as a percentage. Rounded as a share first, so that it shows the digits that rounding the share gives."""
    return f"{100 * round(share, digits + 2):.{digits}f} %"


def _table(evaluation: Evaluation, title: str, *, lines: bool = False) -> Table:
    title = f"{title} ({DRAWN_MARK})" if evaluation.drawn else title
    return Table(
        title=title, box=box.SIMPLE_HEAD, show_lines=lines, pad_edge=False, title_justify="left", caption_justify="left"
    )


def _years(interval: Interval, digits: int, *, sign: str = "") -> str:
    to = " to " if sign else "–"
    return f"{interval.value:{sign}.{digits}f}\n[dim]{interval.low:{sign}.2f}{to}{interval.high:{sign}.2f}[/]"


def _share(interval: Interval, digits: int) -> str:
    return f"{percent(interval.value, digits)}\n[dim]{100 * interval.low:.1f}–{100 * interval.high:.1f}[/]"


def _group_cells(figures: Figures) -> tuple[str, str, str]:
    mae, gender = figures.mae, figures.gender_accuracy
    return (
        f"{mae.value:.2f} [dim]({mae.low:.1f}–{mae.high:.1f})[/]",
        f"{figures.bias.value:+.2f}",
        f"{percent(gender.value, 1)} [dim]({100 * gender.low:.0f}–{100 * gender.high:.0f})[/]",
    )


def _describe(comparison: ComparisonResult) -> str:
    from agegender.evaluation.compare import describe_comparison

    return describe_comparison(comparison)
