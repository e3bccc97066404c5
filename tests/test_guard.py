"""The guard: a replayed handler reaches nothing real, and a try is an error, never drift.

What a guard stops is worth knowing only where the same handler comes through without it, so each
way out has a control that does reach its listener.
"""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from conftest import also_slow
from databases import capture_parts
from test_recording import ID, invocation
from ways_out import BY_ADDRESS, BY_PROGRAM, WAYS, Listener, module

from replay.errors import ReplayError
from replay.outcome import Returned
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.engine import Sandbox, replay_once
from replay.replayer.network import Endpoint, Network
from replay.replayer.nowhere import Nowhere
from replay.replayer.replay import Replay
from replay.replayer.ric import RicSandbox
from replay.replayer.verdict import judge
from replay.replayer.world import World

OPEN = Network(is_open=True)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter is Linux's")


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(tmp_path)
    yield listener
    listener.close()


def case_of(project: Path, event: object = None, **changes: object) -> Case:
    """A case of the handler in `project`."""
    base = dataclasses.replace(invocation(event), remaining_ms=20_000)
    fields = {k: changes.pop(k) for k in list(changes) if hasattr(base, k)}
    recording = Recording(ID, dataclasses.replace(base, **fields), Returned(b"null"), 10)
    return Case(recording, "app.handler", (project,), **changes)


def run(project: Path, body: str, event: object = None, **changes: object) -> Replay:
    """What a handler with this body does."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (project / "app.py").write_text(
        f"import os, socket, sys, time\ndef handler(event, context):\n{lines}"
    )
    case = case_of(project, event, **changes)
    return replay_once(BuiltinSandbox, case, World.of(case))


def take(
    project: Path,
    listener: Listener,
    engine: type[Sandbox] = BuiltinSandbox,
    ways: Mapping[str, str] = WAYS,
    **changes: object,
) -> dict[str, Replay | ReplayError]:
    """What becomes of each way out, one after the other in a warm process."""
    (project / "app.py").write_text(module(ways))
    cases = [case_of(project, {"way": way, "to": listener.to}, **changes) for way in ways]
    with engine(cases[0], World.of(cases[0])) as sandbox:
        replays = list(sandbox.replay_all(cases))
    assert len(replays) == len(ways), replays[-1]  # what ended the process
    return dict(zip(ways, replays, strict=True))


def test_without_the_guard_every_way_out_reaches_its_listener(project, listener):
    """Positive control of all that follows."""
    replays = take(project, listener, network=OPEN)
    assert set(WAYS) == listener.heard_of(WAYS), replays


@linux
def test_no_way_out_reaches_its_listener_and_each_is_an_error_that_names_it(project, listener):
    """Nothing arrives, and the address is named; of Python's own code its line as well."""
    replays = take(project, listener)
    assert listener.heard == []
    said = {way: str(replay) for way, replay in replays.items()}
    assert all(isinstance(replay, ReplayError) for replay in replays.values()), said
    for way in WAYS if can_make_a_network() else BY_ADDRESS:
        at = listener.path if way == "unix_socket" else f"{listener.host}:{listener.port}"
        assert f"tried to reach {at}, which a replay refuses" in said[way], way
    for way in BY_ADDRESS:
        assert "which a replay refuses, from app.py:" in said[way], way
    assert "the program 'bash -c exec" in said["bash"]
    assert "native code of the handler" in said["libpq"]


@pytest.mark.slow
@linux
def test_where_no_socket_can_lead_nowhere_the_program_that_tried_is_named(
    project, listener, monkeypatch
):
    """As in most containers, which have no namespaces to give."""
    monkeypatch.setattr(Nowhere, "make", lambda *_: None)
    replays = take(project, listener, ways=BY_PROGRAM)
    assert listener.heard == []
    for way in BY_PROGRAM.keys() - {"raw_socket"}:
        assert "tried to open a network socket, which a replay refuses" in str(replays[way])


