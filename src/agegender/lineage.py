"""What a trained model went through before its own training, as its sidecar tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Stretch:
    """Epochs that were learnt from the same images.

    Attributes:
        epochs: So many, one after the other.
        images: That they learnt from.
        runs: Trainings of several seeds that did so, each by itself; the next stretch went on from the mean of their
            weights. 1 is one training.
    """

    epochs: int
    images: int
    runs: int


def stretches(sidecar: Mapping[str, Any]) -> list[Stretch]:
    """The whole training of a model, the oldest part first; the last is its own.

    Args:
        sidecar: The JSON record beside the model's file.
    """
    done = sum(phase["epochs"] for phase in sidecar["recipe"]["phases"])
    images, newest = sidecar["split"]["train"], []
    runs, first = 1, sidecar.get("went_on_from")
    while first:
        if done > first["epochs"]:  # a run may only have saved another one's weights anew
            newest.append(Stretch(done - first["epochs"], images, runs))
        done, images = first["epochs"], first["images"]
        # Each run that was averaged has a past of its own, alike in epochs and images; only a mean multiplies.
        runs *= len(first.get("averaged_with") or ()) + 1
        first = first.get("earlier")
    newest.append(Stretch(done, images, runs))
    return newest[::-1]


def learnt_from(sidecar: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The records of all models that had a part in this one: teachers, the start, and others averaged with the start.

    Each says in `started_from` what it inherited itself, so no older ones need be looked at.
    """
    yield from sidecar.get("teachers") or ()
    first = sidecar.get("went_on_from")
    if first:
        yield first
        yield from first.get("averaged_with") or ()
