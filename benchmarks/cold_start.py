"""What a base install weighs, and how soon it answers: of the interpreter that runs this, best one of its own.

    python3.11 -m venv base && base/bin/pip install .
    base/bin/python benchmarks/cold_start.py [--model B] [--photo PHOTO] [--runs 9]

Printed: the size of this interpreter's packages, without pip and setuptools, which come with every environment, the
largest by name; and of several runs of `agegender predict PHOTO`, each a process of its own, the time by the clock and
the processor time (which other work on the machine lengthens less), with start-up, model, detection and the printed
table. Files that were read stay in the system's memory; the first run, which reads them from the disk, is left out.
Without --photo a face is drawn, in which the detector finds less to do. The exit code is 1 if a run fails.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib import metadata
from pathlib import Path

from PIL import Image

from agegender.data.drawn import draw_face

NOT_OURS = ("pip", "setuptools", "wheel")
"""Packages of the environment itself."""


def package_bytes() -> dict[str, int]:
    """Bytes of the files of each installed package, by its name: those that it recorded, and what Python compiled."""
    root = Path(sysconfig.get_path("purelib"))
    sizes: dict[str, int] = {}
    for package in metadata.distributions(path=[str(root)]):
        files = {Path(str(package.locate_file(file))).resolve() for file in package.files or ()}
        caches = {path for file in files for path in file.parent.glob(f"__pycache__/{file.stem}.*.pyc")}
        sizes[package.metadata["Name"]] = sum(path.stat().st_size for path in files | caches if path.is_file())
    return sizes


def one_run(command: list[str]) -> tuple[float, float]:
    """Seconds by the clock and of the processor that a command took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def print_sizes() -> None:
    sizes = package_bytes()
    ours = {name: size for name, size in sizes.items() if name.lower() not in NOT_OURS}
    print(f"{len(ours)} packages without {', '.join(NOT_OURS)}: {sum(ours.values()) / 1e6:.0f} MB")
    for name, size in sorted(ours.items(), key=lambda item: -item[1])[:10]:
        print(f"  {name:24} {size / 1e6:6.1f} MB")


def print_times(model: str, photo: Path, runs: int) -> None:
    command = [sys.executable, "-m", "agegender", "predict", str(photo), "--model", model]
    one_run(command)
    walls, works = zip(*(one_run(command) for _ in range(runs)), strict=True)
    print(f"agegender predict {photo.name} --model {model}: {runs} runs, {os.cpu_count()} cores, {platform.machine()}")
    print(f"  by the clock {statistics.median(walls):.2f} s (median), {min(walls):.2f} to {max(walls):.2f} s")
    print(f"  of the processor {statistics.median(works):.2f} s (median), {min(works):.2f} to {max(works):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description="What a base install weighs, and how soon it answers.")
    parser.add_argument("--model", default="B", help="A, B, or an exported .onnx file")
    parser.add_argument("--photo", type=Path, help="a photograph; by default a drawn face")
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    print_sizes()
    with tempfile.TemporaryDirectory() as folder:
        photo = asked.photo or Path(folder) / "drawn.png"
        if asked.photo is None:
            Image.fromarray(draw_face(0, seed=1)[0]).resize((512, 512)).save(photo)
        print_times(asked.model, photo, asked.runs)


if __name__ == "__main__":
    main()
