"""Load model files as the marker does and check what they do: `python -I contract_probe.py --images N.npz FILE...`.

Stands alone: needs the standard library, Keras (3.8 or later), one backend and NumPy. An import of this package is
refused, so a file that needs it fails here. Prints one JSON object: the versions, and for each file the findings and
the answers. `contract.py` runs it in a process of its own, of this interpreter or of another environment's.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.util
import json
import os
import platform
import sys
from importlib.abc import MetaPathFinder
from typing import Any, NamedTuple

NO_KERAS_EXIT = 6

try:
    import numpy as np
except ImportError:
    sys.stderr.write(f"{sys.executable} has no NumPy\n")
    sys.exit(NO_KERAS_EXIT)

PACKAGE = "agegender"
SIZE_PIXELS = 128
BATCH = 333

BATCH_TOLERANCE_YEARS, BATCH_TOLERANCE_PROBABILITY = 0.01, 1e-3
ORDER_TOLERANCE_YEARS, ORDER_AGREEMENT, ORDER_IMAGES = 0.2, 0.995, 200
"""99.5 % of 200 images: one may differ."""
LARGEST_MAP = 9
PLAUSIBLE_YEARS = (-5.0, 125.0)
MEDIAN_WITHIN_YEARS, MEDIAN_WITHIN_SHARE = 0.5, 0.05
"""A median read off by layers is smooth where the exact one jumps: half a year, or this far from one half below it."""
RESCALED_BELOW_YEARS = 2.0
"""If no face at all is answered above this, the age is a share or a standardised number, not years."""

Outcome = tuple[bool, str]


class RefusePackage(MetaPathFinder):
    """Makes any import of this package fail, also where it is installed."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG002 - the protocol's shape
        """Refuse the package, leave everything else to the finders behind."""
        if fullname.partition(".")[0] == PACKAGE:
            raise ImportError(f"A model file must load without {PACKAGE}; it asked for {fullname}")


class Call(NamedTuple):
    """One layer at work on real images."""

    layer: Any
    inputs: list[Any]
    outputs: list[Any]


class Trace:
    """Every call of a built-in layer while a model answers, in order, nested models opened."""

    def __init__(self, keras: Any, model: Any, pixels: np.ndarray) -> None:
        self._keras = keras
        self.calls: list[Call] = []
        original = keras.layers.Layer.__call__

        @functools.wraps(original)
        def recording(layer: Any, *args: Any, **kwargs: Any) -> Any:
            outputs = original(layer, *args, **kwargs)
            if not isinstance(layer, keras.Model):
                given = [v for v in keras.tree.flatten((args, kwargs)) if hasattr(v, "shape")]
                self.calls.append(Call(layer, given, keras.tree.flatten(outputs)))
            return outputs

        base = keras.layers.Layer
        base.__call__ = recording
        try:
            self.outputs = keras.tree.flatten(model(keras.ops.convert_to_tensor(pixels), training=False))
        finally:
            base.__call__ = original
        self._maker: dict[int, Call] = {}
        for call in self.calls:
            given = {id(tensor) for tensor in call.inputs}  # dropout at inference hands on what it was given
            self._maker |= {id(tensor): call for tensor in call.outputs if id(tensor) not in given}

    def maker(self, tensor: Any) -> Call | None:
        """The call that a tensor came out of."""
        return self._maker.get(id(tensor))

    def maps(self, tensor: Any) -> set[tuple[int, int]]:
        """Height and width of the last feature maps that a tensor was made of; 1 x 1 is a pooled map and no map."""
        if len(tensor.shape) == 4:
            call = self.maker(tensor)
            first = 2 if call and getattr(call.layer, "data_format", None) == "channels_first" else 1
            height, width = tensor.shape[first], tensor.shape[first + 1]
            if height * width > 1:
                return {(int(height), int(width))}
        call = self.maker(tensor)
        return set().union(*map(self.maps, call.inputs)) if call and call.inputs else set()

    def numbers(self, tensor: Any) -> np.ndarray:
        """A tensor's values, float64."""
        return np.asarray(self._keras.ops.convert_to_numpy(tensor), np.float64)

    def is_sigmoid(self, tensor: Any) -> bool:
        """Whether a tensor is a sigmoid's, or the average of sigmoids."""
        call = self.maker(tensor)
        if call is None:
            return False
        if type(call.layer).__name__ in ("Average", "Identity", "Reshape", "Flatten", "Dropout"):
            return bool(call.inputs) and all(map(self.is_sigmoid, call.inputs))
        return activation_name(call.layer) == "sigmoid"


