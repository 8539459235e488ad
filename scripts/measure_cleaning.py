"""Whether corrections help: Model B's heads on ImageNet features, learnt from the data as it is and as corrected.

python scripts/measure_cleaning.py DATA CORRECTIONS [SEEDS]

The features stay as ImageNet made them, so what is learnt is nearly convex: two trainings on the same labels differ by
little, and the effect of a few corrected labels shows, which it does not in a network trained from end to end. The
split of each seed is made before anything is corrected and keeps copies on one side; the validation images and their
labels stay as they are in both arms, so that an arm cannot win by tidying up its own examination.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from agegender.backend import require_backend
from agegender.data.corrections import read_corrections
from agegender.data.dataset import Dataset, load_dataset
from agegender.data.duplicates import near_duplicate_groups
from agegender.data.splits import make_split
from agegender.labels import Gender

SEEDS = 5
EPOCHS, BATCH, RATE, DECAY = 40, 128, 1e-3, 0.05
FEATURE_BATCH = 100


def features(images: np.ndarray) -> np.ndarray:
    """What the ImageNet network of Model B sees in images and in their mirror images.

    Args:
        images: (n, 128, 128, 3) uint8, RGB.

    Returns:
        (2, n, features): of the images, and of the mirror images.
    """
    import keras  # noqa: PLC0415 - looks for its backend when it is imported

    from agegender.models.pretrained_cnn import PretrainedCnn, build_pretrained_cnn  # noqa: PLC0415

    network, _ = build_pretrained_cnn(PretrainedCnn(mirror_average=False))
    pooled = network.training.get_layer("pooled_features").output
    seen = keras.Model(network.training.inputs[0], pooled)
    views = [images, images[:, :, ::-1]]
    parts = [
        [
            np.asarray(seen(view[start : start + FEATURE_BATCH].astype(np.float32) / 255, training=False))
            for start in range(0, len(view), FEATURE_BATCH)
        ]
        for view in views
    ]
    return np.stack([np.concatenate(part) for part in parts])


def validation_figures(
    seen: np.ndarray, ages: np.ndarray, genders: np.ndarray, asked: np.ndarray, truth: tuple[np.ndarray, np.ndarray],
    seed: int,
) -> tuple[float, float]:  # fmt: skip
    """Learn heads on both views of some images; age MAE in years and gender accuracy on the mean view of others.

    Args:
        seen: (2, n, features) of the images to learn from.
        ages: (n,), years.
        genders: (n,), 1 is female.
        asked: (m, features) of the validation images.
        truth: Their ages and genders.
        seed: Of start and order.
    """
    import keras  # noqa: PLC0415

    from agegender.models.age_targets import BIN_AGES, age_distribution_targets  # noqa: PLC0415
    from agegender.models.losses import LossWeights, training_losses  # noqa: PLC0415

    keras.utils.set_random_seed(seed)
    start = keras.Input(seen.shape[2:])
    distribution = keras.layers.Dense(len(BIN_AGES), "softmax", name="age_distribution")(start)
    expectation = keras.layers.Dense(1, use_bias=False, trainable=False, name="age")
    outputs = {
        "age_distribution": distribution,
        "age": expectation(distribution),
        "gender": keras.layers.Dense(1, "sigmoid", name="gender")(start),
    }
    expectation.set_weights([BIN_AGES[:, None]])
    heads: Any = keras.Model(start, outputs)  # Keras's annotations know neither schedules nor silence
    steps = EPOCHS * -(-2 * len(ages) // BATCH)
    rate: Any = keras.optimizers.schedules.CosineDecay(RATE, steps)
    heads.compile(
        keras.optimizers.AdamW(rate, weight_decay=DECAY),
        **training_losses(LossWeights()),
    )
    targets = {
        "age_distribution": age_distribution_targets(ages),
        "age": ages[:, None],
        "gender": genders[:, None],
    }
    both = {name: np.concatenate([values, values]) for name, values in targets.items()}
    heads.fit(np.concatenate(list(seen)), both, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    answers = {name: np.asarray(answer)[:, 0] for name, answer in heads(asked, training=False).items()}
    error = np.abs(answers["age"] - truth[0]).mean()
    return float(error), float(((answers["gender"] >= 0.5) == (truth[1] == 1)).mean())


def measure_cleaning(faces: Dataset, corrections_file: Path, seeds: int) -> None:
    """Learn both arms for each seed, and print each validation error and the paired differences."""
    corrected = read_corrections(corrections_file).apply(faces.table).set_index("file")
    files = faces.table["file"].to_numpy()
    kept = np.isin(files, corrected.index)
    ages = faces.table["age"].to_numpy(np.float32)
    genders = np.array([Gender(name).code for name in faces.table["gender"]], np.float32)
    cleaned_ages, cleaned_genders = ages.copy(), genders.copy()
    cleaned_ages[kept] = corrected.loc[files[kept], "age"]
    cleaned_genders[kept] = [Gender(name).code for name in corrected.loc[files[kept], "gender"]]
    changed = int(((cleaned_ages != ages) | (cleaned_genders != genders)).sum())
    print(f"{len(files):,} images, {int((~kept).sum())} dropped and {changed} labels changed by the corrections")
    seen = features(faces.images)
    groups = near_duplicate_groups(faces.images)
    differences = []
    for seed in range(1, seeds + 1):
        split = make_split(faces.table, groups, seed=seed)
        learnt, asked = faces.select(split.train), faces.select(split.validation)
        tidy = learnt[kept[learnt]]
        truth = (ages[asked], genders[asked])
        exam = seen[:, asked].mean(axis=0)
        plain = validation_figures(seen[:, learnt], ages[learnt], genders[learnt], exam, truth, seed)
        clean = validation_figures(seen[:, tidy], cleaned_ages[tidy], cleaned_genders[tidy], exam, truth, seed)
        differences.append(np.subtract(clean, plain))
        print(
            f"seed {seed}: as it is ({len(learnt):,} images) {plain[0]:.3f} years, {plain[1]:.1%}; "
            f"corrected ({len(tidy):,}) {clean[0]:.3f} years, {clean[1]:.1%}",
            flush=True,
        )
    errors = np.std(differences, axis=0, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.full(2, np.nan)
    years, right = np.mean(differences, axis=0)
    print(
        f"corrected minus as it is: {years:+.3f} years, standard error {errors[0]:.3f}; "
        f"{100 * right:+.2f} points of gender, standard error {100 * errors[1]:.2f}"
    )


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python scripts/measure_cleaning.py DATA CORRECTIONS [SEEDS]")
    require_backend()
    measure_cleaning(load_dataset(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else SEEDS)
