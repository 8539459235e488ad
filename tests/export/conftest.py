"""One tiny network of Model A's kind, saved as a contract file, and drawn faces to hold it against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with the median readout and mirror averaging, and weights that make answers differ."""
    import keras
    import numpy as np

    from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
    from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
    from agegender.models.saving import save_model

    keras.utils.set_random_seed(3)
    plan = CustomCnn(stem_channels=(8, 8), stage_channels=(8, 8, 12), stage_blocks=(1, 1, 1), age_readout="median")
    model: Any = build_custom_cnn(plan).contract
    rng = np.random.default_rng(1)
    for layer in (model.get_layer("age_distribution"), model.get_layer("gender")):
        layer.set_weights([rng.normal(0, 1.5, weight.shape) for weight in layer.get_weights()])
    model.compile(loss=SAVED_LOSSES, metrics=SAVED_METRICS)
    return save_model(model, tmp_path_factory.mktemp("small") / "age_gender_S.keras")
