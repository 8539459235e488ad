"""Which files train and which validate: seeded, alike in age and gender, near-duplicates never on both sides.

The unit that is dealt out is a group of near-duplicates (mostly one file). The units of one gender are put in order of
age and cut into short runs, and each run gives its share to validation. The runs are the strata: bands of age that are
as narrow as the data allows, one year or less where it is dense. So every age band of `labels.AGE_BANDS` keeps its
share within a file or two, tables of ten rows included.

The order of the table and the numbers of the groups do not matter: the same files, groups and seed give the same split.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from agegender.artifacts import read_json, write_json
from agegender.errors import InputError, SettingError
from agegender.labels import AGE_BANDS, Gender, age_band, band_name

FORMAT = "agegender split"
FORMAT_VERSION = 1

DEFAULT_VALIDATION_FRACTION = 0.2
"""The brief's 80/20."""

DRAWN_PER_RUN = 2
"""Units that a run gives to its smaller side. One would fix the age of every choice, many would let ages drift."""


@dataclass(frozen=True)
class Split:
    """Two disjoint sets of files.

    Attributes:
        name: Such as `holdout`, `fold-2-of-5` or `all`.
        seed: What it was drawn with.
        train: Files, sorted.
        validation: Files, sorted; empty for `train_on_all`.
        made_from: How it was made and what came out: method, fraction or fold, groups, counts per gender and age
            band. Plain JSON values.
    """

    name: str
    seed: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    made_from: dict[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """A hash of both sides, by which a model's sidecar tells on which split it learnt."""
        return hashlib.sha256(json.dumps([self.train, self.validation]).encode()).hexdigest()


def make_split(
    table: pd.DataFrame,
    groups: ArrayLike | None,
    *,
    validation_fraction: float = DEFAULT_VALIDATION_FRACTION,
    seed: int,
) -> Split:
    """Hold a fraction of the files out for validation.

    Args:
        table: A face table with `file`, `age` (years) and `gender` (names).
        groups: int (n,), equal for near-duplicates; None if every file stands alone.
        validation_fraction: Above 0 and below 1. It is met to one file where groups are small; one side is never
            empty, and a group goes where it brings the fraction nearer.
        seed: At least 0.

    Raises:
        SettingError: The fraction or the seed is out of range.
        InputError: The table lacks columns or values, names a file twice, or holds fewer than two groups.
    """
    if not 0 < validation_fraction < 1:
        raise SettingError(
            f"The validation fraction lies between 0 and 1. Received: {validation_fraction!r}. "
            "To train on every file, ask for training on all instead."
        )
    data = _units(table, groups, least=2)
    units = data[1]
    rng = _generator(seed, stream=0)
    length = int(np.ceil(DRAWN_PER_RUN / min(validation_fraction, 1 - validation_fraction)))
    chosen = np.zeros(len(units), dtype=bool)
    size = units["size"].to_numpy()
    # Files that validation should still get. The random start lets every file be chosen with the same probability.
    owed = rng.uniform(-0.5, 0.5)
    for run in _runs(units, length, rng):
        owed += validation_fraction * size[run].sum()
        for unit in rng.permutation(run):
            if owed > size[unit] / 2:
                chosen[unit] = True
                owed -= size[unit]
    if chosen.all() or not chosen.any():
        smallest = np.flatnonzero(size == size.min())
        chosen[rng.choice(smallest)] = not chosen[0]
    made_from = {"method": "holdout", "validation_fraction": validation_fraction}
    return _split("holdout", seed, data, chosen, made_from)


def make_folds(table: pd.DataFrame, groups: ArrayLike | None, *, folds: int, seed: int) -> list[Split]:
    """Cut the files into folds; each split validates on one of them and trains on the others.

    Args:
        table: A face table with `file`, `age` (years) and `gender` (names).
        groups: int (n,), equal for near-duplicates; None if every file stands alone.
        folds: At least 2 and at most the number of groups.
        seed: At least 0.

    Returns:
        One split a fold; each file is in exactly one of their validation sets.

    Raises:
        SettingError: The number of folds or the seed is out of range.
        InputError: The table lacks columns or values, names a file twice, or holds fewer groups than folds.
    """
    if folds < 2:
        raise SettingError(f"Cross-validation needs at least 2 folds. Received: {folds!r}.")
    data = _units(table, groups, least=folds)
    units = data[1]
    rng = _generator(seed, stream=1)
    fold_of = np.empty(len(units), dtype=np.int64)
    size = units["size"].to_numpy()
    totals = np.zeros(folds, dtype=np.int64)
    for run in _runs(units, folds, rng):
        largest_first = run[np.lexsort((rng.random(len(run)), -size[run]))]
        emptiest_first = np.lexsort((rng.random(folds), totals))[: len(run)]
        fold_of[largest_first] = emptiest_first
        totals[emptiest_first] += size[largest_first]
    return [
        _split(
            f"fold-{fold + 1}-of-{folds}",
            seed,
            data,
            fold_of == fold,
            {"method": "fold", "fold": fold + 1, "folds": folds},
        )
        for fold in range(folds)
    ]


def train_on_all(table: pd.DataFrame, groups: ArrayLike | None, seed: int) -> Split:
    """Train on every file, for a final model; the validation set is empty.

    Args:
        table: A face table with `file`, `age` (years) and `gender` (names).
        groups: int (n,), equal for near-duplicates; None if every file stands alone. Only counted.
        seed: Recorded; nothing is drawn.

    Raises:
        SettingError: The seed is negative.
        InputError: The table is empty, lacks columns or values, or names a file twice.
    """
    data = _units(table, groups, least=1)
    _generator(seed, stream=0)
    return _split("all", seed, data, np.zeros(len(data[1]), dtype=bool), {"method": "all"})


def save_split(split: Split, path: str | Path) -> Path:
    """Write a split as JSON, whole or not at all.

    Raises:
        OutputError: The folder cannot be written or the disk is full.
    """
    return write_json(path, {"format": FORMAT, "version": FORMAT_VERSION, **asdict(split)})


def load_split(path: str | Path, table: pd.DataFrame) -> Split:
    """Read a split and check that it is one of exactly these files.

    Args:
        path: A file that `save_split` wrote.
        table: The face table it is to be used on.

    Raises:
        InputError: It is no such file, contradicts itself, or names other files than the table.
    """
    split = _read(Path(path))
    listed = {*split.train, *split.validation}
    present = set(table["file"])
    problems = []
    if missing := sorted(listed - present):
        problems.append(f"{len(missing):,} of its {len(listed):,} files are not in the data ({_some(missing)})")
    if unknown := sorted(present - listed):
        problems.append(f"{len(unknown):,} of the data's {len(present):,} files are not in it ({_some(unknown)})")
    if problems:
        raise InputError(
            f"The split {path} does not fit the data: {' and '.join(problems)}. "
            "Give the data that it was made from, or make a new split of this data with `agegender split`."
        )
    return split


def _read(path: Path) -> Split:
    try:
        content = read_json(path)
    except FileNotFoundError as error:
        raise InputError(f"There is no split at {path}. Make one with `agegender split`.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"The split {path} cannot be read ({error}). Make it again with `agegender split`.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f'{path} is not a split: expected a JSON object with "format": "{FORMAT}".')
    if content.get("version") != FORMAT_VERSION:
        raise InputError(
            f"The split {path} has format version {content.get('version')!r}; this version of agegender reads "
            f"{FORMAT_VERSION}. Make it again with `agegender split`."
        )
    sides = [content.get("train"), content.get("validation")]
    sound = (
        all(isinstance(side, list) and all(isinstance(file, str) for file in side) for side in sides)
        and isinstance(content.get("name"), str)
        and isinstance(content.get("seed"), int)
        and isinstance(content.get("made_from"), dict)
    )
    if not sound:
        raise InputError(f"The split {path} lacks a part or holds another type. Make it again with `agegender split`.")
    train, validation = tuple(content["train"]), tuple(content["validation"])
    if repeated := len(train) + len(validation) - len({*train, *validation}):
        raise InputError(
            f"The split {path} names {repeated:,} files more than once, so that its two sides may overlap. "
            "Make it again with `agegender split`."
        )
    if not train:
        raise InputError(f"The split {path} has no files to train on. Make it again with `agegender split`.")
    return Split(content["name"], content["seed"], train, validation, content["made_from"])


def _generator(seed: int, *, stream: int) -> np.random.Generator:
    if seed < 0:
        raise SettingError(f"A seed is a whole number from 0 up. Received: {seed!r}.")
    return np.random.default_rng([seed, stream])


def _units(table: pd.DataFrame, groups: ArrayLike | None, *, least: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Files and units in an order that depends on the files' names alone.

    Returns:
        The files sorted by name (`file`, `age`, `female`, `unit`), and one row a unit (`age`: the mean, `female`: of
        the majority, `size` in files).
    """
    needed = ["file", "age", "gender"]
    if absent := [column for column in needed if column not in table]:
        raise InputError(f"A table to split needs the columns {', '.join(needed)}. Missing: {', '.join(absent)}.")
    if table.empty:
        raise InputError("There are no files to split. Give data with at least two different pictures.")
    if table[needed].isna().to_numpy().any():
        raise InputError("A table to split needs a file, an age and a gender in every row; some are missing.")
    ids = np.arange(len(table)) if groups is None else np.asarray(groups)
    if ids.shape != (len(table),):
        raise InputError(f"Groups must be one number a file, {len(table):,} here. Received an array of {ids.shape}.")
    if twice := int(table["file"].duplicated().sum()):
        raise InputError(f"A table to split names every file once. Received {twice:,} repeated names.")
    female = table["gender"].to_numpy() == str(Gender.FEMALE)
    files = pd.DataFrame({"file": table["file"].to_numpy(), "age": table["age"].to_numpy(), "female": female})
    files["unit"] = ids
    files = files.sort_values("file", ignore_index=True)
    files["unit"] = pd.factorize(files["unit"])[0]
    units = files.groupby("unit").agg(age=("age", "mean"), female=("female", "mean"), size=("file", "size"))
    units["female"] = units["female"] >= 0.5
    if len(units) < least:
        raise InputError(
            f"Only {len(units):,} of the {len(files):,} files differ from one another, the others are their "
            f"near-duplicates; at least {least:,} are needed to keep the sides apart. Give more different pictures, "
            "ask for fewer folds, or train on all."
        )
    return files, units


def _runs(units: pd.DataFrame, length: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Units of one gender that are neighbours in age, `length` at a time; which of the same age is random."""
    order = np.lexsort((rng.random(len(units)), units["age"], units["female"]))
    female = units["female"].to_numpy()[order]
    for one_gender in (order[~female], order[female]):
        for start in range(0, len(one_gender), length):
            yield one_gender[start : start + length]


def _split(
    name: str, seed: int, data: tuple[pd.DataFrame, pd.DataFrame], chosen: NDArray[np.bool_], made_from: dict[str, Any]
) -> Split:
    """The split whose validation set is the chosen units of `data` (files and units), with its counts."""
    files, units = data
    names = files["file"].to_numpy()
    ages = files["age"].to_numpy()
    female = files["female"].to_numpy()
    bands = np.array([age_band(age) for age in ages])
    validates = chosen[files["unit"].to_numpy()]
    strata = []
    for gender in Gender:
        for band in (band_name(low, high) for low, high in AGE_BANDS):
            here = (female == (gender is Gender.FEMALE)) & (bands == band)
            if here.any():
                counts = {"train": int((here & ~validates).sum()), "validation": int((here & validates).sum())}
                strata.append({"gender": str(gender), "ages": band, **counts})
    sides = {"train": ~validates, "validation": validates}
    summary = {
        **made_from,
        "files": len(files),
        "groups": len(units),
        "files_with_near_duplicates": int(units.loc[units["size"] > 1, "size"].sum()),
        "sides": {
            side: {
                "files": int(rows.sum()),
                "mean_age_years": round(float(ages[rows].mean()), 4) if rows.any() else None,
                "female_share": round(float(female[rows].mean()), 4) if rows.any() else None,
            }
            for side, rows in sides.items()
        },
        "strata": strata,
    }
    return Split(name, seed, tuple(names[~validates].tolist()), tuple(names[validates].tolist()), summary)


def _some(files: Sequence[str]) -> str:
    """The first three names."""
    return ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
