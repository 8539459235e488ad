"""Section 1: what was asked, the images, and how everything in the report was measured."""

from __future__ import annotations

from dataclasses import replace

from agegender.brief import REPORT_SECTIONS
from agegender.evaluation.compare import SIGNIFICANCE
from agegender.reporting.report.document import Block, FigureBlock, Heading, Paragraph, TableBlock, cite, see
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
from agegender.reporting.report.numbers import PERCENT, percent_text, plain, setting_percent, years_text
from agegender.reporting.words import listed

SECTION = REPORT_SECTIONS[0]

MEASURED = {"test": "test images that no network was trained on", "validation": "held-out validation images"}


def introduction(facts: RunFacts, augmentation: FigureBlock) -> list[Block]:
    """The blocks of section 1.

    Args:
        facts: Of the run.
        augmentation: The figure of augmented images; what augmentation does is added to its caption.
    """
    model = next(iter(facts.models.values()))
    words = (
        f"{augmentation.caption} Images are {listed(augmentation_words(model))}, by chance and independently, as in "
        f"{model.name}'s recipe."
    )
    return [
        Heading(SECTION.title, f"{SECTION.number}"),
        Paragraph(" ".join([_task(facts), _data(facts)])),
        Paragraph(f"{_pre_processing(facts)} {_augmentation(facts)}"),
        replace(augmentation, caption=words, place="here"),
        Paragraph(_measures(facts)),
        rules_table(),
    ]


def _task(facts: RunFacts) -> str:
    both = "A" in facts.models and "B" in facts.models
    a = "Model A is custom-built and was trained from scratch on the given images alone"
    b = "Model B is an existing network"
    if "B" in facts.models and facts.models["B"].start == "imagenet":
        b += ", pre-trained on ImageNet and fine-tuned on the given images"
    origins = f"{a}; {b}" if both else (a if "A" in facts.models else b)
    networks = "Two convolutional networks look" if both else "A convolutional network looks"
    verb = "tell" if both else "tells"
    return f"{networks} at one face image and {verb} age, in years, and gender, as the data set labels them. {origins}."


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
        sentence += f" Near-duplicates ({facts.near_duplicates:,} images) stand on one side of the split."
    if model.twin:
        sentence += (
            f" The final models {_learnt(facts)} all {model.trained_on:,} images by the same recipes; nothing is left "
            "to validate those on, so learning curves are those of twins, trained on the split."
        )
    if facts.drawn:
        sentence += " A program drew the faces: figures show that the method works, and nothing of people."
    return sentence


def _learnt(facts: RunFacts) -> str:
    begun = [f"{model.begun} ({model.name})" for model in facts.models.values() if model.begun]
    return f"had the same first epochs, {listed(begun)}, then learnt from" if begun else "learnt from"


def _pre_processing(facts: RunFacts) -> str:
    text = (
        "Pixels are divided by 255; fixed layers inside each network put red first, whichever order the channels "
        "arrive in, and scale the colours."
    )
    agreements = [model.agreement for model in facts.models.values() if model.agreement]
    if agreements:
        largest = max(agreement.largest_age_difference for agreement in agreements)
        differing = 1 - min(agreement.gender_agreement for agreement in agreements)
        text += (
            f" Between the orders answers differ by at most {years_text(largest)} in age and for "
            f"{percent_text(differing)} of the images in gender."
        )
    return text


def _augmentation(facts: RunFacts) -> str:
    return (
        f"Training images alone are augmented, anew each time they are seen ({see('augmentation')}); validation "
        f"{'and test images never are' if facts.measured_on == 'test' else 'images never are'}."
    )


def augmentation_words(model: ModelFacts) -> list[str]:
    """What augmentation does to an image, each with how much, without what is switched off."""
    values = model.recipe.augmentation

    def on(*names: str) -> list[float]:
        return [values[name] for name in names if values.get(name, 0) > 0]

    words = []
    if on("mirror"):
        words.append(f"mirrored ({setting_percent(values['mirror'])})")
    if on("rotation_degrees"):
        words.append(f"turned (spread {plain(values['rotation_degrees'])}°)")
    if on("shift_pixels"):
        words.append(f"shifted (spread {plain(values['shift_pixels'])} pixels)")
    if on("scale", "shear", "aspect"):
        words.append(f"scaled and slanted (spread up to {setting_percent(max(on('scale', 'shear', 'aspect')))})")
    if on("brightness", "contrast", "gamma", "colour_gain"):
        words.append("made brighter, darker, flatter or off-colour")
    if spoilt := on("blur", "low_resolution", "jpeg", "noise"):
        span = (
            setting_percent(min(spoilt))
            if min(spoilt) == max(spoilt)
            else f"{plain(100 * min(spoilt))} to " + setting_percent(max(spoilt))
        )
        words.append(f"blurred, coarsened, compressed or made noisy ({span} each)")
    if on("grey"):
        words.append(f"made grey ({setting_percent(values['grey'])})")
    if on("erase"):
        words.append(f"covered by a box of noise ({setting_percent(values['erase'])})")
    return words or ["not at all in this recipe"]


def _measures(facts: RunFacts) -> str:
    constant = facts.constant
    gender = "female" if constant.female else "male"
    chosen = "measured" if facts.constant_of_measured else "training"
    tests = (
        f" Models are compared on the same images: a sign-flip permutation test{cite('permutation')} for age, "
        f"McNemar's exact test{cite('mcnemar')} for gender, at p < {plain(SIGNIFICANCE)}."
        if facts.comparison
        else ""
    )
    return (
        f"Performance is the mean absolute error (MAE) of age and the share of right genders on {facts.images:,} "
        f"{MEASURED[facts.measured_on]}, with 95{PERCENT} bootstrap intervals{cite('bootstrap')}. The best "
        f"single answer by the {chosen} labels, {plain(constant.age)} years and {gender} for everybody, is "
        f"{years_text(constant.mae)} off and right for {percent_text(constant.gender_accuracy)}.{tests} Learning "
        f"curves are judged by the rules of {see('rules')}."
    )


def rules_table() -> TableBlock:
    """The rules of `judgements`, for the reader."""
    gap, far, turned = (setting_percent(one) for one in (AGE_GAP, AGE_FAR, AGE_TURNED))
    return TableBlock(
        "rules",
        "How learning curves are judged at the last epoch. A gap means that a network knows its training images better "
        "than new ones; overfitting, that it has gone too far; underfitting, that it has not even learnt them.",
        ("verdict", "age MAE", "gender"),
        (
            ("a gap: validation worse than training by", f"over {gap}", f"over {plain(GENDER_GAP)} points"),
            ("overfitting: a gap of", f"over {far}", f"over {plain(GENDER_FAR)} points"),
            (
                "or a gap, while validation is worse than at its best epoch by",
                f"over {turned}",
                f"over {setting_percent(GENDER_TURNED)} (loss)",
            ),
            ("underfitting: training errors, of the single answer's", *[f"over {setting_percent(UNLEARNT)}"] * 2),
        ),
    )