def activation_name(layer: Any) -> str:
    """The name of a layer's activation function, empty without one."""
    return getattr(getattr(layer, "activation", None), "__name__", "")


def all_layers(model: Any) -> list[Any]:
    """A model's layers, nested models opened."""
    found = []
    for layer in model.layers:
        found += all_layers(layer) if hasattr(layer, "layers") else [layer]
    return found


class Probe:
    """The checks of one model file. Each returns whether it passed and what was found."""

    def __init__(self, keras: Any, path: str, pixels: np.ndarray) -> None:
        self.keras, self.path, self.pixels = keras, path, pixels

    @functools.cached_property
    def model(self) -> Any:
        """The file, loaded plainly."""
        return self.keras.models.load_model(self.path)

    @functools.cached_property
    def answers(self) -> list[np.ndarray]:
        """Each output's answers to all images in one batch, float64 (n,)."""
        return self._answer(self.pixels)

    @functools.cached_property
    def trace(self) -> Trace:
        """The layers at work on eight images."""
        return Trace(self.keras, self.model, self.pixels[:8])

    def _answer(self, pixels: np.ndarray) -> list[np.ndarray]:
        outputs = self.model.predict(pixels, batch_size=len(pixels), verbose=0)
        outputs = list(outputs.values()) if isinstance(outputs, dict) else outputs
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return [np.asarray(output, np.float64).reshape(len(pixels), -1)[:, 0] for output in outputs]

    def loads(self) -> Outcome:
        """Loads plainly, in safe mode."""
        return True, f"{type(self.model).__name__} with {self.model.count_params():,} parameters"

    def input(self) -> Outcome:
        """One input of 128 x 128 x 3, batch free."""
        shape = self.model.input_shape
        return shape == (None, SIZE_PIXELS, SIZE_PIXELS, 3), f"input shape {shape}"

    def output_names(self) -> Outcome:
        """Named age and gender, in that order."""
        names = list(self.model.output_names)
        return names == ["age", "gender"], f"outputs {names}"

    def output_units(self) -> Outcome:
        """One unit each."""
        shapes = [tuple(output.shape) for output in self.model.outputs]
        return shapes == [(None, 1), (None, 1)], f"output shapes {shapes}"

    def float32(self) -> Outcome:
        """No layer computes in half precision."""
        kinds = sorted({str(layer.compute_dtype) for layer in all_layers(self.model)})
        return kinds == ["float32"], f"computes in {', '.join(kinds)}"

    def gender_sigmoid(self) -> Outcome:
        """By its layer and by its values."""
        probability = self.answers[1]
        inside = bool(np.isfinite(probability).all() and probability.min() >= 0 and probability.max() <= 1)
        ends = self.trace.is_sigmoid(self.trace.outputs[1])
        what = "ends in a sigmoid" if ends else "does not end in a sigmoid"
        return inside and ends, f"{what}, answers {probability.min():.3f} to {probability.max():.3f}"

    def age_years(self) -> Outcome:
        """Finite, in the range of human ages, not rescaled."""
        age = self.answers[0]
        low, high = PLAUSIBLE_YEARS
        plausible = bool(np.isfinite(age).all() and low <= age.min() and age.max() <= high)
        rescaled = bool(age.max() < RESCALED_BELOW_YEARS)
        what = "looks rescaled, " if rescaled else ""
        return plausible and not rescaled, f"{what}answers {age.min():.2f} to {age.max():.2f}"

    def age_distribution(self) -> Outcome:
        """A softmax whose mean or median is the answered age."""
        calls = [call for call in self.trace.calls if call.layer.name == "age_distribution"]
        if not calls:
            return False, "no inner layer of that name"
        call = calls[-1]
        share = self.trace.numbers(call.outputs[0])
        softmax = type(call.layer).__name__ == "Softmax" or activation_name(call.layer) == "softmax"
        if not softmax or share.ndim != 2 or share.min() < 0 or np.abs(share.sum(1) - 1).max() > 1e-4:
            return False, f"{type(call.layer).__name__} of shape {share.shape} is no softmax over ages"
        years = np.arange(share.shape[1])
        age = self.trace.numbers(self.trace.outputs[0])[:, 0]
        from_mean = float(np.abs(share @ years - age).max())
        sums = [np.cumsum(row) for row in share]
        medians = np.array([np.interp(0.5, row, years + 0.5) for row in sums])
        below = np.array([np.interp(one, years + 0.5, row) for one, row in zip(age, sums, strict=True)])
        close = (np.abs(medians - age) <= MEDIAN_WITHIN_YEARS) | (np.abs(below - 0.5) <= MEDIAN_WITHIN_SHARE)
        kept = bool(from_mean <= 0.01 or close.all())
        what = f"age differs from its mean by {from_mean:.4f} years and is a median of {close.mean():.0%} of the images"
        return kept, f"softmax over {share.shape[1]} ages, {what}"

    def feature_maps(self) -> Outcome:
        """Small before every fully connected layer, hence before the first."""
        dense = [call for call in self.trace.calls if type(call.layer).__name__ in ("Dense", "EinsumDense")]
        if not dense:
            return False, "no fully connected layer"
        before = ((call.layer.name, self.trace.maps(tensor)) for call in dense for tensor in call.inputs)
        sizes = [(name, size) for name, found in before for size in sorted(found)]
        if not sizes:
            return False, f"no feature maps before {dense[0].layer.name!r}"
        name, (height, width) = max(sizes, key=lambda item: max(item[1]))
        return max(height, width) <= LARGEST_MAP, f"{height} x {width} before {name!r}, the largest of {len(dense)}"

    def batches(self) -> Outcome:
        """The same answer alone as among many."""
        alone = [self._answer(self.pixels[i : i + 1]) for i in range(4)]
        years, share = (max(abs(one[k][0] - self.answers[k][i]) for i, one in enumerate(alone)) for k in (0, 1))
        good = years <= BATCH_TOLERANCE_YEARS and share <= BATCH_TOLERANCE_PROBABILITY
        return bool(good), f"alone and among {len(self.pixels)}: {years:.2g} years, {share:.2g} of gender apart"

    def repeatable(self) -> Outcome:
        """The same answer by `predict` and by a direct call, asked again: nothing random is active."""
        pixels = self.pixels[:16]
        first, again = self._answer(pixels), self._answer(pixels)
        called = self.keras.tree.flatten(self.model(self.keras.ops.convert_to_tensor(pixels)))
        direct = [self.trace.numbers(output).reshape(len(pixels), -1)[:, 0] for output in called]
        years, share = (float(np.max(np.abs([first[k] - again[k], first[k] - direct[k]]))) for k in (0, 1))
        return years <= 1e-3 and share <= 1e-4, f"asked again: {years:.2g} years, {share:.2g} of gender apart"

    def channel_order(self) -> Outcome:
        """The same answer in BGR as in RGB."""
        age, female = self._answer(self.pixels[:ORDER_IMAGES, ..., ::-1])
        years = float(np.abs(self.answers[0][:ORDER_IMAGES] - age).mean())
        agree = float(np.mean((self.answers[1][:ORDER_IMAGES] >= 0.5) == (female >= 0.5)))
        good = years <= ORDER_TOLERANCE_YEARS and agree >= ORDER_AGREEMENT
        return good, f"BGR and RGB: {years:.4f} years apart on average, gender agrees on {agree:.2%}"

    def compiled(self) -> Outcome:
        """Losses and metrics are there and `evaluate` gives numbers."""
        if not self.model.compiled:
            return False, "not compiled"
        config = self.model.get_compile_config()
        if not config.get("loss") or not config.get("metrics"):
            return False, f"loss {config.get('loss')}, metrics {config.get('metrics')}"
        age, female = np.linspace(1, 90, 16, dtype=np.float32), np.arange(16, dtype=np.float32) % 2
        result = self.model.evaluate(self.pixels[:16], [age, female], batch_size=16, verbose=0, return_dict=True)
        bad = [name for name, value in result.items() if not np.isfinite(value)]
        return not bad and len(result) > 1, f"evaluate gives {', '.join(bad or sorted(result))}"

    def overfitting(self) -> Outcome:
        """What of the usual techniques can be seen in the layers."""
        found: dict[str, int] = {}
        for layer in all_layers(self.model):
            kind = type(layer).__name__
            if any(word in kind for word in ("Dropout", "Normalization", "Noise", "Random")):
                found[kind] = found.get(kind, 0) + 1
            if any(
                getattr(layer, name, None)
                for name in ("kernel_regularizer", "bias_regularizer", "activity_regularizer")
            ):
                found["regularised"] = found.get("regularised", 0) + 1
        return bool(found), ", ".join(f"{kind} x{count}" for kind, count in sorted(found.items())) or "none visible"


