"""What comes to an application: kinds of events, each with how often it comes.

A kind is a method that makes an event and, where it needs something there, puts it there first. All
choices are those of one seeded `Random`, so the same seed makes the same kinds in the same order.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, ClassVar

import boto3

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "planted", "AWS_SECRET_ACCESS_KEY": "planted"}
LEAST_FOR_RARE = 100
"""Below so many invocations only the usual kinds come: the rare ones cost seconds."""


def kind(
    share: float = 0, *, times: int = 0, timeout_ms: int | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a method as a kind: `share` of all events, or rare, so many `times`.

    `timeout_ms` is Lambda's setting for it, None for that of the application.
    """

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method.share, method.times, method.timeout_ms = share, times, timeout_ms  # type: ignore[attr-defined]
        return method

    return mark


class Traffic(ABC):
    """The events of one application; `function_name` and `variables` are how it is configured."""

    function_name: ClassVar[str]
    variables: ClassVar[Mapping[str, str]]
    timeout_ms: ClassVar[int] = 10_000

    def __init__(self, random: Random, url: str) -> None:
        self.random = random
        self.url = url
        self._clients: dict[str, Any] = {}

    def client(self, name: str) -> Any:
        """Return a client of the server that stands in for AWS."""
        if name not in self._clients:
            keys = {name.lower(): value for name, value in KEYS.items()}
            self._clients[name] = boto3.client(
                name, region_name=REGION, endpoint_url=self.url, **keys
            )
        return self._clients[name]

    @abstractmethod
    def prepare(self) -> None:
        """Make the tables and buckets that the application is given."""

    def learn(self, answer: Any) -> None:  # noqa: B027 - most learn nothing
        """Take note of what the last event was answered with; None where it did not return."""

    def close(self) -> None:
        """End what runs beside the invocations."""
        for client in self._clients.values():
            client.close()

    def method(self, name: str) -> Callable[..., Any]:
        """Return the method of a kind."""
        return getattr(self, name)  # type: ignore[no-any-return]

    def kinds(self, count: int) -> list[str]:
        """Return the kinds of `count` events in the order in which they come."""
        marked = {name: self.method(name) for name, it in vars(type(self)).items() if _is_kind(it)}
        usual = sorted((n for n in marked if marked[n].share), key=lambda n: -marked[n].share)
        rare = [n for n in marked if marked[n].times for _ in range(marked[n].times)]
        found = [] if count < LEAST_FOR_RARE else rare
        found += usual[: count - len(found)]
        for name in usual:
            left = count - len(found)
            found += [name] * min(left, max(0, round(marked[name].share * count) - 1))
        found += [usual[0]] * (count - len(found))
        self.random.shuffle(found)
        return found


def _is_kind(member: object) -> bool:
    return hasattr(member, "times")
