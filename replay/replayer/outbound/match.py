"""Which recorded interaction answers a call. Pure but for remembering what has been given.

Calls that ask the same are answered in recorded order, and the last answer again once there is no
other. A call that asks something else is answered as the one it is most like, of those that it may
stand for, so that a replay goes on, and what repeats it as what then repeated that one; what
differs is the contract's affair. That one is only lent: a call that asks just this gets it all the
same.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from replay.interaction import Call, Interaction
from replay.replayer.compare import Difference
from replay.replayer.outbound.form import Formed, compare_formed

_NEAREST = 3
_MOST_COMPARED = 20
"""How many calls of one group, from the first on, one is compared with to find the most alike."""

Candidate = tuple[Interaction, Formed]


class Matcher:
    """Gives out the recorded interactions of one invocation or import."""

    def __init__(self, recorded: Sequence[Interaction]) -> None:
        self._recorded = [(it, Formed.of(it.call)) for it in recorded]
        self._unused: dict[int, Candidate] = {id(it): (it, f) for it, f in self._recorded}
        self._by_key: defaultdict[bytes, list[Interaction]] = defaultdict(list)
        self._given: dict[bytes, Interaction] = {}
        for interaction, formed in self._recorded:
            self._by_key[formed.key].append(interaction)

    def take(self, call: Call) -> Interaction | None:
        """Return what answers a call; None: nothing recorded is like it."""
        formed = Formed.of(call)
        same = self._by_key[formed.key]
        if same:
            found: Interaction | None = same.pop(0)
        elif formed.key in self._given:
            found = self._repeated(self._given[formed.key])
        else:
            found = self._most_alike(formed)
        if found is not None:
            self._unused.pop(id(found), None)
            self._given[formed.key] = found
        return found

    def _repeated(self, before: Interaction) -> Interaction:
        """Return what follows an answer to a call that is made again, as by a retry."""
        key = Formed.of(before.call).key
        unused = (it for it, formed in self._unused.values() if formed.key == key)
        return next(unused, before)

    def nearest(self, call: Call) -> list[tuple[Interaction, tuple[Difference, ...]]]:
        """Return the recorded interactions that are most like a call, with where it differs."""
        formed = Formed.of(call)
        kind = formed.groups[0][0]
        return _by_likeness(formed, (it for it in self._recorded if it[1].groups[0][0] == kind))

    def _most_alike(self, formed: Formed) -> Interaction | None:
        """Return one that nobody has had yet, else for a write one that was given already."""
        unused = most_alike(formed, self._unused.values())
        if unused is not None or formed.call.is_read:
            return unused and unused[0]
        given = most_alike(formed, self._recorded)
        return given and given[0]


def most_alike(formed: Formed, candidates: Iterable[Candidate]) -> Candidate | None:
    """Return the candidate that may stand for a call and differs least; None: there is none."""
    candidates = list(candidates)
    for group in formed.groups:
        alike = [it for it in candidates if group in it[1].groups][:_MOST_COMPARED]
        if alike:
            return min(alike, key=lambda it: len(compare_formed(it[1], formed)))
    return None


def _by_likeness(
    formed: Formed, candidates: Iterable[Candidate]
) -> list[tuple[Interaction, tuple[Difference, ...]]]:
    compared = [(it, compare_formed(other, formed)) for it, other in candidates]
    return sorted(compared, key=lambda one: len(one[1]))[:_NEAREST]
