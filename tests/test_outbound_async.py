"""Calls with httpx and aiohttp: recorded against a service, answered again without any.

Each handler is run with a service and then without; what it makes of the answers, down to the text
of an exception, must be the same, and no socket may be touched. With no outlet it must not be.
"""

import asyncio
import importlib
import io
import socket
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import aiohttp.client
import httpx
import pytest
from http_service import BINARY, CHUNKS, running_service

from replay.codec import Truncated, decode
from replay.errors import ReplayError
from replay.interaction import Failure, Interaction, Response, call_payloads, interactions_of
from replay.recorder.outbound import aiohttp as aiohttp_adapter
from replay.recorder.outbound import httpx as httpx_adapter
from replay.recorder.outbound import outlet
from replay.redaction.stand_in import WITHHELD

for adapter in (httpx_adapter, aiohttp_adapter):
    adapter.install(importlib.import_module(adapter.MODULE))

CONTEXT = ssl.create_default_context()  # made once: it takes 20 ms
watched: list[str] | None = None


def watch(event, args):
    is_local = event == "socket.__new__" and args[1] == socket.AF_UNIX  # an event loop's own
    if watched is not None and event.startswith("socket.") and not is_local:
        watched.append(event)


sys.addaudithook(watch)


class Recorded:
    """A call that is sent."""

    answer = None

    def __init__(self, call, max_bytes):
        self.call, self.max_bytes = call, max_bytes
        self.settled, self.so_far = None, None

    def arrived(self, so_far):
        self.so_far = so_far

    def settle(self, answer):
        self.settled = self.settled or answer


class Recorder:
    """Keeps the calls in a list."""

    def __init__(self, max_bytes=1 << 20):
        self.calls, self.max_bytes = [], max_bytes

    def wants_calls(self):
        return True

    def open_call(self, call):
        self.calls.append(Recorded(call, self.max_bytes))
        return self.calls[-1]

    def interactions(self):
        """What a recording would hold: written down and read again."""
        found = []
        for n, seen in enumerate(self.calls):
            answer = seen.settled or (seen.so_far and seen.so_far())
            one = Interaction(n + 1, seen.call, 0, answer, None if answer is None else 1000)
            found += [(kind, decode(payload)) for kind, payload in call_payloads(one)]
        return list(interactions_of(found))


class Answered:
    """A call that is answered; one that never was waits for ever."""

    max_bytes = 0

    def __init__(self, answer):
        self.recorded, self.answer, self.waits = answer, answer or Response(0), 0

    def wait(self):
        self.waits += 1

    async def wait_async(self):
        self.waits += 1
        await (asyncio.sleep(0) if self.recorded else asyncio.Event().wait())


class Replayer:
    """Answers each call with the first answer that is left of one with the same method and URL."""

    def __init__(self, interactions):
        self.left, self.given = list(interactions), []

    def wants_calls(self):
        return True

    def open_call(self, call):
        for one in self.left:
            if (one.call.method, one.call.url) == (call.method, call.url):
                self.left.remove(one)
                self.given.append(Answered(one.answer))
                return self.given[-1]
        raise ReplayError(f"{call.name} is not in the recording")


@pytest.fixture
def use(monkeypatch):
    return lambda chosen: monkeypatch.setattr(outlet, "_outlet", chosen)


def told(work, *args):
    """What a handler returns or raises, as far as a handler could tell the difference."""
    try:
        return work(*args)
    except Exception as error:
        causes, cause = [], error
        while cause is not None:
            causes.append((type(cause), str(cause)))
            cause = cause.__cause__
        return causes


def record(use, work, recorder=None):
    recorder = recorder or Recorder()
    with running_service() as service:
        use(recorder)
        recorded = told(work, service.url)
        use(None)
        return service.url, recorded, recorder.interactions()


def replayed(use, work, url, interactions):
    global watched  # noqa: PLW0603 - the hook looks at it
    replayer = Replayer(interactions)
    use(replayer)
    watched = []
    try:
        result = told(work, url)
        assert watched == []
    finally:
        watched = None
        use(None)
    assert replayer.left == []
    assert all(one.waits <= 1 for one in replayer.given if one.recorded)
    return result


