"""Where the code of a function branches, read off its instructions. Pure.

A branch leads from a line with a conditional jump to the line that is run next. A line counts where
it has at least two of those: `x = a if b else c` has one, whatever is jumped inside of it.
"""

import dis
from collections import defaultdict
from types import CodeType

from replay.replayer.coverage import EXIT

_CONDITIONAL = ("POP_JUMP", "JUMP_IF", "FOR_ITER")
_UNCONDITIONAL = ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD_NO_INTERRUPT")
_RETURNS = ("RETURN_VALUE", "RETURN_CONST")
_RAISES = ("RAISE_VARARGS", "RERAISE")


class Branches:
    """The branches of one code object: `targets` holds the possible next lines of each line.

    `leaves` are those that can be the last, `returns` the offsets of instructions that return.
    """

    def __init__(self, code: CodeType) -> None:
        self._instructions = list(dis.get_instructions(code))
        self._index = {it.offset: n for n, it in enumerate(self._instructions)}
        self._lines = _lines_of(code)
        self.returns = frozenset(it.offset for it in self._instructions if it.opname in _RETURNS)
        self.targets = self._targets()
        self.leaves = frozenset(line for line, ends in self.targets.items() if EXIT in ends)

    def target(self, source: int, destination: int) -> int | None:
        """Return the line that is run next after a jump between two offsets, or EXIT.

        None where that is the line of the jump itself, which goes on branching, or none at all.
        """
        line, n = self._lines.get(source), self._index.get(destination)
        for _ in self._instructions:  # a loop without a line of its own has no end
            if n is None or n >= len(self._instructions):
                return None
            here = self._instructions[n]
            at = self._lines.get(here.offset)
            if at is not None and at != line:
                return at
            if here.opname in _RETURNS:
                return EXIT
            if here.opname in _RAISES or here.opname.startswith(_CONDITIONAL):
                return None
            n = self._index.get(here.argval) if here.opname in _UNCONDITIONAL else n + 1
        return None

    def line(self, offset: int) -> int | None:
        """Return the line of an instruction."""
        return self._lines.get(offset)

    def _targets(self) -> dict[int, frozenset[int]]:
        found = defaultdict[int, set[int]](set)
        for here, following in zip(self._instructions, self._instructions[1:], strict=False):
            line = self._lines.get(here.offset)
            if line is None or not here.opname.startswith(_CONDITIONAL):
                continue
            ends = {self.target(here.offset, it) for it in (following.offset, here.argval)}
            found[line] |= {end for end in ends if end is not None}
        return {line: frozenset(ends) for line, ends in found.items() if len(ends) > 1}


def _lines_of(code: CodeType) -> dict[int, int]:
    return {
        offset: line
        for start, end, line in code.co_lines()
        if line is not None
        for offset in range(start, end, 2)
    }
