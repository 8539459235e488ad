"""Names are found however they are written, and not inside other words."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agegender.hand_in import Verdict
from agegender.hand_in.anonymity import check_anonymity
from agegender.hand_in.folder import read_folder
from agegender.hand_in.names import Author, folded, git_authors, home_users, searchable


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


def test_home_folders_of_somebody_are_seen() -> None:
    text = (
        r"/home/ada/run /Users/Grace.H/x C:\\Users\\alan\\y /home/user/z /root/w /content/drive https://x.org/home/page"
    )
    assert home_users(text) == ("ada", "Grace.H", "alan")


def test_a_home_folder_is_for_a_person_to_judge_and_so_is_a_hand_in_without_any_known_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.json").write_text('{"data": "/home/al/faces"}')
    [_, text] = check_anonymity(read_folder(tmp_path))
    assert (text.verdict, text.found) == (Verdict.JUDGE, "A home folder is named: 'al' in run.json.")
    (tmp_path / "run.json").write_text("{}")
    [_, text] = check_anonymity(read_folder(tmp_path))
    assert text.verdict is Verdict.PASSED
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    [_, text] = check_anonymity(read_folder(tmp_path))
    assert (text.verdict, "No name is known" in text.found) == (Verdict.JUDGE, True)