def summary(response):
    """What there is to see of an answer of httpx."""
    response.read() if not response.is_stream_consumed else None
    headers = [pair for pair in response.headers.multi_items() if pair[0] != "date"]
    cookies = dict(response.cookies)
    sizes = (response.num_bytes_downloaded, response.elapsed.total_seconds() >= 0)
    history = [(r.status_code, str(r.url)) for r in response.history]
    line = (response.http_version, response.status_code, response.reason_phrase)
    return (*line, str(response.url), headers, response.content, sizes, history, cookies)


def h_form(client, url):
    return summary(client.post(f"{url}/form", data={"a": "1", "b": ["2", "3"]}))


def h_multipart(client, url):
    file = io.BytesIO(b"0123456789")
    sent = client.post(f"{url}/echo", files={"f": ("n.txt", file)}, data={"k": "v"})
    return sent.status_code, b"0123456789" in sent.content, file.tell()


def h_streamed(client, url):
    with client.stream("GET", f"{url}/chunked") as response:
        return list(response.iter_bytes(100)), response.is_closed


def h_raw_gzip(client, url):
    with client.stream("GET", f"{url}/gzip") as response:
        return b"".join(response.iter_raw())


def h_early(client, url):
    with client.stream("GET", f"{url}/lines") as response:
        first = next(response.iter_lines())
    return first, response.is_closed, client.get(f"{url}/json").status_code


def h_unread(client, url):
    with client.stream("GET", f"{url}/binary") as response:
        return response.status_code


def h_generator(client, url):
    seen = []

    def pieces():
        for piece in (b"one ", b"two"):
            seen.append(piece)
            yield piece

    return client.post(f"{url}/echo", content=pieces()).content, seen


def h_own_error(client, url):
    def pieces():
        yield b"one"
        raise LookupError("the handler's own")

    client.post(f"{url}/echo", content=pieces())


def h_file(client, url):
    file = io.BytesIO(b"skipped kept")
    file.seek(8)
    return client.post(f"{url}/echo", content=file).content, file.tell()


def h_session(client, url):
    client.get(f"{url}/cookie")
    return [client.get(f"{url}/flaky").status_code for _ in range(3)]


def h_raise_for_status(client, url):
    client.get(f"{url}/status/503").raise_for_status()


def get(path, **options):
    def handler(client, url):
        return summary(client.get(url + path, **options))

    return handler


HTTPX = {
    "json": lambda client, url: client.get(f"{url}/json", params={"a": "b c"}).json(),
    "posted json": lambda client, url: client.post(f"{url}/echo", json={"x": 1}).json(),
    "form": h_form,
    "multipart": h_multipart,
    "generator": h_generator,
    "own error": h_own_error,
    "file": h_file,
    "binary": get("/binary"),
    "chunked": get("/chunked"),
    "gzip": get("/gzip"),
    "raw gzip": h_raw_gzip,
    "until the end": get("/close"),
    "redirects": get("/redirect/3"),
    "too many redirects": get("/redirect/30"),
    "no redirects": get("/redirect/3", follow_redirects=False),
    "404": get("/nothing"),
    "503": h_raise_for_status,
    "head": lambda client, url: summary(client.head(f"{url}/json")),
    "204": get("/empty"),
    "session": h_session,
    "streamed": h_streamed,
    "early close": h_early,
    "unread": h_unread,
    "slow": get("/slow", timeout=0.05),
    "slow body": get("/halfslow", timeout=0.05),
    "truncated": get("/truncated"),
    "cut chunks": get("/cutchunks"),
    "reset": get("/reset"),
    "reset body": get("/reset/body"),
    "hangup": get("/hangup"),
    "garbage": get("/garbage"),
    "refused": lambda client, url: client.get("http://127.0.0.1:1/"),
    "unknown scheme": lambda client, url: client.get("ftp://127.0.0.1/"),
}


def with_client(handler):
    def work(url):
        with httpx.Client(verify=CONTEXT, follow_redirects=True) as client:
            return handler(client, url)

    return work


def agreed(use, work):
    """Run a handler both ways; what it came to, and the interactions."""
    url, recorded, interactions = record(use, work)
    assert recorded == replayed(use, work, url, interactions)
    return recorded, interactions


