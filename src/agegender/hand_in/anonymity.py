"""No author's name anywhere: neither in the properties of a file nor in its text or name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from agegender.hand_in.criteria import failed, judge, passed
from agegender.hand_in.folder import HandInFolder
from agegender.hand_in.names import Author, folded, git_authors, home_users, searchable
from agegender.hand_in.properties import authors_in
from agegender.hand_in.result import Finding
from agegender.hand_in.texts import text_of

SHOWN = 5


def check_anonymity(folder: HandInFolder, names: Sequence[str] = ()) -> Iterator[Finding]:
    """Look for names in every file.

    Args:
        folder: The hand-in.
        names: To search for, beside those of `git config` and of the files' own properties.
    """
    named = [author for path in folder.files for author in authors_in(path)]
    if named:
        found = [f"{author.name!r} ({author.source})" for author in named]
        yield failed("anonymous_metadata", _shown(found))
    else:
        yield passed("anonymous_metadata", f"{len(folder.files)} files, nobody named")
    given = [Author(name, "--name") for name in names]
    yield _texts(folder, searchable([*git_authors(folder.root), *given, *named]))


def _texts(folder: HandInFolder, authors: Sequence[Author]) -> Finding:
    patterns = {author: author.pattern() for author in authors}
    found, homes = [], []
    for path in folder.files:
        where, text = str(path.relative_to(folder.root)), text_of(path)
        homes += [f"{user!r} in {where}" for user in home_users(text)]
        in_name, in_text = folded(where), folded(text)
        for author, pattern in patterns.items():
            if pattern.search(in_name):
                found.append(f"{author.name!r} in the name of {where}")
            elif match := pattern.search(in_text):
                line = in_text.count("\n", 0, match.start()) + 1
                found.append(f"{author.name!r} in {_place(path, where, line)}")
    if found:
        return failed("anonymous_text", _shown(found))
    if homes:
        return judge("anonymous_text", f"A home folder is named: {_shown(homes)}.", "If that is somebody, take it out.")
    if not authors:
        return judge(
            "anonymous_text",
            "No name is known to search for: git config has none and no file's properties do.",
            "Give the members' names with --name, or read the files for them.",
        )
    return passed("anonymous_text", f"searched for {', '.join(repr(author.name) for author in authors)}")


def _place(path: Path, where: str, line: int) -> str:
    """Where a person finds it: the line counts in plain text only."""
    return f"{where}, line {line}" if path.suffix in (".py", ".md", ".txt", ".csv", ".json", ".toml") else where


def _shown(found: Sequence[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{'; '.join(found[:SHOWN])}{more}"
