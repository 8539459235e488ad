"""Entries are whole or absent, damage is found and mended, and processes do not disturb each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agegender.data import cache
from agegender.data.cache import DamagedEntryError, EntryWriter, default_cache_dir, open_entry, open_or_build
from agegender.data.listing import Rejection
from agegender.errors import InputError, OutputError

SIZE = 8
FILES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
IMAGES = np.random.default_rng(5).integers(0, 256, (len(FILES), SIZE, SIZE, 3), dtype=np.uint8)
KEY = "0123456789abcdef" * 4


class Filler:
    """Fills an entry in any order, rejects some files, and counts how often it was asked."""

    def __init__(self, order: tuple[int, ...] = (0, 1, 2, 3, 4), rejected: tuple[int, ...] = ()) -> None:
        self.order = order
        self.rejected = rejected
        self.calls = 0

    def __call__(self, writer: EntryWriter) -> None:
        self.calls += 1
        for slot in self.order:
            if slot in self.rejected:
                writer.reject(Rejection(FILES[slot], "truncated", "cut off"))
            else:
                writer.add(slot, IMAGES[slot], (100 + slot, 200 + slot))


def entry_of(root: Path) -> Path:
    return root / f"faces-{KEY[:32]}"


def build(root: Path, fill: Callable[[EntryWriter], None]) -> cache.CachedImages:
    return open_or_build(root, KEY, FILES, SIZE, fill)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 2, 0, 3, 1)])
def test_an_entry_is_built_once_in_any_order_and_then_opened(order: tuple[int, ...], tmp_path: Path) -> None:
    fill = Filler(order)
    for _ in range(2):
        entry = build(tmp_path / "new" / "cache", fill)
        assert isinstance(entry.images, np.memmap)
        assert not entry.images.flags.writeable
        np.testing.assert_array_equal(entry.images, IMAGES)
        assert entry.table.to_numpy().tolist() == [[f, 100 + i, 200 + i] for i, f in enumerate(FILES)]
        assert len(entry.rejected) == 0
        assert entry.rebuilt_because is None
    assert fill.calls == 1
    assert os.listdir(tmp_path / "new" / "cache") == [entry_of(tmp_path).name]  # noqa: PTH208


@pytest.mark.parametrize("rejected", [(0,), (4,), (1, 2), (0, 2, 4)])
def test_rejected_files_leave_no_gap(rejected: tuple[int, ...], tmp_path: Path) -> None:
    build(tmp_path, Filler((3, 1, 4, 0, 2), rejected))
    entry = build(tmp_path, Filler())
    kept = [slot for slot in range(5) if slot not in rejected]
    np.testing.assert_array_equal(entry.images, IMAGES[kept])
    assert list(entry.table["file"]) == [FILES[slot] for slot in kept]
    assert list(entry.table["width"]) == [100 + slot for slot in kept]
    assert entry.rejected.to_numpy().tolist() == [[FILES[slot], "truncated", "cut off"] for slot in rejected]


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 1
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def garble(path: Path) -> None:
    path.write_text("{")


DAMAGES = {"flipped": flip_a_byte, "cut off": cut_off, "missing": Path.unlink, "garbled": garble}


@pytest.mark.parametrize("file", ["images.npy", "table.parquet", "rejected.parquet", "manifest.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_any_file_is_found_and_mended(file: str, damage: str, tmp_path: Path) -> None:
    build(tmp_path, Filler())
    DAMAGES[damage](entry_of(tmp_path) / file)
    with pytest.raises(DamagedEntryError):
        open_entry(entry_of(tmp_path), KEY, SIZE)
    again = Filler()
    entry = build(tmp_path, again)
    assert again.calls == 1
    assert entry.rebuilt_because
    np.testing.assert_array_equal(entry.images, IMAGES)
    assert [path.name for path in tmp_path.iterdir()] == [entry_of(tmp_path).name]
    assert build(tmp_path, again).rebuilt_because is None


def test_what_was_wrong_is_said(tmp_path: Path) -> None:
    build(tmp_path, Filler())
    flip_a_byte(entry_of(tmp_path) / "images.npy")
    assert build(tmp_path, Filler()).rebuilt_because == "images.npy has another checksum than when it was written"
    (entry_of(tmp_path) / "table.parquet").unlink()
    assert build(tmp_path, Filler()).rebuilt_because == "table.parquet is missing"


def test_an_entry_of_another_key_format_or_size_is_not_taken(tmp_path: Path) -> None:
    build(tmp_path, Filler())
    with pytest.raises(DamagedEntryError, match="another entry"):
        open_entry(entry_of(tmp_path), KEY[:32] + "f" * 32, SIZE)
    with pytest.raises(DamagedEntryError, match="belong together"):
        open_entry(entry_of(tmp_path), KEY, SIZE + 1)
    manifest = entry_of(tmp_path) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": cache.FORMAT + 1}))
    with pytest.raises(DamagedEntryError, match="another entry"):
        open_entry(entry_of(tmp_path), KEY, SIZE)


def test_a_file_or_an_empty_folder_in_the_place_of_an_entry_is_replaced(tmp_path: Path) -> None:
    entry_of(tmp_path).write_text("not a folder")
    np.testing.assert_array_equal(build(tmp_path, Filler()).images, IMAGES)
    shutil.rmtree(entry_of(tmp_path))
    entry_of(tmp_path).mkdir()
    np.testing.assert_array_equal(build(tmp_path, Filler()).images, IMAGES)


@pytest.mark.parametrize("error", [InputError("changed"), KeyboardInterrupt()])
def test_a_build_that_fails_or_is_stopped_leaves_nothing(error: BaseException, tmp_path: Path) -> None:
    def fail(writer: EntryWriter) -> None:
        writer.add(0, IMAGES[0], (1, 1))
        raise error

    with pytest.raises(type(error)):
        build(tmp_path, fail)
    assert list(tmp_path.iterdir()) == []


def test_of_two_builders_the_second_uses_what_the_first_put_there(tmp_path: Path) -> None:
    def slow(writer: EntryWriter) -> None:
        build(tmp_path, Filler())  # another process, as it were, finishes meanwhile
        (entry_of(tmp_path) / "first").touch()
        Filler()(writer)

    entry = build(tmp_path, slow)
    assert (entry_of(tmp_path) / "first").exists()
    np.testing.assert_array_equal(entry.images, IMAGES)
    assert [path.name for path in tmp_path.iterdir()] == [entry_of(tmp_path).name]


def test_an_open_map_survives_the_rebuilding_of_its_entry(tmp_path: Path) -> None:
    opened = build(tmp_path, Filler()).images
    (entry_of(tmp_path) / "manifest.json").unlink()
    build(tmp_path, Filler())
    np.testing.assert_array_equal(opened, IMAGES)


def test_what_a_killed_process_left_is_never_an_entry_and_goes_after_a_day(tmp_path: Path) -> None:
    for name, age_hours in (("old", 25), ("new", 1)):
        (tmp_path / f".building-{name}").mkdir()
        (tmp_path / f".building-{name}" / "images.npy").write_bytes(b"half")
        then = time.time() - age_hours * 3600
        os.utime(tmp_path / f".building-{name}", (then, then))
    build(tmp_path, Filler())
    assert {path.name for path in tmp_path.iterdir()} == {entry_of(tmp_path).name, ".building-new"}


@pytest.mark.parametrize("inside", ["file/cache", "file"])
def test_a_cache_folder_below_a_file_cannot_be_written(inside: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(OutputError, match="AGEGENDER_CACHE"):
        build(tmp_path / inside, Filler())
    assert (tmp_path / "file").read_text() == "I am no folder"


def test_the_default_folder_follows_the_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGEGENDER_CACHE", "/somewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/shared")
    assert default_cache_dir() == Path("/somewhere")
    monkeypatch.delenv("AGEGENDER_CACHE")
    assert default_cache_dir() == Path("/shared/agegender")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / ".cache" / "agegender"


def test_the_header_has_one_length_for_any_count() -> None:
    lengths = {len(cache._npy_header(count, 128)) for count in (0, 1, 999, 5_000, 10_000_000)}
    assert lengths == {128}
    assert re.search(rb"\(5000, 128, 128, 3\)", cache._npy_header(5_000, 128))
