"""Which modules capture needs: the recorder's own, and whatever of this package those import.

Derived from the source, imports inside functions included: a list would go stale. What is imported
for type checkers alone is left out.
"""

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

PACKAGE = Path(str(files("replay")))
_RECORDER = PACKAGE / "recorder"


def modules() -> list[Path]:
    """Return the files of the modules that capture needs, sorted."""
    # Adapters of libraries are imported by names that are made up: all of the recorder is needed.
    found: set[Path] = set()
    waiting = [PACKAGE / "__init__.py", *_RECORDER.rglob("*.py")]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported_by(path)
    return sorted(found)


def _imported_by(path: Path) -> Iterator[Path]:
    for name in _names(ast.parse(path.read_bytes())):
        yield from _files_of(name)


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the dotted names that are imported; of `from a import b`, `a` and `a.b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    else:
        for child in _run(node):
            yield from _names(child)


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below a node, without what only a type checker reads."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        yield from node.orelse
    else:
        yield from ast.iter_child_nodes(node)


def _files_of(name: str) -> Iterator[Path]:
    """Yield the files that importing a name loads of this package: its packages and itself."""
    first, *rest = name.split(".")
    if first != PACKAGE.name:
        return
    place = PACKAGE
    for word in rest:
        place /= word
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                yield path
