"""Figures of a run: they read results and compute nothing that a table does not hold. The only home of matplotlib."""

from agegender.optional import DATA, require

require("matplotlib.figure", "report")
require("pandas", DATA)

from agegender.reporting.architecture import architecture, architecture_caption  # noqa: E402
from agegender.reporting.confusion import confusion_matrix, confusion_matrix_caption  # noqa: E402
from agegender.reporting.curves import (  # noqa: E402
    CURVES,
    learning_curve,
    learning_curve_caption,
    learning_curves,
    learning_curves_caption,
)
from agegender.reporting.figures import AugmentedImages, SampleImages, run_figures  # noqa: E402
from agegender.reporting.grids import (  # noqa: E402
    augmented_grid,
    augmented_grid_caption,
    choose_samples,
    sample_grid,
    sample_grid_caption,
    worst_errors,
    worst_errors_caption,
    worst_rows,
)
from agegender.reporting.groups import error_by_group, error_by_group_caption  # noqa: E402
from agegender.reporting.save import read_captions, save_figure  # noqa: E402
from agegender.reporting.scatter import predicted_against_true, predicted_against_true_caption  # noqa: E402

__all__ = [
    "CURVES",
    "AugmentedImages",
    "SampleImages",
    "architecture",
    "architecture_caption",
    "augmented_grid",
    "augmented_grid_caption",
    "choose_samples",
    "confusion_matrix",
    "confusion_matrix_caption",
    "error_by_group",
    "error_by_group_caption",
    "learning_curve",
    "learning_curve_caption",
    "learning_curves",
    "learning_curves_caption",
    "predicted_against_true",
    "predicted_against_true_caption",
    "read_captions",
    "run_figures",
    "sample_grid",
    "sample_grid_caption",
    "save_figure",
    "worst_errors",
    "worst_errors_caption",
    "worst_rows",
]
