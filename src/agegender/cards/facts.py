"""What a card is written from: sidecar, run record and evaluation. A fact that is not there is an error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegender.artifacts import read_json, sha256_file
from agegender.cards.terms import DataTerms, data_terms
from agegender.errors import InputError
from agegender.run_folder import open_run

if TYPE_CHECKING:
    from agegender.evaluation.suite import Evaluation

FIRST_ORDERS = ("rgb", "bgr")
"""Which channel order a card quotes: the first of these that was measured."""


class MissingFactError(InputError):
    """A card needs a fact that the run's records do not hold.

    Attributes:
        fact: Which, with the file it belongs to.
        remedy: What to do.
    """

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(f"{fact} is missing. {remedy}")
        self.fact = fact
        self.remedy = remedy


@dataclass(frozen=True)
class CardFacts:
    """Everything known of one model.

    Attributes:
        model: `A` or `B`.
        sidecar_file: Name of the sidecar, for errors.
        sidecar: Its content.
        record: Content of `run.json`.
        evaluation: Content of `metrics.json`; None where nothing was measured.
        terms: Name and terms of the training data; None where nobody has said them.
    """

    model: str
    sidecar_file: str
    sidecar: dict[str, Any]
    record: dict[str, Any]
    evaluation: Evaluation | None
    terms: DataTerms | None

    def of(self, path: str) -> Any:
        """A value of the sidecar by names joined with dots, such as `split.train`.

        Raises:
            MissingFactError: There is none, or it is null.
        """
        value: Any = self.sidecar
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
            if value is None:
                raise MissingFactError(f"{path} in {self.sidecar_file}", "Train the model again with this version.")
        return value

    def has(self, path: str) -> bool:
        """Whether the sidecar holds a value."""
        try:
            self.of(path)
        except MissingFactError:
            return False
        return True

    @property
    def file(self) -> str:
        """Name of the model file."""
        return str(self.of("file"))

    @property
    def drawn(self) -> bool:
        """Whether the model was trained on drawn faces."""
        return bool(self.of("data.drawn"))

    @property
    def from_imagenet(self) -> bool:
        """Whether training started from other weights than random ones."""
        return str(self.of("started_from.start")) != "random"

    @property
    def measured(self) -> Evaluation:
        """The evaluation.

        Raises:
            MissingFactError: Nothing was measured.
        """
        if self.evaluation is None:
            raise MissingFactError(
                "an evaluation (metrics.json)",
                "Run with --test, or agegender evaluate MODELS --data FOLDER --out RUN, first.",
            )
        return self.evaluation

    @property
    def measured_on(self) -> str:
        """`test` for other images than the training data, `validation` for its held-out part.

        Told by the evaluation's own fingerprint: `run.json` does not know of an evaluation that was made later.

        Raises:
            MissingFactError: Nothing was measured, or training images were among those that were.
        """
        measured = self.measured
        if measured.fingerprint != self.of("data.fingerprint"):
            return "test"
        held_out = int(self.of("split.of")) - int(self.of("split.train"))
        if measured.n == held_out:
            return "validation"
        raise MissingFactError(
            "an evaluation on images that training did not see",
            f"metrics.json is of {measured.n:,} images of the training data itself, of which {held_out:,} were held "
            "out: run agegender evaluate on other images.",
        )

    @property
    def order(self) -> str:
        """The channel order whose figures are quoted.

        Raises:
            MissingFactError: This model was not measured.
        """
        orders = {result.order for result in self.measured.results if result.model == self.model}
        for order in FIRST_ORDERS:
            if order in orders:
                return order
        raise MissingFactError(f"figures of Model {self.model} in metrics.json", "Run agegender evaluate on it.")

    @property
    def known_terms(self) -> DataTerms:
        """Name and terms of the training data.

        Raises:
            MissingFactError: Nobody has said them.
        """
        if self.terms is None:
            raise MissingFactError(
                "the name and licence of the training data",
                "No file says whose images they are: give --data-set utkface, or --data-set NAME with --data-licence.",
            )
        return self.terms


def read_facts(root: Path, model: str, *, data_set: str | None = None, data_licence: str | None = None) -> CardFacts:
    """Collect what a run folder, or a folder of shipped models, says of one model.

    Args:
        root: The folder.
        model: `A` or `B`.
        data_set: Where the training images come from, `utkface` or a name of your own; drawn faces need none.
        data_licence: The terms of a data set of your own, in a sentence.

    Raises:
        InputError: There is no run or no sidecar, the model file is another than its sidecar's, or the evaluation is
            of another file.
        SettingError: Name and terms of the data do not go together.
    """
    from agegender.evaluation.suite import load_evaluation  # noqa: PLC0415  # pandas loads only when it is needed

    folder, record = open_run(root)
    path = folder.sidecar(model)
    if not path.is_file():
        raise InputError(f"{root} holds no sidecar {path.name} of Model {model}. Finish the run: --resume.")
    sidecar = read_json(path)
    described = str(sidecar.get("sha256"))
    # A card can be written where the records alone are, but never about a file that is there and is another one.
    if folder.model(model).is_file() and (found := sha256_file(folder.model(model))) != described:
        raise InputError(
            f"{folder.model(model)} is not the file that {path.name} describes (sha256 {found[:12]}..., expected "
            f"{described[:12]}...). A card about another file would be false: train again."
        )
    evaluation = load_evaluation(folder.metrics) if folder.metrics.is_file() else None
    for measured in evaluation.models if evaluation is not None else ():
        if measured.name == model and measured.sha256 != described:
            raise InputError(
                f"{folder.metrics} measures another file of Model {model} (sha256 {measured.sha256[:12]}...). "
                f"Run agegender evaluate again with --out {root}."
            )
    terms = data_terms(data_set, data_licence, drawn=bool(sidecar.get("data", {}).get("drawn")))
    return CardFacts(model, path.name, sidecar, record, evaluation, terms)


def models_in(root: Path) -> tuple[str, ...]:
    """The models of a run whose sidecars are there.

    Raises:
        InputError: There is no run, or none of its models is finished.
    """
    folder, record = open_run(root)
    named = record.get("settings", {}).get("models") or ()
    there = tuple(model for model in named if folder.sidecar(model).is_file())
    if not there:
        raise InputError(f"{root} holds no finished model. Go on with the run: agegender run ... --resume.")
    return there
