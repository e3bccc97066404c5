"""Synchronous HTTP: what a handler gets of a call that is seen, or answered, is what it gets else.

Each handler runs three times: unseen, recorded, and, once the service is gone, replayed.
"""

import gc
import http.client
import io
import json
import re
import socket
import sys
import threading
import traceback
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests
import urllib3
import urllib3.connectionpool
from conftest import also_slow
from http_service import BINARY, CHUNKS, running_service

from replay.codec import Truncated, decode, encode
from replay.interaction import (
    Failure,
    HttpCall,
    Response,
    answer_document,
    answer_of,
    call_document,
    call_of,
)
from replay.recorder.outbound import http_client, outlet
from replay.recorder.outbound import urllib3 as urllib3_adapter
from replay.recorder.outbound.body import BodyTape
from replay.recorder.outbound.message import Dechunker, exception_of, failure_of, response_bytes


def patience_s(path):
    """How long a handler waits: not long for what never comes."""
    return 0.1 if "slow" in path else 10


class Miss(Exception):
    """A call that is not in the recording."""


class Call:
    """One call that a test outlet has seen."""

    def __init__(self, call, *, answer=None, max_bytes=1 << 20):
        self.call = call_of(decode(encode(call_document(call))))
        self.answer = answer
        self.max_bytes = max_bytes
        self.settled = []
        self.so_far = None
        self.waited = 0

    @property
    def came(self):
        return self.settled[0] if self.settled else None

    def arrived(self, so_far):
        self.so_far = so_far

    def settle(self, answer):
        assert self.answer is None, "only what was sent is settled"
        self.settled.append(answer_of(decode(encode(answer_document(answer)))))

    def wait(self):
        self.waited += 1

    async def wait_async(self):
        raise AssertionError("nothing here is asynchronous")


class Recording:
    """An outlet that keeps what it sees."""

    def __init__(self, max_bytes=1 << 20):
        self.calls = []
        self.max_bytes = max_bytes

    def wants_calls(self):
        return True

    def open_call(self, call):
        self.calls.append(Call(call, max_bytes=self.max_bytes))
        return self.calls[-1]


class Replay:
    """An outlet that answers the calls of a recording in their order."""

    def __init__(self, recorded):
        self.recorded = list(recorded)
        self.calls = []

    def wants_calls(self):
        return True

    def open_call(self, call):
        if not self.recorded or self.recorded[0].call != call:
            raise Miss(call.name)
        self.calls.append(Call(call, answer=self.recorded.pop(0).came))
        return self.calls[-1]


@pytest.fixture(autouse=True)
def _adapters(monkeypatch):
    """Have the adapters in place for one test."""
    places = (
        (http.client.HTTPConnection, "endheaders"),
        (http.client.HTTPConnection, "getresponse"),
        (urllib3.connectionpool.HTTPConnectionPool, "_make_request"),
        (urllib3.connectionpool.HTTPSConnectionPool, "_prepare_proxy"),
    )
    for owner, name in places:
        monkeypatch.setattr(owner, name, getattr(owner, name))  # put back at the end
    monkeypatch.setattr(outlet, "_outlet", None)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for _ in range(2):  # the second time changes nothing
        http_client.install(http.client)
        urllib3_adapter.install(urllib3.connectionpool)


@contextmanager
def going_to(one):
    outlet.use(one)
    try:
        yield one
    finally:
        outlet._outlet = None


