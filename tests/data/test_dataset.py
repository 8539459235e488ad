"""A source in, a checked `Dataset` out; the second time from the cache."""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import agegender.data
from agegender.data import Dataset, UnusableDataError, dataset, load_dataset, write_rejected
from agegender.errors import InputError, OutputError, SettingError

T = TypeVar("T")
DATE = "20170116174525125"


def jpeg(seed: int, size: tuple[int, int] = (128, 128)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A folder of 12 images, one of another size; their names sort otherwise than their numbers."""
    folder = tmp_path / "faces"
    (folder / "deep").mkdir(parents=True)
    for i in range(12):
        place = folder / "deep" if i % 3 == 0 else folder
        (place / f"{i * 9}_{i % 2}_{i % 5}_{DATE}.jpg").write_bytes(jpeg(i, (200, 150) if i == 7 else (128, 128)))
    return folder


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def call(source: Path, **options: Any) -> Dataset:
        options.setdefault("cache_dir", tmp_path / "cache")
        return load_dataset(source, **options)

    return call


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on every image must come from the cache. Use through `request.getfixturevalue`."""
    monkeypatch.setattr(dataset, "read_face", lambda *_, **__: pytest.fail("an image was decoded again"))


def same(one: Dataset, other: Dataset) -> None:
    pd.testing.assert_frame_equal(one.table, other.table)
    np.testing.assert_array_equal(one.images, other.images)
    assert one.fingerprint == other.fingerprint


def test_row_i_is_image_i_sorted_by_file(faces: Path, load: Any) -> None:
    data = load(faces)
    assert list(data.table["file"]) == sorted(path.relative_to(faces).as_posix() for path in faces.rglob("*.jpg"))
    assert data.images.shape == (12, 128, 128, 3)
    assert data.images.dtype == np.uint8
    for file, image in zip(data.table["file"], data.images, strict=True):
        picture = Image.open(faces / file).convert("RGB")
        if picture.size != (128, 128):
            picture = picture.resize((128, 128), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(image, np.asarray(picture))
    ages = [int(Path(file).name.split("_")[0]) for file in data.table["file"]]
    assert data.table["age"].tolist() == ages
    assert len(data) == 12
    assert data.resized == 1
    assert data.source == str(faces)
    assert not data.drawn
    assert data.notes == ("1 of 12 images were not 128 x 128 and were resized (bilinear).",)


def test_the_second_time_nothing_is_decoded(faces: Path, load: Any, request: pytest.FixtureRequest) -> None:
    first = load(faces)
    request.getfixturevalue("no_decoding")
    same(first, load(faces))


def test_folder_zip_and_tar_of_the_same_files_share_one_entry(
    faces: Path, load: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = load(faces)
    request.getfixturevalue("no_decoding")
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for path in faces.rglob("*.jpg"):
            archive.write(path, path.relative_to(faces))
    with tarfile.open(tmp_path / "faces.tgz", "w:gz") as archive:
        archive.add(faces, ".")
    same(first, load(tmp_path / "faces.zip"))
    same(first, load(tmp_path / "faces.tgz"))


def test_an_archive_is_decoded_in_its_own_order_and_comes_out_sorted(faces: Path, load: Any, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "faces.tar.gz", "w:gz") as archive:
        for path in sorted(faces.rglob("*.jpg"), reverse=True):
            archive.add(path, path.relative_to(faces))
    first = load(tmp_path / "faces.tar.gz", workers=3)
    same(first, load(faces, cache_dir=tmp_path / "another"))


def test_a_table_gives_the_pixels_of_its_paths(faces: Path, load: Any, tmp_path: Path) -> None:
    by_name = load(faces)
    table = by_name.table.rename(columns={"file": "path"}).sample(frac=1, random_state=1)
    table["path"] = "faces/" + table["path"]
    table["camera"] = "phone"
    for path, write in (("t.csv", table.to_csv), ("t.parquet", table.to_parquet)):
        write(tmp_path / path, index=False)
        data = load(tmp_path / path)
        np.testing.assert_array_equal(data.images, by_name.images)
        assert data.table["age"].tolist() == by_name.table["age"].tolist()
        assert set(data.table["camera"]) == {"phone"}


def test_changed_bytes_and_names_are_seen_even_with_old_dates_and_sizes(faces: Path, load: Any) -> None:
    first = load(faces)
    path = next(faces.glob("*.jpg"))
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-200] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = load(faces)
    assert second.fingerprint != first.fingerprint
    assert not np.array_equal(second.images, first.images)
    path.rename(path.with_name(f"99_0_0_{DATE}.jpg"))
    assert 99 in load(faces).table["age"].tolist()


def test_other_labels_have_another_fingerprint_but_need_no_decoding(
    faces: Path, load: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    table = load(faces).table.rename(columns={"file": "path"})
    table.to_csv(faces / "t.csv", index=False)
    first = load(faces / "t.csv")
    request.getfixturevalue("no_decoding")
    table["age"] += 1
    table.to_csv(faces / "t.csv", index=False)
    second = load(faces / "t.csv")
    assert (second.table["age"] - first.table["age"] == 1).all()
    assert second.fingerprint != first.fingerprint


def test_size_and_strictness_have_entries_of_their_own(faces: Path, load: Any) -> None:
    assert load(faces).images.shape == (12, 128, 128, 3)
    assert load(faces, size=32).images.shape == (12, 32, 32, 3)
    strict = load(faces, strict_size=True)
    assert strict.rejected["reason"].tolist() == ["wrong_size"]
    assert len(strict) == len(strict.images) == 11
    assert strict.resized == 0


def test_a_damaged_cache_is_rebuilt_with_a_note(faces: Path, load: Any, tmp_path: Path) -> None:
    first = load(faces)
    first = dataclasses.replace(first, images=np.array(first.images))  # the file below the map is about to be damaged
    (images,) = (tmp_path / "cache").rglob("images.npy")
    images.write_bytes(images.read_bytes()[:-7])
    second = load(faces)
    same(first, second)
    assert any(note.startswith("The image cache was damaged (images.npy has another size") for note in second.notes)
    assert not any("damaged" in note for note in load(faces).notes)


def test_a_cache_that_is_there_needs_no_writing(faces: Path, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(faces)
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: pytest.fail("something was written"))
    same(first, load(faces))


def test_rejected_files_are_listed_alike_from_the_cache(faces: Path, load: Any, tmp_path: Path) -> None:
    broken = faces / f"50_0_0_{DATE}.jpg"
    broken.write_bytes(jpeg(50)[:900])
    (faces / "notes.txt").write_text("hello")
    (faces / ".DS_Store").touch()
    for data in (load(faces), load(faces)):
        assert data.rejected[["file", "reason"]].to_numpy().tolist() == [
            [broken.name, "truncated"],
            ["notes.txt", "not_an_image"],
        ]
        assert data.ignored == (".DS_Store",)
        assert "2 files were rejected: 1 not_an_image, 1 truncated." in data.notes
        assert "1 hidden and system files were ignored." in data.notes
        written = pd.read_csv(write_rejected(data, tmp_path / "run" / "rejected.csv"))
        assert written.to_numpy().tolist() == data.rejected.to_numpy().tolist()


def test_without_rejected_files_rejected_csv_is_a_header(faces: Path, load: Any, tmp_path: Path) -> None:
    assert write_rejected(load(faces), tmp_path / "rejected.csv").read_text() == "file,reason,detail\n"
    with pytest.raises(OutputError):
        write_rejected(load(faces), tmp_path / "rejected.csv" / "below" / "a.csv")


def test_over_the_share_the_run_stops_with_counts_and_the_way_on(faces: Path, load: Any) -> None:
    (faces / f"200_0_0_{DATE}.jpg").write_bytes(jpeg(1))
    assert len(load(faces)) == 12  # 1 of 13
    (faces / f"50_0_0_{DATE}.jpg").write_bytes(b"")
    with pytest.raises(UnusableDataError) as caught:  # 2 of 14
        load(faces)
    message = str(caught.value)
    assert message.startswith(f"2 of 14 images in {faces} are rejected (1 age_out_of_range, 1 empty). The first: ")
    assert "At most 10% may be rejected" in message
    assert "--allow-rejected" in message
    assert sorted(caught.value.rejected["reason"]) == ["age_out_of_range", "empty"]
    assert len(load(faces, allow_rejected=True)) == 12
    assert len(load(faces, max_rejected_share=2 / 14)) == 12
    with pytest.raises(InputError, match="At most 0% may"):
        load(faces, max_rejected_share=0)


def test_names_alone_stop_a_run_before_any_image_is_read(faces: Path, load: Any, tmp_path: Path) -> None:
    for path in faces.glob("*.jpg"):
        path.rename(path.with_name("photo " + path.name))
    titles: list[str] = []

    def note(items: Iterable[T], /, *, total: int, title: str) -> Iterator[T]:
        titles.append(title)
        yield from items

    with pytest.raises(InputError, match="8 bad_name"):
        load(faces, progress=note)
    assert titles == []


def test_text_files_beside_images_do_not_count_to_the_share(faces: Path, load: Any) -> None:
    for i in range(40):
        (faces / f"{i}.txt").write_text("an annotation")
    assert len(load(faces).rejected) == 40


def test_progress_sees_every_file(faces: Path, load: Any) -> None:
    seen: dict[str, tuple[int, int]] = {}

    def count(items: Iterable[T], /, *, total: int, title: str) -> Iterator[T]:
        done = 0
        for item in items:
            done += 1
            yield item
        seen[title] = (done, total)

    load(faces, progress=count)
    assert seen == {"Reading files": (12, 12), "Decoding images": (12, 12)}


def test_data_that_changes_under_the_reader_is_an_error_and_leaves_no_cache(
    faces: Path, load: Any, tmp_path: Path
) -> None:
    victim = next(faces.glob("*.jpg"))

    def disturb(items: Iterable[T], /, *, total: int, title: str) -> Iterator[T]:
        if title == "Decoding images":
            victim.write_bytes(jpeg(999))
        yield from items

    with pytest.raises(InputError, match="changed while the data was being read"):
        load(faces, progress=disturb)
    assert list((tmp_path / "cache").iterdir()) == []

    def remove(items: Iterable[T], /, *, total: int, title: str) -> Iterator[T]:
        if title == "Decoding images":
            victim.unlink()
        yield from items

    with pytest.raises(InputError, match="cannot be read any more"):
        load(faces, progress=remove)


def test_drawn_faces_are_known_by_their_marker(faces: Path, load: Any) -> None:
    (faces / "drawn_faces.json").write_text("{}")
    data = load(faces)
    assert data.drawn
    assert len(data.rejected) == 0


def test_select_gives_rows_in_the_order_asked(faces: Path, load: Any) -> None:
    data = load(faces)
    files = list(data.table["file"])
    rows = data.select([files[5], files[0], files[11]])
    assert rows.tolist() == [5, 0, 11]
    assert rows.dtype == np.int64
    assert data.select([]).tolist() == []
    with pytest.raises(InputError, match=r"1 of 2 files are not in .*: gone\.jpg"):
        data.select([files[0], "gone.jpg"])


@pytest.mark.parametrize(
    "options", [{"size": 0}, {"max_rejected_share": 1.5}, {"max_rejected_share": -0.1}, {"workers": 0}]
)
def test_settings_without_sense_are_refused(options: dict[str, Any], faces: Path, load: Any) -> None:
    with pytest.raises(SettingError, match="Received"):
        load(faces, **options)


def test_the_default_cache_is_used(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGEGENDER_CACHE", str(tmp_path / "mine"))
    load_dataset(faces)
    assert len(list((tmp_path / "mine").glob("faces-*"))) == 1
    shutil.rmtree(tmp_path / "mine")


def test_every_name_of_the_data_room_stands() -> None:
    for name in agegender.data.__all__:
        assert getattr(agegender.data, name).__name__ == name
    assert set(agegender.data.__all__) <= set(dir(agegender.data))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        agegender.data.nothing  # noqa: B018
