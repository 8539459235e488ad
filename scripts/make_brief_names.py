"""Write the list of the brief's file names that `agegender prepare` looks for. Names only, never a picture.

Usage: python scripts/make_brief_names.py FOLDER [OUTPUT]

FOLDER is the brief's train_val folder. The same names give the same bytes: sorted, no time stamp, no file name inside.
"""

from __future__ import annotations

import argparse
import gzip
import io
from pathlib import Path

from agegender.artifacts import write_bytes
from agegender.data.names import is_image_name, parse_name

OUTPUT = Path(__file__).resolve().parent.parent / "src" / "agegender" / "data" / "brief_names.txt.gz"


def compressed_names(folder: Path) -> bytes:
    """The names of the images in a folder, sorted, one a line, as gzip; an unusable name raises ImageError."""
    names = sorted(path.name for path in folder.iterdir() if is_image_name(path.name))
    for name in names:
        parse_name(name)
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write("".join(f"{name}\n" for name in names).encode("ascii"))
    return buffer.getvalue()


def main() -> None:
    """Read the command line and write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path, nargs="?", default=OUTPUT)
    arguments = parser.parse_args()
    content = compressed_names(arguments.folder)
    write_bytes(arguments.output, content)
    print(f"{gzip.decompress(content).count(10):,} names, {len(content):,} bytes: {arguments.output}")


if __name__ == "__main__":
    main()
