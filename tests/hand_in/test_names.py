"""Names are found however they are written, and not inside other words."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agegender.hand_in.names import Author, folded, git_authors, searchable


@pytest.mark.parametrize(
    "text",
    [
        "by Ada Lovelace", "ADA LOVELACE", "Lovelace, Ada", "ada.lovelace@uni", "ada_lovelace", "adalovelace-2",
        "/home/adalovelace/x", "Ada\nLovelace", "Àda Lovelacé",
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(text: str) -> None:
    assert Author("Ada Lovelace", "test").pattern().search(folded(text))


@pytest.mark.parametrize("text", ["Canada Lovelacey", "Ada and Lovelace", "Ada", "Lovelace", "Xada Lovelace"])
def test_other_words_are_no_name(text: str) -> None:
    assert not Author("Ada Lovelace", "test").pattern().search(folded(text))


def test_three_words_in_other_orders_and_an_address() -> None:
    pattern = Author("Augusta Ada King", "test").pattern()
    assert pattern.search(folded("King, Augusta Ada"))
    assert pattern.search(folded("Ada King Augusta")) is None
    address = Author("ada@example.org", "test").pattern()
    assert address.search("mail ada@example.org now")
    assert not address.search("ada@exampleXorg")


def test_short_names_and_doubles_are_left_out() -> None:
    authors = [Author("Li", "a"), Author("Ada Lovelace", "b"), Author("ADA lovelace", "c"), Author("12345", "d")]
    assert [author.name for author in searchable(authors)] == ["ADA lovelace"]


def test_the_settings_of_a_repository_win(tmp_path: Path) -> None:
    assert [author.name for author in git_authors(tmp_path)] == ["Ada Lovelace", "ada@example.org"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "config", "user.name", "Grace Hopper"], check=True)
    assert [author.name for author in git_authors(tmp_path)] == ["Grace Hopper", "ada@example.org"]


def test_without_git_no_name_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_authors(tmp_path) == ()
