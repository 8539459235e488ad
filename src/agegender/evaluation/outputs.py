"""Which of a model's two outputs is the age and which the gender: by name, else by the sigmoid, else as told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from agegender.errors import ModelError, SettingError
from agegender.evaluation.graph import inside, made_from, maker

if TYPE_CHECKING:
    import keras

AGE, GENDER = "age", "gender"


class OutputPlaces(NamedTuple):
    """Where age and gender stand among a model's outputs: 0 or 1 each."""

    age: int
    gender: int


def find_outputs(model: keras.Model, outputs: Sequence[str] | None = None) -> OutputPlaces:
    """Tell a model's age output from its gender output.

    Names decide first: exactly `age` and `gender`, then names that hold them as a word (`age_output`, `predGender`;
    not `average`). If names leave it open, the one output that a sigmoid makes is the gender.

    Args:
        model: Has two outputs.
        outputs: What the outputs are, in the model's own order, such as `("gender", "age")`; nothing is guessed then.

    Raises:
        SettingError: `outputs` is not an arrangement of `age` and `gender`.
        ModelError: It cannot be decided; the message says how to tell.
    """
    if outputs is not None:
        if sorted(outputs) != [AGE, GENDER]:
            raise SettingError(f"--outputs must be age,gender or gender,age. Received: {','.join(outputs)}")
        return _places(list(outputs).index(AGE))
    names = [str(name) for name in model.output_names]
    if sorted(names) == [AGE, GENDER]:
        return _places(names.index(AGE))
    meanings = [_meaning(name) for name in names]
    if sorted(meanings) == [AGE, GENDER]:
        return _places(meanings.index(AGE))
    sigmoid = [_made_by_sigmoid(tensor) for tensor in model.outputs]
    if sigmoid.count(True) == 1:
        gender = sigmoid.index(True)
        if meanings[gender] in ("", GENDER) and meanings[1 - gender] in ("", AGE):
            return _places(1 - gender)
    seen = ", ".join(f"{name}{' (sigmoid)' if by else ''}" for name, by in zip(names, sigmoid, strict=True))
    raise ModelError(
        f"Cannot tell which output is the age and which the gender. Received: outputs {seen}. "
        "Expected names that say age and gender, or exactly one sigmoid. "
        "Say what the outputs are, in the model's order: --outputs age,gender or --outputs gender,age."
    )


def _places(age: int) -> OutputPlaces:
    return OutputPlaces(age=age, gender=1 - age)


def _meaning(name: str) -> str:
    """`age` or `gender` if exactly one of the two is a word of the name, else nothing."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = set(re.findall("[a-z]+", spaced.lower()))
    found = words & {AGE, GENDER}
    return found.pop() if len(found) == 1 else ""


def _made_by_sigmoid(tensor: Any) -> bool:
    """Whether a sigmoid is the last thing that happened to a value.

    Layers that pass values on as they are (reshaping, casting, a linear activation) and models used as layers are
    looked through.
    """
    while True:
        operation = maker(tensor)
        within = inside(tensor)
        if within is not None:
            tensor = within
            continue
        kind = type(operation).__name__
        activation = getattr(getattr(operation, "activation", None), "__name__", "")
        if "sigmoid" in (kind.lower(), activation):
            return True
        before = made_from(tensor)
        passes_on = kind in {"Reshape", "Flatten", "Identity"} or (kind == "Activation" and activation == "linear")
        if not passes_on or len(before) != 1:
            return False
        tensor = before[0]