@pytest.mark.slow
@pytest.mark.parametrize("name", HTTPX)
def test_a_handler_with_httpx_comes_to_the_same_without_the_service(use, name):
    """The answers, and the errors with their causes, are those that were recorded."""
    agreed(use, with_client(HTTPX[name]))


async def a_summary(response):
    await response.aread()
    return summary(response)


def a_get(path, **options):
    async def handler(client, url):
        return await a_summary(await client.get(url + path, **options))

    return handler


async def a_posted(client, url):
    form = await client.post(f"{url}/form", data={"a": "1"})
    parts = await client.post(f"{url}/echo", files={"f": b"0123"})
    return form.json(), b"0123" in parts.content


async def a_generator(client, url):
    seen = []

    async def pieces():
        for piece in (b"one ", b"two"):
            seen.append(piece)
            yield piece

    return (await client.post(f"{url}/echo", content=pieces())).content, seen


async def a_streamed(client, url):
    async with client.stream("GET", f"{url}/chunked") as response:
        return [piece async for piece in response.aiter_bytes(100)]


async def a_early(client, url):
    async with client.stream("GET", f"{url}/lines") as response:
        async for line in response.aiter_lines():
            first = line
            break
    return first, (await client.get(f"{url}/json")).status_code


async def a_gathered(client, url):
    calls = (client.get(f"{url}/json", params={"i": str(i)}) for i in range(20))
    return [r.json()["query"] for r in await asyncio.gather(*calls)]


async def a_timeout(client, url):
    async with asyncio.timeout(0.05):
        await client.get(f"{url}/slow")


async def a_timeout_in_body(client, url):
    async with client.stream("GET", f"{url}/halfslow") as response, asyncio.timeout(0.05):
        return [piece async for piece in response.aiter_raw()]


async def a_cancelled_body(client, url):
    seen = []

    async def read():
        async with client.stream("GET", f"{url}/halfslow") as response:
            async for piece in response.aiter_raw():
                seen.append(piece)  # noqa: PERF401 - what was seen before it was cancelled

    task = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    task.cancel()
    return await asyncio.gather(task, return_exceptions=True) and b"".join(seen)


ASYNC_HTTPX = {
    "json": a_get("/json"),
    "posted": a_posted,
    "generator": a_generator,
    "binary": a_get("/binary"),
    "chunked": a_get("/chunked"),
    "gzip": a_get("/gzip"),
    "until the end": a_get("/close"),
    "redirects": a_get("/redirect/3"),
    "404": a_get("/nothing"),
    "204": a_get("/empty"),
    "streamed": a_streamed,
    "early close": a_early,
    "gathered": a_gathered,
    "timeout around": a_timeout,
    "timeout in body": a_timeout_in_body,
    "cancelled body": a_cancelled_body,
    "slow": a_get("/slow", timeout=0.05),
    "slow body": a_get("/halfslow", timeout=0.05),
    "truncated": a_get("/truncated"),
    "reset": a_get("/reset"),
    "reset body": a_get("/reset/body"),
    "hangup": a_get("/hangup"),
    "refused": lambda client, url: client.get("http://127.0.0.1:1/"),
}


def with_async_client(handler):
    async def run(url):
        async with httpx.AsyncClient(verify=CONTEXT, follow_redirects=True) as client:
            return await handler(client, url)

    return lambda url: asyncio.run(run(url))


@pytest.mark.parametrize("name", ASYNC_HTTPX)
def test_a_handler_with_async_httpx_comes_to_the_same_without_the_service(use, name):
    """As for the sync client; what cancels a call in the recording cancels it in the replay."""
    agreed(use, with_async_client(ASYNC_HTTPX[name]))


async def s_summary(response):
    body = await response.read()
    headers = [pair for pair in response.raw_headers if pair[0] != b"Date"]
    history = [(r.status, str(r.url)) for r in response.history]
    line = (response.version, response.status, response.reason, str(response.url))
    cookies = {name: morsel.value for name, morsel in response.cookies.items()}
    return (*line, headers, body, history, cookies, response.closed)


def s_get(path, method="GET", **options):
    async def handler(session, url):
        async with session.request(method, url + path, **options) as response:
            return await s_summary(response)

    return handler


