"""The default recipes: values only, with a reason for each number."""

from __future__ import annotations

import dataclasses

from agegender.training.recipe import Recipe
from agegender.training.recipes.model_a import MODEL_A, MODEL_A_DRAWN
from agegender.training.recipes.model_b import MODEL_B, MODEL_B_DRAWN

__all__ = ["MODEL_A", "MODEL_A_DRAWN", "MODEL_B", "MODEL_B_DRAWN", "default_recipe"]


def default_recipe(model: str, *, drawn: bool) -> Recipe:
    """The recipe of `A` or `B`; drawn faces are simple, so theirs is the same network for fewer epochs."""
    recipes = {("A", False): MODEL_A, ("A", True): MODEL_A_DRAWN, ("B", False): MODEL_B, ("B", True): MODEL_B_DRAWN}
    return dataclasses.replace(recipes[model, drawn])