DRIVERS = {
    "libpq": (
        "import psycopg2; psycopg2.connect(host='db.example', user='u')",
        "native code of the handler tried to reach db.example",
    ),
    "grpc": (
        (
            "import grpc\nc = grpc.insecure_channel('10.1.2.3:50051')\n"
            "c.unary_unary('/a/b')(b'x', timeout=9)"
        ),
        "native code of the handler tried to reach 10.1.2.3:50051",
    ),
    "grpc.aio": (
        (
            "import asyncio, grpc.aio\nasync def call():\n"
            "    async with grpc.aio.insecure_channel('10.1.2.3:50051') as c:\n"
            "        await c.unary_unary('/a/b')(b'x', timeout=9)\nasyncio.run(call())"
        ),
        "native code of the handler tried to reach 10.1.2.3:50051",
    ),
    "curl": (
        "subprocess.run(['curl', '-s', 'http://shop.example/'])",
        "the program 'curl -s http://shop.example/' tried to reach shop.example",
    ),
}


@linux
@pytest.mark.parametrize("driver", also_slow(["libpq"], DRIVERS))
def test_a_driver_of_native_code_is_told_by_the_host_that_it_asked_for(project, driver):
    """A handler that swallows the failure changes nothing; the name is the one it was given."""
    body, told = DRIVERS[driver]
    if not can_make_a_network():
        pytest.skip("this system gives no network of one's own")
    if driver == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    code = "".join(f"    {line}\n" for line in body.splitlines())
    with pytest.raises(ReplayError, match=re.escape(told)) as refused:
        run(project, f"import subprocess\ntry:\n{code}except Exception as e: return repr(e)")
    assert "--allow-network" in refused.value.hint


@pytest.mark.slow
@linux
def test_a_fork_of_a_sandbox_is_guarded_as_its_parent_is(project, listener):
    """Each case that is replayed in a fork has its own findings."""
    replays = take(project, listener, ForkingSandbox)
    assert listener.heard == []
    assert [way for way, it in replays.items() if not isinstance(it, ReplayError)] == []


AT_IMPORT = (
    "import json, socket, threading\n"
    "def dial(): socket.create_connection(({host!r}, {port})).sendall(b'x')\n"
    "{when}\n"
    "def handler(event, context): return None\n"
)


@pytest.mark.parametrize(
    "when",
    [
        "try: dial()\nexcept OSError: pass",
        pytest.param("dial()", marks=pytest.mark.slow),
        "thread = threading.Thread(target=dial); thread.start(); thread.join()",
    ],
    ids=["caught", "raised", "thread"],
)
def test_what_is_dialled_in_the_import_is_an_error_of_each_case_of_it(project, listener, when):
    """By the module itself or by a thread of it, also where the import then fails."""
    text = AT_IMPORT.format(host=listener.host, port=listener.port, when=when)
    (project / "app.py").write_text(text)
    verdict = judge(case_of(project), BuiltinSandbox)
    assert verdict.kind == "error"
    where = f"{listener.host}:{listener.port}, which a replay refuses, from app.py:2 in dial"
    assert where in verdict.error.message
    assert listener.heard == []
    assert judge(case_of(project, network=OPEN), BuiltinSandbox).kind == "match"
    assert len(listener.heard) == 1


REVERSED = (
    "import socketserver\n"
    "server = socketserver.TCPServer(('127.0.0.1', event), socketserver.BaseRequestHandler)\n"
    "import threading; threading.Timer(0.05, dial, [event]).start()\n"
    "server.timeout = 5; server.handle_request(); server.server_close()"
)


@pytest.mark.slow
def test_nobody_comes_in_either(project):
    """A port that a handler opens is refused, and named."""
    with Listening() as port:
        pass
    body = (
        "def dial(port):\n"
        "    import subprocess\n"
        "    subprocess.run(['bash', '-c', f'exec 3<>/dev/tcp/127.0.0.1/{port}'])\n"
        f"{REVERSED}\nreturn 'served'"
    )
    assert run(project, body, port, network=OPEN).outcome == Returned(b'"served"')
    with pytest.raises(ReplayError, match=f"127.0.0.1:{port}, which a replay refuses"):
        run(project, body, port)


