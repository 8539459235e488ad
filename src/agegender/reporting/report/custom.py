"""Section 2: the custom CNN, how it is built and trained."""

from __future__ import annotations

from agegender.brief import REPORT_SECTIONS
from agegender.reporting.report import network
from agegender.reporting.report.document import Block, FigureBlock, Heading, Paragraph, cite, see
from agegender.reporting.report.facts import ModelFacts
from agegender.reporting.report.numbers import counting
from agegender.reporting.words import counted, listed, times

SECTION = REPORT_SECTIONS[1]


def custom_cnn(model: ModelFacts, architecture: FigureBlock) -> list[Block]:
    """Architecture and training process of Model A; its performance is the same for both models.

    Args:
        model: Model A.
        architecture: The figure of its architecture.
    """
    first, second, _ = SECTION.parts
    return [
        Heading(SECTION.title, f"{SECTION.number}"),
        Heading(first, f"{SECTION.number}.1", 2),
        Paragraph(" ".join([_trunk(model), network.last_maps(model), network.heads(model)])),
        architecture,
        Heading(second, f"{SECTION.number}.2", 2),
        Paragraph(f"{_start(model)} {network.schedule(model)}"),
        network.phases_table(model),
        Paragraph(
            f"{network.loss(model)} The saved file is compiled with mean absolute error for age and binary "
            f"cross-entropy for gender. {network.against_overfitting(model)}"
        ),
    ]


def _trunk(model: ModelFacts) -> str:
    plan = model.recipe.network
    stem, channels, blocks = plan["stem_channels"], plan["stage_channels"], plan["stage_blocks"]
    three = times((3, 3))
    return (
        f"{model.name} ({see(f'{model.letter}_architecture')}) has {counted(model.parameters, 'parameter')}. "
        f"{counting(len(stem)).capitalize()} strided {three} convolutions of {listed([str(one) for one in stem])} "
        f"channels lead to {counting(len(channels))} stages of residual blocks{cite('residual')} of "
        f"{listed([str(one) for one in channels])} channels and {listed([counting(one) for one in blocks])} blocks; "
        f"each further stage halves the map. A block holds two {three} convolutions with batch "
        f"normalisation{cite('batch-norm')} and a squeeze-and-excitation gate{cite('squeeze')} that weighs its "
        "channels."
    )


def _start(model: ModelFacts) -> str:
    if model.start == "random":
        return "Training began with random weights."
    return f"Training began with given weights ({model.source}), not from scratch."
