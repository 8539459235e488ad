"""Licences in three parts: the code that made a model, the weights it started from, the data it was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from agegender.errors import SettingError


@dataclass(frozen=True, slots=True)
class DataTerms:
    """A data set's name and the terms under which it may be used.

    Attributes:
        name: For people.
        terms: One or more sentences.
        hub_licence: Identifier of Hugging Face's list for a model that was trained on it, `other` if it has none.
        hub_licence_name: Short name of the terms where the identifier is `other`.
        link: Where the terms stand; empty where there is no page.
    """

    name: str
    terms: str
    hub_licence: str = "other"
    hub_licence_name: str = ""
    link: str = ""


DATA_SETS = {
    "utkface": DataTerms(
        name="UTKFace",
        terms=(
            "UTKFace is offered for non-commercial research only; its images were collected from the web and remain "
            "their owners'. A model trained on it is bound by the same terms."
        ),
        hub_licence_name="utkface-non-commercial-research",
        link="https://susanqq.github.io/UTKFace/",
    ),
    "drawn": DataTerms(
        name="faces drawn by agegender",
        terms="The faces are drawn by this package, of nobody: they come under the code's MIT licence.",
        hub_licence="mit",
    ),
}
"""The data sets whose terms are known."""

CODE_TERMS = "The code that trained the model (agegender) is under the MIT licence."


def data_terms(name: str | None, licence: str | None, *, drawn: bool) -> DataTerms | None:
    """The terms of the training data, as far as anybody has said them.

    Args:
        name: A key of `DATA_SETS`, or the name of another data set.
        licence: The terms of another data set, a sentence.
        drawn: The run's record says that its faces are drawn.

    Returns:
        None where nothing was said and nothing is known.

    Raises:
        SettingError: Name and terms do not go together.
    """
    if drawn:
        if (name or "drawn") != "drawn" or licence:
            raise SettingError("The model was trained on drawn faces, whose terms are known: leave out --data-set.")
        return DATA_SETS["drawn"]
    if name == "drawn":
        raise SettingError("The run's record says that the faces are not drawn: name the data set they come from.")
    if name in DATA_SETS:
        if licence:
            raise SettingError(f"The terms of {name} are known: leave out --data-licence.")
        return DATA_SETS[name]
    if name is None and licence is None:
        return None
    if not name or not licence or not name.strip() or not licence.strip():
        raise SettingError(
            "Give both --data-set NAME and --data-licence TEXT for a data set other than utkface. "
            f"Received: name {name!r}, licence {licence!r}"
        )
    return DataTerms(name=name.strip(), terms=licence.strip(), hub_licence_name="terms-of-the-training-data")


def weights_terms(started_from: dict[str, str], teachers: tuple[str, ...] = ()) -> str:
    """What the weights that a model started from ask of those who pass it on.

    Args:
        started_from: `start` and `source` as the sidecar has them (`models.pretrained_cnn.WeightsOrigin`).
        teachers: File names of trained models whose answers were a share of the targets.
    """
    start, source = started_from["start"], started_from["source"]
    if start == "random":
        text = "Training started from random weights: no one else's weights are part of the model."
    elif start == "file":
        text = f"Training started from the weights in the file {source}: the terms of whoever made that file apply."
    elif source.startswith("keras.applications."):
        text = (
            f"Training started from the ImageNet weights of {source}, downloaded by Keras: their own terms, named on "
            "https://keras.io/api/applications/, apply."
        )
    else:
        text = (
            f"Training started from ImageNet weights: {source}. That licence asks that its notice "
            "(`agegender/models/weights/NOTICE.md`) goes with the model."
        )
    if teachers:
        text += f" A share of the targets were the answers of {', '.join(teachers)}: their terms apply too."
    return text
