"""Section 3: the pre-trained CNN, what was taken over, how it was fine-tuned."""

from __future__ import annotations

from agegender.brief import REPORT_SECTIONS
from agegender.reporting.report import network
from agegender.reporting.report.document import Block, FigureBlock, Heading, Paragraph, cite, see
from agegender.reporting.report.facts import ModelFacts
from agegender.reporting.report.numbers import plain
from agegender.reporting.words import counted, listed, times

SECTION = REPORT_SECTIONS[2]


def pretrained_cnn(model: ModelFacts, architecture: FigureBlock, like: ModelFacts | None) -> list[Block]:
    """Architecture and training process of Model B; its performance is the same for both models.

    Args:
        model: Model B.
        architecture: The figure of its architecture.
        like: Model A, where the report has described it.
    """
    first, second, _ = SECTION.parts
    return [
        Heading(SECTION.title, f"{SECTION.number}"),
        Heading(first, f"{SECTION.number}.1", 2),
        Paragraph(" ".join([_backbone(model), network.last_maps(model), network.heads(model, like)])),
        architecture,
        Heading(second, f"{SECTION.number}.2", 2),
        Paragraph(f"{_transfer(model)} {network.schedule(model, like)}"),
        network.phases_table(model),
        Paragraph(f"{network.loss(model, like)} {network.against_overfitting(model, like)}"),
    ]


def backbone_name(model: ModelFacts) -> str:
    """`EfficientNet-Lite0` as its makers write it; other names as Keras does."""
    return str(model.recipe.network["backbone"]).replace("EfficientNetLite", "EfficientNet-Lite")


def _backbone(model: ModelFacts) -> str:
    name = backbone_name(model)
    lite = "Lite" in name
    source = cite("efficientnet") if lite else cite("keras")
    built = (
        f", built of inverted residual blocks{cite('mobilenet')}, which widen the channels, filter each by itself and "
        "narrow them again"
        if lite
        else ""
    )
    side = int(model.recipe.network.get("side", network.IMAGE_SIDE))
    enlarged = (
        f" A fixed layer first enlarges the image to {times((side, side))}, since the backbone learnt from larger ones."
        if side > network.IMAGE_SIDE
        else ""
    )
    return (
        f"{model.name} ({see(f'{model.letter}_architecture')}) is {name}{source} without its classifier{built}. With "
        f"the new heads it has {counted(model.parameters, 'parameter')}.{enlarged}"
    )


def _transfer(model: ModelFacts) -> str:
    text = {
        "imagenet": f"The backbone began with weights learnt on ImageNet{cite('imagenet')}, the heads at random.",
        "file": f"The backbone began with given weights ({model.source}), the heads at random.",
        "random": "Backbone and heads began with random weights: nothing was transferred in this run.",
    }[model.start]
    phases = model.recipe.phases
    frozen = [phase for phase in phases if phase.trunk_rate == 0]
    slower = [phase for phase in phases if 0 < phase.trunk_rate < 1]
    if frozen and len(frozen) < len(phases):
        names = listed([f"“{phase.name}”" for phase in frozen])
        epochs = counted(sum(phase.epochs for phase in frozen), "epoch")
        text += (
            f" The phase {names} ({epochs}) freezes the backbone, lest heads that know nothing yet spoil its features; "
            "then all layers are fine-tuned together."
        )
    elif frozen:
        text += " The backbone stayed frozen throughout: only the heads learnt."
    else:
        text += " All layers are fine-tuned together from the first epoch on."
    if slower:
        rates = listed(list(dict.fromkeys(plain(phase.trunk_rate) for phase in slower)))
        text += f" The backbone then learns at {rates} of the heads' rate."
    return text
