"""What a sandbox has seen before one of its invocations, as far as the store holds it."""

from replay.recording import Recording
from replay.store.column import storable
from replay.store.selection import Query

_ULID_LENGTH = 26
_EARLIER = (
    "SELECT sandbox_sequence, id FROM recording WHERE function_name = ? AND id > ? AND id < ?"
    " AND sandbox_id = ? AND sandbox_sequence < ? ORDER BY id DESC LIMIT ?"
)


def query(recording: Recording, limit: int) -> Query:
    """Return the query for place and id of the last `limit` ones, newest first."""
    sandbox = recording.invocation.sandbox
    # A sandbox draws its own id before those of its recordings: with the index of a function's
    # recordings, only those are looked at that fall into the sandbox's life.
    beyond = sandbox.id if len(sandbox.id) == _ULID_LENGTH else ""
    function_name = storable(recording.invocation.function_name)
    values = (function_name, beyond, recording.id, storable(sandbox.id), sandbox.sequence, limit)
    return Query(_EARLIER, values)
