"""Which recorded interaction answers a call. Pure but for remembering what has been given.

Calls that ask the same are answered in recorded order, and the last answer again once there is no
other. A call that asks something else is answered as the one it is most like, of those that it may
stand for, so that a replay goes on; what differs is the contract's affair.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from replay.interaction import Call, Interaction
from replay.replayer.compare import Difference
from replay.replayer.outbound.form import compare_calls, groups_of, key_of

_NEAREST = 3


class Matcher:
    """Gives out the recorded interactions of one invocation or import."""

    def __init__(self, recorded: Sequence[Interaction]) -> None:
        self._recorded = recorded
        self._unused: defaultdict[bytes, list[Interaction]] = defaultdict(list)
        self._given: dict[bytes, Interaction] = {}
        for interaction in recorded:
            self._unused[key_of(interaction.call)].append(interaction)

    def take(self, call: Call) -> Interaction | None:
        """Return what answers a call; None: nothing recorded is like it."""
        key = key_of(call)
        waiting = self._unused[key]
        if waiting:
            found: Interaction | None = waiting.pop(0)
        elif key in self._given:
            return self._given[key]
        else:
            found = self._most_alike(call)
        if found is not None:
            self._given[key] = found
        return found

    def nearest(self, call: Call) -> list[tuple[Interaction, tuple[Difference, ...]]]:
        """Return the recorded interactions that are most like a call, with where it differs."""
        kind = groups_of(call)[0][0]
        alike = [it for it in self._recorded if groups_of(it.call)[0][0] == kind]
        return _by_likeness(call, alike)[:_NEAREST]

    def _most_alike(self, call: Call) -> Interaction | None:
        """Take the unused one that is most like a call, else one that was given already."""
        unused = [it for waiting in self._unused.values() for it in waiting]
        given = list(self._given.values())
        for candidates in (unused, [] if call.is_read else given):
            found = most_alike(call, candidates)
            if found is not None:
                if candidates is unused:
                    self._unused[key_of(found.call)].remove(found)
                return found
        return None


def most_alike(call: Call, candidates: Sequence[Interaction]) -> Interaction | None:
    """Return the interaction that may stand for a call and differs least; None: there is none."""
    for group in groups_of(call):
        found = _by_likeness(call, (it for it in candidates if group in groups_of(it.call)))
        if found:
            return found[0][0]
    return None


def _by_likeness(
    call: Call, candidates: Iterable[Interaction]
) -> list[tuple[Interaction, tuple[Difference, ...]]]:
    """Return interactions of one group with their differences, the fewest first."""
    compared = [(it, compare_calls(it.call, call)) for it in candidates]
    return sorted(compared, key=lambda one: (len(one[1]), one[0].at_import, one[0].sequence))
