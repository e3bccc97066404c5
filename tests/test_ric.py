"""AWS's own runtime client as an engine: the oracle that the builtin one is held to."""

import dataclasses
from pathlib import Path

import pytest
from handlers import EXITS, PREAMBLE, RAISES, RETURNS

from replay.outcome import Exited, Outcome, Raised, TimedOut
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.case import Case
from replay.replayer.engine import Sandbox
from replay.replayer.local import LocalFunction
from replay.replayer.ric import RicSandbox
from replay.replayer.world import World

pytest.importorskip("awslambdaric")


def case_in(project: Path, event: object = None, **variables: str) -> Case:
    """A replay of the handler in `project`, as if it had been captured on Lambda."""
    function = LocalFunction(
        handler="app.handler",
        folders=(project,),
        name="orders",
        version="7",
        alias="live",
        memory_mb=256,
        environment={"TABLE": "orders", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"},
    )
    case = function.case(event)
    invocation = case.recording.invocation
    environment = {**invocation.environment, **variables}
    invocation = dataclasses.replace(invocation, environment=environment)
    recording = dataclasses.replace(case.recording, invocation=invocation)
    return dataclasses.replace(case, recording=recording, clock="shifted")


def write(project: Path, bodies: list[str]) -> None:
    """One function for each body, chosen by the event's first item."""
    functions = []
    for number, body in enumerate(bodies):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        functions.append(f"def body_{number}(event, context):\n{lines}")
    dispatch = "def handler(event, context):\n    return globals()[event['body']](event, context)\n"
    (project / "app.py").write_text(PREAMBLE + "\n".join([*functions, dispatch]))


def outcomes(engine: type[Sandbox], base: Case, count: int) -> list[Outcome]:
    """What each body does, in warm processes that are started again when one has ended."""
    found: list[Outcome] = []
    while len(found) < count:
        with engine(base, World.of(base)) as sandbox:
            while len(found) < count and sandbox.is_alive:
                event = {"body": f"body_{len(found)}", "n": [1, 2.5, None, "ü"]}
                case = base.with_event(event, ())
                replay = sandbox.replay(case, World.of(case))
                found.append(bare(replay.outcome))
                if isinstance(replay.outcome, Exited | TimedOut):
                    break
    return found


def bare(outcome: Outcome) -> Outcome:
    """An outcome without what the wire does not carry."""
    if isinstance(outcome, Raised):
        # How deep a handler may recurse depends on the frames above it.
        stack = () if outcome.error_type == "RecursionError" else outcome.stack
        return dataclasses.replace(outcome, stack=stack, module="", arguments=(), chain=())
    return outcome


@pytest.mark.parametrize("runtime", ["AWS_Lambda_python3.11", "AWS_Lambda_python3.13"])
@pytest.mark.parametrize(
    "bodies",
    [[f"return {it}" for it in RETURNS], RAISES, EXITS],
    ids=["returns", "raises", "exits"],
)
def test_both_engines_make_the_same_of_whatever_a_handler_does(project, runtime, bodies):
    """Where they differ, the builtin engine is wrong."""
    write(project, bodies)
    base = case_in(project, AWS_EXECUTION_ENV=runtime)
    ric, builtin = (outcomes(e, base, len(bodies)) for e in (RicSandbox, BuiltinSandbox))
    for body, theirs, ours in zip(bodies, ric, builtin, strict=True):
        assert theirs == ours, body
