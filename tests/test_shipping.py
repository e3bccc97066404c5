"""Parts on their way out of a sandbox, over a bucket, into a store: none lost, none twice."""

import gzip
import json
import sqlite3
import time
import uuid
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from extension_api import ExporterProcess, ExtensionApi, Flaky
from test_layer import unpack
from test_store import recording

from replay.errors import DamagedError
from replay.recorder.export.exporter import Exporter
from replay.recorder.export.shipment import Row, digest_of, shipment_of
from replay.recorder.journal import Journal
from replay.recorder.ulid import new_ulid
from replay.store.arrival.shipment import parts_of
from replay.store.packing import packed

server = pytest.importorskip("moto.server")
boto3 = pytest.importorskip("boto3")
pytest.importorskip("obstore")

HANDLER = """
def handler(event, context):
    if event.get("raises"):
        raise ValueError("boom")
    return {"n": event["n"], "text": "x" * event.get("length", 10)}
"""
ADDRESS = "s3://recordings/orders"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def moto():
    """A server of S3 for all tests of this file."""
    moto = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def s3(moto, monkeypatch):
    """A client of the server, on which there is an empty bucket; the environment names it."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": moto}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name="eu-central-1")
    location = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket="recordings", CreateBucketConfiguration=location)
    yield client
    for key in keys_of(client):
        client.delete_object(Bucket="recordings", Key=key)
    client.delete_bucket(Bucket="recordings")
    client.close()


def keys_of(client):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="recordings")
    return [one["Key"] for page in pages for one in page.get("Contents", ())]


@contextmanager
def exporting(folder, url, *, command=None, **variables):
    """Yield the API that an extension is registered with, and a way to start it anew."""
    api = ExtensionApi()
    started = []

    def start():
        variables_of_all = {**CREDENTIALS, "AWS_ENDPOINT_URL": url, "REPLAY_EXPORT": ADDRESS}
        started.append(ExporterProcess(api, folder, {**variables_of_all, **variables}, command))
        return started[-1]

    try:
        yield api, start
    finally:
        for one in started:
            one.end()
        api.close()


def ids_in(replay, *store):
    done = replay("list", "--json", *store)
    return {one["id"] for one in json.loads(done.stdout)}


@pytest.fixture
def captured(runtime, project):
    """The runtime client with a captured handler; a function that invokes it so many times."""
    (project / "app.py").write_text(HANDLER)
    process = runtime("replay.recorder.handler.handler", REPLAY_HANDLER="app.handler")

    def invoke(event):
        request_id = str(uuid.uuid4())
        return request_id, process.invoke(event, request_id=request_id)

    return invoke


@pytest.mark.slow
def test_what_a_function_captures_reaches_another_store(captured, project, replay, s3):
    """After its answer is out, by the extension; there it is listed and replayed."""
    with exporting(project, s3.meta.endpoint_url) as (api, start):
        exporter = start()
        for n in range(5):
            api.waiting.acquire(timeout=10)
            api.invoke(request_id := f"request-{n}")
            captured({"n": n, "raises": n == 3})
            api.done(request_id)
        api.shut_down()
        assert exporter.process.wait(timeout=20) == 0, exporter.text()
    assert api.registered == [["INVOKE", "SHUTDOWN"]]
    done = replay("pull", ADDRESS, "--store", "pulled.db")
    assert (done.returncode, done.stderr) == (
        0,
        "pulled 1 objects: 10 parts; the store had 0 already\n",
    )
    assert ids_in(replay, "--store", "pulled.db") == ids_in(replay)
    assert replay("run", "--store", "pulled.db").returncode == 0
    again = replay("pull", ADDRESS, "--store", "pulled.db")
    assert again.stderr == "pulled 0 objects: 0 parts; the store had 0 already\n"


@pytest.mark.slow
@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.long)])
def test_a_bucket_that_fails_and_an_exporter_that_is_killed_lose_nothing(
    captured, project, replay, s3, kills
):
    """A fifth of all calls fails, half of them after they were carried out."""
    invocations = kills * (60 if kills < 10 else 200)
    flaky = Flaky(s3.meta.endpoint_url, 0.2)
    with closing_server(flaky), exporting(project, flaky.url) as (api, start):
        exporter = start()
        for n in range(invocations):
            api.invoke(request_id := f"request-{n}")
            captured({"n": n, "length": 10_000})
            api.done(request_id)
            if n % (invocations // kills) == invocations // kills // 2:
                time.sleep(flaky.random.random() / 5)
                exporter.kill()
                exporter = start()
        api.shut_down()
        exporter.process.wait(timeout=60)
        for _ in range(20):  # what a failed shutdown leaves is there for the next one
            ship(project / "replay.db", s3)
            done = replay("pull", ADDRESS, "--store", "pulled.db", AWS_ENDPOINT_URL=flaky.url)
            if done.returncode == 0:
                break
    assert flaky.failed
    pulled = ids_in(replay, "--store", "pulled.db")
    assert len(pulled) == invocations
    assert pulled >= ids_in(replay)  # the store has let go of what was acknowledged


@contextmanager
def closing_server(one):
    try:
        yield one
    finally:
        one.shutdown()
        one.server_close()


def ship(store, client, **options):
    """Ship a store from here; return how many parts were."""

    def put(key, body):
        client.put_object(Bucket="recordings", Key=f"orders/{key}", Body=body)

    return Exporter(str(store), put, **options).ship()


def filled(store, count, length=100):
    with closing(Journal(str(store))) as journal:
        for n in range(count):
            id = f"01m8br0vyn0009nkcvqv{n:06d}"
            assert journal.write(id, "begun", b'{"x":"%b"}' % (b"x" * length), None)


@pytest.mark.slow
def test_a_store_near_its_cap_lets_go_of_what_was_acknowledged(project, s3):
    """And of nothing else: the file stays as it is while ten times as much goes through it."""
    store, cap = project / "replay.db", 2**20
    shipped = 0
    for _ in range(10):
        filled(store, 200, 2_000)
        shipped += ship(store, s3, max_store_bytes=cap)
    assert shipped == 2_000
    assert store.stat().st_size < cap * 1.5
    filled(store, 200, 2_000)
    with pytest.raises(ConnectionError):
        Exporter(str(store), lost, max_store_bytes=cap).ship()
    assert ship(store, s3, max_store_bytes=cap) == 200


@pytest.mark.slow
def test_a_recorder_that_writes_is_no_failure_to_ship(project, s3):
    """What was acknowledged is shipped; it is deleted the next time."""
    store, cap = project / "replay.db", 2**20
    filled(store, 300, 2_000)
    with closing(sqlite3.connect(store, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert ship(store, s3, max_store_bytes=cap) == 300
        writer.execute("COMMIT")
        assert writer.execute("SELECT count(*) FROM part").fetchone() == (300,)
        assert ship(store, s3, max_store_bytes=cap) == 0
        assert writer.execute("SELECT count(*) FROM part").fetchone() == (1,)


def lost(_key, _body):
    raise ConnectionError


@pytest.mark.slow
def test_what_is_not_acknowledged_stays(project, s3):
    """Also in the spool; a second upload is harmless."""
    store = project / "replay.db"
    filled(store, 3)
    (project / "replay.db.spool").write_bytes(spool_line("01m8br0vyn0009nkcvqv999999"))
    with pytest.raises(ConnectionError):
        Exporter(str(store), lost).ship()
    assert ship(store, s3) == 4
    assert ship(store, s3) == 0
    assert not list(project.glob("*.spool*"))


@pytest.mark.slow
def test_what_an_exporter_had_claimed_when_it_died_is_taken_in_and_shipped_once(
    project, replay, s3
):
    """By whichever comes first, a command or the next exporter; `replay doctor` names the file."""
    store = project / "replay.db"
    filled(store, 2)
    (project / "replay.db.spool").write_bytes(spool_line("01m8br0vyn0009nkcvqv999999"))
    with pytest.raises(ConnectionError):
        Exporter(str(store), lost).ship()
    (claimed,) = project.glob("*.shipping-*")
    assert f"1 parts wait in {claimed.name}" in replay("doctor").stdout
    assert len(ids_in(replay)) == 3
    assert not list(project.glob("*.spool*"))
    assert ship(store, s3) == 3
    assert "3 parts; the store had 0" in replay("pull", ADDRESS, "--store", "pulled.db").stderr


def spool_line(id):
    from replay.part import part_crc

    return b"\n%08x %b begun {}\n" % (part_crc(id, "begun", b"{}"), id.encode())


@pytest.mark.slow
def test_the_same_parts_make_the_same_object():
    """To the byte, at any time: an object that is stored twice is one."""
    rows = [Row(n, "id", "begun", 7, b"{}") for n in (3, 4)]
    first = shipment_of("sandbox", rows)
    time.sleep(1.1)  # gzip keeps seconds
    assert first == shipment_of("sandbox", rows)
    assert first.name.startswith("sandbox/3-4-")
    assert [json.loads(line)["n"] for line in gzip.decompress(first.body).splitlines()] == [3, 4]


def test_what_a_command_has_packed_is_shipped_and_read_as_the_same_part():
    """A store that was taken in before it was shipped; a damaged one is named, as it was before."""
    one = recording(event={"text": "a text " * 600})
    begun = one.parts()[0]
    kept = packed(begun.payload)
    assert kept != begun.payload
    rows = [Row(1, one.id, "begun", begun.crc, kept), Row(2, one.id, "ended", 7, kept[:-9])]
    made = shipment_of(one.id, rows)
    found, damaged = parts_of(made.name, made.body)
    assert found == begun
    assert isinstance(damaged, DamagedError)
    assert one.id in damaged.message


def test_an_id_that_is_no_text_costs_its_part_alone():
    """It is named; the others are read."""
    rows = [Row(1, "id", "begun", 7, b"{}"), Row(2, one_id := new_ulid(), "begun", 7, b"{}")]
    made = shipment_of("0" * 26, rows)
    lines = gzip.decompress(made.body).replace(b'"id":"id"', b'"id":"\xff"')
    name = made.name.replace(digest_of(gzip.decompress(made.body)), digest_of(lines))
    damaged = parts_of(name, gzip.compress(lines))
    assert [type(it) for it in damaged] == [DamagedError, DamagedError]
    assert "\\xff" in damaged[0].message
    assert one_id in damaged[1].message


@pytest.mark.slow
def test_what_is_no_whole_object_of_ours_is_named_and_the_rest_taken(project, replay, s3):
    """A foreign object, half of one, another content, a bomb: exit 2, and the next pull goes on."""
    filled(project / "replay.db", 2)
    ship(project / "replay.db", s3)
    (good,) = keys_of(s3)
    body = s3.get_object(Bucket="recordings", Key=good)["Body"].read()
    bad = {
        "orders/readme.txt": b"hello",
        good.replace("/1-2-", "/1-3-"): body[:-9],
        good.replace("/1-2-", "/1-4-"): b"hello",
        good.replace("/1-2-", "/1-5-"): gzip.compress(b"another"),
        good.replace("/1-2-", "/1-6-"): gzip.compress(bytes(70 * 2**20)),
    }
    for key, content in bad.items():
        s3.put_object(Bucket="recordings", Key=key, Body=content)
    done = replay("pull", ADDRESS, "--store", "pulled.db")
    assert done.returncode == 2
    assert all(f"object {key}: " in done.stderr for key in bad), done.stderr
    assert "pulled 1 objects: 2 parts; the store had 0 already; 5 not taken" in done.stderr
    for key in bad:
        s3.delete_object(Bucket="recordings", Key=key)
    assert replay("pull", ADDRESS, "--store", "pulled.db").returncode == 0


@pytest.mark.parametrize(
    ("address", "variables", "said"),
    [
        ("s3://", {}, "is no bucket"),
        ("s3://nobody-has-this", {}, "s3://nobody-has-this cannot be read: NoSuchBucket: The "),
        pytest.param(
            ADDRESS,
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            f"{ADDRESS} cannot be read",
            marks=pytest.mark.long,
        ),
    ],
)
@pytest.mark.usefixtures("s3")
def test_a_bucket_that_cannot_be_read_is_one_clear_error(replay, address, variables, said):
    """Named, with what to check, exit 2."""
    done = replay("pull", address, "--store", "pulled.db", **variables)
    assert done.returncode == 2
    assert said in done.stderr, done.stderr
    assert "hint: " in done.stderr


@pytest.mark.slow
def test_a_function_ships_in_line_where_no_extension_can_run(runtime, project, replay, s3):
    """Every so many seconds; its own answer is as ever, also while the bucket cannot be reached."""
    (project / "app.py").write_text(HANDLER)
    entry, names = "replay.recorder.handler.handler", {"REPLAY_HANDLER": "app.handler"}
    names |= {**CREDENTIALS, "REPLAY_EXPORT": ADDRESS, "REPLAY_EXPORT_INLINE": "0"}
    lost_one = runtime(entry, AWS_ENDPOINT_URL="http://127.0.0.1:1", **names)
    assert lost_one.invoke({"n": 1}, wait_s=30).value["n"] == 1
    lost_one.kill()
    assert "not shipped, and kept for the next time" in lost_one.text()
    function = runtime(entry, AWS_ENDPOINT_URL=s3.meta.endpoint_url, **names)
    assert [function.invoke({"n": n}, wait_s=30).value["n"] for n in (2, 3)] == [2, 3]
    function.invoke({"n": 4, "raises": True}, wait_s=30)
    assert replay("pull", ADDRESS, "--store", "pulled.db").returncode == 0
    assert len(ids_in(replay, "--store", "pulled.db")) == 4


@pytest.mark.slow
def test_a_store_that_is_begun_anew_is_shipped_from_its_start(project, replay, s3):
    """Though it may have the inode and the numbers of the last one; each part is taken once."""
    for length in (100, 101, 100):
        (project / "replay.db").unlink(missing_ok=True)
        filled(project / "replay.db", 20, length)
        assert ship(project / "replay.db", s3) == 20
    assert len(keys_of(s3)) == 3  # of three sandboxes, two with the same parts
    done = replay("pull", ADDRESS, "--store", "pulled.db")
    assert "pulled 3 objects: 20 parts; the store had 40 already" in done.stderr  # by id and kind


@pytest.mark.slow
def test_an_empty_folder_is_no_foreign_object(replay, s3):
    """S3's console makes an object of nothing for each."""
    s3.put_object(Bucket="recordings", Key="orders/", Body=b"")
    done = replay("pull", ADDRESS, "--store", "pulled.db")
    assert (done.returncode, done.stderr) == (
        0,
        "pulled 0 objects: 0 parts; the store had 0 already\n",
    )


