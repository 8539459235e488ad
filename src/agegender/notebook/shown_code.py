"""Code of this package as cells of the notebook: read from the modules themselves, so that it cannot drift.

Modules are read, not imported: the source of the notebook is made without Keras.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from agegender import __version__
from agegender.errors import SettingError

PACKAGE = Path(__file__).parents[1]

FUTURE = "from __future__ import annotations"


def shown_cell(module: str, names: Sequence[str] = ()) -> str:
    """A code cell that holds definitions of a module, the imports they need, and a check that they are the package's.

    Args:
        module: Such as `agegender.models.custom_cnn`.
        names: What to show, in any order; nothing shows the whole module.

    Raises:
        SettingError: There is no such module, or it does not define such a name.
    """
    source = module_source(module)
    body = _some_of(module, source, names) if names else source.strip()
    return f'{body}\n\n\nconfirm_shown("{module}", In[-1])'


def confirm_shown(module: str, cell: str) -> None:
    """Print whether the definitions of a cell are those of the installed module.

    Args:
        module: The module that the cell says it shows.
        cell: The cell's text, which is `In[-1]` while it runs.
    """
    installed = definitions(module_source(module))
    shown = definitions(cell)
    other = [name for name, content in shown.items() if installed.get(name) != content]
    if other:
        print(  # noqa: T201 - the output of a notebook's cell
            f"{', '.join(other)} differ from {module} of the installed agegender {__version__}: this notebook was made "
            "by another version. `agegender notebook --source-only` writes one that fits."
        )
        return
    print(f"As in {module} of agegender {__version__}: {', '.join(shown)}")  # noqa: T201


def definitions(source: str) -> dict[str, str]:
    """What a module or cell defines at its top level, by name, as a text that layout and comments do not change."""
    return {name: ast.dump(node) for node in ast.parse(source).body for name in _defined(node)}


def module_source(module: str) -> str:
    """The text of a module of this package.

    Raises:
        SettingError: There is none of that name.
    """
    package, _, rest = module.partition(".")
    path = PACKAGE.joinpath(*rest.split(".")).with_suffix(".py")
    if package != PACKAGE.name or not rest or not path.is_file():
        raise SettingError(f"There is no module {module} to show. Give one such as agegender.models.custom_cnn.")
    return path.read_text(encoding="utf-8")


def _some_of(module: str, source: str, names: Sequence[str]) -> str:
    """Chosen definitions in the order of the module, below the imports that they use."""
    tree, lines = ast.parse(source), source.splitlines()
    at = {name: index for index, node in enumerate(tree.body) for name in _defined(node)}
    if unknown := [name for name in names if name not in at]:
        raise SettingError(f"{module} does not define {', '.join(unknown)}. It defines: {', '.join(at)}.")
    chosen = sorted({at[name] for name in names})
    used = {item.id for index in chosen for item in ast.walk(tree.body[index]) if isinstance(item, ast.Name)}
    elsewhere = sorted(name for name, index in at.items() if name in used and index not in chosen)
    imports = [line for node in tree.body if (line := _import_line(node, used))]
    if elsewhere:
        imports.append(_import_from(module, elsewhere))
    parts = [_text(tree.body, index, lines) for index in chosen]
    return "\n\n\n".join(["\n".join([FUTURE, "", *imports]), *parts])


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)]


def _import_line(node: ast.stmt, used: set[str]) -> str:
    """The part of an import statement that gives used names; empty for any other statement."""
    if isinstance(node, ast.Import):
        kept = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in used]
        return "\n".join(ast.unparse(ast.Import([alias])) for alias in kept)
    if isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
        kept = [alias for alias in node.names if (alias.asname or alias.name) in used]
        return _import_from(node.module, [ast.unparse(alias) for alias in kept]) if kept else ""
    return ""


def _import_from(module: str, names: Sequence[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 120:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _text(body: Sequence[ast.stmt], index: int, lines: Sequence[str]) -> str:
    """The lines of a definition, with its decorators and, after a constant, the string that documents it."""
    node = body[index]
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
    last = node.end_lineno or node.lineno
    following = body[index + 1] if index + 1 < len(body) else None
    if (
        isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
    ):
        last = following.end_lineno or last
    return "\n".join(lines[first - 1 : last])
