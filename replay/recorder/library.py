"""The libraries that make outbound calls, each hooked once the host has imported it.

Nothing is imported that the host has not. One finder waits for those that are still to come; it
finds them as the others do, and installs the hooks when they are loaded.
"""

import sys
from _thread import get_ident
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from replay.recorder.guard import guarded

if TYPE_CHECKING:
    from replay.recorder.outbound.outlet import Outlet

Install = Callable[[Any], None]

_ADAPTERS = {
    "aiohttp.client": "aiohttp",
    "botocore.client": "aws",
    "botocore.httpsession": "aws",
    "http.client": "http_client",
    "httpx": "httpx",
    "urllib3.connectionpool": "urllib3",
}
"""For each module of a library that makes calls, ours that hooks it."""
_make_outlet: "Callable[[], Outlet] | None" = None


def watch_libraries(make_outlet: "Callable[[], Outlet]") -> None:
    """Have libraries hooked: those that are there, and the others as soon as they are imported.

    Calls go to what `make_outlet` returns, which is asked for with the first library.
    """
    global _make_outlet  # noqa: PLW0603 - a process is hooked once
    if _make_outlet is None:
        _make_outlet = make_outlet
        once_imported(dict.fromkeys(_ADAPTERS, _hook))


def _hook(library: Any) -> None:
    guarded(_install, library)


def _install(library: Any) -> None:
    from replay.recorder.outbound import outlet

    if _make_outlet is not None and not outlet.is_used():
        outlet.use(_make_outlet())
    import_module(f"replay.recorder.outbound.{_ADAPTERS[library.__name__]}").install(library)


def once_imported(completions: Mapping[str, Install]) -> None:
    """Have each function called with the module of its name: now, or once it is imported."""
    later = {name: function for name, function in completions.items() if name not in sys.modules}
    if later:
        sys.meta_path.insert(0, _Finder(later))
    for name, function in completions.items():
        if name not in later:
            function(sys.modules[name])


class _Finder:
    """Finds some modules as others do, and completes them once they are loaded."""

    def __init__(self, completions: dict[str, Install]) -> None:
        self._completions = completions
        self._finding: set[tuple[int, str]] = set()

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec that the others find, to be loaded by way of us; None for most."""
        if fullname not in self._completions:
            return None
        key = get_ident(), fullname
        if key in self._finding:  # another such finder asks whether we know
            return None
        self._finding.add(key)
        try:
            spec = _found_by_others(self, fullname, path, target)
        finally:
            self._finding.discard(key)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._completions)
        return spec


def _found_by_others(me: object, fullname: str, path: Any, target: Any) -> Any:
    for finder in sys.meta_path:
        if finder is not me and hasattr(finder, "find_spec"):
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
    return None


class _Loader:
    def __init__(self, loader: Any, completions: dict[str, Install]) -> None:
        self._loader = loader
        self._completions = completions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        loader = self._loader
        # Nobody who looks at the module is to see that it came another way.
        module.__loader__ = module.__spec__.loader = loader
        loader.exec_module(module)
        complete = self._completions.pop(module.__name__, None)
        if complete is not None:
            complete(module)
