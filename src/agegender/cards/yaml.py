"""YAML for the head of a card: mappings, lists and plain values, enough for Hugging Face and read by every YAML reader.

Text is written as JSON strings, which are YAML strings too (YAML 1.2, section 1.3), so nothing in it can be misread.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def yaml_block(content: dict[str, Any]) -> str:
    """A mapping as block YAML, ending in a line feed. Values: str, bool, int, float, and mappings and lists of these.

    Raises:
        TypeError: A value of another kind.
        ValueError: A number that is not finite, or an empty mapping or list.
    """
    return "\n".join(_mapping(content, "")) + "\n"


def _mapping(content: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, dict | list):
            yield f"{indent}{key}:"
            yield from _inner(value, indent + "  ")
        else:
            yield f"{indent}{key}: {_scalar(value)}"


def _inner(value: dict[str, Any] | list[Any], indent: str) -> Iterator[str]:
    if not value:
        raise ValueError("an empty mapping or list has no place in the head of a card")
    if isinstance(value, dict):
        yield from _mapping(value, indent)
        return
    for item in value:
        if isinstance(item, dict | list):
            first, *rest = _inner(item, indent + "  ")
            yield f"{indent}- {first.removeprefix(indent + '  ')}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(item)}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    raise TypeError(f"{type(value).__name__} has no place in the head of a card. Received: {value!r}")
