"""One family of errors. Each says what was received, what was expected and what to do.

The command line turns them into exit codes (`exit_code`); the library only raises them.
"""

from __future__ import annotations


class AgegenderError(Exception):
    """Base of every error that a user can cause or mend.

    Attributes:
        exit_code: What the command line returns for it.
    """

    exit_code = 1


class InputError(AgegenderError):
    """The data given cannot be used: nothing found, too much rejected, a malformed table."""

    exit_code = 3


class ImageError(InputError):
    """One image cannot be used.

    Attributes:
        reason: A short stable word for tables, such as `truncated` or `too_large`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class SettingError(AgegenderError):
    """A setting or a combination of settings that makes no sense."""

    exit_code = 2


class OutputError(AgegenderError):
    """Something could not be written: no permission, no space, already there."""

    exit_code = 4


class ModelError(AgegenderError):
    """A model file cannot be loaded or breaks the contract."""

    exit_code = 5


class NotCalibratedError(ModelError):
    """A model is asked for calibrated answers before it was calibrated, or has changed since."""


class MissingExtraError(AgegenderError):
    """A part of the package needs an extra that is not installed."""

    exit_code = 6


class ClusterError(AgegenderError):
    """A cluster cannot be reached, has no node left, or its nodes cannot do the work."""

    exit_code = 7


class Interrupted(AgegenderError):  # noqa: N818 - it is no error, yet it ends a command
    """The user stopped a run; what was done so far is kept and can be resumed."""

    exit_code = 130
