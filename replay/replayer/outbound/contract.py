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
from replay.replayer.outbound.form import compare_calls, form_of, key_of
from replay.replayer.outbound.match import most_alike
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
    return "ignore" if difference.path in rules.ignore else None


def _rule_of_count(call: Call, rules: Rules) -> str | None:
    """Return the rule by which a call may be made more or less often; None: it may not."""
    kind = "reads" if call.is_read else "writes"
    return kind if getattr(rules, kind) == "noise" else None


def _paired(
    recorded: Sequence[Interaction], sent: Sequence[Sent]
) -> tuple[list[Pair], list[Interaction], list[Sent]]:
    waiting: defaultdict[bytes, list[Interaction]] = defaultdict(list)
    for interaction in recorded:
        waiting[key_of(interaction.call)].append(interaction)
    known = set(waiting)
    pairs, left = [], []
    for one in sent:
        key = key_of(one.call)
        same = waiting[key]
        if same:
            pairs.append(Pair(same.pop(0), one))
        else:
            left.append((key, one))
    unused = [it for some in waiting.values() for it in some]
    extra = []
    for key, one in left:
        # A read that asks what was asked before is one more of it, and stands for no other.
        is_repeated = one.call.is_read and key in known
        pair = None if is_repeated else _most_alike(one, unused)
        if pair is None:
            extra.append(one)
        else:
            unused.remove(pair.recorded)
            pairs.append(pair)
    return pairs, sorted(unused, key=lambda it: it.sequence), extra


def _most_alike(one: Sent, unused: Sequence[Interaction]) -> Pair | None:
    found = most_alike(one.call, unused)
    if found is None:
        return None
    return Pair(found, one, _named(compare_calls(found.call, one.call), name_of(found)))


def _named(differences: Sequence[Difference], name: str) -> tuple[Difference, ...]:
    return tuple(Difference(d.path, d.recorded, d.replayed, name) for d in differences)


def _reordered(pairs: Sequence[Pair]) -> list[tuple[Pair, Pair]]:
    """Return the writes that are sent after one which once waited for their answer, and that."""
    writes = [pair for pair in pairs if not pair.recorded.call.is_read]
    found = []
    for place, pair in enumerate(writes):
        before = (it for it in writes[:place] if _is_overtaken(pair, it))
        overtaken_by = next(before, None)
        if overtaken_by is not None:
            found.append((pair, overtaken_by))
    return found


def _is_overtaken(pair: Pair, other: Pair) -> bool:
    """Whether a call was once answered before one was sent that now comes first, and not by chance.

    By chance comes what different threads or tasks send, then or now: which of them a pool gives
    its work to is chance as well.
    """
    one, then = pair.recorded, other.recorded
    if one.lane != then.lane or pair.replayed.lane != other.replayed.lane:
        return False
    if one.duration_us is None or one.sequence > then.sequence:
        return False
    return one.at_us + one.duration_us <= then.at_us


def _unused(interaction: Interaction) -> Difference:
    return Difference(ROOT, _shown(interaction.call), ABSENT, name_of(interaction))


def _extra(sent: Sent) -> Difference:
    return Difference(ROOT, ABSENT, _shown(sent.call), f"extra {sent.call.name}")


def _moved(pair: Pair, overtaken_by: Pair) -> Difference:
    other = name_of(overtaken_by.recorded)
    return Difference(ROOT, f"before {other}", f"after {other}", name_of(pair.recorded))


def _shown(call: Call) -> Any:
    return plain(form_of(call))
