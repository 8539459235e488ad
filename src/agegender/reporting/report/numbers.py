"""Numbers as a report prints them: one place, so that text, tables and comparisons agree to the last digit."""

from __future__ import annotations

import math

from agegender.types import Interval

YEARS_DIGITS, SHARE_DIGITS = 2, 1
"""Decimals of years and of percentages."""

MINUS = "\N{MINUS SIGN}"


PERCENT = "\N{NO-BREAK SPACE}%"
"""The sign after a number, on the same line as it."""


def years(value: float) -> float:
    """Years as printed: what is compared is what is read."""
    return round(float(value), YEARS_DIGITS) + 0.0


def share(value: float) -> float:
    """A share 0..1 as the percentage that is printed."""
    return round(100 * float(value), SHARE_DIGITS) + 0.0


def years_text(value: float) -> str:
    """`5.42 years`."""
    return f"{years(value):.{YEARS_DIGITS}f} years"


def percent_text(value: float) -> str:
    """`91.8 %` of a share 0..1; the space does not break."""
    return f"{share(value):.{SHARE_DIGITS}f}{PERCENT}"


def number(value: float, digits: int) -> str:
    """A number with a true minus sign."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int) -> str:
    """`+0.49`, a minus sign below 0, and a bare zero where it rounds to 0."""
    rounded = round(value, digits) + 0.0
    return number(rounded, digits) if rounded <= 0 else f"+{number(rounded, digits)}"


def interval_text(interval: Interval, *, scale: float = 1.0, digits: int = YEARS_DIGITS, sign: bool = False) -> str:
    """`5.42 (5.07 to 5.81)`: a figure and its 95 % interval."""
    show = signed if sign else number
    value, low, high = (show(scale * one, digits) for one in (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"


def percent_interval(interval: Interval) -> str:
    """`91.8 (89.9 to 93.5)`, in percent."""
    return interval_text(interval, scale=100, digits=SHARE_DIGITS)


def plain(value: float) -> str:
    """A setting in the fewest digits: `0.1`, `64`, `0.002`; four at most that mean something."""
    if value and math.isfinite(value) and abs(value) < 1e-4:
        return f"{value:.0e}".replace("e-0", "e-").replace("-", MINUS)
    return f"{value:.4g}"


def minutes_text(seconds: float) -> str:
    """`35 minutes`, `1 minute`, `48 seconds`."""
    if seconds < 60:
        return f"{round(seconds)} seconds"
    whole = round(seconds / 60)
    return f"{whole} minute{'' if whole == 1 else 's'}"


def counting(value: int) -> str:
    """`one` to `twelve`, then digits with commas."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[value] if 0 <= value < len(words) else f"{value:,}"


def band_text(name: str) -> str:
    """`18–29` of a band's name `18-29`."""
    return name.replace("-", "\N{EN DASH}")


def setting_percent(value: float) -> str:
    """A share of a recipe in the fewest digits: `40 %`."""
    return f"{plain(100 * value)}{PERCENT}"
