"""What a replay did as the new expectation of its case. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from replay.errors import ReplayError
from replay.interaction import Interaction
from replay.replayer.outbound.contract import Contract
from replay.replayer.verdict import Verdict
from replay.testing.case_file import CaseFile


def accepted(file: CaseFile, verdict: Verdict) -> CaseFile:
    """Return the case as it is to be from now on: held to what this replay came to.

    Changed calls are recorded as they are sent now, with the answers they had; calls that are not
    made any more go. Raises ReplayError for what nobody can accept: a replay that could not be had,
    and a new call, to which there is no answer.
    """
    replay = verdict.replay
    if replay is None:
        raise ReplayError(
            f"{file.path}: it could not be replayed, so there is nothing to accept",
            "mend what the error says first",
        )
    contract = verdict.contract
    if contract.extra:
        raise ReplayError(
            f"{file.path}: it makes {contract.extra} new calls, which no answer was recorded for",
            "capture the invocation again, and generate its case anew",
        )
    is_same_outcome = all(difference.call for difference in verdict.differences)
    expected = file.expected if is_same_outcome else replay.outcome
    if not any(difference.call for difference in verdict.differences):
        return replace(file, expected=expected, replayed=None)
    interactions = tuple(_kept(file.recording.interactions, contract))
    recording = replace(file.recording, interactions=interactions)
    return replace(file, expected=expected, recording=recording, replayed=None)


def _kept(recorded: Iterable[Interaction], contract: Contract) -> Iterable[Interaction]:
    sent = {pair.recorded.sequence: pair for pair in contract.pairs}
    for interaction in recorded:
        if interaction.at_import:
            yield interaction
        elif interaction.sequence in sent:
            pair = sent[interaction.sequence]
            yield replace(interaction, call=pair.replayed.call) if pair.differences else interaction