NEEDS = {
    "loads": (),
    "input": ("loads",),
    "output_names": ("loads",),
    "output_units": ("loads",),
    "float32": ("loads",),
    "gender_sigmoid": ("input", "output_names"),
    "age_years": ("input", "output_names"),
    "age_distribution": ("input", "output_names", "output_units"),
    "feature_maps": ("input",),
    "batches": ("input", "output_names"),
    "channel_order": ("input", "output_names"),
    "compiled": ("input", "output_names", "output_units"),
    "overfitting": ("loads",),
    "repeatable": ("input", "output_names"),
}
"""The checks in the order in which they are made, and those without which each says nothing.

`repeatable` comes last: a layer that is forced into training moves its statistics when the model is called.
"""


def probe_file(keras: Any, path: str, pixels: np.ndarray, given: int) -> dict[str, Any]:
    """Check one file; a check that raises has failed, a check whose ground is missing was not made (None)."""
    probe = Probe(keras, path, pixels)
    passed: dict[str, bool | None] = {}
    findings = []
    for name, needs in NEEDS.items():
        if missing := [need for need in needs if not passed[need]]:
            passed[name], found = None, f"needs {missing[0]}"
        else:
            try:
                passed[name], found = getattr(probe, name)()
            except Exception as error:  # whatever a file's layers raise is a finding
                passed[name], found = False, in_short(error)
        findings.append((name, passed[name], found))
    answers = {}
    if passed["input"] and passed["output_names"]:
        try:
            answers = dict(zip(("age", "gender"), (values[:given].tolist() for values in probe.answers), strict=True))
        except Exception as error:  # the checks have said so already
            sys.stderr.write(f"{path} gives no answers: {error}\n")
    return {"file": path, "findings": findings, "answers": answers}


