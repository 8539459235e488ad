"""A clean environment is made once, whole, and made again when it was left half-way."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest


def test_an_environment_is_made_once_and_mended(clean_environments: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "clean-bare.txt").write_text("# nothing\n")
    options = {"requirements": tmp_path, "home": tmp_path / "envs"}
    python = clean_environments.ensure_environment("bare", **options)
    code = "import sys; print(sys.prefix)"
    prefix = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    folder = Path(prefix)
    assert folder.parent == tmp_path / "envs"

    litter = folder / "kept"
    litter.write_text("")
    assert clean_environments.ensure_environment("bare", **options) == python
    assert litter.exists(), "a complete environment was made again"

    (folder / clean_environments.COMPLETE).unlink()
    assert clean_environments.ensure_environment("bare", **options) == python
    assert not litter.exists(), "a half-made environment was taken for a whole one"

    (tmp_path / "clean-bare.txt").write_text("an unreadable line ==\n")
    with pytest.raises(RuntimeError, match="Could not make the environment 'bare'"):
        clean_environments.ensure_environment("bare", **options)
    assert len(list((tmp_path / "envs").glob(f"*/{clean_environments.COMPLETE}"))) == 1


def test_an_unknown_name_lists_the_known(clean_environments: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"'keras-9'.*keras-3\.10.*keras-3\.15-jax.*keras-3\.8"):
        clean_environments.ensure_environment("keras-9")


@pytest.mark.parametrize("name", ["keras-3.8", "keras-3.10", "keras-3.15-jax"])
def test_every_locked_package_has_hashes_and_no_address(name: str, clean_environments: ModuleType) -> None:
    lock = (clean_environments.REQUIREMENTS / f"clean-{name}.txt").read_text()
    packages = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert "://" not in lock


def test_where_they_lie_can_be_chosen(
    clean_environments: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AGEGENDER_ENVS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert clean_environments.environments_home() == tmp_path / "agegender" / "envs"
    monkeypatch.setenv("AGEGENDER_ENVS", str(tmp_path / "mine"))
    assert clean_environments.environments_home() == tmp_path / "mine"