@contextmanager
def no_network():
    """Yield the list of attempts to reach anything, each of which fails."""
    attempts = []

    def refuse(*args, **kwargs):
        attempts.append(args)
        raise OSError("no network in here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield attempts


def outcome(handler, url):
    """Return what a handler returned or raised, without ports and addresses in memory."""
    try:
        result = ("returned", handler(url))
    except Exception as error:
        result = ("raised", [type(one).__name__ for one in chain(error)], str(error))
    return json.loads(
        re.sub(r"0x[0-9a-f]+|port=\d+|:\d{4,5}\b", "_", json.dumps(result, default=repr))
    )


def chain(error):
    """Return an exception and those that its arguments and attributes hold."""
    held = (*error.args, getattr(error, "reason", None))
    inner = next((one for one in held if isinstance(one, Exception)), None)
    return [error, *(chain(inner) if inner is not None else ())]


def three_times(handler):
    """Run a handler unseen, recorded and replayed; return the outcome and the recorded calls."""
    with running_service() as service:
        unseen = outcome(handler, service.url)
    with running_service() as service, going_to(Recording()) as recording:
        url = service.url
        recorded = outcome(handler, url)
        if not all(call.settled for call in recording.calls):
            gc.collect()
    assert unseen == recorded
    with no_network() as attempts, going_to(Replay(recording.calls)) as replay:
        replayed = outcome(handler, url)
    assert recorded == replayed
    assert attempts == []
    assert replay.recorded == [], "each call is made again"
    assert all(call.waited == 1 for call in replay.calls)
    return recorded, recording.calls


def connected(url, path="/"):
    return http.client.HTTPConnection(url.partition("//")[2], timeout=patience_s(path))


def of_http_client(path, method="GET", body=None, headers=None, read=lambda answer: answer.read()):
    def handler(url):
        connection = connected(url, path)
        try:
            connection.request(method, path, body() if callable(body) else body, headers or {})
            with connection.getresponse() as answer:
                head = [answer.status, answer.reason, answer.getheader("content-type")]
                return [*head, read(answer)]
        finally:
            connection.close()

    handler.__name__ = f"http_client {method} {path}"
    return handler


def of_urllib(path, data=None, headers=None, method=None):
    def handler(url):
        request = urllib.request.Request(url + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=patience_s(path)) as answer:
                return [answer.status, answer.geturl(), answer.read()]
        except urllib.error.HTTPError as error:
            with error:
                return [error.code, error.reason, error.read()]

    handler.__name__ = f"urllib {path}"
    return handler


def of_urllib3(path, method="GET", retries=False, read=lambda answer: answer.data, **options):
    def handler(url):
        with urllib3.PoolManager(timeout=patience_s(path), retries=retries) as pool:
            answer = pool.request(method, url + path, **fresh(options))
            try:
                return [answer.status, answer.reason, read(answer)]
            finally:
                answer.close()

    handler.__name__ = f"urllib3 {method} {path}"
    return handler


def of_requests(path, method="GET", read=lambda answer: answer.content, **options):
    def handler(url):
        given = {"timeout": patience_s(path), **fresh(options)}
        with requests.Session() as session, session.request(method, url + path, **given) as answer:
            history = [one.status_code for one in answer.history]
            return [answer.status_code, answer.reason, history, read(answer)]

    handler.__name__ = f"requests {method} {path}"
    return handler


def fresh(options):
    """Return options with the bodies that can be read once made anew."""
    return {name: value() if callable(value) else value for name, value in options.items()}


def by_readinto(answer):
    pieces, buffer = [], bytearray(700)
    while count := answer.readinto(buffer):
        pieces.append(bytes(buffer[:count]))
    return pieces


def by_peek(answer):
    return [bool(answer.peek(1)), answer.read()]


def in_pieces(answer):
    return list(iter(lambda: answer.read(777), b""))


def session_of_three(url):
    with requests.Session() as session:
        first = session.get(f"{url}/json", params={"a": ["1", "2"]}, timeout=10).json()
        second = session.post(f"{url}/echo", json={"x": 1}, timeout=10).json()
        third = session.get(f"{url}/gzip", timeout=10)
        return [first, second, third.text, dict(third.headers).get("Content-Encoding")]


def kept_alive(url):
    connection = connected(url)
    results = []
    for path in ("/json", "/chunked", "/empty", "/binary", "/json"):
        connection.request("GET", path)
        results.append(connection.getresponse().read())
    connection.close()
    return results


def asked_too_early(url):
    connection = connected(url)
    connection.request("GET", "/empty")  # with a body, its buffer may take the next answer's head
    first = connection.getresponse()
    connection.request("GET", "/json")
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    result = [first.read(), connection.getresponse().read()]
    connection.close()
    return result


def sent_by_hand(url):
    connection = connected(url)
    connection.putrequest("POST", "/echo")
    connection.putheader("Content-Length", "6")
    connection.endheaders()
    connection.send(b"abc")
    connection.send(b"def")
    result = connection.getresponse().read()
    connection.close()
    return result


def mapped(url):
    """Reads on after each kind of failure, as a handler with a fallback does."""
    results = []
    for path in ("/reset", "/hangup", "/garbage", "/slow", "/truncated", "/halfslow"):
        try:
            results.append(requests.get(url + path, timeout=patience_s(path)).text)
        except requests.RequestException as error:
            results.append(f"{type(error).__name__} {error}")
    return results


def half_then_failure(url):
    pieces = []
    try:
        with requests.get(f"{url}/halfslow", stream=True, timeout=0.1) as answer:
            pieces.extend(answer.iter_content(5))
    except requests.RequestException as error:
        pieces.append(f"{type(error).__name__} {error}")
    return pieces


def retried(url):
    retry = urllib3.Retry(4, status_forcelist=[503], backoff_factor=0)
    with urllib3.PoolManager(retries=retry) as pool:
        return pool.request("GET", f"{url}/flaky").data


def each_error(*attempts):
    """Return how each attempt failed."""
    errors = []
    for attempt in attempts:
        with pytest.raises(Exception) as caught:
            attempt()
        errors.append([type(one).__name__ for one in chain(caught.value)] + [str(caught.value)])
    return errors


def over_tls_to_none(url):
    """A handshake with a service that knows nothing of TLS."""
    secure = url.replace("http:", "https:")
    with urllib3.PoolManager(retries=False) as pool:
        return each_error(
            lambda: requests.get(secure, timeout=10),
            lambda: urllib.request.urlopen(secure, timeout=10),
            lambda: pool.request("GET", secure),
        )


def through_a_proxy(url):
    """A proxy that passes plain HTTP on; a target that is silent is no failure of the proxy's."""
    proxies = {"http": url}
    answer = requests.get("http://example.com/json?x=1", proxies=proxies, timeout=10).json()
    slow = "http://example.com/slow"
    return [answer, each_error(lambda: requests.get(slow, proxies=proxies, timeout=0.1))]


def through_a_tunnel(url):
    """A proxy that refuses to open a tunnel, and one behind which a handshake fails."""
    proxies = {"https": url}
    return each_error(
        lambda: requests.get("https://example.com/", proxies=proxies, timeout=10),
        lambda: requests.get("https://open.example.com/", proxies=proxies, timeout=10),
    )


def refused(url):
    """Nobody listens there."""
    url = "http://127.0.0.1:9"
    with urllib3.PoolManager(retries=False) as pool:
        return each_error(
            lambda: requests.get(url, timeout=10),
            lambda: urllib.request.urlopen(url, timeout=10),
            lambda: connected(url).request("GET", "/"),
            lambda: pool.request("GET", url),
        )


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HANDLERS = [
    of_http_client("/json?a=1"),
    of_http_client("/echo", "POST", b'{"a": 1}', {"Content-Type": "application/json"}),
    of_http_client("/echo", "PUT", lambda: io.BytesIO(b"of a file")),
    of_http_client("/echo", "POST", [b"of ", b"a list"]),
    of_http_client("/form", "POST", "a=1&b=2", FORM),
    of_http_client("/binary"),
    of_http_client("/binary", read=in_pieces),
    of_http_client("/binary", read=by_readinto),
    of_http_client("/binary", read=by_peek),
    of_http_client("/binary", read=lambda answer: answer.read(100)),
    of_http_client("/binary", read=lambda answer: len(answer.read1(100))),
    of_http_client("/binary", read=lambda answer: None),
    of_http_client("/lines", read=list),
    of_http_client("/lines", read=lambda answer: [answer.readline(), answer.read(3)]),
    of_http_client("/chunked"),
    of_http_client("/chunked", read=in_pieces),
    of_http_client("/chunked", read=by_readinto),
    of_http_client("/chunked", read=by_peek),
    of_http_client("/chunked", read=list),
    of_http_client("/chunked", read=lambda answer: answer.read(8)),
    of_http_client("/close"),
    of_http_client("/close", read=in_pieces),
    of_http_client("/gzip"),
    of_http_client("/binary", "HEAD"),
    of_http_client("/chunked", "HEAD", read=lambda answer: 0),
    of_http_client("/empty", "DELETE"),
    of_http_client("/status/500"),
    of_http_client("/slow"),
    of_http_client("/halfslow"),
    of_http_client("/halfslow", read=lambda answer: [answer.read(4), answer.read(4)]),
    of_http_client("/halfslow", read=in_pieces),
    of_http_client("/truncated"),
    of_http_client("/truncated", read=in_pieces),
    of_http_client("/cutchunks"),
    of_http_client("/cutchunks", read=in_pieces),
    of_http_client("/reset"),
    of_http_client("/reset/body"),
    of_http_client("/hangup"),
    of_http_client("/garbage"),
    kept_alive,
    asked_too_early,
    sent_by_hand,
    of_urllib("/json?a=1"),
    of_urllib("/form", b"a=1&b=2"),
    of_urllib("/echo", [b"one ", b"two"], {"Content-Type": "text/plain"}, "PUT"),
    of_urllib("/redirect/3"),
    of_urllib("/status/404"),
    of_urllib("/chunked"),
    of_urllib("/slow"),
    of_urllib("/hangup"),
    of_urllib3("/json"),
    of_urllib3("/form", "POST", fields={"a": "1"}, encode_multipart=False),
    of_urllib3("/echo", "POST", body=b"bytes"),
    of_urllib3("/echo", "PUT", body=lambda: io.BytesIO(b"of a file"), chunked=True),
    of_urllib3("/chunked"),
    of_urllib3("/gzip"),
    of_urllib3("/gzip", preload_content=False, read=lambda answer: answer.read(10)),
    of_urllib3("/gzip", preload_content=False, read=lambda answer: list(answer.stream(64))),
    of_urllib3("/chunked", preload_content=False, read=lambda answer: list(answer.stream())),
    of_urllib3("/chunked", preload_content=False, read=lambda answer: next(answer.stream(3))),
    of_urllib3("/lines", preload_content=False, read=list),
    of_urllib3("/binary", preload_content=False, read=lambda answer: answer.read(7)),
    of_urllib3("/binary", "HEAD"),
    of_urllib3("/empty"),
    of_urllib3("/redirect/2", retries=5),
    of_urllib3("/status/503"),
    of_urllib3("/slow"),
    of_urllib3("/slow", retries=urllib3.Retry(1, backoff_factor=0)),
    of_urllib3("/halfslow"),
    of_urllib3("/reset/body"),
    of_urllib3("/cutchunks"),
    of_urllib3("/truncated"),
    of_urllib3("/hangup"),
    retried,
    of_requests("/json", params={"q": "ä"}),
    of_requests("/echo", "POST", json={"a": [1, 2]}),
    of_requests("/form", "POST", data={"a": "1", "b": "2"}),
    of_requests("/echo", "POST", data=lambda: iter([b"once ", b"only"])),
    of_requests("/redirect/3"),
    of_requests("/redirect/3", allow_redirects=False),
    of_requests("/gzip"),
    of_requests("/chunked", stream=True, read=lambda answer: list(answer.iter_content(10))),
    of_requests("/lines", stream=True, read=lambda answer: list(answer.iter_lines())),
    of_requests("/binary", stream=True, read=lambda answer: answer.raw.read(9)),
    of_requests("/binary", stream=True, read=lambda answer: None),
    of_requests("/status/418"),
    over_tls_to_none,
    through_a_proxy,
    through_a_tunnel,
    refused,
    session_of_three,
    half_then_failure,
    mapped,
]


@pytest.mark.parametrize(
    "handler", also_slow(HANDLERS[::3], HANDLERS), ids=lambda handler: handler.__name__
)
def test_a_handler_gets_the_same_unseen_recorded_and_replayed(handler):
    """The outcome is the same, no socket is opened in the replay, and each call is settled."""
    _, calls = three_times(handler)

    assert calls
    assert all(call.settled for call in calls)


def recorded_by(handler, **options):
    """Return the result of a handler, and the calls that were recorded."""
    with running_service() as service, going_to(Recording(**options)) as recording:
        return handler(service.url), recording.calls


ANSWERED = Response(200, "OK", (("Content-Type", "text/plain"),), b"recorded")


class AnswerAll:
    """An outlet that has one answer to everything."""

    def __init__(self, answer=ANSWERED):
        self.answer = answer
        self.calls = []

    def wants_calls(self):
        return True

    def open_call(self, call):
        self.calls.append(Call(call, answer=self.answer))
        return self.calls[-1]


EACH_CLIENT = [
    of_http_client("/binary"),
    of_urllib("/binary"),
    of_urllib3("/binary"),
    of_requests("/binary"),
]
each_client = pytest.mark.parametrize("handler", EACH_CLIENT, ids=lambda one: one.__name__)


@each_client
def test_without_the_outlet_a_handler_fails_once_its_service_is_gone(handler):
    """The control of the replays: there is nobody there, and the refusal of sockets is noticed."""
    with running_service() as service:
        url = service.url
    with pytest.raises(Exception, match="refused"):
        handler(url)
    with no_network() as attempts, pytest.raises(Exception, match="no network in here"):
        handler(url)

    assert attempts


@each_client
def test_a_call_is_described_as_it_was_sent(handler):
    """Method, URL and body are kept, headers that say nothing are not."""
    _, (call,) = recorded_by(handler)

    assert call.call.method == "GET"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/binary", call.call.url)
    assert call.call.body == b""
    assert not {"host", "user-agent", "connection"} & {
        name.lower() for name, _ in call.call.headers
    }


def test_credentials_are_withheld():
    """Neither of headers, nor of a URL, nor of a body."""

    def handler(url):
        headers = {"Authorization": "Bearer hush", "X-Trace": "kept"}
        requests.post(
            f"{url}/echo?token=hush", json={"password": "hush"}, headers=headers, timeout=1
        )

    _, (call,) = recorded_by(handler)

    assert "hush" not in repr(call.call)
    assert ("X-Trace", "kept") in call.call.headers


@each_client
def test_an_answer_is_kept_as_it_came(handler):
    """Its status, its headers and all of its body."""
    _, (call,) = recorded_by(handler)

    assert (call.came.status, call.came.reason, call.came.body) == (200, "OK", BINARY)
    assert ("Content-Type", "application/octet-stream") in call.came.headers
    assert call.came.is_complete
    assert call.came.chunks is None
    assert len(call.settled) == 1


@pytest.mark.parametrize("handler", [of_http_client("/chunked"), of_requests("/chunked")])
def test_chunks_are_told_by_their_sizes(handler):
    """The body itself is free of them."""
    _, (call,) = recorded_by(handler)

    assert tuple(len(chunk) for chunk in CHUNKS) == call.came.chunks
    assert b"".join(CHUNKS) == call.came.body


@each_client
def test_a_body_over_the_cap_is_cut_only_in_the_recording(handler):
    """The host reads all of it; a head and a digest are kept."""
    result, (call,) = recorded_by(handler, max_bytes=100)

    assert BINARY in result
    assert isinstance(call.came.body, Truncated)
    assert len(BINARY) == call.came.body.size_bytes


def test_what_was_read_of_an_answer_is_known_before_its_end():
    """A call whose body the handler never ends reading can be settled by the recorder."""

    def handler(url):
        answer = requests.get(f"{url}/binary", stream=True, timeout=10)
        answer.raw.read(10)
        return answer

    answer, (call,) = recorded_by(handler)

    assert not call.settled
    assert BINARY[:10] == call.so_far().body
    assert not call.so_far().is_complete
    answer.close()
    assert not call.came.is_complete


def test_a_failure_in_a_body_keeps_what_came_before():
    """The exception is the one of the socket, which each library wraps in its own way."""
    _, (call,) = recorded_by(
        of_http_client(
            "/halfslow",
            read=lambda answer: each_error(
                lambda: [answer.read(4), answer.read(4), answer.read(4)]
            ),
        )
    )

    assert (
        call.came.error_type,
        call.came.module,
        call.came.stage,
    ) == ("TimeoutError", "builtins", "body")
    assert call.came.keywords["response"]["body"] == "half of "


def test_exceptions_of_the_host_stay_as_they_are():
    """Nothing of ours is in the chain of an exception."""

    def handler(url):
        try:
            connected(url).request("GET", "/")
        except OSError as error:
            return error
        return None

    with going_to(Recording()) as recording:
        error = handler("http://127.0.0.1:9")

    assert error.__context__ is None
    assert error.__cause__ is None
    assert recording.calls[0].came.error_type == "ConnectionRefusedError"
    assert "create_connection" in "".join(traceback.format_tb(error.__traceback__))


@each_client
def test_a_miss_reaches_the_handler(handler):
    """What the outlet raises is no failure of the network, and no library takes it for one."""
    with no_network() as attempts, going_to(Replay([])), pytest.raises(Miss):
        handler("http://127.0.0.1:9")

    assert not attempts


@each_client
def test_waiting_may_end_a_replay(handler, monkeypatch):
    """What `wait` raises goes through every library."""

    class Over(BaseException):
        pass

    def wait(self):
        raise Over

    monkeypatch.setattr(Call, "wait", wait)
    with no_network(), going_to(AnswerAll()), pytest.raises(Over):
        handler("http://127.0.0.1:9")


def tunnelled(url):
    connection = http.client.HTTPSConnection("proxy.invalid", 8080)
    connection.set_tunnel("example.com")
    connection.request("GET", "/x")
    result = connection.getresponse().read()
    connection.close()
    return result


SECURE = [
    lambda url: requests.get(url, timeout=10).content,
    lambda url: requests.get(url, timeout=10, verify=False).content,
    lambda url: requests.get(url, timeout=10, proxies={"https": "http://proxy.invalid:80"}).content,
    lambda url: urllib3.PoolManager().request("GET", url).data,
    lambda url: urllib.request.urlopen(url, timeout=10).read(),
    tunnelled,
]


@pytest.mark.parametrize("handler", SECURE)
def test_https_is_replayed_without_a_handshake(handler):
    """No warning either (they are errors here), and through a proxy the target is told."""
    with no_network() as attempts, going_to(AnswerAll()) as replay:
        results = [handler("https://example.com/x") for _ in range(2)]

    assert results == [b"recorded"] * 2
    assert [call.call.url for call in replay.calls] == ["https://example.com/x"] * 2
    assert not attempts


def unresolved(*args, **kwargs):
    raise socket.gaierror(-2, "Name or service not known")


def never_connected(*args, **kwargs):
    raise TimeoutError("timed out")


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [(socket, "getaddrinfo", unresolved), (socket.socket, "connect", never_connected)],
)
def test_connections_that_fail_are_replayed_as_such(owner, name, fault):
    """An unknown name and a time-out of the connection are exceptions of their own in requests."""
    with going_to(Recording()) as recording, pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, fault)
        recorded = outcome(refused, "")
    with no_network() as attempts, going_to(Replay(recording.calls)):
        replayed = outcome(refused, "")

    assert recorded == replayed
    assert not attempts


