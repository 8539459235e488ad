"""What a training is made of, as frozen values that can be read whole, changed by name and recorded."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agegender.errors import SettingError
from agegender.models.custom_cnn import CustomCnn
from agegender.models.losses import LossWeights
from agegender.models.pretrained_cnn import PretrainedCnn
from agegender.training.augment import Augmentation

T = TypeVar("T")


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs with one learning-rate curve: linear warm-up, then a cosine down.

    Attributes:
        name: Shown in the history and in figures.
        epochs: Passes over the training images.
        learning_rate: Peak, per step, for AdamW.
        end_rate: Where the cosine ends, at most `learning_rate`.
        warmup_epochs: Epochs from zero to the peak; may be a part of one.
        trunk_rate: Factor on the trunk's learning rate; 0 freezes it, 1 treats it like the heads.
        augmentation_strength: Factor on the recipe's augmentation, 0..1. A last phase of few epochs near 0 fits a
            network to images as they are: one that has only seen blurred and covered faces reads clear ones too old.
        noise_share: Share of images with noise at the least, 0..1, whatever the strength: what a last phase on clear
            images unlearns first.
        side: Height and width at which the trunk sees images in this phase, in place of the network's; 0 is the
            network's own. Early epochs on smaller images cost less time (progressive resizing); the last phase must
            be at the network's own.
    """

    name: str
    epochs: int
    learning_rate: float
    warmup_epochs: float = 0.0
    end_rate: float = 0.0
    trunk_rate: float = 1.0
    augmentation_strength: float = 1.0
    side: int = 0
    noise_share: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training, but for the data and the seed.

    Attributes:
        model: `A` or `B`.
        network: The plan of the network.
        phases: In order.
        batch_size: Images a step.
        weight_decay: Of AdamW, per unit of learning rate.
        losses: Weights of the three losses.
        age_sd_years: Width of an adult's age label, in years.
        average_epochs: Over how many epochs weights are averaged, as the time constant of the average.
        clip_norm: Largest norm of a step's whole gradient.
        augmentation: How training images vary.
        self_distillation: Share of the targets that is the network's own answer of the epoch before, in the last
            epoch, 0..1; it grows linearly from 0.
        teacher_share: Share of the targets that is the mean answer of trained teachers, 0..1; above 0 it needs some.
        precision: Keras dtype policy of the trunk while training, by backend.
        curve_images: How many training images the learning curves are measured on, the same ones each epoch.
        norm_images: How many training images batch norm is measured again on, for the averaged weights.
    """

    model: str
    network: CustomCnn | PretrainedCnn
    phases: tuple[Phase, ...]
    batch_size: int
    weight_decay: float
    losses: LossWeights = field(default_factory=LossWeights)
    age_sd_years: float = 2.0
    average_epochs: float = 4.0
    clip_norm: float = 5.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    self_distillation: float = 0.0
    teacher_share: float = 0.0
    precision: str = "float32"
    curve_images: int = 500
    norm_images: int = 256

    @property
    def epochs(self) -> int:
        """All phases together."""
        return sum(phase.epochs for phase in self.phases)

    def network_in(self, phase: Phase) -> CustomCnn | PretrainedCnn:
        """The plan of the network while a phase lasts: the same weights, perhaps at another size of image."""
        return dataclasses.replace(self.network, side=phase.side) if phase.side else self.network

    def augmentation_in(self, phase: Phase) -> Augmentation:
        """How training images vary while a phase lasts."""
        milder = self.augmentation.scaled(phase.augmentation_strength)
        return dataclasses.replace(milder, noise=max(milder.noise, phase.noise_share))

    def phase_at(self, epoch: int) -> Phase:
        """The phase of an epoch, counted from 0; the last one for any later epoch."""
        for phase in self.phases:
            if epoch < phase.epochs:
                return phase
            epoch -= phase.epochs
        return self.phases[-1]


def override(recipe: T, path: str, text: str) -> T:
    """A copy with one value changed, as `--set A.phases.0.epochs=12` does.

    Args:
        recipe: Any frozen dataclass, with dataclasses and tuples inside.
        path: Names and positions joined by dots.
        text: The new value; numbers, true/false and lists as JSON, anything else is text.

    Raises:
        SettingError: There is no such value, or the text is no value of its type.
    """
    head, _, rest = path.partition(".")
    if isinstance(recipe, tuple):
        position = int(head) if head.removeprefix("-").isdigit() else len(recipe)
        if not -len(recipe) <= position < len(recipe):
            raise SettingError(
                f"No position {head!r} in a list of {len(recipe)}: give 0 to {len(recipe) - 1}, or -1 for the last."
            )
        changed = list(recipe)
        changed[position] = override(recipe[position], rest, text) if rest else _parsed(text, recipe[position], path)
        return typing.cast(T, tuple(changed))
    names = [item.name for item in dataclasses.fields(typing.cast(Any, recipe))]
    if head not in names:
        raise SettingError(f"No value {head!r} in {type(recipe).__name__}. Known: {', '.join(names)}.")
    former = getattr(recipe, head)
    value = override(former, rest, text) if rest else _parsed(text, former, path)
    return dataclasses.replace(typing.cast(Any, recipe), **{head: value})


def _parsed(text: str, former: Any, path: str) -> Any:
    if dataclasses.is_dataclass(former) or (
        isinstance(former, tuple) and former and dataclasses.is_dataclass(former[0])
    ):
        raise SettingError(f"{path} holds several values: name one of them, as in {path}.{_first_name(former)}=...")
    if isinstance(former, str):
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    if isinstance(former, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(former, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(former):
        kind = type(former).__name__
        raise SettingError(f"{path} must be a value of type {kind} such as {former!r}. Received: {text!r}")
    return value


def _first_name(value: Any) -> str:
    if isinstance(value, tuple):
        return f"0.{_first_name(value[0])}"
    return dataclasses.fields(value)[0].name


def from_record(kind: type[T], record: dict[str, Any]) -> T:
    """A recipe back from the JSON of `dataclasses.asdict`.

    Raises:
        SettingError: The record lacks a value or has one that this version does not know.
    """
    hints = typing.get_type_hints(kind)
    known = {item.name for item in dataclasses.fields(typing.cast(Any, kind))}
    if set(record) - known:
        raise SettingError(
            f"A recorded {kind.__name__} holds unknown values: {', '.join(sorted(set(record) - known))}. "
            "It was written by another version of this package."
        )
    try:
        return kind(**{name: _restored(hints[name], value) for name, value in record.items()})
    except TypeError as error:
        raise SettingError(f"A recorded {kind.__name__} is incomplete: {error}") from error


def _restored(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        for option in typing.get_args(hint):
            if dataclasses.is_dataclass(option) and set(value) <= {item.name for item in dataclasses.fields(option)}:
                return from_record(typing.cast(type, option), value)
        raise SettingError(f"No known network has these values: {', '.join(value)}.")
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_restored(inner, item) for item in value)
    if dataclasses.is_dataclass(hint):
        return from_record(typing.cast(type, hint), value)
    return value
