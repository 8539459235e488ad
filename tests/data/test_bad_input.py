"""The acceptance list of bad input, end to end through `load_dataset`: clear errors, and no half-written cache."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from agegender.data import UnusableDataError, load_dataset
from agegender.errors import InputError, OutputError

DATE = "20170116174525125"
BAD = f"50_1_2_{DATE}"
RNG = np.random.default_rng(11)
NOISE = RNG.integers(0, 256, (128, 128, 3), dtype=np.uint8)


def encoded(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, kind, **options)
    return stream.getvalue()


def huge_png() -> bytes:
    """The header of a 30,000 x 30,000 PNG and a little of its pixels; 900 megapixels when decoded."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")


def animation() -> bytes:
    frames = [Image.new("RGB", (128, 128), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=40)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Twelve sound images, so that one bad one stays under the allowed share."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for age in range(12):
        (folder / f"{age}_0_0_{DATE}.jpg").write_bytes(encoded(NOISE + np.uint8(age), "JPEG"))
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        (f"{BAD}.jpg", lambda: encoded(NOISE, "JPEG")[:3_000], "truncated"),
        (f"{BAD}.jpg", lambda: b"", "empty"),
        (f"{BAD}.jpg", lambda: b"This is a text file with another name.\n" * 50, "unreadable"),
        (f"{BAD}.png", huge_png, "too_large"),
        (f"{BAD}.gif", animation, "unsupported_format"),
        (f"200_1_2_{DATE}.jpg", lambda: encoded(NOISE, "JPEG"), "age_out_of_range"),
        (f"50_3_2_{DATE}.jpg", lambda: encoded(NOISE, "JPEG"), "bad_gender"),
        (f"50_1_{DATE}.jpg", lambda: encoded(NOISE, "JPEG"), "bad_name"),
    ],
)
def test_one_bad_file_is_rejected_with_its_reason_and_the_others_are_read(
    name: str, make: Callable[[], bytes], reason: str, faces: Path, cache: Path
) -> None:
    (faces / name).write_bytes(make())
    data = load_dataset(faces, cache_dir=cache)
    assert data.rejected[["file", "reason"]].to_numpy().tolist() == [[name, reason]]
    assert len(data.rejected["detail"].iloc[0]) > 10
    assert len(data) == len(data.images) == 12


@pytest.mark.parametrize("name", [f"{BAD}.jpg", f"{BAD}.png"])
@pytest.mark.parametrize("make", [lambda: encoded(NOISE, "JPEG")[:3_000], lambda: b"", huge_png])
def test_alone_a_bad_file_stops_the_run_and_leaves_no_cache(
    name: str, make: Callable[[], bytes], tmp_path: Path, cache: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / name).write_bytes(make())
    with pytest.raises(InputError, match=r"1 of 1 images .* Not one image is usable"):
        load_dataset(tmp_path / "one", cache_dir=cache, allow_rejected=True)
    assert not cache.exists() or list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "make"),
    [
        ("jpg", lambda: encoded(Image.fromarray(NOISE).convert("CMYK"), "JPEG")),
        ("png", lambda: encoded(np.full((128, 128), 40_000, np.uint16), "PNG")),
        ("png", lambda: encoded(np.dstack([NOISE, np.full((128, 128), 90, np.uint8)]), "PNG")),
        ("jpg", animation),
        ("webp", lambda: encoded(NOISE, "WEBP")),
    ],
    ids=["CMYK JPEG", "16-bit PNG", "RGBA PNG", "animated GIF by another name", "WebP"],
)
def test_unusual_but_sound_images_are_read(suffix: str, make: Callable[[], bytes], faces: Path, cache: Path) -> None:
    (faces / f"{BAD}.{suffix}").write_bytes(make())
    data = load_dataset(faces, cache_dir=cache)
    assert len(data.rejected) == 0
    image = data.images[data.select([f"{BAD}.{suffix}"])[0]]
    assert image.shape == (128, 128, 3)
    assert image.any()


def test_an_empty_folder_is_an_error(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no images .* It is empty\.") as caught:
        load_dataset(tmp_path / "empty", cache_dir=cache)
    assert caught.value.exit_code == 3
    assert not cache.exists()


def test_a_folder_of_text_files_is_an_error_that_says_what_was_found(tmp_path: Path, cache: Path) -> None:
    for i in range(30):
        (tmp_path / f"{i}.txt").write_text("hello")
    (tmp_path / ".hidden.jpg").touch()
    with pytest.raises(UnusableDataError, match=r"It holds 30 \.txt\. 1 hidden files were ignored\.") as caught:
        load_dataset(tmp_path, cache_dir=cache)
    assert len(caught.value.rejected) == 30
    assert not cache.exists()


def test_a_folder_of_gifs_is_an_error_that_names_the_format(tmp_path: Path, cache: Path) -> None:
    for age in range(3):
        (tmp_path / f"{age}_0_0_{DATE}.gif").write_bytes(animation())
    with pytest.raises(InputError, match=r"3 unsupported_format.*Received: \.gif"):
        load_dataset(tmp_path, cache_dir=cache)


def test_a_missing_source_is_an_error(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(InputError, match="There is nothing at"):
        load_dataset(tmp_path / "gone", cache_dir=cache)


@pytest.mark.parametrize("place", ["a_file/cache", "/proc/agegender-cache"])
def test_an_unwritable_cache_folder_is_an_output_error(place: str, faces: Path, tmp_path: Path) -> None:
    if place.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    (tmp_path / "a_file").write_text("I am no folder")  # not even root can make a folder below a file
    with pytest.raises(OutputError, match=r"cannot be written: .*AGEGENDER_CACHE") as caught:
        load_dataset(faces, cache_dir=tmp_path / place)
    assert caught.value.exit_code == 4


FULL_DISK = """
import sys
from pathlib import Path
from agegender.data import load_dataset
from agegender.errors import OutputError
{prelude}
cache = Path(sys.argv[2])
try:
    load_dataset(sys.argv[1], cache_dir=cache)
except OutputError as error:
    assert "cannot be written" in str(error) and "It needs about" in str(error), error
    assert list(cache.iterdir()) == [], list(cache.iterdir())
    print("refused:", error)
"""


def test_a_disk_that_is_full_while_images_are_written_leaves_nothing(faces: Path, cache: Path) -> None:
    """A limit on file sizes stops the writing in the middle like a full disk does, and needs no rights."""
    resource = pytest.importorskip("resource", reason="limits on file sizes exist on Unix only")
    assert resource.RLIMIT_FSIZE is not None
    prelude = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK.format(prelude=prelude), str(faces), str(cache)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused: The image cache in ")
    assert list(cache.iterdir()) == []
    assert len(load_dataset(faces, cache_dir=cache)) == 12


def test_a_full_file_system_leaves_nothing(faces: Path, cache: Path) -> None:
    """A real one of 256 KB, mounted where only the child process sees it; the images need 590 KB."""
    isolated = ["unshare", "--map-root-user", "--mount", "sh", "-ec"]
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    cache.mkdir()
    mount = 'mount -t tmpfs -o size=256k tmpfs "$1"'
    if subprocess.run([*isolated, mount, "sh", str(cache)], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a process mount a file system of its own")
    done = subprocess.run(
        [*isolated, f'{mount}; exec "$2" -c "$3" "$4" "$1"', "sh",
         str(cache), sys.executable, FULL_DISK.format(prelude=""), str(faces)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout
