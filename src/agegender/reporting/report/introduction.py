"""Section 1: what was asked, the images, and how everything in the report was measured."""

from __future__ import annotations

from agegender.evaluation.compare import SIGNIFICANCE
from agegender.reporting.report.document import Block, FigureBlock, Heading, Paragraph, cite, see
from agegender.reporting.report.facts import ModelFacts, RunFacts
from agegender.reporting.report.judgements import (
    AGE_FAR,
    AGE_GAP,
    AGE_TURNED,
    GENDER_FAR,
    GENDER_GAP,
    GENDER_TURNED,
    UNLEARNT,
)
from agegender.reporting.report.numbers import percent_text, plain, years_text
from agegender.reporting.words import listed

MEASURED = {"test": "test images, on which no network was trained", "validation": "held-out validation images"}


def introduction(facts: RunFacts, augmentation: FigureBlock) -> list[Block]:
    """The blocks of section 1.

    Args:
        facts: Of the run.
        augmentation: The figure of augmented images.
    """
    return [
        Heading("Introduction", "1"),
        Paragraph(" ".join([_task(facts), _data(facts)])),
        Paragraph(_pre_processing(facts)),
        Paragraph(_augmentation(facts)),
        augmentation,
        Paragraph(_measures(facts)),
    ]


def _task(facts: RunFacts) -> str:
    both = "A" in facts.models and "B" in facts.models
    a = "Model A is an own network, trained from scratch on the given images alone"
    b = "Model B is an existing network, pre-trained elsewhere, whose training went on with the given images"
    origins = f"{a}; {b}" if both else (a if "A" in facts.models else b)
    networks = "Two convolutional networks look" if both else "A convolutional network looks"
    verb = "say" if both else "says"
    return (
        f"{networks} at one face image and {verb} how old the person looks, in years, and which of two genders the "
        f"data set's label would be. {origins}."
    )


def _data(facts: RunFacts) -> str:
    model = next(iter(facts.models.values()))
    total = model.curves_trained_on + model.curves_validated_on
    what = "drawn faces" if facts.drawn else "face images"
    kind = f", labelled by age and gender in the manner of UTKFace{cite('utkface')}" if facts.utkface else ""
    if not model.curves_validated_on:
        return f"All {total:,} {what}{kind} served to train; none was held out."
    sentence = (
        f"Of {total:,} {what}{kind}, {model.curves_trained_on:,} trained the networks and "
        f"{model.curves_validated_on:,} were held out for validation, alike in age and gender."
    )
    if facts.near_duplicates:
        sentence += (
            f" {facts.near_duplicates:,} images have a near-duplicate; "
            "such images always stand on the same side of the split."
        )
    if model.twin:
        sentence += (
            f" The final models then learnt from all {model.trained_on:,} images with the same recipes. Nothing is "
            "left to validate those on, so learning curves are those of their twins, trained on the split."
        )
    if facts.drawn:
        sentence += " The faces are drawn by a program: all figures show that the method works, and nothing of people."
    return sentence


def _pre_processing(facts: RunFacts) -> str:
    text = (
        "Pixels are divided by 255. Everything else that a network needs stands inside it: fixed layers put red first "
        "whichever order the channels arrive in, and scale the colours."
    )
    agreements = [model.agreement for model in facts.models.values() if model.agreement]
    if agreements:
        largest = max(agreement.largest_age_difference for agreement in agreements)
        same = min(agreement.gender_agreement for agreement in agreements)
        text += (
            f" Fed red-green-blue and blue-green-red, answers differ by at most {years_text(largest)} in age, and "
            f"gender agrees for {percent_text(same)} of the images."
        )
    return text


def _augmentation(facts: RunFacts) -> str:
    model = next(iter(facts.models.values()))
    return (
        f"Training images alone are varied anew each time they are seen ({see('augmentation')}): "
        f"{listed(augmentation_words(model))}. Validation and {facts.measured_on} images never are."
    )


def augmentation_words(model: ModelFacts) -> list[str]:
    """What augmentation does to an image, each with how much, without what is switched off."""
    values = model.recipe.augmentation

    def on(*names: str) -> list[float]:
        return [values[name] for name in names if values.get(name, 0) > 0]

    words = []
    if on("mirror"):
        words.append(f"mirrored ({_percent(values['mirror'])})")
    if on("rotation_degrees"):
        words.append(f"turned (spread {plain(values['rotation_degrees'])}°)")
    if on("shift_pixels"):
        words.append(f"shifted (spread {plain(values['shift_pixels'])} pixels)")
    if on("scale", "shear", "aspect"):
        words.append(f"scaled and slanted (spread up to {_percent(max(on('scale', 'shear', 'aspect')))})")
    if on("brightness", "contrast", "gamma", "colour_gain"):
        words.append("made brighter, darker, flatter or off-colour")
    if spoilt := on("blur", "low_resolution", "jpeg", "noise"):
        span = _percent(min(spoilt)) if min(spoilt) == max(spoilt) else f"{plain(100 * min(spoilt))} to " + _percent(
            max(spoilt)
        )
        words.append(f"blurred, coarsened, compressed or made noisy ({span} each)")
    if on("grey"):
        words.append(f"made grey ({_percent(values['grey'])})")
    if on("erase"):
        words.append(f"covered by a box of noise{cite('erasing')} ({_percent(values['erase'])})")
    return words or ["not at all in this recipe"]


def _percent(value: float) -> str:
    return f"{plain(100 * value)}\N{NO-BREAK SPACE}%"


def _measures(facts: RunFacts) -> str:
    constant = facts.constant
    gender = "female" if constant.female else "male"
    chosen = "measured" if facts.constant_of_measured else "training"
    text = (
        f"Performance is the mean absolute error (MAE) of age and the share of right genders on "
        f"{facts.images:,} {MEASURED[facts.measured_on]}, with "
        f"95\N{NO-BREAK SPACE}% bootstrap intervals{cite('bootstrap')}. The best single answer by the {chosen} labels, "
        f"{plain(constant.age)} years and {gender} for everybody, is {years_text(constant.mae)} off and right for "
        f"{percent_text(constant.gender_accuracy)}: what any network must beat."
    )
    rules = (
        f"Curves are judged by fixed rules. Validation worse than training by over {_percent(AGE_GAP)} (age MAE) or "
        f"{plain(GENDER_GAP)} points (gender) is a gap. A gap over {_percent(AGE_FAR)} or {plain(GENDER_FAR)} points is "
        f"overfitting, and so is a gap while validation has become over {_percent(AGE_TURNED)} (age MAE) or "
        f"{_percent(GENDER_TURNED)} (gender loss) worse than at its best epoch. A training error above "
        f"{_percent(UNLEARNT)} of the single answer's is underfitting."
    )
    tests = (
        f" The models are compared on the same images, by a sign-flip permutation test{cite('permutation')} for age "
        f"and McNemar's exact test{cite('mcnemar')} for gender, at p < {plain(SIGNIFICANCE)}."
        if facts.comparison
        else ""
    )
    return f"{text} {rules}{tests}"
