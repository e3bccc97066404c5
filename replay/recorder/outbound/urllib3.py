"""Calls through `urllib3`, hence `requests`: each attempt that its pools make.

`HTTPConnectionPool._make_request` opens a call; how it is answered is the affair of `http_client`,
for urllib3's connections are of its kind. So urllib3 itself makes of a recorded answer, and of what
failed beneath it, what it made of the real one. Works with urllib3 1.26 and 2.

Imports the standard library and this package. Invariant: a replayed attempt opens no connection,
to a proxy neither, and leaves none in the pool.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from replay.interaction import Failure, HttpCall
from replay.recorder.guard import guarded
from replay.recorder.outbound import http_client
from replay.recorder.outbound.answer_socket import AnswerSocket
from replay.recorder.outbound.hook import hook
from replay.recorder.outbound.http_client import Exchange, origin, state_of
from replay.recorder.outbound.message import exception_of, failure_of, http_call
from replay.recorder.outbound.outlet import Inside, Unanswered, open_call

_OPENS_TUNNEL = "_replay_opens_tunnel"
_PAST_PROXY = "_has_connected_to_proxy"
"""What urllib3 2 looks at to tell a failure of the target's from one of the proxy's."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


def install(module: Any) -> None:
    """See every attempt of the pools in `urllib3.connectionpool`."""
    http_client.install(sys.modules["http.client"])
    pool, secure_pool = module.HTTPConnectionPool, module.HTTPSConnectionPool
    prepare = secure_pool._prepare_proxy
    hook(pool, "_make_request", lambda original: _make_request(original, prepare))
    hook(secure_pool, "_prepare_proxy", lambda _original: _prepare_proxy())


def _make_request(original: Callable[..., Any], prepare: Callable[..., None]) -> Callable[..., Any]:
    def make_request(self: Any, conn: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        def exchange() -> Any:
            return original(self, conn, method, url, *args, **kwargs)

        def send() -> Any:
            if opens_tunnel:
                _open_tunnel(self, conn, prepare)
            return exchange()

        opens_tunnel = state_of(conn).pop(_OPENS_TUNNEL, False)
        unanswered = open_call(lambda: _call_of(self, method, url, kwargs))
        names = {"pool": self, "connection": conn, "url": url}
        if unanswered is None:
            return send()
        if unanswered.answer is None:
            return _recorded(unanswered, names, send)
        return _replayed(unanswered, names, exchange, method=method)

    return make_request


def _prepare_proxy() -> Callable[..., None]:
    """Put the tunnel off to `_make_request`, which knows whether there is to be any."""

    def prepare_proxy(self: Any, conn: Any) -> None:
        del self
        state_of(conn)[_OPENS_TUNNEL] = True

    return prepare_proxy


def _open_tunnel(pool: Any, connection: Any, prepare: Callable[..., None]) -> None:
    try:
        prepare(pool, connection)
    except OSError as error:
        if hasattr(connection, "is_closed"):  # urllib3 2, whose `urlopen` tells of time-outs here
            pool._raise_timeout(err=error, url=pool.proxy.url, timeout_value=connection.timeout)
        raise


def _call_of(pool: Any, method: str, target: str, options: dict[str, Any]) -> HttpCall | None:
    is_absolute = "://" in target.partition("?")[0]  # for a proxy that passes it on
    default_port = _DEFAULT_PORTS.get(pool.scheme)
    port = None if pool.port == default_port else pool.port
    url = target if is_absolute else origin(pool.scheme, pool.host, port) + target
    headers = options.get("headers") or {}
    named = ((_text(name), _text(value)) for name, value in headers.items())
    return http_call(method, url, named, options.get("body"))


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _recorded(unanswered: Unanswered, names: dict[str, Any], send: Callable[[], Any]) -> Any:
    exchange, connection = Exchange(unanswered), names["connection"]
    exchange.enter(connection)
    try:
        with Inside():
            return send()
    except Exception as error:
        guarded(_fail, exchange, error, names)
        raise
    finally:
        exchange.leave(connection)


def _fail(exchange: Exchange, error: Exception, names: dict[str, Any]) -> None:
    arguments = _arguments_of(error, names)
    failure = failure_of(error, "request", arguments=arguments, names=names)
    if getattr(names["connection"], _PAST_PROXY, False):
        failure = replace(failure, keywords={**failure.keywords, _PAST_PROXY: True})
    exchange.settle(failure)


def _arguments_of(error: Exception, names: dict[str, Any]) -> tuple[Any, ...]:
    """Return what the class of an exception was given, of which urllib3's keep only a message."""
    if hasattr(error, "_reason") and hasattr(error, "_host"):
        return error._host, names["connection"], error._reason
    for name in ("connection", "pool"):
        owner, text = names[name], str(error)
        if text.startswith(f"{owner}: "):
            message = text.removeprefix(f"{owner}: ")
            return (owner, names["url"], message) if hasattr(error, "url") else (owner, message)
    return error.args


def _replayed(
    unanswered: Unanswered, names: dict[str, Any], exchange: Callable[[], Any], *, method: str
) -> Any:
    answer, connection = unanswered.answer, names["connection"]
    if isinstance(answer, Failure) and answer.stage == "request":
        setattr(connection, _PAST_PROXY, _PAST_PROXY in answer.keywords)
        unanswered.wait()
        raise exception_of(answer, names)
    connection.sock = AnswerSocket(unanswered, method)  # `http_client` takes it away again
    connection.is_verified = True  # or a warning tells the host that its recording is not
    setattr(connection, _PAST_PROXY, True)
    with Inside():
        return exchange()