@each_client
def test_calls_of_the_runtime_are_never_seen(handler, monkeypatch):
    """The loop that asks for the next invocation is not the handler."""
    with running_service() as service, going_to(Recording()) as recording:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", service.netloc)
        handler(service.url)

    assert recording.calls == []


def test_connections_are_reused_as_they_were():
    """Nothing of ours holds one open, or closes it."""

    def connections(*seen):
        with running_service() as service:
            with requests.Session() as session:
                for _ in range(5):
                    session.get(f"{service.url}/chunked", timeout=10)
            kept_alive(service.url)
            return service.connections

    unseen = connections()
    with going_to(Recording()):
        seen = connections()

    assert 2 == unseen == seen


def test_nothing_is_read_ahead_of_the_handler():
    """The first half of an answer is there while the service still owes the second."""

    def handler(url):
        answer = requests.get(f"{url}/halfslow", stream=True, timeout=0.1)
        with answer:
            return answer.raw.read(10)

    result, _ = recorded_by(handler)

    assert result == b"half of it"


def test_calls_inside_another_are_not_seen():
    """A library that carries its call out through another has told of it already."""
    with running_service() as service, going_to(Recording()) as recording, outlet.Inside():
        for handler in EACH_CLIENT:
            handler(service.url)

    assert recording.calls == []


