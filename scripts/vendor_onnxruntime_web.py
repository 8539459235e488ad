"""Put the pinned build of onnxruntime-web into the page's folder: two files, checked by their SHA-256.

It asks npm, as npm is set up on this machine. Of the many builds this is the smallest that runs the models: plain
WebAssembly with SIMD on the CPU, and the JavaScript around it as one module.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.30.0"
TARGET = Path(__file__).parent.parent / "src" / "agegender" / "page" / "site" / "ort"

FILES = {
    "ort.wasm.bundle.min.mjs": ("ort.js", "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90"),
    "ort-wasm-simd-threaded.wasm": ("ort.wasm.gz", "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"),
}
"""File of the package's `dist` to its name here (some static hosts do not know .mjs) and its SHA-256."""


def vendored(archive: Path) -> dict[str, bytes]:
    """The wanted files of an npm package, by the names they get here.

    The module is compressed, since browsers unpack it themselves and few hosts compress it: 3.7 MB, not 14.

    Raises:
        ValueError: A file has other bytes than the ones that were looked at.
    """
    found = {}
    with tarfile.open(archive) as package:
        for source, (name, wanted) in FILES.items():
            member = package.extractfile(f"package/dist/{source}")
            assert member is not None
            content = member.read()
            digest = hashlib.sha256(content).hexdigest()
            if digest != wanted:
                raise ValueError(f"{source} of {archive.name} has sha256 {digest}, expected {wanted}.")
            # The map is not shipped, and whoever opens a browser's tools would see it missing.
            content = content.split(b"\n//# sourceMappingURL=")[0]
            found[name] = gzip.compress(content, 9, mtime=0) if name.endswith(".gz") else content
    return found


def main() -> None:
    """Fetch, check, write."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed; it is needed once, to fetch the package.")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", f"onnxruntime-web@{VERSION}", "--silent"], cwd=folder, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        for name, content in vendored(archive).items():
            (TARGET / name).write_bytes(content)
            print(f"{TARGET / name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
