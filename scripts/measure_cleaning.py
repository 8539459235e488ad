"""Whether corrections help: a short Model A on the data as it is and as corrected, over several seeds.

python scripts/measure_cleaning.py DATA CORRECTIONS [SEEDS]

The split of each seed is made before anything is corrected and keeps copies on one side; the validation images and
their labels stay as they are in both arms, so that an arm cannot win by tidying up its own examination.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

import numpy as np

from agegender.backend import require_backend, usable_precision
from agegender.data.corrections import read_corrections
from agegender.data.dataset import load_dataset
from agegender.data.duplicates import near_duplicate_groups
from agegender.data.splits import make_split
from agegender.labels import Gender

SEEDS = 5
EPOCHS, SIDE = 12, 64
STEM, CHANNELS, BLOCKS = (24, 32), (32, 64, 128, 192), (1, 1, 1, 1)
"""A narrow, shallow Model A on small images. Its figures differ by a quarter of a year from seed to seed: too weak to
show what a hundred corrections do (docs/experiments.md)."""


def measure_cleaning(data: str, corrections_file: str, seeds: int) -> None:
    """Train both arms for each seed, and print each validation error and the paired difference."""
    # Keras looks for its backend when it is imported, which must be chosen first.
    from agegender.training.batches import FaceArrays  # noqa: PLC0415
    from agegender.training.fit import train  # noqa: PLC0415
    from agegender.training.recipe import Phase  # noqa: PLC0415
    from agegender.training.recipes import default_recipe  # noqa: PLC0415

    faces = load_dataset(data)
    corrected = read_corrections(corrections_file).apply(faces.table).set_index("file")
    files = faces.table["file"].to_numpy()
    kept = np.isin(files, corrected.index)
    ages = faces.table["age"].to_numpy(np.float32)
    genders = np.array([Gender(name).code for name in faces.table["gender"]], np.float32)
    cleaned_ages, cleaned_genders = ages.copy(), genders.copy()
    cleaned_ages[kept] = corrected.loc[files[kept], "age"]
    cleaned_genders[kept] = [Gender(name).code for name in corrected.loc[files[kept], "gender"]]
    recipe = default_recipe("A", drawn=faces.drawn)
    recipe = dataclasses.replace(
        recipe,
        precision=usable_precision(recipe.precision),
        network=dataclasses.replace(
            recipe.network, side=SIDE, stem_channels=STEM, stage_channels=CHANNELS, stage_blocks=BLOCKS
        ),
        phases=(Phase("short", epochs=EPOCHS, learning_rate=2e-3, warmup_epochs=1.0),),
    )
    groups = near_duplicate_groups(faces.images)
    differences = []
    for seed in range(1, seeds + 1):
        split = make_split(faces.table, groups, seed=seed)
        learnt, asked = faces.select(split.train), faces.select(split.validation)
        examination = FaceArrays(faces.images, ages, genders, asked)
        figures = []
        for arm in (
            FaceArrays(faces.images, ages, genders, learnt),
            FaceArrays(faces.images, cleaned_ages, cleaned_genders, learnt[kept[learnt]]),
        ):
            with tempfile.TemporaryDirectory() as folder:
                last = train(recipe, arm, examination, Path(folder), seed=seed).history.iloc[-1]
            figures.append((float(last["validation_age_mae"]), float(last["validation_gender_accuracy"]), len(arm)))
        (plain, plain_right, n), (clean, clean_right, n_clean) = figures
        differences.append(clean - plain)
        print(
            f"seed {seed}: as it is ({n:,} images) {plain:.3f} years, {plain_right:.1%}; "
            f"corrected ({n_clean:,}) {clean:.3f} years, {clean_right:.1%}",
            flush=True,
        )
    error = np.std(differences, ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else float("nan")
    print(f"corrected minus as it is: {np.mean(differences):+.3f} years, standard error {error:.3f}")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python scripts/measure_cleaning.py DATA CORRECTIONS [SEEDS]")
    require_backend()
    measure_cleaning(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else SEEDS)
