"""Folders and archives: which files they give, with which bytes, and how damage shows."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agegender.data.listing import Reader
from agegender.data.readers import FolderReader, TarReader, ZipReader, open_reader
from agegender.errors import ImageError, InputError, SettingError

DATE = "20170116174525125"
FILES = {
    f"20_0_0_{DATE}.jpg": b"one",
    f"part 1/30_1_1_{DATE}.jpg.chip.jpg": b"two",
    f"part 1/deep/40_0_2_{DATE}.PNG": b"three",
}
MORE = {
    "part 1/notes.txt": b"x",
    ".DS_Store": b"x",
    f".cache/50_0_2_{DATE}.jpg": b"x",
    f"__MACOSX/._20_0_0_{DATE}.jpg": b"x",
    f"30_1_{DATE}.jpg": b"x",
    f"30_1_1_{DATE}.gif": b"x",
}


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def packed_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("part 1")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def packed_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def contents(reader: Reader) -> dict[str, bytes]:
    return {file: read() for file, read in reader.contents()}


SOURCES: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "faces": folder,
    "faces.zip": packed_zip,
    "faces.ZIP": packed_zip,
    "faces.tar": packed_tar,
    "faces.tar.gz": lambda path, files: packed_tar(path, files, "w:gz"),
    "faces.TGZ": lambda path, files: packed_tar(path, files, "w:gz"),
    "faces.tar.xz": lambda path, files: packed_tar(path, files, "w:xz"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_kind_of_source_gives_the_same_faces_twice(name: str, tmp_path: Path) -> None:
    reader = open_reader(SOURCES[name](tmp_path / name, FILES | MORE))
    table = reader.listing.table
    assert list(table["file"]) == sorted(FILES)
    assert list(table["age"]) == [20, 30, 40]
    assert list(table["gender"]) == ["male", "female", "male"]
    assert list(table["race"]) == ["White", "Black", "Asian"]
    assert contents(reader) == FILES
    assert contents(reader) == FILES  # asked again
    assert {r.file: r.reason for r in reader.listing.rejected} == {
        "part 1/notes.txt": "not_an_image",
        f"30_1_{DATE}.jpg": "bad_name",
        f"30_1_1_{DATE}.gif": "unsupported_format",
    }
    assert len(reader.listing.ignored) == 3
    assert not reader.listing.drawn


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar"])
def test_a_member_that_leads_out_of_the_archive_is_rejected_and_never_written(name: str, tmp_path: Path) -> None:
    evil = {f"../20_0_0_{DATE}.jpg": b"x", f"/tmp/21_0_0_{DATE}.jpg": b"x", f"a/../../22_0_0_{DATE}.jpg": b"x"}
    path = SOURCES[name](tmp_path / name, FILES | evil)
    before = sorted(tmp_path.rglob("*"))
    reader = open_reader(path)
    assert contents(reader) == FILES
    assert {r.file: r.reason for r in reader.listing.rejected} == dict.fromkeys(evil, "unsafe_path")
    assert sorted(tmp_path.rglob("*")) == before


def test_backslashes_and_leading_dots_of_other_packers_are_plain_paths(tmp_path: Path) -> None:
    path = packed_tar(tmp_path / "a.tar", {f"./part\\30_1_1_{DATE}.jpg": b"two"})
    assert contents(TarReader(path)) == {f"part/30_1_1_{DATE}.jpg": b"two"}


def test_links_in_a_tar_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo(f"20_0_0_{DATE}.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    listing = TarReader(path).listing
    assert [r.reason for r in listing.rejected] == ["not_a_file"]


def test_a_member_of_zip_with_a_wrong_checksum_is_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"20_0_0_{DATE}.jpg", b"first content")
        archive.writestr(f"30_0_0_{DATE}.jpg", b"second content")
    path.write_bytes(path.read_bytes().replace(b"first content", b"First content"))
    results = dict(ZipReader(path).contents())
    assert results[f"30_0_0_{DATE}.jpg"]() == b"second content"
    with pytest.raises(ImageError, match="damaged in the archive") as caught:
        results[f"20_0_0_{DATE}.jpg"]()
    assert caught.value.reason == "unreadable"


def test_a_member_that_says_it_is_huge_is_rejected_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed_zip(tmp_path / "a.zip", {f"20_0_0_{DATE}.jpg": bytes(2_000)})
    monkeypatch.setattr("agegender.data.readers.MAX_FILE_BYTES", 1_999)
    assert [r.reason for r in ZipReader(path).listing.rejected] == ["too_large"]


def test_an_encrypted_member_is_rejected(tmp_path: Path) -> None:
    path = packed_zip(tmp_path / "a.zip", {f"20_0_0_{DATE}.jpg": b"x"})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flag in the last entry of the central directory
    path.write_bytes(content)
    rejected = ZipReader(path).listing.rejected
    assert [(r.reason, r.detail) for r in rejected] == [("unreadable", "It is encrypted in the archive.")]


@pytest.mark.parametrize("name", ["faces.zip", "faces.tar", "faces.tar.gz", "faces.tar.xz"])
@pytest.mark.parametrize("cut", [0.0, 0.3, 0.7])
def test_a_cut_off_archive_is_an_error_and_not_a_smaller_data_set(name: str, cut: float, tmp_path: Path) -> None:
    noise = {f"{age}_0_0_{DATE}.jpg": os.urandom(3_000) for age in range(12)}
    path = SOURCES[name](tmp_path / name, noise)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    with pytest.raises(InputError, match="damaged, incomplete"):
        contents(open_reader(path))


def test_a_tar_with_a_damaged_header_is_an_error_and_not_a_smaller_data_set(tmp_path: Path) -> None:
    path = packed_tar(tmp_path / "a.tar", FILES)
    content = bytearray(path.read_bytes())
    content[1024:1536] = b"\x07" * 512  # the second member's header
    path.write_bytes(content)
    with pytest.raises(InputError, match="no end mark"):
        TarReader(path)


def test_a_text_file_called_zip_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_text("hello")
    with pytest.raises(InputError, match=r"a\.zip is damaged"):
        open_reader(path)


def test_linked_folders_are_read_once_even_in_a_circle(tmp_path: Path) -> None:
    real = folder(tmp_path / "elsewhere", FILES)
    root = tmp_path / "data"
    root.mkdir()
    (root / "linked").symlink_to(real, target_is_directory=True)
    (real / "back").symlink_to(real, target_is_directory=True)
    (root / "again").symlink_to(root, target_is_directory=True)
    assert contents(FolderReader(root)) == {f"linked/{file}": content for file, content in FILES.items()}


def test_broken_links_and_pipes_are_rejected_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / f"20_0_0_{DATE}.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / f"21_0_0_{DATE}.jpg").symlink_to(tmp_path / f"21_0_0_{DATE}.jpg")
    os.mkfifo(tmp_path / f"22_0_0_{DATE}.jpg")
    listing = FolderReader(tmp_path).listing
    assert [r.reason for r in listing.rejected] == ["not_a_file"] * 3


def test_a_file_that_vanished_since_is_an_image_error(tmp_path: Path) -> None:
    reader = FolderReader(folder(tmp_path, FILES))
    (tmp_path / f"20_0_0_{DATE}.jpg").unlink()
    with pytest.raises(ImageError, match="cannot be read"):
        contents(reader)


def test_a_folder_that_cannot_be_listed_is_rejected_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, FILES)
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = FolderReader(tmp_path).listing
    assert [(r.file, r.reason) for r in listing.rejected] == [("part 1/deep/", "unreadable_folder")]
    assert len(listing.table) == 2


def test_a_source_that_is_missing_or_of_no_known_kind_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is nothing at"):
        open_reader(tmp_path / "gone")
    with pytest.raises(InputError, match="cannot be looked at"):
        open_reader(tmp_path / ("x" * 300))
    (tmp_path / "a.rar").write_bytes(b"Rar!")
    with pytest.raises(InputError, match=r"Received: .*a\.rar"):
        open_reader(tmp_path / "a.rar")


def test_gender_codes_are_for_tables(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="for tables"):
        open_reader(folder(tmp_path, FILES), gender_codes={0: "male", 1: "female"})