class Listening:
    """A port that nobody else has."""

    def __enter__(self) -> int:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as listening:
            return int(listening.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        pass


BACK_DOORS = """
import ctypes, errno, mmap, platform
libc = ctypes.CDLL(None, use_errno=True)
found = {}
ring = libc.syscall(425, 1, ctypes.create_string_buffer(120))
found['io_uring'] = ring >= 0 or errno.errorcode[ctypes.get_errno()]
pidfd = libc.syscall(434, int(os.readlink("/proc/self")), 0)
taken = libc.syscall(438, pidfd, 0, 0)
found['pidfd_getfd'] = taken >= 0 or errno.errorcode[ctypes.get_errno()]
if platform.machine() == 'x86_64':
    made = libc.syscall(0x40000000 + 41, 2, 1, 0)
    found['x32'] = made >= 0 or errno.errorcode[ctypes.get_errno()]
    # mov eax, 359; mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; the callee's rbx is kept
    code = bytes.fromhex('53b867010000bb02000000b90100000031d2cd805bc3')
    memory = mmap.mmap(-1, 4096, prot=7); memory.write(code)
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
    made = call()
    found['int 0x80'] = made >= 0 or errno.errorcode[-made]
return found
"""


@linux
def test_back_doors_of_the_kernel_are_closed(project):
    """io_uring, another process's descriptors, foreign calls; the control shows which are there."""
    there = json.loads(run(project, BACK_DOORS.strip(), network=OPEN).outcome.payload)
    kept = json.loads(run(project, BACK_DOORS.strip()).outcome.payload)
    assert set(kept.values()) == {"EPERM"}
    assert there["pidfd_getfd"] is True
    missing = {door for door, is_there in there.items() if is_there is not True}
    assert missing <= {"io_uring", "x32", "int 0x80"}, "what this kernel lacks by itself"


LOCAL = """
import asyncio, logging.handlers, multiprocessing, pwd, sqlite3, subprocess, tempfile, uuid
import boto3
done = []
one, other = socket.socketpair(); one.sendall(b'x'); done.append(other.recv(1) == b'x')
r, w = os.pipe(); os.write(w, b'x'); done.append(os.read(r, 1) == b'x')
a, b = multiprocessing.Pipe(); a.send([1]); done.append(b.recv() == [1])
async def child():
    process = await asyncio.create_subprocess_exec('echo', 'x', stdout=-1)
    return (await process.communicate())[0]
done.append(asyncio.run(child()) == b'x\\n')
done.append(subprocess.run(['echo', 'x'], capture_output=True).stdout == b'x\\n')
database = sqlite3.connect(os.path.join(tempfile.mkdtemp(), 'x.db'))
database.execute('CREATE TABLE t (n)'); database.commit(); database.close()
done.append(pwd.getpwuid(0).pw_name == 'root')
done.append(uuid.uuid1().version == 1)
done.append(socket.getaddrinfo('127.0.0.1', 80) != [])
done.append(socket.gethostbyname('localhost') == '127.0.0.1')
with socket.socket() as nothing:
    nothing.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    nothing.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    nothing.settimeout(1)
    done.append(nothing.getsockname() == ('0.0.0.0', 0))
    try: nothing.getpeername()
    except OSError: done.append(True)
try: socket.socket(socket.AF_INET6).bind(('::1', 0))
except OSError: done.append(True)
done.append(boto3.client('s3').meta.region_name == 'eu-west-1')
return done
"""


@pytest.mark.slow
def test_what_stays_on_the_machine_goes_on_working(project):
    """Pairs, pipes, event loops, children, databases, look-ups of itself, clients not yet used."""
    replay = run(
        project,
        LOCAL.strip(),
        environment={"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"},
    )
    done = json.loads(replay.outcome.payload)
    assert done == [True] * 13
    assert replay.guard == ("seccomp" if sys.platform == "linux" else "best effort")


@pytest.mark.slow
@linux
@pytest.mark.parametrize("engine", also_slow([BuiltinSandbox], [BuiltinSandbox, RicSandbox]))
def test_a_process_that_has_closed_all_it_had_is_answered_and_found_out(project, listener, engine):
    """It waits for no parent that waits for it: neither in the case nor after it."""
    (project / "app.py").write_text(module({**WAYS, "closed": CLOSED_ALL}))
    case = case_of(project, {"way": "closed", "to": listener.to})
    with pytest.raises(ReplayError, match="which a replay refuses"):
        replay_once(engine, case, World.of(case))
    assert listener.heard == []


CLOSED_ALL = (
    "os.closerange(3, 65536)\n"
    "for _ in range(200): way_ctypes_libc(host, port, path)\n"
    "time.sleep(0.1); os._exit(3)"
).replace("time.sleep", "__import__('time').sleep")


@pytest.mark.slow
def test_a_refusal_outranks_a_timeout_an_exit_and_the_handlers_own_error(project):
    """Whatever the handler did after it."""
    dial = "try: socket.create_connection(('198.51.100.7', 443))\nexcept OSError: pass\n"
    for then, limit in (("time.sleep(60)", 700), ("os._exit(3)", 9_000), ("raise KeyError", 9_000)):
        with pytest.raises(ReplayError, match=r"198\.51\.100\.7:443") as refused:
            run(project, dial + then, remaining_ms=limit)
        assert "--allow-network 198.51.100.7:443" in refused.value.hint
        assert "--unsafe-network" in refused.value.hint


@pytest.mark.slow
def test_a_name_is_refused_before_it_is_looked_up(project):
    """The host as the handler names it; no question goes to a name server."""
    for dial in (
        "socket.create_connection(('db.example.com', 5432))",
        "socket.socket().connect(('db.example.com', 5432))",
        "socket.getaddrinfo('db.example.com', 5432)",
    ):
        with pytest.raises(ReplayError, match=r"db\.example\.com:5432, .*from app\.py:3 in"):
            run(project, dial)


@pytest.mark.slow
@linux
def test_segments_for_x_ray_are_taken_as_sent(project):
    """At the recorded daemon and at the usual one; another port is refused."""
    body = (
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setblocking(0)\n"
        "sent = [s.sendto(b'12345', ('169.254.79.129', 2000))]\n"
        "sent.append(s.sendto(b'1', ('127.0.0.1', 2000)))\n"
        "s.connect(('127.0.0.1', 2000)); return [*sent, s.send(b'12')]"
    )
    variables = {"AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000"}
    assert run(project, body, environment=variables).outcome == Returned(b"[5, 1, 2]")
    with pytest.raises(ReplayError, match=r"127\.0\.0\.1:2001"):
        run(project, "socket.socket(type=2).sendto(b'1', ('127.0.0.1', 2001))")


@pytest.mark.slow
def test_allowed_endpoints_are_reached_and_others_are_not(project, listener):
    """By any of their names; the verdict says what that is worth."""
    dial = "socket.create_connection((event, {port})).sendall(b'allowed')\nreturn 1"
    for allowed, host in (("localhost", "127.0.0.1"), ("127.0.0.1", "localhost")):
        network = Network((Endpoint(allowed, listener.port),))
        replay = run(project, dial.format(port=listener.port), host, network=network)
        assert replay.guard == "best effort"
        with pytest.raises(ReplayError, match=r"127\.0\.0\.1:1,"):
            run(project, dial.format(port=1), "127.0.0.1", network=network)
    assert len(listener.heard) == 2


@pytest.mark.slow
def test_the_command_says_what_may_be_reached(project, listener, replay, stored):
    """In text and in JSON; a bad endpoint is misuse with a hint."""
    (project / "app.py").write_text(
        f"import socket\ndef handler(event, context):\n"
        f"    socket.create_connection(('127.0.0.1', {listener.port})).sendall(b'x')\n"
    )
    replay("invoke", "app.handler", "{}", "--capture")
    at = f"localhost:{listener.port}"
    refused = replay("run")
    assert refused.returncode == 2
    assert f"127.0.0.1:{listener.port}, which a replay refuses, from app.py:3 in" in refused.stdout
    assert f"network  allowed {at} (best effort)" in replay("run", "--allow-network", at).stdout
    assert "network  open" in replay("run", "--unsafe-network").stdout
    for arguments, network in (
        (["--allow-network", at], {"guard": "best effort", "allowed": [at]}),
        (["--unsafe-network"], {"guard": "open", "allowed": []}),
    ):
        assert json.loads(replay("run", "--json", *arguments).stdout)[0]["network"] == network
    for bad in ("localhost", "host:http", "a b:1", "::1:80", "host:0", "http://host:80"):
        done = replay("run", "--allow-network", bad)
        assert done.returncode == 2
        assert "localhost:8000" in done.stderr


WRITES = """
import sqlite3, tempfile
open(os.path.join(event, 'written.txt'), 'w').write('x')
os.mkdir(os.path.join(event, 'folder'))
open(os.path.join(event, 'old.txt')).read()
open('/dev/null', 'w').write('x')
open(os.path.join(os.environ['HOME'], 'own.txt'), 'w').write('x')
"""


@pytest.mark.slow
def test_what_is_written_outside_is_told_and_still_done(project, outside, replay):
    """Reading is nothing to tell, nor is /dev/null or the replay's own folder."""
    (outside / "old.txt").write_text("old")
    written = run(project, WRITES.strip(), str(outside)).wrote
    assert (str(outside / "written.txt"), str(outside / "folder")) == written
    assert (outside / "written.txt").read_text() == "x"
    replay("invoke", "app.handler", json.dumps(str(outside)), "--capture")
    (outside / "folder").rmdir()
    assert f"wrote outside  {outside}/written.txt" in replay("run").stdout
    (outside / "folder").rmdir()
    assert str(outside / "folder") in json.loads(replay("run", "--json").stdout)[0]["wrote"]


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder of nobody's, and no temporary one."""
    import shutil

    folder = Path("/var/tmp", f"replay-outside-{os.getpid()}")  # which lasts, and is no /tmp
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


MAKES = """
import sqlite3
for name in ('file', 'kept'): open(os.path.join(event, name), 'w').write('new')
os.makedirs(os.path.join(event, 'folder', 'deep'))
open(os.path.join(event, 'folder', 'deep', 'file'), 'w').close()
os.symlink(os.path.join(event, 'kept'), os.path.join(event, 'link'))
os.rename(os.path.join(event, 'file'), os.path.join(event, 'moved'))
database = sqlite3.connect(os.path.join(event, 'data.db'))
database.execute('PRAGMA journal_mode=WAL'); database.execute('CREATE TABLE t (n)')
return sorted(os.listdir(event))
"""


def test_what_is_made_in_the_temporary_folder_is_taken_away_at_the_end(project, tmp_path):
    """Files, folders, links and databases; what was there before stays, with what was written."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    (folder / "kept").write_text("old")
    made = json.loads(run(project, MAKES.strip(), str(folder)).outcome.payload)
    assert {"folder", "kept", "link", "moved", "data.db", "data.db-wal"} <= set(made)
    assert [path.name for path in folder.iterdir()] == ["kept"]
    assert (folder / "kept").read_text() == "new"


def test_credentials_profiles_and_the_metadata_service_are_out_of_reach(project, tmp_path):
    """What the recording names, and what this machine has in its home."""
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id=REAL\naws_secret_access_key=REAL\n"
    )
    names = {
        *("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        *("AWS_ROLE_ARN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "SSH_AUTH_SOCK", "NETRC"),
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        *("https_proxy", "HTTP_PROXY", "BOTO_CONFIG"),
    }
    variables = dict.fromkeys(names, str(home / ".aws" / "credentials"))
    body = (
        "import boto3\nfound = boto3.Session().get_credentials()\n"
        "return [found and found.access_key, sorted(os.environ), os.path.expanduser('~'),"
        " os.environ['AWS_EC2_METADATA_DISABLED']]"
    )
    recorded = {**variables, "AWS_EC2_METADATA_DISABLED": "false"}
    outcome = run(project, body, environment=recorded).outcome
    key, environment, seen_home, is_disabled = json.loads(outcome.payload)
    assert (key, is_disabled) == ("replay-withheld", "true")
    assert names & set(environment) == set()
    assert seen_home not in (str(home), os.path.expanduser("~"))


@pytest.mark.slow
def test_the_clients_own_connection_is_let_through_and_no_other(project, listener):
    """In a network of its own where one can be made; its handler is told as the builtin one is."""
    pytest.importorskip("awslambdaric")
    (project / "app.py").write_text(module(WAYS))
    fine = case_of(project, {"way": "none", "to": []})
    replay = replay_once(RicSandbox, fine, World.of(fine))
    assert replay.guard == ("namespace" if can_make_a_network() else "best effort")
    native = ("ctypes_libc", "bash") if can_make_a_network() else ()
    for way in ("create_connection", "urllib3", *native):
        case = case_of(project, {"way": way, "to": listener.to})
        with pytest.raises(ReplayError, match=f"{listener.host}:{listener.port}, which a replay"):
            replay_once(RicSandbox, case, World.of(case))
    assert listener.heard == []
    case = case_of(project, {"way": "ctypes_libc", "to": listener.to}, network=OPEN)
    assert replay_once(RicSandbox, case, World.of(case)).guard == "open"
    assert listener.heard_of({"ctypes_libc"})


def can_make_a_network() -> bool:
    done = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    return done.returncode == 0


CONFINED = """
import ctypes, errno, os, struct, sys
denied = {denied}
steps = [(0x20, 0, 0, 0), *((0x15, 0, 1, n) if i % 2 == 0 else (6, 0, 0, 0x50000 | n)
    for pair in denied for i, n in enumerate(pair)), (6, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))) == 0
