"""Which Keras backend to use, and at which precision it pays to train."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

from agegender.errors import MissingExtraError

BACKENDS = ("tensorflow", "jax", "torch")
"""In the order of preference on a CPU, as measured: TensorFlow trains three times as fast as JAX there."""

CPU_FLAGS = Path("/proc/cpuinfo")
FAST_BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16")


def choose_backend() -> str:
    """Set `KERAS_BACKEND` if nobody has: JAX on an NVIDIA GPU, else TensorFlow, else what is installed.

    Also has TensorFlow use oneDNN, unless `TF_ENABLE_ONEDNN_OPTS` says otherwise. Called before Keras is imported;
    afterwards it changes nothing.

    Returns:
        The backend's name, or an empty string when Keras decides by itself (imported already).
    """
    # Off by default on processors without VNNI, AMD's before Zen 4 among them, where it trains A 1.5 and B 2.2 times as
    # fast all the same. TensorFlow reads it when it is imported.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen
    if "keras" in sys.modules:
        return ""
    installed = [name for name in BACKENDS if _installed(name)]
    if not installed:
        return ""
    backend = "jax" if "jax" in installed and _jax_sees_gpu() else installed[0]
    os.environ["KERAS_BACKEND"] = backend
    return backend


def require_backend() -> str:
    """Like `choose_backend`, for what cannot go on without Keras and a backend.

    Raises:
        MissingExtraError: Keras or every backend is missing.
    """
    backend = choose_backend()
    if not _installed("keras") or not any(map(_installed, BACKENDS)):
        raise MissingExtraError(
            "Keras or a backend of it is not installed, and this needs both. "
            "Run: pip install 'agegender[train,tensorflow]' (or jax or torch in place of tensorflow)"
        )
    if backend == "tensorflow":
        _import_quietly("tensorflow")
    return backend


def _import_quietly(module: str) -> None:
    """Import a module without what its C++ part writes on standard error; where the import fails, with it.

    TensorFlow says twice that oneDNN is on, at every start, whatever level of messages it was told to show.
    """
    if module in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            importlib.import_module(module)
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _jax_sees_gpu() -> bool:
    plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
    return Path("/dev/nvidia0").exists() and any(map(_installed, plugins))


def usable_precision(wanted: str) -> str:
    """`mixed_bfloat16` where the hardware has it, else `float32`.

    A CPU without bfloat16 instructions emulates them, many times slower than float32. On a GPU float32 is taken:
    these networks are small, and the free T4 has no bfloat16.
    """
    if wanted != "mixed_bfloat16":
        return wanted
    if Path("/dev/nvidia0").exists():
        return "float32"
    try:
        flags = CPU_FLAGS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "float32"
    return wanted if any(flag in flags for flag in FAST_BFLOAT16_FLAGS) else "float32"