@pytest.mark.slow
def test_a_store_that_is_made_anew_is_pulled_into_from_the_start(captured, project, replay, s3):
    """Though its name is that of one which had it all; what was pruned is not there again."""
    captured({"n": 1})
    ship(project / "replay.db", s3)
    assert replay("pull", ADDRESS, "--store", "pulled.db").returncode == 0
    pulled = ids_in(replay, "--store", "pulled.db")
    for file in project.glob("pulled.db*"):
        if file.suffix != ".pulled":
            file.unlink()
    assert replay("pull", ADDRESS, "--store", "pulled.db").returncode == 0
    assert ids_in(replay, "--store", "pulled.db") == pulled != set()
    replay("prune", "--all", "--yes", "--store", "pulled.db")
    assert replay("pull", ADDRESS, "--store", "pulled.db").returncode == 0
    assert ids_in(replay, "--store", "pulled.db") == set()


@pytest.mark.slow
def test_the_extension_of_a_layer_ships(captured, project, replay, s3):
    """As Lambda starts it, with nothing on its path but the layer and the runtime's boto3."""
    assert replay("layer", "-o", "layer.zip").returncode == 0
    unpack(project / "layer.zip", project / "opt")
    for name in ("glob", "gzip", "queue"):  # it is started in the function's own folder
        (project / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    captured({"n": 1})
    command = [f"{project}/opt/extensions/replay-export"]
    variables = {"LAMBDA_RUNTIME_DIR": str(Path(boto3.__file__).parents[1])}
    with exporting(project, s3.meta.endpoint_url, command=command, **variables) as (api, start):
        exporter = start()
        assert api.waiting.acquire(timeout=20), exporter.text()
        api.shut_down()
        assert exporter.process.wait(timeout=20) == 0, exporter.text()
    assert len(keys_of(s3)) == 1
