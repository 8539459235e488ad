"""Sentences and the table that both networks share: heads, loss, means against overfitting, phases of training."""

from __future__ import annotations

from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS
from agegender.reporting.report.document import TableBlock, cite, see
from agegender.reporting.report.facts import ModelFacts
from agegender.reporting.report.numbers import counting, minutes_text, plain, setting_percent
from agegender.reporting.words import counted, listed, times

MAP_SIDE_LIMIT = 10
"""The feature maps before the first fully connected layer are smaller than this (brief)."""

IMAGE_SIDE = 128
"""Of the images, pixels."""


def last_maps(model: ModelFacts) -> str:
    """The size of the last feature maps against the brief's limit."""
    maps = [block for block in model.blocks if not block.branch and len(block.output_shape) == 3]
    shape = maps[-1].output_shape
    side = max(length or 0 for length in shape[:2])
    relation = "below" if side < MAP_SIDE_LIMIT else "not below"
    return (
        f"The last feature maps, averaged over their area before the first fully connected layer, measure "
        f"{times(shape)}: {relation} the {times((MAP_SIDE_LIMIT, MAP_SIDE_LIMIT))} asked for."
    )


def heads(model: ModelFacts, like: ModelFacts | None = None) -> str:
    """How the answers are read off the shared features; short where `like` has said it.

    Args:
        model: Whose heads.
        like: A model described before.
    """
    bins = AGE_MAX_YEARS - AGE_MIN_YEARS + 1
    own, mirrored = _readout(model), bool(model.recipe.network.get("mirror_average"))
    if like is not None and mirrored == bool(like.recipe.network.get("mirror_average")):
        other = "" if own == _readout(like) else f", but the age is the {own}"
        return f"The heads are {like.name}'s{other}.{_softening(model)}"
    text = (
        f"Two heads share them: a softmax over {bins} whole ages, {AGE_MIN_YEARS} to {AGE_MAX_YEARS}, of which the age "
        f"is the {own}{cite('distribution')}, and one sigmoid unit, the probability of female."
    )
    if mirrored:
        text += " Answers to the image and its mirror image are averaged."
    return text + _softening(model)


def _softening(model: ModelFacts) -> str:
    """What the saved model does about a camera's noise, with a space before; empty without."""
    pixels = float(model.recipe.network.get("soften_noise", 0.0))
    if not pixels:
        return ""
    return (
        f" The saved model estimates the noise of an image{cite('noise')} and blurs a noisy one (Gaussian, "
        f"{plain(pixels)} pixels), since noise looks like texture of skin; clear images pass as they are."
    )


def _readout(model: ModelFacts) -> str:
    return "median" if model.recipe.network.get("age_readout") == "median" else "mean"


def loss(model: ModelFacts, like: ModelFacts | None = None) -> str:
    """What is minimised; short where `like`, described before, minimises the same."""
    recipe = model.recipe
    if like is not None and (recipe.losses, recipe.age_sd_years) == (like.recipe.losses, like.recipe.age_sd_years):
        return f"The loss is {like.name}'s."
    weights = recipe.losses

    def times_weight(name: str, what: str) -> str:
        weight = weights.get(name, 1.0)
        return what if weight == 1 else f"{plain(weight)} times {what}"

    parts = [
        times_weight(
            "distribution",
            "the cross-entropy between the softmax and a normal distribution around the labelled age "
            f"({plain(recipe.age_sd_years)} years wide for adults, narrower for children)",
        )
    ]
    if weights.get("years", 0) > 0:
        parts.append(times_weight("years", "the absolute error of the age in years"))
    parts.append(times_weight("gender", "the binary cross-entropy of gender"))
    return f"The loss adds {listed(parts)}."


def against_overfitting(model: ModelFacts, like: ModelFacts | None = None) -> str:
    """The means against overfitting that the recipe switches on; their sizes stand below the table of phases.

    Args:
        model: Whose means.
        like: A model described before, to tell only the differences from.
    """
    own = _means(model)
    if like is None:
        return f"Against overfitting stand {listed(list(own.values()))}."
    others = _means(like)
    more = [words for name, words in own.items() if name not in others]
    fewer = [name for name in others if name not in own]
    text = f"Against overfitting stand {like.name}'s means"
    text += f", and also {listed(more)}" if more else ""
    text += f", without {listed(fewer)}" if fewer else ""
    return f"{text}."


