"""Which file of a folder is what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agegender.errors import InputError
from agegender.hand_in.criteria import NOTEBOOK_FILE, REPORT_FILE
from agegender.run_folder import MODELS, RunFolder


@dataclass(frozen=True)
class HandInFolder:
    """The files of a hand-in.

    Attributes:
        root: The folder.
        files: Every file in it and below, sorted; hidden ones left out.
    """

    root: Path
    files: tuple[Path, ...]

    @property
    def models(self) -> dict[str, Path]:
        """The model files that are there under their names."""
        found = {model: self._named(RunFolder(self.root).model(model).name) for model in MODELS}
        return {model: path for model, path in found.items() if path is not None}

    @property
    def notebook(self) -> Path | None:
        """The notebook under its name."""
        return self._named(NOTEBOOK_FILE)

    @property
    def report(self) -> Path | None:
        """`report.pdf`, or the only PDF; None where there is none or more than one could be meant."""
        pdfs = self.of_kind(".pdf")
        return self._named(REPORT_FILE) or (pdfs[0] if len(pdfs) == 1 else None)

    def of_kind(self, suffix: str) -> tuple[Path, ...]:
        """The files beside each other in the folder itself that end so, case ignored."""
        return tuple(path for path in self.files if path.parent == self.root and path.suffix.lower() == suffix)

    def _named(self, name: str) -> Path | None:
        # By listing, since some file systems would find AGE_GENDER_A.keras too, and the marker's would not.
        return next((path for path in self.files if path.parent == self.root and path.name == name), None)


def read_folder(root: Path) -> HandInFolder:
    """List a hand-in.

    Raises:
        InputError: It is no folder, or an empty one.
    """
    if not root.is_dir():
        raise InputError(f"{root} is no folder. Give the folder that is handed in.")
    files = tuple(
        sorted(
            path
            for path in root.rglob("*")
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
        )
    )
    if not files:
        raise InputError(f"{root} holds no file. Give the folder with both models, the notebook and the report.")
    return HandInFolder(root, files)
