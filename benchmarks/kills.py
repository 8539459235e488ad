"""A prediction that is killed again and again: `python benchmarks/kills.py --model FILE.onnx`.

Runs `agegender predict --crops` on 5,000 images as a process of its own, kills it with SIGKILL at three random moments,
lets it finish, and compares the table with that of a run that nobody killed: every image once, the same statuses, the
same answers to within rounding. Exits with 1 if a row is lost, doubled or another. With --engine ray the process that
is killed is the one that hands out the work; a lost node is tested in tests/cluster.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from agegender.data.drawn import draw_faces
from agegender.inference.listing import list_images

LATEST_KILL_SHARE = 0.95
"""Of the images; the last kill comes before that many are done."""
MOST_YEARS_APART = 0.02
"""Faces are answered in other batches after a kill, so that the last digit may be rounded the other way."""


def lines(path: Path) -> int:
    """Whole lines in a file that may not be there."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_at(command: list[str], journal: Path, images: int, chance: random.Random) -> int:
    """Run a command and kill it once the journal has a random number of lines more; returns how many it has then."""
    before = lines(journal)
    target = chance.randint(before + 1, max(before + 1, int(LATEST_KILL_SHARE * images)))
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None and lines(journal) < target:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.05))
    process.send_signal(signal.SIGKILL)
    if process.wait() != -signal.SIGKILL:
        sys.exit(f"It ended with {process.returncode} before it could be killed, at {lines(journal):,} images.")
    return lines(journal)


def differences(killed: Path, straight: Path) -> tuple[int, float]:
    """Rows of which anything but the answers differs, and the largest difference of an age in years."""
    tables = [pq.read_table(path) for path in (killed, straight)]
    if len(tables[0]) != len(tables[1]):
        return abs(len(tables[0]) - len(tables[1])), float("nan")
    fixed = ["file", "status", "detail", "width", "height", "faces", "face"]
    rows = zip(*(table.select(fixed).to_pylist() for table in tables), strict=True)
    ages = [table.column("age").to_pandas() for table in tables]
    return sum(one != other for one, other in rows), float((ages[0] - ages[1]).abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="B", help="A, B, or an exported file")
    parser.add_argument("--images", type=Path, help="a folder of crops; by default faces are drawn")
    parser.add_argument("--count", type=int, default=5000, help="how many are drawn")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--engine", default="local", choices=["local", "ray"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images: Path = asked.images or draw_faces(folder / "faces", count=asked.count, seed=asked.seed)
        files = list_images([str(images)]).files
        out, straight = folder / "killed.parquet", folder / "straight.parquet"
        journal = folder / "killed.parquet.partial" / "rows.jsonl"
        base = [sys.executable, "-m", "agegender", "predict", str(images), "--crops", "--model", asked.model, "--out"]
        command = [*base, str(out), "--engine", asked.engine]
        kept = [kill_at(command, journal, len(files), chance) for _ in range(asked.kills)]
        assert not out.exists()
        endings = [subprocess.run(words, check=False).returncode for words in (command, [*base, str(straight)])]
        found = Counter(pq.read_table(out)["file"].to_pylist())
        different, years = differences(out, straight)
    figures = {
        "images": len(files),
        "kept_after_each_kill": kept,
        "rows": found.total(),
        "unique_images": len(found),
        "lost": len(set(files) - set(found)),
        "doubled": sum(count > 1 for count in found.values()),
        "rows_that_differ_from_a_run_never_killed": different,
        "largest_difference_years": years,
        "exit_codes": endings,
    }
    print(json.dumps(figures, indent=2))
    sound = figures["lost"] == figures["doubled"] == different == 0 and found.total() == len(files)
    sys.exit(0 if sound and years <= MOST_YEARS_APART and endings[0] == endings[1] else 1)


if __name__ == "__main__":
    main()
