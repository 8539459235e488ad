"""How fast training and evaluation are on this machine: `make benchmark`, or `python benchmarks/throughput.py`.

Training: images a second of Model A (and B) through the whole input pipeline, against the same compiled model fed one
constant batch; what is lost is the cost of the input pipeline. The two are measured in turn, pair by pair, so that a
machine that changes its speed does not decide the ratio.

Evaluation: the wall time of `agegender evaluate` as a process of its own on 949 drawn faces, start-up included.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from agegender.backend import require_backend, usable_precision
from agegender.data.drawn import draw_faces

EVALUATED_IMAGES = 949
TRAINING_IMAGES = 640
SEED = 1


def machine() -> str:
    """Processor, cores, versions."""
    import platform

    from agegender.run_folder import versions

    model = platform.processor() or platform.machine()
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores; " + ", ".join(f"{name} {version}" for name, version in versions().items())


def train_rates(model: str, images: np.ndarray, pairs: int) -> list[tuple[float, float]]:
    """Images a second of a real epoch and of the same number of steps on one constant batch, in turn."""
    import dataclasses

    from agegender.training import fit, learner
    from agegender.training.batches import EpochBatches, FaceArrays
    from agegender.training.recipes import default_recipe

    recipe = default_recipe(model, drawn=False)
    recipe = dataclasses.replace(recipe, precision=usable_precision(recipe.precision))
    rng = np.random.default_rng(SEED)
    ages = rng.integers(0, 100, len(images)).astype(np.float32)
    faces = FaceArrays(images, ages, (ages % 2).astype(np.float32), np.arange(len(images)))
    student = learner.learner(recipe)
    fit.start_phase(student, recipe, recipe.phases[-1], len(images))

    def batches(epoch: int) -> EpochBatches:
        return fit.epoch_batches(recipe, faces, epoch, SEED)

    constant_batch = batches(0)[0]
    steps = len(batches(0))

    def constant() -> float:
        started = time.perf_counter()
        for _ in range(steps):
            student.model.train_on_batch(*constant_batch)
        return steps * recipe.batch_size / (time.perf_counter() - started)

    def real(epoch: int) -> float:
        started = time.perf_counter()
        student.model.fit(batches(epoch), epochs=1, verbose="0", shuffle=False)
        return steps * recipe.batch_size / (time.perf_counter() - started)

    constant()
    real(0)
    return [(real(epoch), constant()) for epoch in range(1, pairs + 1)]


def augmentation_rate(images: np.ndarray) -> float:
    """Images a second that augmentation alone makes, on one thread."""
    from agegender.training.augment import Augmentation, augment_batch

    started = time.perf_counter()
    augment_batch(images, Augmentation(), np.random.default_rng(SEED))
    return len(images) / (time.perf_counter() - started)


def evaluation_seconds(model: Path, data: Path, repeats: int) -> list[float]:
    """Wall time of the whole command, decoded images cached after the first, uncounted run."""
    command = [sys.executable, "-m", "agegender", "evaluate", str(model), "--data", str(data), "--json"]
    seconds: list[float] = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def saved_model(letter: str, folder: Path) -> Path:
    """A model of the default recipe at its start, saved under the contract; its speed is that of a trained one."""
    from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
    from agegender.models.saving import save_model
    from agegender.training import learner
    from agegender.training.recipes import default_recipe

    contract = learner.build(default_recipe(letter, drawn=False), "float32")[0].contract
    contract.compile(optimizer="adam", loss=SAVED_LOSSES, metrics=SAVED_METRICS)
    return save_model(contract, folder / f"age_gender_{letter}.keras")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="measured pairs of training, and runs of evaluation")
    parser.add_argument("--models", default="AB", help="A, B or AB")
    settings: Any = parser.parse_args()
    require_backend()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = draw_faces(folder / "faces", count=EVALUATED_IMAGES, seed=SEED)
        from agegender.data.dataset import load_dataset

        images = load_dataset(data, cache_dir=folder / "cache").images[:TRAINING_IMAGES]
        print(f"augmentation alone: {augmentation_rate(images):,.0f} images/s on one thread")
        for model in settings.models:
            pairs = train_rates(model, images, settings.pairs)
            ratios = sorted(real / constant for real, constant in pairs)
            print(
                f"training {model}: {statistics.median(real for real, _ in pairs):.0f} images/s; one constant batch "
                f"{statistics.median(constant for _, constant in pairs):.0f} images/s; ratio, median of "
                f"{len(pairs)} pairs {statistics.median(ratios):.1%} ({ratios[0]:.1%} to {ratios[-1]:.1%})"
            )
        os.environ["AGEGENDER_CACHE"] = str(folder / "cache")
        for model in settings.models:
            seconds = evaluation_seconds(saved_model(model, folder), data, settings.pairs)
            print(
                f"evaluation {model}: {EVALUATED_IMAGES} images in both channel orders, start-up included, "
                f"median of {len(seconds)} runs {statistics.median(seconds):.1f} s "
                f"({min(seconds):.1f} to {max(seconds):.1f})"
            )


if __name__ == "__main__":
    main()
