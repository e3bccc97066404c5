"""Records the sample applications: real invocations against moto's server on loopback.

    python tests/applications/record.py NAME STORE [COUNT [SEED]]

Each runs in the product's own local runtime, as `replay invoke` runs it: a warm sandbox, a context
and a deadline of its own, killed where the deadline passes. moto keeps its state for the whole
process, so it is emptied before and afterwards.
"""

import json
import logging
import os
import sys
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import requests
from moto.server import ThreadedMotoServer

sys.path.insert(0, str(Path(__file__).parents[1]))  # where it is run as a program

from applications.intake_traffic import IntakeTraffic
from applications.orders_traffic import OrdersTraffic
from applications.poller_traffic import PollerTraffic
from applications.traffic import KEYS, REGION, Traffic

from replay.outcome import Outcome, Returned
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.local import WORLD, LocalFunction

FOLDER = Path(__file__).parent
TRAFFIC = {"orders": OrdersTraffic, "intake": IntakeTraffic, "poller": PollerTraffic}
HANDLER = "app.handler"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One invocation that was recorded: the kind of its event, and what came of it."""

    kind: str
    request_id: str
    outcome: Outcome


def folder(name: str) -> Path:
    """Return where the code of an application lies: what `replay run --path` is given."""
    return FOLDER / name


def record(
    name: str, store: Path, count: int = 220, seed: int = 1, *, is_taped: bool = True
) -> list[Recorded]:
    """Record `count` invocations of an application into a store, and return what they were.

    The same seed gives the same kinds in the same order. Rare kinds come where `count` is 100 or
    more. With a tape of their randomness ids are no noise: a second look at each of them would take
    seconds. Takes 10 to 20 s for 220.
    """
    with _server() as url, closing(TRAFFIC[name](Random(f"{name} {seed}"), url)) as traffic:
        traffic.prepare()
        tape = {"REPLAY_TAPE": "entropy"} if is_taped else {}
        function = _function(name, traffic, {"REPLAY_STORE": str(store.absolute()), **tape})
        return list(_invoke_all(function, traffic, deque(traffic.kinds(count))))


@contextmanager
def _server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line a call
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    try:
        requests.post(f"{url}/moto-api/reset", timeout=10)
        yield url
        requests.post(f"{url}/moto-api/reset", timeout=10)
    finally:
        server.stop()


def _invoke_all(function: LocalFunction, traffic: Traffic, kinds: deque[str]) -> Iterator[Recorded]:
    """Invoke the kinds one after the other; a sandbox that ends is followed by another."""
    while kinds:
        function = replace(function, sandbox_id=uuid.uuid4().hex)
        with BuiltinSandbox(function.case(None), WORLD) as sandbox:
            while kinds and sandbox.is_alive:
                yield _invoke(sandbox, function, traffic, kinds.popleft())


def _invoke(
    sandbox: BuiltinSandbox, function: LocalFunction, traffic: Traffic, kind: str
) -> Recorded:
    method = traffic.method(kind)
    timeout_ms = method.timeout_ms or function.timeout_ms  # type: ignore[attr-defined]
    case = replace(function, timeout_ms=timeout_ms).case(method())
    outcome = sandbox.replay(case, WORLD).outcome
    is_value = isinstance(outcome, Returned) and outcome.payload is not None
    traffic.learn(json.loads(outcome.payload) if is_value else None)
    return Recorded(kind, case.recording.invocation.context.text("aws_request_id") or "", outcome)


def _function(name: str, traffic: Traffic, settings: dict[str, str]) -> LocalFunction:
    machine = {it: os.environ[it] for it in ("PATH", "PYTHONPATH") if it in os.environ}
    return LocalFunction(
        handler=HANDLER,
        folders=(folder(name),),
        name=traffic.function_name,
        version="7",
        alias="live",
        memory_mb=512,
        timeout_ms=traffic.timeout_ms,
        environment={**machine, **KEYS, **settings},
        variables={
            **traffic.variables,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": traffic.url,
        },
    )


def main(name: str, store: str, count: str = "220", seed: str = "1") -> None:
    """Record, and say which outcomes there were."""
    outcomes = [
        type(it.outcome).__name__ for it in record(name, Path(store), int(count), int(seed))
    ]
    sys.stdout.writelines(f"{it} {outcomes.count(it)}\n" for it in sorted(set(outcomes)))


if __name__ == "__main__":
    main(*sys.argv[1:])
