"""Recordings with outbound calls, as a recorder that watches for all of them leaves them."""

import dataclasses
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from test_recording import invocation

from replay.interaction import AwsCall, Failure, HttpCall, Interaction, Response
from replay.outcome import Outcome, Returned
from replay.recorder.journal import CREATE_PART
from replay.recorder.ulid import new_ulid
from replay.recording import Part, Recording

SECRET = AwsCall("secretsmanager", "GetSecretValue", "eu-central-1", {"SecretId": "shop"}, True)
QUERY = AwsCall("dynamodb", "Query", "eu-central-1", {"TableName": "orders"}, True)
PUT = AwsCall("dynamodb", "PutItem", "eu-central-1", {"Item": {"id": b"\x00\xff"}}, False)
POST = HttpCall("POST", "https://pay.example.com/v1?key=1", (("Accept", "*/*"),), b'{"n":1}')
REFUSED = Failure("ConnectTimeout", "requests.exceptions", "timed out", (1,), {}, "request")
AT_IMPORT = (
    Interaction(1, SECRET, 900, Response(200, "OK", (), b'{"SecretString":"x"}'), 4200, True),
    Interaction(2, POST, 9000, REFUSED, 1000, True),
)
"""Calls of a sandbox."""
MADE = (
    Interaction(1, QUERY, 150, Response(200, "OK", (("a", "b"),), b'{"Items":[]}', (5, 7)), 2140),
    Interaction(2, POST, 2500, REFUSED, 3_000_000),
    Interaction(3, PUT, 3_100_000, Response(400, "Bad Request", (), b"\xff"), 800),
)
"""Calls of a handler."""
WAITING = (*MADE[:2], dataclasses.replace(MADE[2], answer=None, duration_us=None))
"""Of which the last was never answered."""


def with_calls(
    made: Iterable[Interaction] = MADE,
    *,
    at_import: Iterable[Interaction] = AT_IMPORT,
    sandbox_id: str | None = None,
    outcome: Outcome | None = Returned(b"1"),
    id: str | None = None,
) -> Recording:
    """Make a recording with calls; in a sandbox of its own, unless that is given."""
    called = invocation({"order": "o-1001"})
    sandbox = dataclasses.replace(called.sandbox, id=sandbox_id or new_ulid())
    return Recording(
        id or new_ulid(),
        dataclasses.replace(called, sandbox=sandbox),
        outcome,
        None if outcome is None else 10,
        outbound="all",
        interactions=(*at_import, *made),
    )


def of_one_sandbox() -> tuple[Recording, Recording, Recording]:
    """Make recordings of one sandbox, oldest first; the last was killed while it waited."""
    first = with_calls()
    sandbox_id = first.invocation.sandbox.id
    second = with_calls((), sandbox_id=sandbox_id)
    return first, second, with_calls(WAITING, sandbox_id=sandbox_id, outcome=None)


def own_parts(recording: Recording) -> list[Part]:
    """Return the parts of a recording without those of its sandbox."""
    return [one for one in recording.parts() if not one.is_of_sandbox]


def write(path: Path, parts: Iterable[Part]) -> None:
    """Insert parts into the table that the recorder makes, in the order given."""
    path.touch(0o600)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(CREATE_PART)
        for one in parts:
            row = (one.id, one.kind, one.crc, one.payload)
            connection.execute("INSERT INTO part (id, kind, crc, payload) VALUES (?, ?, ?, ?)", row)


def capture_sandbox(path: Path, *recordings: Recording) -> None:
    """Write recordings of one sandbox as the recorder does: its calls with the first alone."""
    first, *others = recordings
    write(path, [*first.parts(), *(part for one in others for part in own_parts(one))])
