"""The contribution form and the links of a hand-in: `hand-in.toml` in, frozen facts and broken rules out.

```toml
agreed = true                     # do all members agree on the percentages?

[[members]]
id = "s1234567"                   # an ID, never a name
percentage = 60
reason = "trained Model A"        # optional

[[members]]
id = "s7654321"
percentage = 40

[links]
A = "https://drive.google.com/file/d/.../view?usp=sharing"
B = "https://drive.google.com/file/d/.../view?usp=sharing"
```
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agegender.errors import InputError
from agegender.run_folder import MODELS

WHOLE = 100.0
"""What the percentages sum to."""

MOST_APART = 40.0
"""Points between the largest and the smallest percentage: 70:30 is the most uneven that the brief allows."""

_EXAMPLE = (
    'agreed = true, one [[members]] table an ID with `id` and `percentage`, and [links] with A = "https://..." and B'
)


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the contribution form.

    Attributes:
        id: Student ID, never a name.
        percentage: Share of the work, 0..100.
        reason: Why, or empty.
    """

    id: str
    percentage: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ContributionForm:
    """Who did how much.

    Attributes:
        members: In the file's order.
        agreed: Whether all agree on the percentages; None if it was not said.
    """

    members: tuple[Member, ...]
    agreed: bool | None = None


@dataclass(frozen=True, slots=True)
class HandIn:
    """What only the people who hand in know.

    Attributes:
        form: The contribution form.
        links: By model (`A`, `B`), where the marker can fetch its file; a model without a link is absent.
    """

    form: ContributionForm
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing_links(self) -> tuple[str, ...]:
        """The models that have no link."""
        return tuple(model for model in MODELS if not self.links.get(model))


def read_hand_in(path: str | Path) -> HandIn:
    """Read `hand-in.toml`. Its shape is checked here, the brief's rules by `form_problems`.

    Raises:
        InputError: There is no such file, it is not TOML, or something in it is unknown or of the wrong kind.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}. Give a TOML file with {_EXAMPLE}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}. Expected {_EXAMPLE}.") from error
    return hand_in_from_dict(content, name=str(path))


def hand_in_from_dict(content: Mapping[str, Any], *, name: str = "hand-in") -> HandIn:
    """The facts of a parsed `hand-in.toml`.

    Args:
        content: What the file holds.
        name: What to call it in errors.

    Raises:
        InputError: Something is unknown or of the wrong kind.
    """
    _only(content, {"agreed", "members", "links"}, name)
    agreed, members, links = content.get("agreed"), content.get("members", []), content.get("links", {})
    if agreed is not None and not isinstance(agreed, bool):
        raise InputError(f"{name}: `agreed` is true or false. Received: {agreed!r}")
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise InputError(f"{name}: members are [[members]] tables, one an ID. Received: {members!r}")
    if not isinstance(links, dict) or not all(isinstance(link, str) for link in links.values()):
        raise InputError(f'{name}: [links] holds A = "https://..." and B = "https://...". Received: {links!r}')
    _only(links, set(MODELS), f"{name}, [links]")
    form = ContributionForm(tuple(_member(member, name) for member in members), agreed)
    return HandIn(form, {model: link.strip() for model, link in links.items() if link.strip()})


def form_problems(form: ContributionForm) -> tuple[str, ...]:
    """Every rule of the brief that a contribution form breaks, a sentence each; none if it is in order."""
    members, problems = form.members, []
    if not members:
        return ("The form names no ID.",)
    ids = [member.id for member in members]
    if len(set(ids)) < len(ids):
        problems.append(f"An ID stands twice. Received: {', '.join(ids)}")
    # Every ID of a university holds a digit and no space; a name hardly ever does. The hand-in is anonymous.
    names = [one for one in ids if not one or any(sign.isspace() for sign in one) or not any(map(str.isdigit, one))]
    if names:
        problems.append(f"An ID has digits and no spaces, and is no name. Received: {', '.join(map(repr, names))}")
    percentages = [member.percentage for member in members]
    if not all(0 < share <= WHOLE for share in percentages):
        problems.append(f"A percentage is above 0 and at most 100. Received: {_shares(percentages)}")
    total = math.fsum(percentages)
    if not math.isclose(total, WHOLE, abs_tol=1e-6):
        problems.append(f"The percentages must sum to 100. Received: {_shares(percentages)}, which is {total:g}")
    if max(percentages) - min(percentages) > MOST_APART + 1e-6:
        problems.append(f"The most uneven split allowed is 70:30. Received: {_shares(percentages)}")
    if form.agreed is None:
        problems.append("The form does not say whether all agree: set agreed = true or agreed = false.")
    return tuple(problems)


def check_form(form: ContributionForm) -> None:
    """See that a contribution form keeps the brief's rules.

    Raises:
        InputError: It breaks one; the message names all that it breaks.
    """
    if problems := form_problems(form):
        raise InputError("The contribution form is not in order. " + " ".join(problems))


def _member(content: Mapping[str, Any], name: str) -> Member:
    _only(content, {"id", "percentage", "reason"}, f"{name}, [[members]]")
    identity, percentage, reason = content.get("id"), content.get("percentage"), content.get("reason", "")
    # A bare number is a natural way to write an ID of digits.
    if isinstance(identity, bool) or not isinstance(identity, (str, int)):
        raise InputError(f"{name}: a member's `id` is a text. Received: {identity!r}")
    if isinstance(percentage, bool) or not isinstance(percentage, (int, float)) or not math.isfinite(percentage):
        raise InputError(f"{name}: a member's `percentage` is a number. Received: {percentage!r}")
    if not isinstance(reason, str):
        raise InputError(f"{name}: a member's `reason` is a text. Received: {reason!r}")
    return Member(str(identity).strip(), float(percentage), reason.strip())


def _only(content: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(content) - known):
        raise InputError(f"{where}: only {', '.join(sorted(known))} are known. Received: {', '.join(unknown)}")


def _shares(percentages: list[float]) -> str:
    return ":".join(f"{share:g}" for share in percentages)
