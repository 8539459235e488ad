"""`--gender-codes`: what the numbers in a table's gender column mean."""

from __future__ import annotations

from agegender.errors import SettingError

HELP = "What the codes in a table's gender column mean: 0=male,1=female. Names need none; file names are UTKFace's."


def parse_gender_codes(text: str | None) -> dict[int | str, str] | None:
    """`0=male,1=female` as a mapping; None stays None.

    Raises:
        SettingError: It is no list of CODE=NAME.
    """
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(code.strip() and equals and name.strip() for code, equals, name in pairs):
        raise SettingError(f"--gender-codes takes CODE=NAME pairs such as 0=male,1=female. Received: {text}")
    return {code.strip(): name.strip() for code, _, name in pairs}
