"""Evaluation: model files in; prediction tables, figures and paired tests out.

Keras is imported when a model file is loaded, not before.
"""

from agegender.evaluation.compare import (
    ComparisonResult,
    OrderAgreement,
    compare_orders,
    compare_predictions,
    describe_comparison,
)
from agegender.evaluation.evaluate import EvaluationResult, Figures, SliceResult, evaluate_predictions
from agegender.evaluation.load import LoadedModel, checked_file, checked_model, load_model
from agegender.evaluation.outputs import OutputPlaces, find_outputs
from agegender.evaluation.predict import Predictions, predict_faces, prediction_table
from agegender.evaluation.suite import (
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
