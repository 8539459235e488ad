import numpy as np
import pandas as pd
from PIL import Image

from agegender.models.describe import ArchitectureBlock
from agegender.reporting import AugmentedImages, SampleImages, read_captions, run_figures

BLOCKS = [ArchitectureBlock("image", "input", (128, 128, 3), 0), ArchitectureBlock("out", "dense", (1,), 9)]


def test_a_run_gets_all_its_pictures_with_captions(history, predictions, result, faces, tmp_path):
    table = pd.concat(
        [
            predictions.assign(model="A", order="rgb"),
            predictions.assign(model="A", order="bgr", predicted_age=0.0),
        ]
    ).astype({"model": "category", "order": "category"})
    asked: list[str] = []

    def images_of(files):
        asked.extend(files)
        return faces[: len(files)]

    titles: list[tuple[str, int]] = []

    def progress(items, /, *, total, title):
        titles.append((title, total))
        yield from items

    written = run_figures(
        tmp_path / "figures",
        drawn=True,
        histories={"A": history},
        architectures={"A": BLOCKS},
        results=[result],
        predictions=table,
        images_of=images_of,
        samples=SampleImages(faces[:24], predictions["age"][:24].to_numpy(), predictions["gender"][:24].tolist()),
        augmented=AugmentedImages(faces[:2], np.stack([faces[2:5], faces[5:8]])),
        progress=progress,
    )
    names = [
        *("samples", "augmentation", "A_architecture"),
        *("A_gender_loss", "A_gender_accuracy", "A_age_loss", "A_age_mae", "A_learning_curves"),
        *("A_confusion", "A_error_by_age", "A_error_by_race", "A_predicted_age", "A_worst_age", "A_worst_gender"),
    ]
    assert [path.name for path in written] == [f"{name}.{suffix}" for name in names for suffix in ("png", "svg")]
    assert all(path.stat().st_size > 3000 for path in written)
    captions = read_captions(tmp_path / "figures")
    assert list(captions) == names
    assert all("drawn faces" in caption for name, caption in captions.items() if name != "A_architecture")
    assert all(len(caption) > 60 and caption.endswith(".") for caption in captions.values())
    # Of the two channel orders the first counts, and each worst image was asked for by its file.
    mae = (predictions["predicted_age"] - predictions["age"]).abs()
    assert f"{mae.mean():.2f} years" in captions["A_predicted_age"]
    assert asked[0] == predictions["file"][mae.idxmax()]
    assert titles == [("Figures", len(names))]
    with Image.open(written[0]) as image:
        assert image.size[0] == 1400


def test_what_is_not_given_is_not_drawn(predictions, tmp_path):
    written = run_figures(tmp_path, drawn=False, predictions=predictions.assign(model="odd/name v2"))
    assert [path.name for path in written] == [
        "odd-name-v2_predicted_age.png",
        "odd-name-v2_predicted_age.svg",
    ]
    assert "drawn" not in str(read_captions(tmp_path))
    assert run_figures(tmp_path, drawn=False) == []


def test_a_model_without_a_wrong_gender_has_no_such_picture(predictions, faces, tmp_path):
    right = predictions.drop(index=[3, 50, 120]).assign(model="A")
    written = run_figures(tmp_path, drawn=False, predictions=right, images_of=lambda files: faces[: len(files)])
    assert {path.stem for path in written} == {"A_predicted_age", "A_worst_age"}
