"""`REPLAY_TAPE=entropy`: what an invocation drew is kept, and replayed."""

import dataclasses
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import jsonschema
import orjson
import pytest
from conftest import also_long
from hypothesis import given, settings
from hypothesis import strategies as st
from test_recording import ID, invocation

from replay.entropy import EntropyTape, GeneratorState
from replay.errors import DamagedError
from replay.fixture import SCHEMA, Fixture, fixture_line, read_fixture, read_fixtures
from replay.outcome import Returned
from replay.part import ENDED
from replay.recording import Part, Recording
from replay.replayer.builtin import BuiltinSandbox
from replay.replayer.case import Case
from replay.replayer.engine import replay_once
from replay.replayer.verdict import judge
from replay.replayer.world import World
from replay.store.selection import Selection
from replay.store.store import Store

DRAWING = (
    "import os, random, secrets, uuid\n"
    "from replay import capture\n"
    "def drawn():\n"
    "    return [str(uuid.uuid4()), secrets.token_hex(9), secrets.choice(range(10**9)),\n"
    "        random.random(), random.choice(range(10**9)), random.gauss(0, 1),\n"
    "        random.SystemRandom().random(), os.urandom(5).hex()]\n"
    "@capture\n"
    "def handler(event, context):\n"
    "    return drawn()\n"
)


