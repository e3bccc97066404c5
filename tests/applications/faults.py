"""Single-line changes of an application's code, each of which makes it do something else.

They are made from the syntax tree, in the order of the code, and changed as text, so that nothing
but the place itself moves. What says nothing (docstrings, logging) and what only names (imports,
decorators) is left alone. Every change still compiles.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.In: (" in ", " not in "),
    ast.NotIn: ("not in", "in"),
    ast.Is: (" is ", " is not "),
    ast.IsNot: ("is not", "is"),
}
COUNTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One changed line: `path` is relative to the application's folder, `line` counts from 1."""

    path: str
    line: int
    description: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What replaces a piece of one line: columns count bytes, as those of the tree do."""

    line: int
    start: int
    end: int
    text: str
    description: str


def faults(folder: Path) -> list[Fault]:
    """Return every fault that the code of a folder can have, in the order of files and lines."""
    return [fault for path in sorted(folder.glob("*.py")) for fault in _faults_of(path)]


def apply(fault: Fault, folder: Path) -> None:
    """Write the changed file in `folder`, a copy; raises ValueError where the line is another."""
    path = folder / fault.path
    lines = path.read_text().splitlines(keepends=True)
    if lines[fault.line - 1] != fault.before + "\n":
        raise ValueError(f"line {fault.line} of {path} is not {fault.before!r}")
    lines[fault.line - 1] = fault.after + "\n"
    path.write_text("".join(lines))


def _faults_of(path: Path) -> Iterator[Fault]:
    source = path.read_text()
    tree, lines = ast.parse(source), source.splitlines()
    seen = set()
    for edit in sorted(_edits(tree, lines), key=lambda it: (it.line, it.start)):
        before = lines[edit.line - 1]
        line = before.encode()
        after = (line[: edit.start] + edit.text.encode() + line[edit.end :]).decode()
        is_new = after != before and (edit.line, after) not in seen
        if is_new and _compiles(_changed(tree, lines, edit.line, after)):
            seen.add((edit.line, after))
            yield Fault(path.name, edit.line, edit.description, before, after)


def _changed(tree: ast.Module, lines: list[str], number: int, after: str) -> str:
    """Return the changed statement of the module, which takes less to compile than all of it."""
    (around,) = [it for it in tree.body if it.lineno <= number <= (it.end_lineno or it.lineno)]
    kept = lines[around.lineno - 1 : number - 1], lines[number : around.end_lineno]
    return "\n".join([*kept[0], after, *kept[1]])


def _compiles(source: str) -> bool:
    try:
        compile(source, "changed", "exec")
    except SyntaxError:
        return False
    return True


def _edits(tree: ast.Module, lines: list[str]) -> Iterator[Edit]:
    for node in _told(tree):
        for kind, edits in EDITS.items():
            if isinstance(node, kind) and node.lineno == node.end_lineno:
                yield from edits(node, lines[node.lineno - 1])


def _told(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that do something."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom | ast.arguments) or _is_talk(child):
            continue
        if child in getattr(node, "decorator_list", ()) or child is getattr(node, "returns", None):
            continue
        if isinstance(node, ast.AnnAssign) and child is node.annotation:
            continue
        yield child
        yield from _told(child)


def _is_talk(node: ast.AST) -> bool:
    """Whether it is a docstring, a call of a logger, or the making of one."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.Expr | ast.Assign) and "logg" in ast.unparse(node).split("(")[0]


def _between(left: ast.expr, right: ast.expr, line: str, swap: tuple[str, str]) -> Iterator[Edit]:
    """Swap an operator that stands between two operands on one line."""
    if left.end_lineno != right.lineno or left.end_col_offset is None:
        return
    gap = line.encode()[left.end_col_offset : right.col_offset].decode()
    if swap[0] in gap:
        end, text = right.col_offset, gap.replace(*swap, 1)
        description = f"{swap[0].strip()} became {swap[1].strip()}"
        yield Edit(left.end_lineno, left.end_col_offset, end, text, description)


def _compare(node: ast.Compare, line: str) -> Iterator[Edit]:
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
        yield from _between(left, right, line, COMPARED[type(operator)])


def _either(node: ast.BoolOp, line: str) -> Iterator[Edit]:
    swap = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield from _between(left, right, line, swap)


def _count(node: ast.BinOp, line: str) -> Iterator[Edit]:
    if type(node.op) in COUNTED:
        yield from _between(node.left, node.right, line, COUNTED[type(node.op)])


def _negate(node: ast.UnaryOp, line: str) -> Iterator[Edit]:
    if isinstance(node.op, ast.Not):
        start, end = node.col_offset, node.operand.col_offset
        yield Edit(node.lineno, start, end, "", "not was dropped")


def _constant(node: ast.Constant, line: str) -> Iterator[Edit]:
    text = line.encode()[node.col_offset : node.end_col_offset].decode()
    match node.value:
        case bool():
            changed = str(not node.value)
        case int() | float():
            changed = repr(node.value + 1)
        case str() if text[:1] in ("'", '"'):
            changed = f"{text[0]}{'1' if node.value[:1].isdigit() else 'x'}{text[1:]}"
        case _:
            return
    yield _replaced(node, changed, f"{text} became {changed}")


def _dictionary(node: ast.Dict, line: str) -> Iterator[Edit]:
    for key in node.keys:
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value:
            changed = f'"{key.value}_"'
            yield _replaced(key, changed, f"key {key.value} became {key.value}_")


def _statement(node: ast.stmt, line: str) -> Iterator[Edit]:
    yield _replaced(node, "pass", f"{ast.unparse(node).splitlines()[0]} was removed")


def _return(node: ast.Return, line: str) -> Iterator[Edit]:
    if node.value is not None and ast.unparse(node.value) != "None":
        yield _replaced(node.value, "None", "None is returned")


def _argument(node: ast.Call, line: str) -> Iterator[Edit]:
    """Drop the last argument of a call that has more than one."""
    given = sorted(
        [*node.args, *(keyword.value for keyword in node.keywords)],
        key=lambda it: (it.lineno, it.col_offset),
    )
    if len(given) < 2 or given[-2].end_col_offset is None or given[-1].end_col_offset is None:
        return
    start, end = given[-2].end_col_offset, given[-1].end_col_offset
    dropped = line.encode()[start:end].decode().lstrip(", ")
    yield Edit(node.lineno, start, end, "", f"argument {dropped} was dropped")


def _loop(node: ast.Break | ast.Continue, line: str) -> Iterator[Edit]:
    text = "continue" if isinstance(node, ast.Break) else "break"
    yield _replaced(node, text, f"it became {text}")


def _replaced(node: ast.expr | ast.stmt, text: str, description: str) -> Edit:
    end = node.end_col_offset if node.end_col_offset is not None else node.col_offset
    return Edit(node.lineno, node.col_offset, end, text, description)


EDITS: dict[type[ast.AST], Callable[..., Iterator[Edit]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _either,
    ast.BinOp: _count,
    ast.UnaryOp: _negate,
    ast.Constant: _constant,
    ast.Dict: _dictionary,
    ast.Expr: _statement,
    ast.Assign: _statement,
    ast.AugAssign: _statement,
    ast.Raise: _statement,
    ast.Return: _return,
    ast.Call: _argument,
    ast.Break: _loop,
    ast.Continue: _loop,
}
