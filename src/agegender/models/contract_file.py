"""What can be said of a `.keras` file without running it: is it whole, of built-in parts, readable by an older Keras.

Needs neither Keras nor the model's code, so it also names the part for which a file does not load.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agegender.models.portable import newer_parts

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
FOREIGN_CODE = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
"""Built-in layers that carry code of their own: not portable, and refused in safe mode."""


class Finding(NamedTuple):
    """What one check saw. `passed` is None where it could not be made."""

    name: str
    passed: bool | None
    found: str


def check_file(path: str | Path) -> list[Finding]:
    """Check a model file at rest.

    Args:
        path: The file, whether or not it is a model.

    Returns:
        The findings `whole_file`, `built_in_parts`, `older_keras` and `training_only`, in this order.
    """
    config, said = _read_config(Path(path))
    first = Finding("whole_file", config is not None, said)
    if config is None:
        return [first, *(Finding(name, None, "the file has no configuration") for name in _CONFIG_CHECKS)]
    return [first, *(_judge(name, find(config), good) for name, (find, good) in _CONFIG_CHECKS.items())]


def _read_config(path: Path) -> tuple[dict[str, Any] | None, str]:
    """The configuration, or None and what is wrong with the file."""
    if path.suffix != ".keras":
        weights = path.name.endswith(".weights.h5")
        return None, f"{path.name} {'holds weights alone' if weights else 'does not end in .keras'}"
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [name for name in MEMBERS if name not in archive.namelist()]
            damaged = archive.testzip()
            config = None if missing or damaged else json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, EOFError) as error:
        return None, f"not a .keras archive ({error})"
    except (OSError, ValueError) as error:
        return None, f"cannot be read ({error})"
    if missing:
        return None, f"the archive lacks {', '.join(missing)}"
    if damaged or not isinstance(config, dict) or "class_name" not in config:
        return None, f"the archive is damaged at {damaged}" if damaged else "config.json describes no model"
    return config, f"configuration and weights, {path.stat().st_size / 1e6:.1f} MB"


def _judge(name: str, found: list[str], good: str) -> Finding:
    shown = ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
    return Finding(name, not found, shown or good)


def _foreign_parts(config: dict[str, Any]) -> list[str]:
    """Layers, activations, losses and metrics that are not built into Keras, and `keras.ops` nodes."""
    found = set()
    for part in _dicts(config):
        class_name, module = part.get("class_name"), part.get("module")
        if not isinstance(class_name, str) or "config" not in part or class_name in ("__keras_tensor__", "__tuple__"):
            continue
        named = f"{class_name} {part['name']!r}" if "name" in part else class_name
        registered = str(part.get("registered_name"))
        if class_name in FOREIGN_CODE or class_name == "__lambda__":
            found.add(f"{named} (carries code)")
        elif class_name == "function":
            found.add(f"function {part['config']!r} (not in Keras)")
        elif class_name.startswith("__"):
            continue  # plain values: tensors, arrays, slices
        elif not isinstance(module, str) or module.split(".")[0] != "keras" or ">" in registered:
            found.add(f"{named} of {registered if '>' in registered else module}")
        elif "ops" in module.split("."):
            found.add(f"keras.ops node {part.get('name', class_name)!r} ({class_name})")
        elif module.startswith("keras.src.") and not module.startswith("keras.src.models."):
            found.add(f"{named} of {module} (a private class)")
    return sorted(found)


def _forced_training(config: dict[str, Any]) -> list[str]:
    """Layers that the graph calls with `training=True`, which would augment or drop out at inference too."""
    found = set()
    for part in _dicts(config):
        for node in part.get("inbound_nodes") or ():
            if isinstance(node, dict) and (node.get("kwargs") or {}).get("training") is True:
                found.add(f"{part.get('class_name')} {part.get('name')!r} is called with training=True")
    return sorted(found)


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _dicts(inner)


_CONFIG_CHECKS = {
    "built_in_parts": (_foreign_parts, "built-in layers, losses and metrics only"),
    "older_keras": (newer_parts, "nothing that Keras 3.8 and 3.10 do not know"),
    "training_only": (_forced_training, "no layer is forced into training mode"),
}
