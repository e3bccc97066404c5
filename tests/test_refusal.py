"""What is said of a way out that a replay has closed: which one it was, and the ways on."""

import pytest
from test_recording import ID, invocation

from replay.errors import ReplayError
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.finding import Finding
from replay.replayer.refusal import refuse_outbound

CASE = Case(Recording(ID, invocation(), outbound="handler"), "app.handler", ())


@pytest.mark.parametrize(
    ("host", "port", "endpoint"),
    [
        ("198.51.100.7", 443, "198.51.100.7:443"),
        ("::1", 443, "[::1]:443"),
        ("db.example", "5432", "db.example:5432"),
        ("api.example", None, "api.example:PORT"),
        ("api.example", "https", "api.example:PORT"),
        ("/run/db.sock", None, None),
        ("\0abstract", None, None),
    ],
)
def test_the_ways_on_name_what_is_known_of_the_address(host, port, endpoint):
    """A port that nobody knows is left to fill in; no option lets a Unix socket through alone."""
    found = Finding("refused", {"host": host, "port": port, "where": None})
    with pytest.raises(ReplayError) as refused:
        refuse_outbound(CASE, [found])
    ways = [f"--allow-network {endpoint} lets it through"] if endpoint else []
    everything = "--unsafe-network lets everything through"
    assert ", ".join([*ways, everything]) == refused.value.hint