def in_short(error: BaseException) -> str:
    """What went wrong and the first cause of it, without the configurations that Keras prints."""
    first = error
    while (cause := first.__cause__ or first.__context__) is not None:
        first = cause
    said = [f"{type(e).__name__}: {(str(e).strip().splitlines() or [''])[0][:200]}" for e in (error, first)]
    return " From: ".join(dict.fromkeys(said))


def choose_backend() -> None:
    """Leave Keras's own choice, unless nothing was chosen and TensorFlow is not there."""
    if "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("tensorflow") is None:
        os.environ["KERAS_BACKEND"] = "jax" if importlib.util.find_spec("jax") else "torch"


def main() -> int:
    """Check the files named on the command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--images", required=True, help=".npz with `images`, uint8 (n, 128, 128, 3) in RGB")
    options = parser.parse_args()
    # Whatever Keras and its backend print goes to standard error; the report alone to standard output.
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.meta_path.insert(0, RefusePackage())
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    choose_backend()
    try:
        keras = importlib.import_module("keras")
    except ImportError as error:
        sys.stderr.write(f"{sys.executable} has no Keras with a backend: {error}\n")
        return NO_KERAS_EXIT
    images = np.load(options.images)["images"]
    given = len(images)
    # Too few images for the large batch are repeated; only the first round is answered in the report.
    pixels = images[np.arange(max(given, BATCH)) % given].astype(np.float32) / 255
    models = []
    for path in options.files:
        models.append(probe_file(keras, path, pixels, given))
        keras.backend.clear_session()
    if any(name.partition(".")[0] == PACKAGE for name in sys.modules):
        raise AssertionError(f"{PACKAGE} was imported")
    versions = {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "numpy": np.__version__,
    }
    json.dump({"versions": versions, "models": models}, report)
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