async def s_posted(session, url):
    form = aiohttp.FormData({"k": "v"})
    form.add_field("f", io.BytesIO(b"0123456789"), filename="n.txt")
    found = []
    for options in ({"json": {"x": 1}}, {"data": {"a": "1"}}, {"data": b"raw"}, {"data": "text"}):
        async with session.post(f"{url}/echo", **options) as response:
            found.append(await response.read())
    async with session.post(f"{url}/echo", data=form) as response:
        found.append(b"0123456789" in await response.read())
    return found


async def s_generator(session, url):
    seen = []

    async def pieces():
        for piece in (b"one ", b"two"):
            await asyncio.sleep(0)
            seen.append(piece)
            yield piece

    async with session.post(f"{url}/echo", data=pieces()) as response:
        return await response.read(), seen


async def s_streamed(session, url):
    async with session.get(f"{url}/chunked") as response:
        chunks = [b""]
        async for piece, is_end in response.content.iter_chunks():
            chunks[-1] += piece
            chunks += [b""] if is_end else []
        # How often it says that the end has come depends on when the network brought it.
        chunks = [chunk for chunk in chunks if chunk]
    async with session.get(f"{url}/binary") as response:
        # At most so many at once: of what the network has brought by then, which is chance.
        pieces = [piece async for piece in response.content.iter_chunked(1000)]
        return chunks, b"".join(pieces), max(map(len, pieces)) <= 1000


async def s_early(session, url):
    async with session.get(f"{url}/lines") as response:
        first = await response.content.readline()
    async with session.get(f"{url}/json") as response:
        return first, response.status


async def s_unread(session, url):
    async with session.get(f"{url}/binary") as response:
        return response.status


async def s_after_the_session(session, url):
    response = await session.get(f"{url}/json")
    await response.read()
    await session.close()
    return (await response.json())["method"]


async def s_gathered(session, url):
    async def one(i):
        async with session.get(f"{url}/json", params={"i": str(i)}) as response:
            return (await response.json())["query"]

    return await asyncio.gather(*(one(i) for i in range(20)))


async def s_reused(session, url):
    found = []
    for path in ("/json", "/binary", "/chunked", "/gzip", "/redirect/2", "/empty", "/lines"):
        async with session.get(url + path) as response:
            found.append(len(await response.read()))
    return found


async def s_timeout_around(session, url):
    async with asyncio.timeout(0.05), session.get(f"{url}/slow"):
        pass


async def s_refused(session, url):
    async with session.get("http://127.0.0.1:1/"):
        pass


async def s_garbage(session, url):
    try:
        await session.get(f"{url}/garbage")
    except aiohttp.ClientResponseError as error:  # the text of its cause draws what came
        return str(error), error.status, error.message, type(error.__cause__)


async def s_pieces_before_the_end(session, url):
    pieces = []
    async with session.get(f"{url}/halfslow", timeout=clock(sock_read=0.05)) as response:
        try:
            async for piece in response.content.iter_any():
                pieces.append(piece)  # noqa: PERF401 - what was seen before it failed
        except aiohttp.ServerTimeoutError as error:
            return b"".join(pieces), str(error)


def clock(**limits):
    return aiohttp.ClientTimeout(**limits)


AIOHTTP = {
    "json": s_get("/json", params={"a": "b c"}),
    "posted": s_posted,
    "generator": s_generator,
    "binary": s_get("/binary"),
    "chunked": s_get("/chunked"),
    "gzip": s_get("/gzip"),
    "raw gzip": s_get("/gzip", auto_decompress=False),
    "until the end": s_get("/close"),
    "redirects": s_get("/redirect/3"),
    "too many redirects": s_get("/redirect/30"),
    "404": s_get("/nothing"),
    "503": s_get("/status/503", raise_for_status=True),
    "head": s_get("/json", "HEAD"),
    "204": s_get("/empty"),
    "streamed": s_streamed,
    "early close": s_early,
    "unread": s_unread,
    "after the session": s_after_the_session,
    "gathered": s_gathered,
    "reused": s_reused,
    "total": s_get("/slow", timeout=clock(total=0.05)),
    "total in body": s_get("/halfslow", timeout=clock(total=0.05)),
    "read": s_get("/slow", timeout=clock(sock_read=0.05)),
    "read in body": s_get("/halfslow", timeout=clock(sock_read=0.05)),
    "timeout around": s_timeout_around,
    "pieces before the end": s_pieces_before_the_end,
    "truncated": s_get("/truncated"),
    "cut chunks": s_get("/cutchunks"),
    "reset": s_get("/reset"),
    "reset body": s_get("/reset/body"),
    "hangup": s_get("/hangup"),
    "hangup of a post": s_get("/hangup", "POST", data=b"x"),
    "garbage": s_garbage,
    "refused": s_refused,
}


