"""What a handler sent then against what it sends now. Pure.

Calls are paired: first those that ask the same, in order, then each other one with the recorded
call that it is most like. What is left was not made any more (unused), or was not made then
(extra). A read that is merely repeated, dropped or made at another point is noise; a write is
drift, and so is its order among the writes that its thread or task had sent before.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replay.interaction import Call, Interaction, call_of
from replay.replayer.compare import ABSENT, ROOT, Difference, plain
from replay.replayer.outbound.form import (
    Formed,
    compare_calls,
    compare_formed,
    compare_headers,
    form_of,
)
from replay.replayer.outbound.match import Candidate, most_alike
from replay.replayer.outbound.rules import Rules


@dataclass(frozen=True, slots=True)
class Sent:
    """One call that a replayed handler made; `where` is its own line that did.

    `answered_by` is the number of the recorded interaction, None for a miss. `lane` numbers the
    threads and tasks, as in an interaction.
    """

    call: Call
    at_import: bool
    answered_by: int | None
    is_kept: bool
    where: str | None
    lane: int = 0

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Sent":
        """Return what a finding tells."""
        return cls(**{**facts, "call": call_of(facts["call"])})


@dataclass(frozen=True, slots=True)
class Excused:
    """A difference of the calls that a rule excuses."""

    difference: Difference
    rule: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A recorded call and the replayed one that stands for it, with where they differ."""

    recorded: Interaction
    replayed: Sent
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """How the calls compare: counts as in the verdict, `differences` and what a rule excuses."""

    matched: int = 0
    changed: int = 0
    unused: int = 0
    extra: int = 0
    reordered: int = 0
    differences: tuple[Difference, ...] = ()
    excused: tuple[Excused, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether every call is as it was."""
        return not (self.changed or self.unused or self.extra or self.reordered)


NO_CALLS = Contract()


def settled(contract: Contract, drift: Sequence[Difference]) -> Contract:
    """Return the contract with those calls as matched that differ in nothing but noise."""
    drifting = {difference.call for difference in drift}
    is_changed = [
        bool(pair.differences) and name_of(pair.recorded) in drifting for pair in contract.pairs
    ]
    changed = sum(is_changed)
    return replace(contract, matched=len(is_changed) - changed, changed=changed)


def contract_of(
    recorded: Sequence[Interaction], replayed: Sequence[Sent], rules: Rules
) -> Contract:
    """Return how what is sent now compares with what was sent then."""
    recorded = [it for it in recorded if not it.at_import]
    sent = [it for it in replayed if not it.at_import]
    pairs, unused, extra = _paired(recorded, sent)
    order = {id(one): place for place, one in enumerate(sent)}
    pairs.sort(key=lambda pair: order[id(pair.replayed)])
    moved = _reordered(pairs)
    changed = [pair for pair in pairs if pair.differences]
    found = [(d, _rule_of_change(d, rules)) for pair in changed for d in pair.differences]
    found += [(_unused(it), _rule_of_count(it.call, rules)) for it in unused]
    found += [(_extra(it), _rule_of_count(it.call, rules)) for it in extra]
    found += [(_moved(*both), "order" if rules.order == "noise" else None) for both in moved]
    return Contract(
        matched=len(pairs) - len(changed),
        changed=len(changed),
        unused=len(unused),
        extra=len(extra),
        reordered=len(moved),
        differences=tuple(difference for difference, rule in found if rule is None),
        excused=tuple(Excused(difference, rule) for difference, rule in found if rule is not None),
        pairs=tuple(pairs),
    )


def between(one: Contract, other: Contract) -> tuple[Difference, ...]:
    """Return where the calls of two replays of one recording differ, pair by pair."""
    calls = {name_of(pair.recorded): pair.replayed.call for pair in other.pairs}
    return tuple(
        difference
        for pair in one.pairs
        if (name := name_of(pair.recorded)) in calls
        for difference in _named(compare_calls(pair.replayed.call, calls[name]), name)
    )


def name_of(interaction: Interaction) -> str:
    """Return what reports call a recorded call: its number and its name."""
    return f"{interaction.sequence} {interaction.call.name}"


def _rule_of_change(difference: Difference, rules: Rules) -> str | None:
    for path in rules.ignore:
        if difference.path == path or difference.path.startswith((f"{path}.", f"{path}[")):
            return "ignore"
    return None


def _rule_of_count(call: Call, rules: Rules) -> str | None:
    """Return the rule by which a call may be made more or less often; None: it may not."""
    kind = "reads" if call.is_read else "writes"
    return kind if getattr(rules, kind) == "noise" else None


def _paired(
    recorded: Sequence[Interaction], sent: Sequence[Sent]
) -> tuple[list[Pair], list[Interaction], list[Sent]]:
    waiting: defaultdict[bytes, list[Candidate]] = defaultdict(list)
    for interaction in recorded:
        formed = Formed.of(interaction.call)
        waiting[formed.key].append((interaction, formed))
    known = set(waiting)
    pairs, left = [], []
    for one in sent:
        formed = Formed.of(one.call)
        same = waiting[formed.key]
        if same:
            interaction, _ = same.pop(0)
            found_at = compare_headers(interaction.call, one.call)
            pairs.append(Pair(interaction, one, _named(found_at, name_of(interaction))))
        else:
            left.append((formed, one))
    unused = {id(it): (it, formed) for some in waiting.values() for it, formed in some}
    unused = dict(sorted(unused.items(), key=lambda item: item[1][0].sequence))
    extra = []
    for formed, one in left:
        # A read that asks what was asked before is one more of it, and stands for no other.
        is_repeated = one.call.is_read and formed.key in known
        found = None if is_repeated else most_alike(formed, unused.values())
        if found is None:
            extra.append(one)
            continue
        interaction, other = unused.pop(id(found[0]))
        found_at = _named(compare_formed(other, formed), name_of(interaction))
        pairs.append(Pair(interaction, one, found_at))
    return pairs, [it for it, _ in unused.values()], extra


def _named(differences: Sequence[Difference], name: str) -> tuple[Difference, ...]:
    return tuple(Difference(d.path, d.recorded, d.replayed, name) for d in differences)


def _reordered(pairs: Sequence[Pair]) -> list[tuple[Pair, Pair]]:
    """Return the writes that are sent after one which once waited for their answer, and that.

    By chance comes what different threads or tasks send, then or now: which of them a pool gives
    its work to is chance as well. So only the writes of one lane are held against each other.
    """
    latest: dict[tuple[int, int], Pair] = {}
    found = []
    for pair in pairs:
        if pair.recorded.call.is_read:
            continue
        lanes = pair.recorded.lane, pair.replayed.lane
        before = latest.setdefault(lanes, pair)
        if _once_waited(before.recorded, pair.recorded):
            found.append((pair, before))
        if pair.recorded.at_us >= before.recorded.at_us:
            latest[lanes] = pair
    return found


def _once_waited(one: Interaction, other: Interaction) -> bool:
    """Whether a recorded call was sent when another had been answered."""
    if other.duration_us is None or other.sequence >= one.sequence:
        return False
    return other.at_us + other.duration_us <= one.at_us


def _unused(interaction: Interaction) -> Difference:
    return Difference(ROOT, _shown(interaction.call), ABSENT, name_of(interaction))


def _extra(sent: Sent) -> Difference:
    return Difference(ROOT, ABSENT, _shown(sent.call), f"extra {sent.call.name}")


def _moved(pair: Pair, overtaken_by: Pair) -> Difference:
    other = name_of(overtaken_by.recorded)
    return Difference(ROOT, f"before {other}", f"after {other}", name_of(pair.recorded))


def _shown(call: Call) -> Any:
    return plain(form_of(call))