def captured(project: Path, code: str, calls: str = "app.handler(1, None)", **more: str) -> str:
    """Call a handler in a process of its own, which captures; what it prints."""
    (project / "app.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-c", f"import app\n{calls}"],
        cwd=project,
        env={**os.environ, "REPLAY_TAPE": "entropy", **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def recordings(project: Path) -> list[Recording]:
    """What was captured, oldest first."""
    store = Store.open(str(project / "replay.db"))
    found = list(store.find(Selection()))[::-1]
    store.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("isolation", also_long(["worker"], ["case"]))
def test_every_source_of_randomness_replays_to_the_recorded_bytes(project, replay, isolation):
    """A match at the first look, without noise; uuid, secrets, random and os.urandom."""
    captured(project, DRAWING, "for n in range(3): app.handler(n, None)")
    done = replay("run", "--json", "--once", "--isolation", isolation)
    found = json.loads(done.stdout)
    assert [(one["verdict"], one["noise"]) for one in found] == [("match", [])] * 3, done.stderr
    assert [one["recorded_outcome"] for one in found] == [one["outcome"] for one in found]


@pytest.mark.long
def test_the_runtime_client_gives_the_recorded_bytes_too(project, runtime, replay):
    """Captured under it, and replayed by both engines, in one warm process and in fresh ones."""
    (project / "app.py").write_text(DRAWING)
    process = runtime(REPLAY_TAPE="entropy", REPLAY_STORE=str(project / "replay.db"))
    for n in range(2):
        process.invoke({"n": n})
    for options in ([], ["--runtime", "ric"], ["--runtime", "ric", "--isolation", "process"]):
        found = json.loads(replay("run", "--json", "--once", *options).stdout)
        assert [(one["verdict"], one["noise"]) for one in found] == [("match", [])] * 2


@pytest.mark.slow
def test_without_the_tape_the_bytes_differ(project, replay):
    """Positive control: nothing is kept, and a replay draws others."""
    captured(project, DRAWING, REPLAY_TAPE="")
    assert recordings(project)[0].entropy is None
    (once,) = json.loads(replay("run", "--json", "--once").stdout)
    assert once["verdict"] == "drift"
    assert len(once["differences"]) == 8


def test_with_the_tape_off_nothing_is_loaded_or_wrapped(project):
    """The module is not imported, and os.urandom is the system's own."""
    calls = (
        "import os, sys\napp.handler(1, None)\n"
        "print('replay.recorder.entropy' in sys.modules, os.urandom is __import__('posix').urandom)"
    )
    assert captured(project, DRAWING, calls, REPLAY_TAPE=" ") == "False True\n"
    assert captured(project, DRAWING, calls) == "True False\n"


@pytest.mark.slow
def test_the_recorded_bytes_are_a_stream_whatever_is_asked_for(project):
    """Other pieces than in the recording, and seeded bytes where it ends, without an end."""
    body = (
        "import os\ndef handler(event, context):\n"
        "    return [os.urandom(n).hex() for n in (1, 4, 0, 2, 3, 3)]\n"
    )
    (project / "app.py").write_text(body)
    tape = EntropyTape(bytes(range(8)), None, complete=True)
    recording = Recording(ID, invocation(), Returned(b"1"), 1, entropy=tape)
    case = Case(recording, "app.handler", (project,))
    one, other = (
        json.loads(replay_once(BuiltinSandbox, case, World.of(case)).outcome.payload)
        for _ in range(2)
    )
    assert one == other
    assert one[:4] == ["00", "01020304", "", "0506"]
    assert one[4].startswith("07")
    assert [len(piece) for piece in one] == [2, 8, 0, 4, 6, 6]


@pytest.mark.slow
def test_entropy_that_is_moved_does_not_use_the_tape(project):
    """Else the second look could not tell what depends on it."""
    code = (
        "import uuid\ndef handler(event, context):\n    return {'id': str(uuid.uuid4()), 'n': 2}\n"
    )
    (project / "app.py").write_text(code)
    taped = uuid.UUID("7d0f2ac2-9e4c-4c41-8d0c-5f1d8f2f6b07")
    tape = EntropyTape(taped.bytes, None, complete=True)
    outcome = Returned(b'{"id": "0b0f6ac2-7e4c-4c41-9d0c-3f1d8f2f6a01", "n": 1}')
    case = Case(Recording(ID, invocation(), outcome, 1, entropy=tape), "app.handler", (project,))
    world = World.of(case)
    first, clock, moved = (
        json.loads(replay_once(BuiltinSandbox, case, it).outcome.payload)["id"]
        for it in (world, world.moved("clock"), world.moved("entropy"))
    )
    assert first == clock == str(taped) != moved


@pytest.mark.long
def test_what_is_on_the_tape_is_noise_where_another_was_recorded(project):
    """As entropy is moved away from the tape, it is found to be the factor."""
    code = (
        "import uuid\ndef handler(event, context):\n    return {'id': str(uuid.uuid4()), 'n': 2}\n"
    )
    (project / "app.py").write_text(code)
    tape = EntropyTape(uuid.UUID("7d0f2ac2-9e4c-4c41-8d0c-5f1d8f2f6b07").bytes, None, complete=True)
    outcome = Returned(b'{"id": "0b0f6ac2-7e4c-4c41-9d0c-3f1d8f2f6a01", "n": 1}')
    case = Case(Recording(ID, invocation(), outcome, 1, entropy=tape), "app.handler", (project,))
    verdict = judge(case, BuiltinSandbox)
    assert [difference.path for difference in verdict.differences] == ["$.n"]
    assert {noise.path: noise.factor for noise in verdict.noise} == {"$.id": "entropy"}


def test_what_a_host_gets_is_what_is_kept(project):
    """The same bytes, errors and identity under pickle; os.getrandom where there is one."""
    code = (
        "import os, pickle, random\n"
        "from replay import capture\n"
        "@capture\n"
        "def handler(event, context):\n"
        "    assert pickle.loads(pickle.dumps(os.urandom)) is os.urandom\n"
        "    for odd in ((-1,), ('x',), ()):\n"
        "        try: os.urandom(*odd)\n"
        "        except (ValueError, TypeError) as error: pass\n"
        "        else: raise AssertionError(odd)\n"
        "    more = os.getrandom(3) if hasattr(os, 'getrandom') else b''\n"
        "    return (os.urandom(4) + random._urandom(2) + more).hex()\n"
    )
    captured(project, code)
    (recording,) = recordings(project)
    got = bytes.fromhex(json.loads(recording.outcome.payload))
    kept = recording.entropy.drawn
    assert kept.hex() == (got[6:] + got[:6]).hex()
    assert recording.entropy.complete


def test_each_invocation_keeps_its_own_draws(project):
    """One after the other, threads of a handler, several handlers at once, and nested ones."""
    code = (
        "import asyncio, os, threading\n"
        "from replay import capture\n"
        "barrier = threading.Barrier(2)\n"
        "@capture\n"
        "def handler(event, context):\n"
        "    got = []\n"
        "    thread = threading.Thread(target=lambda: got.append(os.urandom(4).hex()))\n"
        "    thread.start(); thread.join()\n"
        "    return ''.join([os.urandom(2).hex(), *got])\n"
        "@capture\n"
        "def beside(event, context):\n"
        "    barrier.wait(); mine = os.urandom(8).hex(); barrier.wait()\n"
        "    return mine\n"
        "@capture\n"
        "async def awaited(event, context):\n"
        "    await asyncio.sleep(0.01)\n"
        "    return os.urandom(6).hex()\n"
        "@capture\n"
        "def outer(event, context):\n"
        "    return inner(event, None) + os.urandom(1).hex()\n"
        "@capture\n"
        "def inner(event, context):\n"
        "    return os.urandom(3).hex()\n"
    )
    calls = (
        "import asyncio, threading\n"
        "app.handler(1, None); app.handler(2, None); app.outer(3, None)\n"
        "both = [threading.Thread(target=app.beside, args=(n, None)) for n in range(2)]\n"
        "for one in both: one.start()\n"
        "for one in both: one.join()\n"
        "async def main(): await asyncio.gather(*(app.awaited(n, None) for n in range(3)))\n"
        "asyncio.run(main())\n"
    )
    captured(project, code, calls)
    found = recordings(project)
    assert len(found) == 9
    for recording in found:
        got = json.loads(recording.outcome.payload)
        kept = recording.entropy.drawn.hex()
        assert sorted(got) == sorted(kept)
        assert recording.entropy.complete
        if "handler" not in recording.invocation.handler:
            assert got == kept


def test_what_nobody_can_assign_makes_the_tapes_incomplete(project):
    """A thread's draw while two invocations run; what the host has put over the sources."""
    code = (
        "import os, threading\n"
        "from replay import capture\n"
        "barrier = threading.Barrier(2)\n"
        "@capture\n"
        "def handler(event, context):\n"
        "    barrier.wait()\n"
        "    thread = threading.Thread(target=os.urandom, args=(4,))\n"
        "    thread.start(); thread.join()\n"
        "    barrier.wait()\n"
        "@capture\n"
        "def plain(event, context): os.urandom(1)\n"
    )
    calls = (
        "import os, threading\n"
        "both = [threading.Thread(target=app.handler, args=(n, None)) for n in range(2)]\n"
        "for one in both: one.start()\n"
        "for one in both: one.join()\n"
        "app.plain(1, None)\n"
        "ours = os.urandom\n"
        "os.urandom = lambda size: ours(size)\n"
        "app.plain(2, None)\n"
    )
    captured(project, code, calls)
    tapes = [recording.entropy for recording in recordings(project)]
    assert [(len(t.drawn), t.complete) for t in tapes] == [(0, False)] * 2 + [(1, True), (1, False)]


def test_a_tape_is_capped_and_says_so(project, replay):
    """64 KiB, a prefix of the stream; small draws after it leave no hole."""
    code = (
        "import os\nfrom replay import capture\n"
        "@capture\ndef handler(event, context):\n"
        "    return (os.urandom(65_530) + os.urandom(10) + os.urandom(1)).hex()\n"
    )
    captured(project, code)
    (recording,) = recordings(project)
    assert (len(recording.entropy.drawn), recording.entropy.complete) == (65_536, False)
    assert json.loads(recording.outcome.payload).startswith(recording.entropy.drawn.hex())
    assert "65,536 bytes drawn; not all of it could be kept" in replay("show", "@1").stdout


def test_a_generator_that_comes_during_the_invocation_is_said_to_be_missing(project):
    """Importing `random` seeds it from where nobody sees."""
    code = (
        "import sys\nfrom replay import capture\n"
        "sys.modules.pop('random', None)\n"
        "@capture\ndef handler(event, context):\n"
        "    import random\n"
        "    return random.random()\n"
    )
    captured(project, code)
    (recording,) = recordings(project)
    assert (recording.entropy.generator, recording.entropy.complete) == (None, False)


def test_a_tape_that_cannot_be_understood_is_said_and_the_handler_runs(project):
    """As every other setting of the recorder."""
    (project / "app.py").write_text(DRAWING)
    done = subprocess.run(
        [sys.executable, "-c", "import app; print(len(app.handler(1, None)))"],
        cwd=project,
        env={**os.environ, "REPLAY_TAPE": "entropy,clock"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "8\n"
    assert "'clock' cannot be taped" in done.stderr


def test_show_tells_what_a_recording_holds_but_not_the_bytes(project, replay):
    """They are the raw material of secrets."""
    captured(project, DRAWING)
    (recording,) = recordings(project)
    text, document = replay("show", "@1").stdout, json.loads(replay("show", "@1", "--json").stdout)
    size = len(recording.entropy.drawn)
    assert f"entropy     {size} bytes drawn, the state of random at entry\n" in text
    assert document["entropy"] == {"drawn_bytes": size, "generator": True, "complete": True}
    captured(project, DRAWING, REPLAY_TAPE="")
    assert "entropy     not taped" in replay("show", "@1").stdout
    assert json.loads(replay("show", "@1", "--json").stdout)["entropy"] is None


@pytest.mark.slow
def test_what_was_taped_is_replayed_from_an_exported_file_as_well(project, replay):
    """Byte for byte through export and import."""
    captured(project, DRAWING)
    before = recordings(project)
    assert replay("export", "-o", "all.jsonl").returncode == 0
    assert replay("import", "all.jsonl", "--store", "other.db").returncode == 0
    assert replay("export", "--store", "other.db", "-o", "again.jsonl").returncode == 0
    assert (project / "all.jsonl").read_bytes() == (project / "again.jsonl").read_bytes()
    assert before[0].entropy.drawn
    assert replay("run", "all.jsonl", "--once").returncode == 0


words = st.binary(min_size=2496, max_size=2496)
states = st.builds(
    lambda words, place, gauss: GeneratorState(words + place.to_bytes(4, "little"), gauss),
    words,
    st.integers(0, 624),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
tapes = st.builds(EntropyTape, st.binary(max_size=50), st.none() | states, st.booleans())


@pytest.mark.slow
@settings(max_examples=25)
@given(tapes)
def test_a_tape_reads_back_and_travels_byte_for_byte(tape):
    """Through parts, also where they are written anew, and through a fixture."""
    recording = Recording(ID, invocation({"a": 1}), Returned(b"1"), 12, entropy=tape)
    parts = recording.parts()
    again = Recording.from_parts(ID, parts)
    assert (recording, parts) == (again, dataclasses.replace(again, lost_parts=0).parts())
    line = fixture_line(Fixture(ID, parts))
    assert parts == read_fixture(line, "x").parts
    jsonschema.validate(orjson.loads(line), orjson.loads(SCHEMA.read_bytes()))


@settings(max_examples=25)
@given(st.randoms(use_true_random=True), st.integers(0, 700))
def test_the_state_of_a_generator_is_its_own(generator, draws):
    """What it gives next is what the other gives next."""
    import random

    own = random.Random(generator.random())
    for _ in range(draws):
        own.random()
    own.gauss(0, 1)
    other = random.Random()
    other.setstate(GeneratorState.of(own.getstate()).state())
    assert [own.gauss(0, 1), own.random()] == [other.gauss(0, 1), other.random()]


def test_a_recording_without_a_tape_is_written_as_before():
    """No key; the committed fixtures hold that older ones are read the same."""
    ended = Recording(ID, invocation(), Returned(b"1"), 1).parts()[1]
    assert b"entropy" not in ended.payload


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        {"drawn": "text", "generator": None, "complete": True},
        {"drawn": {"$replay:bytes": ""}, "generator": None, "complete": 1},
        {"drawn": {"$replay:bytes": ""}, "generator": {"words": 1}, "complete": True},
        {
            "drawn": {"$replay:bytes": ""},
            "generator": {"words": {"$replay:bytes": "AAAA"}, "gauss_next": None},
            "complete": True,
        },
        {
            "drawn": {"$replay:bytes": ""},
            "generator": {"words": {"$replay:bytes": "/" * 3332 + "/w=="}, "gauss_next": None},
            "complete": True,
        },
    ],
)
def test_a_tape_that_is_no_tape_is_damage_that_names_the_recording(odd):
    """What a generator could not be set to is found when it is read, not in the replay."""
    begun, ended = Recording(ID, invocation(), Returned(b"1"), 1).parts()
    payload = orjson.dumps({**orjson.loads(ended.payload), "entropy": odd})
    with pytest.raises(DamagedError, match=ID):
        Recording.from_parts(ID, [begun, Part(ID, ENDED, payload)])


def test_what_was_drawn_can_be_computed_from_the_committed_recording():
    """An id, a key and a share, captured under AWS's client: the layout stays as it is."""
    import random

    (one,) = read_fixtures(Path(__file__).parents[1] / "fixtures/recordings/v1/taped.json")
    tape = one.recording.entropy
    assert tape.complete
    generator = random.Random()
    generator.setstate(tape.generator.state())
    assert json.loads(one.recording.outcome.payload) == {
        "id": str(uuid.UUID(bytes=tape.drawn[:16], version=4)),
        "key": tape.drawn[16:].hex(),
        "share": generator.random(),
    }


def test_what_is_on_no_tape_takes_nothing_from_it(project, replay):
    """Generators without a seed, temporary files, uuid1: what follows them is as recorded."""
    code = (
        "import os, random, tempfile, uuid\nfrom replay import capture\n"
        "@capture\ndef handler(event, context):\n"
        "    random.Random().random(); tempfile.mkstemp(); uuid.uuid1()\n"
        "    return [os.urandom(4).hex(), random.random()]\n"
    )
    captured(project, code)
    done = replay("run", "--once")
    assert done.returncode == 0, done.stdout
