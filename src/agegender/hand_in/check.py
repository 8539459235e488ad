"""Everything that a program can say of a hand-in before it is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agegender.hand_in.anonymity import check_anonymity
from agegender.hand_in.folder import read_folder
from agegender.hand_in.marking import marking_rows
from agegender.hand_in.models import ContractCheck, check_models
from agegender.hand_in.notebook_checks import check_notebook
from agegender.hand_in.report_checks import check_report
from agegender.hand_in.result import HandInReport


def check_hand_in(root: str | Path, *, contract: ContractCheck | None, names: Sequence[str] = ()) -> HandInReport:
    """Check a folder that is to be handed in: both models, the notebook, the report, and that nobody is named.

    Args:
        root: The folder.
        contract: Holds model files against the contract, such as `agegender.models.contract.check_models`; None leaves
            the files unloaded, and says so.
        names: Names to search for, beside those of `git config` and of the files' own properties.

    Raises:
        InputError: There is no such folder, or it is empty. What is wrong in it is a finding, not an error.
        MissingExtraError: pypdf, or Keras with a backend, is not installed.
    """
    folder = read_folder(Path(root))
    checks = (
        *check_models(folder, contract),
        *check_notebook(folder),
        *check_report(folder),
        *check_anonymity(folder, names),
    )
    return HandInReport(folder.root, checks, marking_rows(checks))
