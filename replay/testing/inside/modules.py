"""A project's modules as replays have imported them, apart from those of the process.

A test may import the same code in another environment, with another clock; so a replay has modules
of its own, which stand in `sys.modules` while it runs and nowhere else. After each case they are
what they were after their import: names, caches, and containers that a handler leaves behind are
put back, those of modules and of the objects in them, so that cases find a cold sandbox in whatever
order they run. What lies deeper is not looked into: where it matters, a trial has shown it.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

_LIBRARY = str(Path(os.__file__).parent)
_OWN = __name__.partition(".")[0]
_CONTAINERS = (dict, list, set)
_UNSUITED = {
    "_thread", "asyncio", "concurrent", "multiprocessing", "signal", "subprocess", "threading",
}  # fmt: skip
"""What a handler that waits, forks or starts threads is made of: it needs a process of its own."""


class Modules:
    """The modules of one import; `stand_ins` take the places of objects in them, by their ids."""

    def __init__(self, folders: Sequence[Path], stand_ins: Mapping[int, object]) -> None:
        self._folders = tuple(f"{folder}/" for folder in folders)
        self._stand_ins = stand_ins
        self._own: dict[str, ModuleType] = {}
        self._states: list[_State] = []

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Have what is imported within be these modules."""
        shadowed = self._importable()
        before = {
            name: module
            for name, module in sys.modules.items()
            if self._is_ours(module)
            or (name.partition(".")[0] in shadowed and not _is_installed(module))
        }
        for name in before:
            del sys.modules[name]
        try:
            yield
        finally:
            self._take_in(sys.modules)
            for name in self._own:
                sys.modules.pop(name, None)
            sys.modules.update(before)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have these modules be those of the process within, and put them back as they were."""
        before = {name: sys.modules.get(name) for name in self._own}
        sys.modules.update(self._own)
        count = len(sys.modules)
        try:
            yield
        finally:
            # What was imported since stands at the end. It has seen a handler, so it goes.
            since = islice(reversed(sys.modules), max(0, len(sys.modules) - count))
            for name in [it for it in since if self._is_ours(sys.modules[it])]:
                del sys.modules[name]
            for name in self._own:
                there = before.get(name)
                if there is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = there
            for state in self._states:
                state.put_back()

    def unsuited(self) -> str | None:
        """Return the name of something that keeps the modules from running here; None: nothing."""
        for module in self._own.values():
            for value in list(vars(module).values()):
                name = value.__name__ if isinstance(value, ModuleType) else _module_of(value)
                if name.partition(".")[0] in _UNSUITED:
                    return name
        return None

    def _take_in(self, names: Iterable[str]) -> None:
        """Keep those modules of the project that have been imported."""
        for name in list(names):
            module = sys.modules[name]
            if name not in self._own and self._is_ours(module):
                self._own[name] = module
                self._replace_in(vars(module))
                self._states.append(_State(module))

    def _replace_in(self, names: dict[str, Any]) -> None:
        for name, value in list(names.items()):
            if id(value) in self._stand_ins:
                names[name] = self._stand_ins[id(value)]

    def _importable(self) -> set[str]:
        """Return the names that can be imported from the folders: another project may have them."""
        found = (path for folder in self._folders for path in Path(folder).iterdir())
        return {path.stem for path in found if path.suffix == ".py" or path.is_dir()} - {
            _OWN,
            "__main__",
        }

    def _is_ours(self, module: ModuleType) -> bool:
        file = getattr(module, "__file__", None) or ""
        if not isinstance(file, str) or not file.startswith(self._folders):
            return False
        return not (
            _is_installed(module) or module.__name__.partition(".")[0] in (_OWN, "__main__")
        )


class _State:
    """What a module holds after its import."""

    def __init__(self, module: ModuleType) -> None:
        self._names = vars(module)
        self._kept = dict(self._names)
        self._contents = [
            (value, value.copy()) for value in self._containers() if len(value) < 1_000
        ]
        self._caches = [
            value.cache_clear for value in self._kept.values() if hasattr(value, "cache_clear")
        ]

    def put_back(self) -> None:
        """Make it what it was."""
        if self._has_changed(self._names, self._kept):
            self._names.clear()
            self._names.update(self._kept)
        for container, content in self._contents:
            if isinstance(container, list):
                container[:] = content
            elif isinstance(container, set) or self._has_changed(container, content):
                container.clear()
                container.update(content)
        for clear in self._caches:
            clear()

    def _containers(self) -> Iterator[Any]:
        """Yield the containers of the module, and of the objects in it that are of its classes."""
        for name, value in self._kept.items():
            if name.startswith("__"):
                continue
            if type(value) in _CONTAINERS:
                yield value
            elif type(value).__module__ == self._kept.get("__name__"):
                held = getattr(value, "__dict__", {})
                if type(held) is dict:
                    yield held
                    yield from (it for it in held.values() if type(it) in _CONTAINERS)

    @staticmethod
    def _has_changed(now: Mapping[str, object], then: Mapping[str, object]) -> bool:
        return len(now) != len(then) or any(now.get(key) is not it for key, it in then.items())


def _is_installed(module: ModuleType) -> bool:
    """Whether a module is a library: of the interpreter, or installed into it."""
    file = getattr(module, "__file__", None)
    return not file or "site-packages" in file or file.startswith(_LIBRARY)


def _module_of(value: object) -> str:
    is_callable = isinstance(value, type) or callable(value)
    return str(getattr(value, "__module__", "") or "") if is_callable else ""
