"""Put trained models where the package ships them from, with everything a report needs and no image's name.

    python scripts/ship.py --model A runs/a_all runs/a_split --model B runs/b_all runs/b_split \
        --evaluation runs/shipped --out models

Each `--model` names the run that learnt from all images (`agegender run --train-on all`), whose file is shipped, and
its 80/20 twin of the same recipe, which gives learning curves and validation figures. Both may be the same run.
`--evaluation` is the `--out` folder of `agegender evaluate` on both files. What is written is a run folder like any
other; names of images stand in it as hashes.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from agegender.artifacts import atomic_path, read_json, sha256_file, write_json, write_text
from agegender.errors import InputError
from agegender.run_folder import RunFolder, hashed_name, open_run

TWIN_KEYS = ("seed", "split", "versions", "training_seconds", "last_epoch", "validation")
"""What a shipped model's sidecar says about its twin."""


def ship(models: dict[str, tuple[Path, Path]], evaluation: Path, out: Path) -> list[Path]:
    """Write the shipped run.

    Args:
        models: By name, the run of the shipped file and its 80/20 twin.
        evaluation: Folder of metrics.json and predictions.parquet of the shipped files on the test images.
        out: Folder to write to; files in it are replaced.

    Returns:
        The model files.

    Raises:
        InputError: A run is unfinished, a twin has another recipe, or the evaluation is of other files.
    """
    metrics = read_json(evaluation / "metrics.json")
    measured = {model["name"]: model["sha256"] for model in metrics["models"]}
    target = RunFolder(out)
    records, written = {}, []
    for model, (final_root, twin_root) in models.items():
        (final, final_record), (twin, twin_record) = open_run(final_root), open_run(twin_root)
        for root, record in ((final_root, final_record), (twin_root, twin_record)):
            if not record["finished"]:
                raise InputError(f"The run {root} is not finished. Go on with it: agegender run ... --resume.")
        sidecar, twin_sidecar = read_json(final.sidecar(model)), read_json(twin.sidecar(model))
        if sidecar["recipe"] != twin_sidecar["recipe"]:
            raise InputError(f"{twin_root} has another recipe than {final_root}: it is no twin of Model {model}.")
        if measured.get(model) != sha256_file(final.model(model)) or measured[model] != sidecar["sha256"]:
            raise InputError(f"{evaluation} does not hold an evaluation of {final.model(model)}. Run it again.")
        sidecar |= {"test": _figures(metrics, model)}
        if final_root != twin_root:
            sidecar["twin"] = {key: twin_sidecar[key] for key in TWIN_KEYS if key in twin_sidecar}
        with atomic_path(target.model(model)) as temporary:
            shutil.copyfile(final.model(model), temporary)
        write_json(target.sidecar(model), sidecar)
        write_json(target.training(model) / "recipe.json", twin_sidecar["recipe"])
        architecture = final.training(model) / "architecture.json"
        if architecture.is_file():
            write_text(target.training(model) / architecture.name, architecture.read_text())
        write_text(target.training(model) / "history.csv", (twin.training(model) / "history.csv").read_text())
        records[model] = {"shipped": final_record, "twin": twin_record}
        write_json(target.training(model) / "split.json", _hashed_split(read_json(twin.split)))
        written.append(target.model(model))
    first = models[next(iter(models))][1]
    write_json(target.split, _hashed_split(read_json(RunFolder(first).split)))
    write_json(target.metrics, metrics | {"source": "test"})  # not where it stood on somebody's machine
    predictions = pd.read_parquet(evaluation / "predictions.parquet")
    predictions["file"] = [hashed_name(name) for name in predictions["file"]]
    with atomic_path(target.predictions) as temporary:
        predictions.to_parquet(temporary, index=False)
    write_json(target.record, _record(records, predictions))
    return written


def _figures(metrics: dict[str, Any], model: str) -> dict[str, Any]:
    return {result["order"]: result["figures"] for result in metrics["results"] if result["model"] == model}


def _hashed_split(split: dict[str, Any]) -> dict[str, Any]:
    return split | {side: sorted(map(hashed_name, split[side])) for side in ("train", "validation")}


def _record(records: dict[str, dict[str, Any]], predictions: pd.DataFrame) -> dict[str, Any]:
    """A run record for both models: that of the first shipped run, with the paths of nobody's machine."""
    shipped = [record["shipped"] for record in records.values()]
    settings = shipped[0]["settings"] | {"data": "train_val", "test": "test", "models": list(records)}
    settings["start_from"] = [Path(start).name for start in settings.get("start_from") or ()]
    return shipped[0] | {
        "settings": settings,
        "measured_on": "test",
        "constant_predictor": _constant(_chosen(records), predictions),
        "finished": max(record["finished"] or "" for record in shipped),
        "changes": {model: record["shipped"]["settings"]["changes"] for model, record in records.items()},
    }


def _chosen(records: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The constant answer that training labels gave: a run on all images measured nothing, but its twin did."""
    both = next(iter(records.values()))
    return both["shipped"].get("constant_predictor") or both["twin"].get("constant_predictor")


def _constant(former: dict[str, Any] | None, predictions: pd.DataFrame) -> dict[str, Any] | None:
    """The constant answer, which came from the training labels, measured on the test images instead."""
    if former is None:
        return None
    faces = predictions.drop_duplicates("file")
    right = (faces["gender"].astype(str) == "female") == former["female"]
    mae = (faces["age"] - former["age"]).abs().mean()
    return former | {"mae": float(mae), "gender_accuracy": float(right.mean())}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs=3, action="append", required=True, metavar=("NAME", "FINAL", "TWIN"))
    parser.add_argument("--evaluation", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("models"))
    given = parser.parse_args()
    models = {name: (Path(final), Path(twin)) for name, final, twin in given.model}
    for path in ship(models, given.evaluation, given.out):
        print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB) and its sidecar")


if __name__ == "__main__":
    main()
