"""The section of a card about what was fitted after training: age intervals, gender temperature, the "unsure" rule.

Reads the record `calibration` of the sidecar as `agegender calibrate` writes it (version 1), and any other record under
`calibration` or `intervals` as a plain list.
"""

from __future__ import annotations

import math
from typing import Any

from agegender.cards.facts import CardFacts
from agegender.cards.words import bullets, counted, share

VERSION = 1
KEYS = {"calibration": "Calibration", "intervals": "Intervals"}
"""Under which a sidecar holds such records, and their headings."""

LISTED_WHOLE = 6
"""A longer list is given by its length and ends."""


def calibration(facts: CardFacts) -> str:
    """What was fitted so that probabilities and intervals hold; empty if nothing was."""
    parts = []
    for key, title in KEYS.items():
        if facts.has(key):
            record = facts.of(key)
            known = key == "calibration" and isinstance(record, dict) and record.get("version") == VERSION
            parts.append(f"### {title}\n\n{_known(record) if known else nested(record)}")
    return "\n\n".join(parts)


def _known(record: dict[str, Any]) -> str:
    on, age, gender = record["calibrated_on"], record["age"], record["gender"]
    lines = [f"Fitted on {counted(int(on['n']), 'image')} that the calibrated answers did not learn from: {on['set']}."]
    if answered_by := on.get("answered_by"):
        lines.append(str(answered_by.get("note") or "The answers were another file's of the same recipe."))
    bands = len(age["thresholds"])
    lines.append(
        f"Age intervals: conformal, method `{age['method']}`, made to hold the label in {share(age['level'])} of images"
        + (f", with a threshold for each of {bands} bands of predicted age." if bands > 1 else ".")
    )
    chosen = next((one for one in record.get("compared", ()) if one.get("chosen")), None)
    if chosen is not None:
        lines.append(
            f"Cross-fitted on these images they hold {share(chosen['coverage'])}, are {chosen['mean_width']:.1f} years "
            f"wide on average, and hold least in the band {chosen['worst_band']}: {share(chosen['worst_coverage'])}."
        )
    temperature, unsure = gender["temperature"], gender["unsure"]
    lines.append(
        f"Gender temperature {temperature['temperature']:.3f}: cross-entropy {temperature['loss_before']:.3f} nats "
        f"before, {temperature['loss_after']:.3f} after."
    )
    lines.append(_unsure(unsure))
    lines.append("The intervals hold for images that come from where the calibration images came from, and no others.")
    return bullets(lines)


def _unsure(rule: dict[str, Any]) -> str:
    asked = f"at most {share(rule['risk'])} wrong answers, with {share(rule['confidence'])} confidence"
    if rule["distance"] is None:
        return f'Gender is never answered but by "unsure": nothing less kept {asked}.'
    return (
        f"Gender is answered where the model is sure enough for {asked}: on {rule['answered']:,} of "
        f'{counted(rule["n"], "calibration image")}, {rule["errors"]:,} of them wrongly; elsewhere "unsure".'
    )


def nested(content: Any, depth: int = 0) -> str:
    """A record as a Markdown list."""
    indent = "  " * depth
    if not isinstance(content, dict):
        return f"{indent}- {_value(content)}"
    lines = []
    for key, value in content.items():
        name = str(key).replace("_", " ")
        if isinstance(value, dict) and value:
            lines += [f"{indent}- {name}:", nested(value, depth + 1)]
        else:
            lines.append(f"{indent}- {name}: {_value(value)}")
    return "\n".join(lines)


def _value(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "; ".join(f"{key} {_value(inner)}" for key, inner in value.items()) or "nothing"
    if isinstance(value, list):
        if len(value) <= LISTED_WHOLE:
            return ", ".join(map(_value, value)) or "nothing"
        return f"{len(value)} values, {_value(value[0])} to {_value(value[-1])}"
    return str(value)
