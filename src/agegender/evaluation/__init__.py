"""Evaluation: model files in; prediction tables, figures and paired tests out.

Keras is imported when a model file is loaded, not before.
"""

from agegender.optional import DATA, require

require("pandas", DATA)

from agegender.evaluation.compare import (  # noqa: E402
    ComparisonResult,
    OrderAgreement,
    compare_orders,
    compare_predictions,
    describe_comparison,
)
from agegender.evaluation.evaluate import EvaluationResult, Figures, SliceResult, evaluate_predictions  # noqa: E402
from agegender.evaluation.load import LoadedModel, checked_file, checked_model, load_model  # noqa: E402
from agegender.evaluation.outputs import OutputPlaces, find_outputs  # noqa: E402
from agegender.evaluation.predict import Predictions, predict_faces, prediction_table  # noqa: E402
from agegender.evaluation.suite import (  # noqa: E402
    EvaluatedModel,
    Evaluation,
    evaluate_models,
    load_evaluation,
    save_evaluation,
    save_predictions,
    short_names,
)

__all__ = [
    "ComparisonResult",
    "EvaluatedModel",
    "Evaluation",
    "EvaluationResult",
    "Figures",
    "LoadedModel",
    "OrderAgreement",
    "OutputPlaces",
    "Predictions",
    "SliceResult",
    "checked_file",
    "checked_model",
    "compare_orders",
    "compare_predictions",
    "describe_comparison",
    "evaluate_models",
    "evaluate_predictions",
    "find_outputs",
    "load_evaluation",
    "load_model",
    "predict_faces",
    "prediction_table",
    "save_evaluation",
    "save_predictions",
    "short_names",
]