os.execv(sys.executable, [sys.executable, "-m", "replay", *sys.argv[1:]])
"""
"""Runs the command where the kernel denies some system calls, as a container's does."""
UNSHARE, SECCOMP, BIND = (97, 277, 200) if os.uname().machine == "aarch64" else (272, 317, 49)


def confined(denied: list[tuple[int, int]], *arguments: str) -> "subprocess.CompletedProcess[str]":
    program = CONFINED.format(denied=denied)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@linux
def test_where_the_system_gives_no_filter_and_no_network_the_verdict_says_so(project, listener):
    """Best effort: Python's own calls are still refused; no port at all is an error."""
    (project / "app.py").write_text(
        "import socket\ndef handler(event, context):\n"
        f"    if event: socket.create_connection(('127.0.0.1', {listener.port}))\n"
    )
    for event in (0, 1):
        recording = Recording(new_ulid(), invocation(event), Returned(b"null"), 10)
        capture_parts(project / "replay.db", recording)
    for denied, runtime in ((SECCOMP, "builtin"), (UNSHARE, "ric")):
        done = confined([(denied, 1)], "run", "--once", "--runtime", runtime)
        assert "network  best effort" in done.stdout, done.stderr
        assert "1 match  0 drift  1 error" in done.stdout
        assert f"tried to reach 127.0.0.1:{listener.port}" in done.stdout
        assert done.returncode == 2
    assert listener.heard == []
    no_port = confined([(UNSHARE, 1), (BIND, 98)], "run", "@2", "--runtime", "ric")
    assert no_port.returncode == 2
    assert "no port on 127.0.0.1" in no_port.stdout
    assert "--runtime builtin" in no_port.stdout