def with_session(handler):
    async def run(url):
        async with aiohttp.ClientSession() as session:
            return await handler(session, url)

    return lambda url: asyncio.run(run(url))


@pytest.mark.parametrize("name", AIOHTTP)
def test_a_handler_with_aiohttp_comes_to_the_same_without_the_service(use, name):
    """The parser, the time-outs and the errors are aiohttp's own, over no connection."""
    agreed(use, with_session(AIOHTTP[name]))


WORKS = {
    "httpx": with_client(HTTPX["binary"]),
    "httpx.get": lambda url: httpx.get(f"{url}/binary").content,
    "async httpx": with_async_client(ASYNC_HTTPX["binary"]),
    "aiohttp": with_session(AIOHTTP["binary"]),
}


@pytest.mark.parametrize("name", WORKS)
def test_without_an_outlet_and_without_the_service_a_call_fails(use, name):
    """Positive control: what answers in a replay is the recording alone."""
    global watched  # noqa: PLW0603 - the hook looks at it
    url, recorded, _ = record(use, WORKS[name])
    watched = []
    try:
        assert recorded != told(WORKS[name], url)
        assert "socket.connect" in watched
    finally:
        watched = None


@pytest.mark.parametrize("name", WORKS)
def test_a_call_that_is_not_recorded_is_missed_as_the_outlet_says(use, name):
    """What the outlet raises reaches the handler as it is."""
    use(Replayer([]))
    with pytest.raises(ReplayError, match="not in the recording"):
        WORKS[name]("http://127.0.0.1:1")


@pytest.mark.parametrize("name", WORKS)
def test_calls_of_the_runtime_api_are_not_seen(use, name, monkeypatch):
    """They are the runtime's."""
    recorder = Recorder()
    with running_service() as service:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", service.netloc)
        use(recorder)
        told(WORKS[name], service.url)
    assert recorder.calls == []


@pytest.mark.parametrize("name", WORKS)
def test_an_answer_over_the_cap_is_kept_by_its_head_and_cannot_be_given_again(use, name):
    """The handler gets all of it; the replay says what to do about it."""
    url, recorded, interactions = record(use, WORKS[name], Recorder(max_bytes=100))
    assert BINARY in recorded or recorded == BINARY
    assert isinstance(interactions[0].answer.body, Truncated)
    ((kind, message),) = replayed(use, WORKS[name], url, interactions)
    assert (ReplayError, True) == (kind, "was kept" in message)


@pytest.mark.parametrize("name", WORKS)
def test_installing_twice_sees_each_call_once(use, name):
    """A library may be imported again."""
    for adapter in (httpx_adapter, aiohttp_adapter):
        adapter.install(importlib.import_module(adapter.MODULE))
    _, _, interactions = record(use, WORKS[name])
    assert len(interactions) == 1