def _means(model: ModelFacts) -> dict[str, str]:
    """By a short name, the means and its source."""
    recipe, network = model.recipe, model.recipe.network
    switches = {
        "augmentation": (1, "augmentation"),
        "erasing": (recipe.augmentation.get("erase", 0), f"random erasing{cite('erasing')}"),
        "mixup": (recipe.augmentation.get("mixup", 0), f"mixup{cite('mixup')} of images"),
        "dropout": (network.get("dropout", 0), f"dropout{cite('dropout')}"),
        "stochastic depth": (network.get("drop_path", 0), f"stochastic depth{cite('stochastic-depth')}"),
        "weight decay": (recipe.weight_decay, "weight decay"),
        "smoothed labels": (recipe.losses.get("gender_smoothing", 0), f"smoothed gender labels{cite('smoothing')}"),
        "averaged weights": (recipe.average_epochs, f"averaged weights{cite('averaging')}"),
        "averaged trainings": (
            model.averaged,
            f"the mean of the weights of {counting(model.averaged)} trainings{cite('soups')}",
        ),
        "teachers": (
            recipe.teacher_share * model.teachers,
            f"targets that are in part the answers of {counting(model.teachers)} trained "
            f"{'network' if model.teachers == 1 else 'networks'}{cite('distillation')}",
        ),
        "self-distillation": (
            recipe.self_distillation,
            f"targets that are in part the network's own earlier answers{cite('distillation')}",
        ),
    }
    return {name: words for name, (size, words) in switches.items() if size > 0}


def _sizes(model: ModelFacts) -> str:
    """Sizes of the means against overfitting, and of the batches, for a caption."""
    recipe, network = model.recipe, model.recipe.network
    parts = [f"batches of {recipe.batch_size} images", f"weight decay {plain(recipe.weight_decay)}"]
    shares = (
        ("dropout", network.get("dropout", 0)),
        ("stochastic depth up to", network.get("drop_path", 0)),
        ("gender labels smoothed by", recipe.losses.get("gender_smoothing", 0)),
        ("mixup of batches", recipe.augmentation.get("mixup", 0)),
        ("teachers' share of the targets", recipe.teacher_share if model.teachers else 0),
        ("own answers' share of the targets up to", recipe.self_distillation),
    )
    parts += [f"{name} {setting_percent(size)}" for name, size in shares if size > 0]
    if recipe.average_epochs > 0:
        epochs = "epoch" if recipe.average_epochs <= 1 else "epochs"
        parts.append(f"weights averaged over about {plain(recipe.average_epochs)} {epochs}")
    return ", ".join(parts)


def schedule(model: ModelFacts, like: ModelFacts | None = None) -> str:
    """Length, time, optimiser and phases; short where `like` has said it."""
    recipe = model.recipe
    optimiser = f"AdamW{cite('adamw')}" if like is None else "the same optimiser"
    curve = f", which fall along a cosine{cite('cosine')}" if like is None else ""
    took = f"{counted(recipe.epochs, 'epoch')} took {minutes_text(model.seconds)} (seed {model.seed})"
    if model.averaged:
        took = (
            f"{counted(recipe.epochs, 'epoch')}, most by {counting(model.averaged)} trainings, took "
            f"{minutes_text(model.seconds)} in all (curves: seed {model.seed})"
        )
    text = f"{took}, with {optimiser} at the learning rates of {see(phases_key(model))}{curve}."
    last = recipe.phases[-1]
    if like is None and any(0 < phase.side < _side(model, last.side) for phase in recipe.phases[:-1]):
        text += " Early epochs on smaller images cost less time."
    if like is None and len(recipe.phases) > 1 and last.augmentation_strength < recipe.phases[-2].augmentation_strength:
        text += (
            f" The last phase keeps {setting_percent(last.augmentation_strength)} of the augmentation, to meet images "
            f"as they are{', but not of the noise' if last.noise_share else ''}."
        )
    return text


def phases_key(model: ModelFacts) -> str:
    """The key of `phases_table`."""
    return f"{model.letter}_phases"


def phases_table(model: ModelFacts) -> TableBlock:
    """The recipe's phases, one a row; columns that no phase uses are left out."""
    phases = model.recipe.phases
    columns = {
        "phase": [phase.name for phase in phases],
        "epochs": [f"{phase.epochs:,}" for phase in phases],
        "image side": [f"{_side(model, phase.side)}" for phase in phases],
        "warm-up, epochs": [plain(phase.warmup_epochs) for phase in phases],
        "learning rate, peak": [plain(phase.learning_rate) for phase in phases],
        "at the end": [plain(phase.end_rate) for phase in phases],
    }
    if any(phase.trunk_rate != 1 for phase in phases):
        columns["backbone's rate"] = [
            "frozen" if phase.trunk_rate == 0 else f"\N{MULTIPLICATION SIGN} {plain(phase.trunk_rate)}"
            for phase in phases
        ]
    if any(phase.augmentation_strength != 1 for phase in phases):
        columns["augmentation"] = [setting_percent(phase.augmentation_strength) for phase in phases]
    if any(phase.noise_share for phase in phases):
        usual = float(model.recipe.augmentation["noise"])
        columns["noise on"] = [
            setting_percent(max(usual * phase.augmentation_strength, phase.noise_share)) for phase in phases
        ]
    return TableBlock(
        phases_key(model),
        f"{model.name}: the phases of training. The image side, in pixels, is what the convolutions see. In all "
        f"phases: {_sizes(model)}.",
        tuple(columns),
        tuple(zip(*columns.values(), strict=True)),
    )


def _side(model: ModelFacts, side: int) -> int:
    return side or int(model.recipe.network.get("side", IMAGE_SIDE))