def test_threads_are_all_seen():
    """8 threads with 20 calls each: each call is there once, with its own answer."""
    recording = Recording()
    barrier = threading.Barrier(8)

    def work(number):
        barrier.wait()
        with requests.Session() as session:
            for call in range(20):
                text = f"{number}-{call}"
                sent = session.post(f"{service.url}/echo", data=text, timeout=5)
                assert text == sent.text

    with running_service() as service, going_to(recording), ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))

    bodies = [call.call.body for call in recording.calls]
    assert 160 == len(set(bodies)) == len(bodies)
    assert bodies == [call.came.body for call in recording.calls]


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError("timed out"),
        ConnectionResetError(104, "Connection reset by peer"),
        socket.gaierror(-2, "Name or service not known"),
        http.client.RemoteDisconnected("Remote end closed connection without response"),
        http.client.BadStatusLine("nonsense"),
        http.client.LineTooLong("status line"),
        urllib3.exceptions.ProtocolError("Connection aborted.", OSError(9, "Bad file descriptor")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_exceptions_survive_being_written_down(error):
    """Type, arguments and message are the same."""
    document = decode(encode(answer_document(failure_of(error, "response"))))
    again = exception_of(answer_of(document))

    assert (type(error), repr(error), str(error)) == (type(again), repr(again), str(again))


@pytest.mark.parametrize("module", ["os", "replay_nowhere", "builtins"])
def test_a_recording_names_no_class_but_an_exception(module):
    """What is no exception that is loaded becomes a ConnectionError; nothing is imported."""
    error = exception_of(Failure("system", module, "why", ("true",)))

    assert (ConnectionError, "true") == (type(error), str(error))
    assert "replay_nowhere" not in sys.modules


def test_chunks_are_taken_off_however_they_come():
    """Byte by byte, all at once, and with extensions and trailers."""
    response = Response(200, "OK", (), b"hello world", (5, 6))
    framed = response_bytes(response).partition(b"\r\n\r\n")[2]
    for size in (1, 3, len(framed)):
        tape = BodyTape(100)
        dechunker = Dechunker(tape)
        for start in range(0, len(framed), size):
            dechunker.add(framed[start : start + size])

        assert (tape.body(), dechunker.sizes) == (b"hello world", (5, 6))
        assert dechunker.is_done


def test_a_call_is_named_by_what_was_sent():
    """The port is left out where it is the scheme's."""
    with going_to(AnswerAll()) as replay, no_network():
        requests.get("http://example.com:80/a?b=c", timeout=10)
        requests.get("https://example.com:444/", timeout=10)
        http.client.HTTPConnection("::1", 81).request("get", "/")

    assert [call.call.url for call in replay.calls] == [
        "http://example.com/a?b=c",
        "https://example.com:444/",
        "http://[::1]:81/",
    ]
    assert all(isinstance(call.call, HttpCall) for call in replay.calls)
    assert replay.calls[-1].call.method == "GET"
