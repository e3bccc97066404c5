"""What a replayed handler may reach: nothing, some endpoints, or all. Pure values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from replay.errors import ReplayError

GuardKind: TypeAlias = Literal["seccomp", "namespace", "best effort", "open"]
"""What keeps a handler from the network: the kernel's filter; with a network of the process's own,
where AWS's client needs one; an audit hook alone, which sees Python's own calls; nothing."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, by name or address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def of(cls, text: str) -> "Endpoint":
        """Return what `HOST:PORT` names; raises ReplayError where it is no such thing."""
        host, colon, port = text.strip().rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        is_host = bool(bare) and not set(bare) & set(" /@[]") and (bare != host or ":" not in bare)
        is_port = port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16
        if not (colon and is_host and is_port):
            raise ReplayError(
                f"--allow-network {text!r} is no HOST:PORT",
                "write --allow-network localhost:8000, or [::1]:8000; once for each endpoint",
            )
        return cls(bare, int(port))

    @property
    def names(self) -> frozenset[str]:
        """The host's names that are known to be the same."""
        return _LOOPBACK if self.host.lower() in _LOOPBACK else frozenset({self.host.lower()})


@dataclass(frozen=True, slots=True)
class Network:
    """What is let through: `allowed`, or everything where it `is_open`."""

    allowed: tuple[Endpoint, ...] = ()
    is_open: bool = False

    @classmethod
    def of(cls, allowed: Iterable[str], *, is_open: bool) -> "Network":
        """Return what the options of a command say; raises ReplayError for a bad endpoint."""
        return cls(tuple(dict.fromkeys(map(Endpoint.of, allowed))), is_open)

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> "Network":
        """Return the network that has these `fields()`."""
        return cls(tuple(Endpoint(*pair) for pair in fields["allowed"]), fields["is_open"])

    def fields(self) -> dict[str, object]:
        """Return it for a message to another process."""
        pairs = [[endpoint.host, endpoint.port] for endpoint in self.allowed]
        return {"allowed": pairs, "is_open": self.is_open}

    @property
    def guard(self) -> GuardKind | None:
        """What guards it wherever it runs; None where that depends on the system."""
        if self.is_open:
            return "open"
        return "best effort" if self.allowed else None


CLOSED = Network()
"""Nothing is let through."""
