"""The sections of a card, one function each: facts in, Markdown out. Figures of the evaluation stand in `figures.py`.

Which sections there are: Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, and Hugging Face's template.
"""

from __future__ import annotations

from agegender.cards.facts import CardFacts, MissingFactError
from agegender.cards.terms import CODE_TERMS, weights_terms
from agegender.cards.words import bullets, counted, share

DRAWN_WARNING = (
    "**Trained on drawn faces, not photographs.** It shows that the software works; its answers about people mean "
    "nothing."
)


def overview(facts: CardFacts) -> str:
    """What the model is, in a paragraph and a short list."""
    start = f"started from {facts.of('started_from.source')}" if facts.from_imagenet else "trained from scratch"
    network = facts.of("recipe.network")
    trunk = network.get("backbone") or "an own residual CNN"
    text = (
        f"A convolutional network ({trunk}, {start}) that looks at one aligned face and answers an age in years and "
        "the probability of the data set's label `female`."
    )
    lines = [
        f"{facts.of('parameters'):,} parameters",
        "input: one 128 x 128 x 3 face crop, values in 0..1, channels in RGB or BGR with the same answer",
        "outputs, in this order: `age` in years, shape (n, 1); `gender`, P(female) in 0..1, shape (n, 1)",
        f"SHA-256 of `{facts.file}`: `{facts.of('sha256')}`",
    ]
    warning = f"\n\n{DRAWN_WARNING}" if facts.drawn else ""
    return f"{text}\n\n{bullets(lines)}{warning}"


def intended_use(facts: CardFacts) -> str:
    """What the model is for."""
    if facts.drawn:
        return bullets(
            ["Trying out training, measuring and loading without any photograph of a person.", "Teaching and tests."]
        )
    return bullets(
        [
            "Measurement and research: how well age and a binary gender label can be read from aligned face crops, and "
            "for whom it fails.",
            "Teaching how such a model is trained, measured and doubted.",
            "A baseline to compare other estimators with, on the same images.",
        ]
    )


def out_of_scope(facts: CardFacts) -> str:
    """What the model is not for."""
    lines = [
        "Decisions about people: access, hiring, policing, insurance, advertising, or proof of age.",
        "Telling anyone's gender identity or true age: it repeats labels that others guessed from looks.",
        "Identifying a person, or reading race, health or emotion: it was not trained for any of these.",
        "Images that are no single, upright, cropped face: it answers even where there is no face at all.",
    ]
    if not facts.drawn:
        lines.append("Any use that the terms of the training data forbid; see Licences.")
    return bullets(lines)


def how_to_load(facts: CardFacts) -> str:
    """Code that loads the file with Keras alone."""
    return (
        "The file needs Keras (3.8 or later) with any backend, and no other package:\n\n"
        "```python\n"
        "import keras\n\n"
        f'model = keras.models.load_model("{facts.file}")\n'
        "age, female = model.predict(pixels / 255.0)   # (n, 128, 128, 3) -> (n, 1) years, (n, 1) in 0..1\n"
        "```\n\n"
        "The pixel over 255 is all the scaling there is; size and channel order are dealt with as described above."
    )


def training_data(facts: CardFacts) -> str:
    """What the model learnt from and what was held out."""
    terms = facts.known_terms
    train, whole = int(facts.of("split.train")), int(facts.of("split.of"))
    lines = [
        f"Data set: {terms.name}.",
        f"Trained on {counted(train, 'image')} of {whole:,} (split `{facts.of('split.name')}`); "
        + (
            f"{counted(whole - train, 'image')} held out."
            if whole > train
            else "none held out, so this file itself has no validation figures."
        ),
        *_beginning(facts),
        f"Fingerprint of the data: `{facts.of('data.fingerprint')}`.",
        "Targets: age in years and the binary label male/female. Race labels, where the data has them, only serve to "
        "measure error by group: they are neither an input nor a target.",
    ]
    if not facts.drawn:
        lines.append("The labels are guesses from looks by people and software, off by some years and sometimes wrong.")
    return bullets(lines)


