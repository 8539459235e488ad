"""What the networks of a training take over from saved models, and what stays the recipe's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from agegender.models.input_layers import RESIZE
from agegender.training.learner import contract_model, learner, take_weights
from agegender.training.recipe import override
from agegender.training.recipes import default_recipe


def test_a_start_gives_all_its_weights_but_how_images_are_enlarged(tmp_path: Path) -> None:
    former = dataclasses.replace(default_recipe("B", drawn=False), precision="float32")
    former = override(former, "network.weights", "random")
    begun = learner(former, former.phases[-1]).model
    contract_model(former, begun).save(tmp_path / "former.keras")

    softer = override(former, "network.soften_pixels", "0.6")
    student = learner(softer, softer.phases[-1]).model
    kernels = {v.path: np.asarray(v) for v in student.weights if RESIZE in v.path}
    take_weights(student, softer, [tmp_path / "former.keras"])

    assert len(kernels) == 2
    for old, new in zip(begun.weights, student.weights, strict=True):
        if old.path in kernels:
            np.testing.assert_array_equal(np.asarray(new), kernels[new.path])
            assert np.abs(np.asarray(new) - np.asarray(old)).max() > 0.05
        else:
            np.testing.assert_array_equal(np.asarray(new), np.asarray(old))
