"""Folders of drawn faces: whole or absent, the same bytes again, marked, with the stated noise."""

import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agegender.data.drawn import (
    DEFAULT_LABEL_NOISE,
    DRAWN_MARKER,
    LabelNoise,
    draw_face,
    draw_faces,
    file_name,
    is_drawn_folder,
    read_marker,
)
from agegender.errors import InputError, OutputError, SettingError


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.jpg")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_faces(tmp_path_factory.mktemp("drawn") / "faces", count=24, seed=3)


def test_files_are_rgb_jpegs_of_128_pixels(folder: Path) -> None:
    files = sorted(folder.glob("*.jpg"))
    assert len(files) == 24
    for path in files:
        with Image.open(path) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (128, 128), "RGB")


def test_pictures_on_disk_are_the_drawn_ones_in_rgb_order(folder: Path) -> None:
    image, labels = draw_face(5, 3)
    with Image.open(folder / file_name(labels, 5, 3)) as stored:
        difference = np.abs(np.asarray(stored).astype(int) - image)
    assert difference.mean() < 6  # what JPEG loses; swapped channels would differ by far more


def test_same_seed_gives_the_same_bytes_whatever_the_number_of_threads(folder: Path, tmp_path: Path) -> None:
    again = draw_faces(tmp_path / "again", count=24, seed=3, workers=1)
    assert contents(again) == contents(folder)
    assert (again / DRAWN_MARKER).read_bytes() == (folder / DRAWN_MARKER).read_bytes()


def test_a_smaller_set_is_the_start_of_a_larger_one(folder: Path, tmp_path: Path) -> None:
    small = contents(draw_faces(tmp_path / "small", count=9, seed=3))
    assert small.items() <= contents(folder).items()


def test_another_seed_gives_other_faces(folder: Path, tmp_path: Path) -> None:
    other = contents(draw_faces(tmp_path / "other", count=24, seed=4))
    assert not set(other) & set(contents(folder))
    assert not set(other.values()) & set(contents(folder).values())


def test_the_marker_tells_settings_and_truth(folder: Path) -> None:
    assert is_drawn_folder(folder)
    marker = read_marker(folder)
    assert (marker.seed, marker.count, marker.label_noise) == (3, 24, DEFAULT_LABEL_NOISE)
    assert {face.file for face in marker.faces} == set(contents(folder))
    for index, face in enumerate(marker.faces):
        _, labels = draw_face(index, 3)
        assert (face.true_age, face.true_gender) == (labels.true_age, labels.true_gender)


def test_a_complete_folder_is_reused(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}

    def never(items: Iterable[object], /, *, total: int, title: str) -> Iterator[object]:
        raise AssertionError(f"drew {total} again under {title}")

    assert draw_faces(folder, count=24, seed=3, progress=never) == folder  # type: ignore[arg-type]
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("count", "seed", "noise"), [(25, 3, DEFAULT_LABEL_NOISE), (24, 4, DEFAULT_LABEL_NOISE), (24, 3, LabelNoise(0.0))]
)
def test_other_settings_are_no_reason_to_overwrite(folder: Path, count: int, seed: int, noise: LabelNoise) -> None:
    before = contents(folder)
    with pytest.raises(OutputError, match="other drawn faces"):
        draw_faces(folder, count=count, seed=seed, label_noise=noise)
    assert contents(folder) == before


def test_an_incomplete_folder_is_reported(tmp_path: Path) -> None:
    folder = draw_faces(tmp_path / "faces", count=4, seed=1)
    next(folder.glob("*.jpg")).unlink()
    with pytest.raises(OutputError, match=r"1 files .* missing"):
        draw_faces(folder, count=4, seed=1)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(OutputError, match="no drawn faces"):
        draw_faces(tmp_path, count=4, seed=1)
    assert (tmp_path / "holiday.jpg").read_bytes() == b"mine"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert len(contents(draw_faces(tmp_path / "empty", count=3, seed=1))) == 3


def test_an_interrupted_drawing_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(items: Iterable[str], /, *, total: int, title: str) -> Iterator[str]:
        for number, item in enumerate(items):
            if number == 2:
                raise KeyboardInterrupt
            yield item

    running = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        draw_faces(tmp_path / "faces", count=40, seed=1, progress=interrupted)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == running


@pytest.mark.parametrize("other_seed", [1, 2])
def test_somebody_else_was_faster(tmp_path: Path, other_seed: int) -> None:
    folder = tmp_path / "faces"

    def overtaken(items: Iterable[str], /, *, total: int, title: str) -> Iterator[str]:
        yield from items
        draw_faces(folder, count=3, seed=other_seed)

    if other_seed == 1:
        draw_faces(folder, count=3, seed=1, progress=overtaken)  # type: ignore[arg-type]
    else:
        with pytest.raises(OutputError, match="other drawn faces"):
            draw_faces(folder, count=3, seed=1, progress=overtaken)  # type: ignore[arg-type]
    assert read_marker(folder).seed == other_seed
    assert list(tmp_path.iterdir()) == [folder]


def test_a_file_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for target in (tmp_path / "file", tmp_path / "file" / "faces"):
        with pytest.raises(OutputError, match=r"holds no drawn faces|Cannot write"):
            draw_faces(target, count=2, seed=1)


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (5, -1)])
def test_counts_and_seeds_that_make_no_sense(tmp_path: Path, count: int, seed: int) -> None:
    with pytest.raises(SettingError, match="Received"):
        draw_faces(tmp_path / "faces", count=count, seed=seed)


def test_a_missing_or_damaged_marker_is_explained(tmp_path: Path) -> None:
    assert not is_drawn_folder(tmp_path)
    with pytest.raises(InputError, match="no folder of drawn faces"):
        read_marker(tmp_path)
    for damage in ("{", json.dumps({"seed": 1}), json.dumps([1]), json.dumps({"faces": ["x"]})):
        (tmp_path / DRAWN_MARKER).write_text(damage)
        with pytest.raises(InputError, match="cannot be read"):
            read_marker(tmp_path)
        with pytest.raises(OutputError, match="cannot be read"):
            draw_faces(tmp_path, count=2, seed=1)