def _beginning(facts: CardFacts) -> list[str]:
    first = facts.sidecar.get("went_on_from")
    if not first:
        return []
    others, earlier = first.get("averaged_with") or (), first.get("earlier")
    before = (
        f" (in its own first {counted(earlier['epochs'], 'epoch')} from {earlier['images']:,} of them)"
        if earlier
        else ""
    )
    lines = [
        f"Its first {counted(first['epochs'], 'epoch')} were those of `{first['file']}` of seed {first['seed']}, which "
        f"learnt from {counted(first['images'], 'image')}{before} (sha256 `{first['sha256']}`)."
    ]
    if others:
        seeds = ", ".join(str(other["seed"]) for other in others)
        lines.append(
            f"The weights that it went on from are the mean of that model's and of {counted(len(others), 'other')} of "
            f"the same recipe, images and start (seeds {seeds}; Wortsman et al., Model soups, ICML 2022). Times of "
            "training are those of all together."
        )
    return lines


def training(facts: CardFacts) -> str:
    """The recipe, the seed, the time and what the last epoch measured."""
    phases = facts.of("recipe.phases")
    described = "; ".join(
        f"{phase['name']}, {counted(phase['epochs'], 'epoch')}, peak learning rate {phase['learning_rate']:g}"
        for phase in phases
    )
    lines = [
        f"Phases: {described}. AdamW, batches of {facts.of('recipe.batch_size')}, weight decay "
        f"{facts.of('recipe.weight_decay'):g}.",
        "Against overfitting: augmentation of the training images alone, dropout "
        f"{facts.of('recipe.network.dropout'):g}, stochastic depth {facts.of('recipe.network.drop_path'):g}, "
        "weight decay, averaged weights.",
        f"Seed {facts.of('seed')}; {_duration(float(facts.of('training_seconds')))} computed in "
        f"`{facts.of('recipe.precision')}`; Keras {facts.of('versions').get('keras', 'of unknown version')}, "
        f"agegender {facts.of('versions.agegender')}.",
        _last_epoch(facts),
    ]
    return bullets(lines)


def ethics(facts: CardFacts) -> str:
    """What the labels are and are not, and what is asked of whoever uses the model."""
    lines = [
        "An age guessed from looks and a binary gender are limits of a data set, not facts about a person. The model "
        "has no answer for people whom these two labels do not describe.",
        "Errors differ by age and by group (see Evaluation). An average hides who bears them.",
        "Nobody should be let in, kept out or judged by an answer; whoever shows one to people says how far off it can "
        "be.",
    ]
    if not facts.drawn:
        lines.append("The people in the training images were not asked. Do not publish their pictures.")
    return bullets(lines)


def licences(facts: CardFacts) -> str:
    """Code, weights, data: three parts."""
    teachers = tuple(str(teacher["file"]) for teacher in facts.sidecar.get("teachers") or ())
    terms = facts.known_terms
    data = f"{terms.name}: {terms.terms}" + (f" See {terms.link}." if terms.link else "")
    return (
        f"### Code\n\n{CODE_TERMS}\n\n"
        f"### Weights\n\n{weights_terms(facts.of('started_from'), teachers)}\n\n"
        f"### Data\n\n{data}"
    )


def held_out_epoch(facts: CardFacts) -> tuple[dict[str, float], bool]:
    """Training and validation figures of the last epoch, and whether they are the twin's.

    A model that trained on every image has no validation; its twin had the same recipe and a held-out part.

    Raises:
        MissingFactError: Neither has figures.
    """
    own, twin = facts.sidecar.get("last_epoch"), facts.sidecar.get("twin", {}).get("last_epoch")
    for epoch, is_twins in ((own, False), (twin, True)):
        if epoch and epoch.get("validation_age_mae") is not None:
            return epoch, is_twins
    raise MissingFactError("validation figures", "Train a twin of the same recipe with a held-out part.")


def _last_epoch(facts: CardFacts) -> str:
    try:
        epoch, is_twins = held_out_epoch(facts)
    except MissingFactError:
        epoch = facts.of("last_epoch")
        return (
            f"Last epoch, training images without augmentation: age MAE {epoch['train_age_mae']:.2f} years, gender "
            f"{share(epoch['train_gender_accuracy'])} right. No image was held out, so the gap is not known."
        )
    whose = "Last epoch of the twin that held images out (same recipe)" if is_twins else "Last epoch"
    return (
        f"{whose}: age MAE {epoch['train_age_mae']:.2f} years on training images without augmentation, "
        f"{epoch['validation_age_mae']:.2f} on validation images; gender {share(epoch['train_gender_accuracy'])} and "
        f"{share(epoch['validation_gender_accuracy'])} right."
    )


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} seconds" if minutes < 2 else f"{minutes:.0f} minutes"
