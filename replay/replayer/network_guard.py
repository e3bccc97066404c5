"""Python's own ways to the network, each refused with an exception and written down.

An audit hook calls this before the way is taken, and so do the methods of stand_in.py, which know
the address before a name is looked up. Looking up what this machine calls itself is no way out.
"""

import errno
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from replay.replayer.file_guard import Check
from replay.replayer.finding import FindingSink
from replay.replayer.network import Endpoint, Network
from replay.replayer.origin import Origin

_TRACER = "AWS_XRAY_DAEMON_ADDRESS"
_DEFAULT_TRACER = "127.0.0.1:2000"
_INTERNET = (socket.AF_INET, socket.AF_INET6)
_MAX_TOLD = 100


class RefusedError(ConnectionRefusedError):
    """What a handler gets for a connection that a replay refuses; clients take it as no answer."""


class NetworkGuard:
    """Decides about each address that a handler wants to reach.

    `own` are endpoints of the replay itself. Segments for X-Ray's daemon, which `variables` may
    name, are swallowed: it is there on Lambda, and no answer is waited for.
    """

    def __init__(
        self,
        network: Network,
        findings: FindingSink,
        *,
        own: tuple[Endpoint, ...],
        project: Path,
        variables: Mapping[str, str],
    ) -> None:
        self._allowed = (*network.allowed, *own)
        self._addresses: dict[Endpoint, frozenset[str]] = {}
        self._findings = findings
        self._origin = Origin(project)
        self._tracers = set(_tracers(variables.get(_TRACER, "")))
        self._told = 0

    def forget(self) -> None:
        """Tell everything anew, for the next case."""
        self._told = 0

    def checks(self) -> Mapping[str, Check]:
        """Return what to do about each audit event."""
        lookups = ("gethostbyname", "gethostbyaddr")
        return {
            "socket.connect": self._reach,
            "socket.sendto": self._reach,
            "socket.sendmsg": self._reach,
            "socket.bind": lambda args: self.bind(args[0], args[1]),
            "socket.getaddrinfo": lambda args: self._look_up(args[0], args[1]),
            "socket.getnameinfo": lambda args: self._look_up(*_host_and_port(args[0])),
            **{f"socket.{it}": lambda args: self._look_up(args[0], None) for it in lookups},
        }

    def reach(self, connection: Any, address: object) -> None:
        """Raise RefusedError where a socket may not connect or send to an address."""
        host, port = _host_and_port(address)
        if connection.family in _INTERNET and self._allows(host, port):
            return
        if (host, port) in self._tracers:
            raise RefusedError(errno.ECONNREFUSED, "no X-Ray daemon in a replay")
        self._refuse(host, port)

    def swallows(self, connection: Any, address: object) -> bool:
        """Whether a datagram to an address is taken as sent."""
        is_datagram = connection.type == socket.SOCK_DGRAM
        return is_datagram and _host_and_port(address) in self._tracers

    def bind(self, connection: Any, address: object) -> None:
        """Raise for a socket that others could reach; a port of the system's choice is none yet."""
        host, port = _host_and_port(address)
        if connection.family in _INTERNET and (port == 0 or self._allows(host, port)):
            return
        self._refuse(host, port)

    def _reach(self, args: tuple[Any, ...]) -> None:
        if args[1] is not None:  # a datagram of a connected socket
            self.reach(args[0], args[1])

    def _look_up(self, host: object, port: object) -> None:
        name = host.decode(errors="replace") if isinstance(host, bytes) else host
        if not isinstance(name, str) or _is_own_name(name):
            return
        if not any(name.lower() in endpoint.names for endpoint in self._allowed):
            self._refuse(name, port)

    def _allows(self, host: str, port: object) -> bool:
        return any(
            port == endpoint.port
            and (host.lower() in endpoint.names or self._is_at(endpoint, host))
            for endpoint in self._allowed
        )

    def _is_at(self, endpoint: Endpoint, host: str) -> bool:
        """Whether an address is one of an endpoint's; asked again where it is not yet known."""
        if host not in self._addresses.get(endpoint, ()) and not _is_address(endpoint.host):
            with suppress(OSError):
                found = socket.getaddrinfo(endpoint.host, endpoint.port)
                known = self._addresses.get(endpoint, frozenset())
                self._addresses[endpoint] = known | {str(it[4][0]) for it in found}
        return host in self._addresses.get(endpoint, ())

    def _refuse(self, host: str, port: object) -> None:
        self._told += 1
        if self._told <= _MAX_TOLD:
            self._findings.add("refused", host=host, port=port, where=self._origin.of_caller())
        at = host if port is None else f"{host}:{port}"
        raise RefusedError(errno.ECONNREFUSED, f"a replay refuses to reach {at}")


def _host_and_port(address: object) -> tuple[str, object]:
    """Return both of an Internet address; of another kind itself, and None."""
    if isinstance(address, tuple) and len(address) > 1:
        host = address[0]
        return host.decode(errors="replace") if isinstance(host, bytes) else str(host), address[1]
    return os.fsdecode(address) if isinstance(address, bytes) else str(address), None


def _is_own_name(name: str) -> bool:
    return name.lower() in ("", "localhost", socket.gethostname().lower()) or _is_address(name)


def _is_address(name: str) -> bool:
    for family in _INTERNET:
        with suppress(OSError, ValueError):
            socket.inet_pton(family, name.partition("%")[0])
            return True
    return False


def _tracers(named: str) -> list[tuple[str, object]]:
    """Return the daemon's endpoints: one for both protocols, or one for each."""
    found: list[tuple[str, object]] = []
    for part in f"{_DEFAULT_TRACER} {named}".split():
        host, _, port = part.removeprefix("tcp:").removeprefix("udp:").rpartition(":")
        if port.isdigit():
            found.append((host, int(port)))
    return found