CLIENTS = {
    "httpx": with_client(
        lambda c, url: c.post(f"{url}/cookie?token=s3&a=1", json={"password": "s3"})
    ),
    "aiohttp": with_session(s_get("/cookie?token=s3&a=1", "POST", json={"password": "s3"})),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_call_is_described_without_its_credentials(use, name):
    """URL, headers and body of a request, and the cookies of an answer."""
    url, _, (one,) = record(use, CLIENTS[name])
    assert ("POST", f"{url}/cookie?token={WITHHELD}&a=1") == (one.call.method, one.call.url)
    assert decode(one.call.body) == {"password": WITHHELD}
    assert "application/json" in dict(one.call.headers).values()
    cookies = {v for k, v in one.answer.headers if k.lower() == "set-cookie"}
    assert cookies == {f"session={WITHHELD}; Path=/"}


def test_each_hop_of_a_redirect_is_a_call(use):
    """And so are the attempts of a handler that tries again."""
    for work in (with_client(HTTPX["redirects"]), with_session(AIOHTTP["redirects"])):
        _, interactions = agreed(use, work)
        assert [one.answer.status for one in interactions] == [302, 302, 302, 200]


def test_what_can_be_read_only_once_is_left_to_the_library(use):
    """The body of such a call is not known before it is sent."""
    works = (
        with_client(HTTPX["generator"]),
        with_async_client(a_generator),
        with_session(s_generator),
    )
    for work in works:
        _, _, (one,) = record(use, work)
        assert one.call.body is None


def test_files_and_forms_are_described_and_left_as_they_were(use):
    """The library reads them as if nobody had."""
    _, _, (file,) = record(use, with_client(h_file))
    _, _, (form,) = record(use, with_client(h_multipart))
    assert (file.call.body, b"0123456789" in form.call.body) == (b"kept", True)
    _, _, posted = record(use, with_session(s_posted))
    assert [one.call.body for one in posted[:4]] == [b'{"x": 1}', b"a=1", b"raw", b"text"]
    assert posted[4].answer.body == posted[4].call.body


def test_chunks_keep_their_sizes_and_coded_bodies_their_coding(use):
    """So that whoever reads chunk by chunk reads the same."""
    _, _, (chunked,) = record(use, with_session(AIOHTTP["chunked"]))
    assert tuple(map(len, CHUNKS)) == chunked.answer.chunks
    for work in (with_client(HTTPX["gzip"]), with_session(AIOHTTP["gzip"])):
        _, _, (zipped,) = record(use, work)
        assert zipped.answer.body[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("work", [with_client(h_early), with_session(s_early)])
def test_a_handler_that_reads_on_where_it_had_stopped_is_told(use, work):
    """There is nothing to answer it with."""
    answer = Response(200, "OK", (("Content-Length", "9"),), b"line\n", None, is_complete=False)
    call = record(use, work)[2][0].call
    reading = with_client(lambda c, url: c.get(call.url).content)
    assert "reads more" in replayed(use, reading, "", [Interaction(1, call, 0, answer, 1)])[0][1]
    reading = with_session(s_get(""))
    found = replayed(use, reading, call.url, [Interaction(1, call, 0, answer, 1)])
    assert "reads more" in found[0][1]


def test_a_failure_of_a_class_that_is_not_there_says_so(use):
    """It is never another one that a handler might take for its own."""
    _, _, (one,) = record(use, WORKS["httpx"])
    failure = Failure("Gone", "os", "it went")
    for name in ("httpx", "async httpx", "aiohttp"):
        url = one.call.url.removesuffix("/binary")
        ((kind, text),) = replayed(use, WORKS[name], url, [Interaction(1, one.call, 0, failure, 1)])
        assert (ReplayError, True) == (kind, "os.Gone" in text)


@pytest.mark.slow
def test_threads_with_a_client_each_get_their_own_answers(use):
    """Eight threads, twenty calls each."""

    def work(url):
        with httpx.Client(verify=CONTEXT) as client, ThreadPoolExecutor(8) as pool:
            asked = [f"{url}/json?t={t}&i={i}" for t in range(8) for i in range(20)]
            return [r.json()["query"] for r in pool.map(client.get, asked)]

    recorded, interactions = agreed(use, work)
    assert (len(recorded), len(interactions)) == (160, 160)


def test_connections_are_used_again_while_a_call_is_seen(use):
    """The pools work as without."""
    for work in (with_client(HTTPX["session"]), with_session(s_reused)):
        with running_service() as service:
            use(Recorder())
            work(service.url)
            assert service.connections == 1


def test_an_answer_is_handed_on_as_it_comes(use):
    """Reading ahead would keep a handler from its first piece until the last is there."""
    for name in ("httpx", "aiohttp"):
        came = threading.Event()

        def httpx_reads(client, url):
            with client.stream("GET", f"{url}/halfslow") as response:
                return next(response.iter_raw())

        async def aiohttp_reads(session, url):
            async with session.get(f"{url}/halfslow") as response:
                return await response.content.readany()

        work = with_client(httpx_reads) if name == "httpx" else with_session(aiohttp_reads)
        url, piece, interactions = record(use, work)
        came.set()
        assert b"half of it" == piece == replayed(use, work, url, interactions)
        assert not interactions[0].answer.is_complete
