"""How onnxruntime is opened here: on the CPU, quiet, with memory that does not grow with the shapes it has seen."""

from __future__ import annotations

from typing import Any

from agegender.errors import ModelError

ERROR = 3
"""onnxruntime's severity from which it may write to standard error."""


def open_session(content: bytes, name: str, *, threads: int | None = None, varying_shapes: bool = False) -> Any:
    """An `onnxruntime.InferenceSession`; its `run` may be called from several threads at once.

    Args:
        content: An ONNX file's bytes.
        name: What errors call it.
        threads: Of one run; None: one a core.
        varying_shapes: Inputs differ in size from run to run: plan and keep no memory by their shapes.

    Raises:
        ModelError: onnxruntime cannot open it.
    """
    import onnxruntime as runtime  # noqa: PLC0415  # takes a quarter of a second: commands that only read do without

    options = runtime.SessionOptions()
    options.log_severity_level = ERROR
    # A pool of waiting threads that spin takes the cores from decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    if varying_shapes:
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exception types share no public base
        raise ModelError(f"onnxruntime cannot open {name}: {error}. Export the model again.") from error
