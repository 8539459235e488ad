"""Run by test_devices.py under JAX with four forced devices: the same trainings on one of them and on all; no test.

Usage: on_devices.py FOLDER_OF_FACES OUT; writes OUT/result.json.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jax  # pyright: ignore[reportMissingImports] - in an environment of its own
import keras
import numpy as np

from agegender.errors import Interrupted, SettingError
from agegender.training.batches import FaceArrays
from agegender.training.devices import device_names, every_device
from agegender.training.fit import TrainedModel, train

INTERRUPTED_AFTER = 2


def main(folder: Path, out: Path) -> None:
    small = _neighbour("test_fit")
    training, validation = small.face_arrays(folder)
    network = dataclasses.replace(small.TINY.network, side=64)
    heads, whole = (dataclasses.replace(phase, side=0) for phase in small.TINY.phases)
    recipe = dataclasses.replace(small.TINY, network=network, phases=(heads, dataclasses.replace(whole, epochs=2)))
    every = every_device()
    result: dict[str, Any] = {"devices": device_names(every)}

    def trained(name: str, *, spread: bool, stop: bool = False, resume: bool = False) -> TrainedModel | None:
        def announce(line: str) -> None:
            if stop and line.startswith(f"A   {INTERRUPTED_AFTER}/"):
                raise KeyboardInterrupt

        with every.scope() if spread else contextlib.nullcontext(), contextlib.suppress(Interrupted):
            return train(recipe, training, validation, out / name, seed=3, resume=resume, announce=announce)
        return None

    for name, spread in (("one", False), ("all", True)):
        (out / name).mkdir()
        with _seen_shards() as shards:
            model = trained(name, spread=spread)
        assert model is not None
        result[name] = _told(model, validation) | {"shards": sorted(shards)}
    for name, then_spread in (("resumed_on_all", True), ("resumed_on_one", False)):
        (out / name).mkdir()
        assert trained(name, spread=True, stop=True) is None
        model = trained(name, spread=then_spread, resume=True)
        assert model is not None
        result[name] = _told(model, validation)
    few = FaceArrays(training.images, training.ages, training.genders, training.rows[:10])
    with every.scope():
        try:
            train(dataclasses.replace(recipe, batch_size=64), few, None, out / "few", seed=3)
        except SettingError as error:
            result["few"] = str(error)
    (out / "result.json").write_text(json.dumps(result))


def _told(model: TrainedModel, validation: FaceArrays) -> dict[str, Any]:
    age, female = model.contract.predict(validation.pixels(), verbose="0")
    history = model.history.drop(columns=["seconds", "images_per_second"]).to_dict("list")
    return {"history": history, "age": age[:, 0].tolist(), "female": female[:, 0].tolist()}


@contextlib.contextmanager
def _seen_shards() -> Iterator[set[tuple[int, int, int]]]:
    """The batch sizes that reach the first convolution, whole and on each device, as JAX compiles them."""
    seen: set[tuple[int, int, int]] = set()
    former = keras.layers.Conv2D.call

    def call(self: keras.layers.Conv2D, inputs: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(inputs, jax.core.Tracer):
            shape = inputs.shape

            def note(sharding: Any) -> None:
                seen.add((shape[0], sharding.shard_shape(shape)[0], len(sharding.device_set)))

            jax.debug.inspect_array_sharding(inputs, callback=note)
        return former(self, inputs, *rest, **named)

    keras.layers.Conv2D.call = call
    try:
        yield seen
    finally:
        keras.layers.Conv2D.call = former


def _neighbour(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
