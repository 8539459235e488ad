"""`prepare` on releases made here: noise under UTKFace's names, in folders and archives, whole and damaged."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from agegender.data import prepare as prepare_module
from agegender.data.names import parse_name
from agegender.data.prepare import brief_names, kaggle_folder, prepare, utkface_folder
from agegender.errors import InputError, MissingExtraError, OutputError, SettingError

NAMES = brief_names()[::400]
"""Thirteen of the brief's names, enough for a small release."""

OTHER = "77_1_2_19990101000000000.jpg.chip.jpg"
"""A name of the same form that the brief does not have."""

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def small_brief(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Let the brief have thirteen names."""
    monkeypatch.setattr(prepare_module, "brief_names", lambda: NAMES)
    return NAMES


def picture(seed: int, *, width: int = 200, height: int = 200, kind: str = "JPEG") -> bytes:
    """Soft colour patches with a little noise."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    noisy = np.clip(pixels + rng.integers(-9, 10, pixels.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def write_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


PACKERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "release": write_folder, "release.zip": write_zip, "release.tar": write_tar, "release.tar.gz": write_tar,
}  # fmt: skip


def crops(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def as_the_brief(content: bytes) -> bytes:
    """The recipe, written down a second time."""
    small = Image.open(io.BytesIO(content)).convert("RGB").resize((128, 128), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


# The list of names


def test_the_list_holds_the_briefs_five_thousand_names():
    names = brief_names()
    assert len(names) == len(set(names)) == 5000
    assert list(names) == sorted(names)
    labels = [parse_name(name) for name in names]
    assert sum(label.gender == "female" for label in labels) == 2416
    assert (min(x.age for x in labels), max(x.age for x in labels)) == (1, 116)
    assert len({name.lower().split(".jpg", maxsplit=1)[0].strip() for name in names}) == 5000


def test_the_script_makes_the_same_bytes_again(tmp_path: Path):
    folder = tmp_path / "train_val"
    folder.mkdir()
    for name in brief_names():
        (folder / name).touch()
    (folder / "notes.txt").touch()
    made = tmp_path / "names.gz"
    script = REPOSITORY / "scripts" / "make_brief_names.py"
    done = subprocess.run([sys.executable, script, folder, made], check=True, capture_output=True, text=True)
    assert "5,000 names" in done.stdout
    assert made.read_bytes() == (REPOSITORY / "src/agegender/data/brief_names.txt.gz").read_bytes()


# What is written


@pytest.mark.parametrize("kind", list(PACKERS))
def test_every_kind_of_source_gives_the_same_crops(tmp_path: Path, small_brief: tuple[str, ...], kind: str):
    present = small_brief[:9]
    files = {f"UTKFace/{name}": picture(i) for i, name in enumerate(present)}
    source = PACKERS[kind](tmp_path / kind, {**files, f"UTKFace/{OTHER}": picture(99), "UTKFace/about.txt": b"x"})
    result = prepare(source, tmp_path / "out" / "faces")
    expected = {Path(file).name: as_the_brief(content) for file, content in files.items()}
    assert crops(tmp_path / "out" / "faces") == expected
    assert (result.wanted, result.written, result.kept, result.repeated) == (13, 9, 0, 0)
    assert result.missing == small_brief[9:]
    missing_list = tmp_path / "out" / "faces-missing.txt"
    assert result.missing_list == missing_list
    assert missing_list.read_text().splitlines() == [f"{name}\tnot in the source" for name in small_brief[9:]]


def test_a_crop_is_a_128_pixel_jpeg_of_quality_75(tmp_path: Path, small_brief: tuple[str, ...]):
    source = write_folder(tmp_path / "in", {small_brief[0]: picture(1)})
    prepare(source, tmp_path / "out")
    with Image.open(tmp_path / "out" / small_brief[0]) as made:
        assert isinstance(made, JpegImageFile)
        assert (made.size, made.mode, made.format) == ((128, 128), "RGB", "JPEG")
        luminance = next(iter(made.quantization.values()))
        # The first numbers of the standard luminance table at quality 75, as in the brief's own files.
        assert luminance[:8] == [8, 6, 5, 8, 12, 20, 26, 31]


def test_names_match_up_to_the_first_jpg_in_any_case(tmp_path: Path, small_brief: tuple[str, ...]):
    stems = [name.removesuffix(".jpg.chip.jpg") for name in small_brief]
    files = {
        f"{stems[0]}.jpg": picture(0),
        f"{stems[1]}.JPG.CHIP.JPG": picture(1),
        f"deep/er/{stems[2]}.jpg.chip.jpg.jpg": picture(2),
        f"{stems[3]} .jpg.chip.jpg": picture(3),
        f"{stems[4]}0.jpg.chip.jpg": picture(4),
    }
    result = prepare(write_folder(tmp_path / "in", files), tmp_path / "out")
    assert set(crops(tmp_path / "out")) == set(small_brief[:4])
    assert result.missing == small_brief[4:]


def test_the_name_with_a_space_is_found_without_it():
    (spaced,) = (name for name in brief_names() if " " in name)
    assert prepare_module._choose([spaced.replace(" ", "")], brief_names())[0] == {spaced.replace(" ", ""): spaced}


@pytest.mark.parametrize("kind", list(PACKERS))
def test_of_repeated_names_the_one_in_the_folder_utkface_counts(
    tmp_path: Path, small_brief: tuple[str, ...], kind: str
):
    """The layout of Kaggle's archive."""
    first, second = small_brief[:2]
    files = {
        f"crop_part1/{first}": picture(1),
        f"utkface_aligned_cropped/crop_part1/{first}": picture(2),
        f"utkface_aligned_cropped/UTKFace/{first}": picture(3),
        f"UTKFace/{first}": picture(4),
        f"A/{first}": picture(6),
        first: picture(7),
        f"crop_part1/{second}": picture(5),
    }
    result = prepare(PACKERS[kind](tmp_path / kind, files), tmp_path / "out")
    assert crops(tmp_path / "out") == {first: as_the_brief(picture(4)), second: as_the_brief(picture(5))}
    assert (result.written, result.repeated) == (2, 5)


def test_crops_that_are_done_already_are_copied_unchanged(tmp_path: Path, small_brief: tuple[str, ...]):
    done = picture(1, width=128, height=128)
    lossless = picture(2, width=128, height=128, kind="PNG")
    source = write_folder(tmp_path / "in", {small_brief[0]: done, small_brief[1]: lossless})
    prepare(source, tmp_path / "out")
    assert crops(tmp_path / "out") == {small_brief[0]: done, small_brief[1]: as_the_brief(lossless)}


# Going on, filling up


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path):
    names = brief_names()[:60]
    source = write_folder(tmp_path / "in", {name: picture(i) for i, name in enumerate(names)})
    destination = tmp_path / "out"
    program = f"""
        import os, signal, tempfile
        from agegender.data.prepare import prepare

        def dying(items, /, *, total, title):
            for number, item in enumerate(items):
                if number == 20:
                    tempfile.mkstemp(prefix=".26_0_1-", suffix=".partial.jpg", dir={str(destination)!r})
                    os.kill(os.getpid(), signal.SIGKILL)
                yield item

        prepare({str(source)!r}, {str(destination)!r}, progress=dying)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert killed.returncode == -9
    (destination / names[0]).write_bytes((destination / names[0]).read_bytes()[:500])  # as a failing disk would
    (destination / names[1]).write_bytes(picture(1))  # never brought to 128 pixels
    times = {path.name: path.stat().st_mtime_ns for path in destination.glob("[!.]*")}
    result = prepare(source, destination)
    assert 19 <= result.kept < 60
    assert result.kept + result.written == 60
    assert crops(destination) == {name: as_the_brief(picture(i)) for i, name in enumerate(names)}
    assert sum((destination / name).stat().st_mtime_ns == time for name, time in times.items()) == result.kept


def test_a_second_source_fills_what_the_first_lacked(tmp_path: Path, small_brief: tuple[str, ...]):
    one = write_folder(tmp_path / "one", {name: picture(1) for name in small_brief[:5]})
    other = write_zip(tmp_path / "other.zip", {name: picture(2) for name in small_brief[3:]})
    assert prepare(one, tmp_path / "out").missing_list is not None
    result = prepare(other, tmp_path / "out")
    assert (result.written, result.kept, result.missing, result.missing_list) == (8, 5, (), None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other.zip", "out"]
    assert crops(tmp_path / "out")[small_brief[4]] == as_the_brief(picture(1))
    again = prepare(other, tmp_path / "out")
    assert (again.written, again.kept) == (0, 13)


def test_progress_counts_the_pictures_that_are_still_to_be_written(tmp_path: Path, small_brief: tuple[str, ...]):
    seen: list[tuple[int, int]] = []

    def counting(items, /, *, total, title):
        listed = list(items)
        seen.append((total, len(listed)))
        yield from listed

    one = write_folder(tmp_path / "one", {name: picture(1) for name in small_brief[:5]})
    prepare(one, tmp_path / "out", progress=counting)
    write_folder(one, {small_brief[7]: picture(1)})
    prepare(one, tmp_path / "out", progress=counting)
    assert seen == [(5, 5), (1, 1)]


# Bad sources


def test_pictures_that_cannot_be_used_are_listed_with_their_reason(tmp_path: Path, small_brief: tuple[str, ...]):
    files = {
        small_brief[0]: picture(0),
        small_brief[1]: picture(1)[:3000],
        small_brief[2]: b"",
        small_brief[3]: b"this is text",
        small_brief[4]: picture(4, width=640, height=480),
    }
    result = prepare(write_folder(tmp_path / "in", files), tmp_path / "out")
    assert set(crops(tmp_path / "out")) == {small_brief[0]}
    assert [name for name, _ in result.unusable] == list(small_brief[1:5])
    assert [reason.split(":")[0] for _, reason in result.unusable] == ["truncated", "empty", "unreadable", "wrong_size"]
    assert len(result.missing) == 8
    assert result.missing_list is not None
    assert f"{small_brief[2]}\tempty: The file has 0 bytes.\n" in result.missing_list.read_text()


def test_the_release_in_the_wild_is_refused(tmp_path: Path, small_brief: tuple[str, ...]):
    files = {name.replace(".chip.jpg", ""): picture(1, width=300, height=400) for name in small_brief}
    with pytest.raises(InputError, match=r"None of the 13 pictures.*300 x 400.*aligned and cropped release"):
        prepare(write_folder(tmp_path / "in", files), tmp_path / "out")
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "Found: no files"),
        ({OTHER: b"x", "readme.txt": b"x"}, rf"Found: 1 \.jpg, 1 \.txt, such as {OTHER}, readme.txt\.$"),
    ],
)
def test_a_source_without_the_briefs_names_says_what_it_holds(tmp_path: Path, files: dict[str, bytes], message: str):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"None of the brief's 5,000 pictures.*200 x 200.*" + message):
        prepare(write_folder(tmp_path / "in", files), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_absent_or_a_table_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="nothing at"):
        prepare(tmp_path / "none.zip", tmp_path / "out")
    (tmp_path / "labels.csv").write_text("file,age,gender\n")
    with pytest.raises(InputError, match="Received a table"):
        prepare(tmp_path / "labels.csv", tmp_path / "out")


@pytest.mark.parametrize("kind", ["release.zip", "release.tar", "release.tar.gz"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path, small_brief: tuple[str, ...], kind: str, share: float):
    source = PACKERS[kind](tmp_path / kind, {name: picture(i) for i, name in enumerate(small_brief)})
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * share)] or b"not an archive")
    with pytest.raises(InputError, match="damaged, incomplete"):
        prepare(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_members_that_lead_out_of_an_archive_are_never_written_there(tmp_path: Path, small_brief: tuple[str, ...]):
    files = {f"../../{small_brief[0]}": picture(0), f"UTKFace/{small_brief[1]}": picture(1)}
    result = prepare(write_tar(tmp_path / "evil.tar", files), tmp_path / "a" / "b" / "out")
    assert result.written == 1
    assert [path.name for path in tmp_path.rglob("*.jpg")] == [small_brief[1]]


# Bad destinations


@pytest.mark.parametrize(("source", "destination"), [("in", "in"), ("in", "in/out"), ("in/deep", "in")])
def test_source_and_destination_inside_one_another_are_refused(
    tmp_path: Path, small_brief: tuple[str, ...], source: str, destination: str
):
    write_folder(tmp_path / source, {small_brief[0]: picture(0)})
    with pytest.raises(SettingError, match="inside one another"):
        prepare(tmp_path / source, tmp_path / destination)
    assert (tmp_path / source / small_brief[0]).read_bytes() == picture(0)


def test_a_destination_with_other_images_is_refused_and_left_alone(tmp_path: Path, small_brief: tuple[str, ...]):
    source = write_folder(tmp_path / "in", {small_brief[0]: picture(0)})
    out = write_folder(tmp_path / "out", {"holiday.png": b"x", "notes.txt": b"y", ".thumb.jpg": b"z"})
    with pytest.raises(OutputError, match=r"holds images that are not the brief's: 1, such as holiday\.png"):
        prepare(source, out)
    assert sorted(crops(out)) == [".thumb.jpg", "holiday.png", "notes.txt"]


def test_a_destination_that_is_a_file_is_refused(tmp_path: Path, small_brief: tuple[str, ...]):
    source = write_folder(tmp_path / "in", {small_brief[0]: picture(0)})
    (tmp_path / "file").write_text("x")
    for destination in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(OutputError, match="Cannot write"):
            prepare(source, destination)


# Kaggle


def test_without_the_extra_the_error_names_the_command_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'agegender\[kaggle\]'"):
        prepare("kaggle:jangedoo/utkface-new", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["kaggle:", "kaggle:utkface-new", "kaggle:a/b/c", "kaggle:/b"])
def test_a_malformed_handle_is_refused_before_anything_is_imported(source: str):
    with pytest.raises(InputError, match="kaggle:OWNER/DATASET"):
        kaggle_folder(source)


def test_of_an_unpacked_kaggle_archive_the_outer_utkface_folder_is_taken(tmp_path: Path):
    name = NAMES[0]
    write_folder(tmp_path, {f"{folder}/{name}": b"x" for folder in ("a/crop_part1", "a/b/UTKFace", "z/utkface")})
    (tmp_path / "UTKFace").mkdir()  # empty: not the one
    assert utkface_folder(tmp_path) == tmp_path / "z" / "utkface"
    with pytest.raises(InputError, match=r"Expected a folder UTKFace.*Found: crop_part1"):
        utkface_folder(write_folder(tmp_path / "other", {f"crop_part1/{name}": b"x"}))


def stand_in_for_kagglehub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """The one public function used of kagglehub, whose real one needs a network."""
    code = f"def dataset_download(handle, path=None, *, force_download=False, output_dir=None):\n    {body}\n"
    write_folder(tmp_path / "site", {"kagglehub.py": code.encode()})
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "kagglehub", raising=False)


def test_a_kaggle_source_reads_the_utkface_folder_alone(
    tmp_path: Path, small_brief: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    first, second = small_brief[:2]
    download = {f"UTKFace/{first}": picture(1), f"crop_part1/{first}": picture(2), f"crop_part1/{second}": picture(3)}
    write_folder(tmp_path / "download", download)
    body = f"assert handle == 'jangedoo/utkface-new'; return {str(tmp_path / 'download')!r}"
    stand_in_for_kagglehub(tmp_path, monkeypatch, body)
    result = prepare("kaggle:jangedoo/utkface-new", tmp_path / "out")
    assert crops(tmp_path / "out") == {first: as_the_brief(picture(1))}
    assert second in result.missing
    assert result.repeated == 0


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stand_in_for_kagglehub(tmp_path, monkeypatch, "raise ConnectionError('no route')")
    with pytest.raises(InputError, match=r"ConnectionError: no route.*API token, or download the archive"):
        prepare("kaggle:jangedoo/utkface-new", tmp_path / "out")
