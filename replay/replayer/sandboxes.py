"""Sandboxes that are kept for cases to come, each under what they have in common."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from replay.replayer.engine import Sandbox


class Sandboxes:
    """The sandboxes that one thread has used last, `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Sandbox] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], Sandbox]) -> Sandbox:
        """Return the one of `key` that is still alive, else what `make` returns, entered.

        Raises ReplayError where its handler cannot be had.
        """
        sandbox = self._kept.pop(key, None)
        if sandbox is not None and not sandbox.is_alive:
            sandbox.__exit__()
            sandbox = None
        self._kept[key] = sandbox = sandbox or make().__enter__()
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)[1].__exit__()
        return sandbox

    def close(self) -> None:
        """End them."""
        for sandbox in self._kept.values():
            sandbox.__exit__()
        self._kept.clear()
