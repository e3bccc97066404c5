"""The pytest plugin: options for replays, `*.replay.json` files as tests, a line at the end.

Loaded by pytest wherever this package is installed, so it imports nothing before a case is there.
"""

import os
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from replay.testing.session import Session

_SUFFIX = ".replay.json"
_MARKER = "replay_isolate"
_ACCEPTED, _UNUSED = "replay_accepted", "replay_unused_rule"
"""Properties of reports."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; each begins with `--replay`."""
    group = parser.getgroup("replay", "replays of captured Lambda invocations")
    group.addoption(
        "--replay-isolate",
        action="store_true",
        help="run each case in a guarded process, none in that of the tests",
    )
    group.addoption(
        "--replay-accept",
        action="store_const",
        const="ask",
        help="ask of each case that drifts whether what it does is what it is to do from now on",
    )
    group.addoption(
        "--replay-accept-all",
        dest="replay_accept",
        action="store_const",
        const="all",
        help="make what each case does what it is to do from now on",
    )
    group.addoption(
        "--replay-strict-noise",
        action="store_true",
        help="fail a case one of whose noise rules excuses what is not there any more",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin a session."""
    config.addinivalue_line(
        "markers", f"{_MARKER}: replay the cases of this test in guarded processes"
    )
    config.pluginmanager.register(_Run(config), "replay-run")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "CaseCollector | None":
    """Collect a case that no module names."""
    if file_path.name.endswith(_SUFFIX):
        return CaseCollector.from_parent(parent, path=file_path)
    return None


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> "CaseFolder | None":
    """Collect a folder of cases and nothing else: a node a file takes as long as the replay."""
    names = [entry.name for entry in os.scandir(path)]
    cases = sum(name.endswith(_SUFFIX) for name in names)
    if not cases or cases < sum(not name.endswith(".parts") for name in names):
        return None
    return CaseFolder.from_parent(parent, path=path)


class CaseFolder(pytest.Directory):
    """A folder whose files are tests by themselves."""

    def collect(self) -> "Iterator[CaseItem]":
        """Yield an item a file, in the order of their names."""
        for name in sorted(os.listdir(self.path)):  # noqa: PTH208 - names are all that is needed
            if name.endswith(_SUFFIX) and self._is_wanted(self.path / name):
                # Its id is a path, which can be given to pytest again.
                yield CaseItem.from_parent(
                    self,
                    name=name.removesuffix(_SUFFIX),
                    path=self.path / name,
                    nodeid=f"{self.nodeid}/{name}",
                )

    def _is_wanted(self, path: Path) -> bool:
        if self.session.isinitpath(path):
            return True
        return not self.ihook.pytest_ignore_collect(collection_path=path, config=self.config)


class CaseCollector(pytest.File):
    """A file that is a test by itself."""

    def collect(self) -> "Iterator[CaseItem]":
        """Yield the one item."""
        name = self.path.name.removesuffix(_SUFFIX)
        yield CaseItem.from_parent(self, name=name)


class CaseItem(pytest.Item):
    """The replay of one case."""

    def runtest(self) -> None:
        """Replay it."""
        from replay.testing.session import replay_case

        replay_case(self.path)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """Return what a reader is told: for a drift what differs, and no traceback of ours."""
        from replay.errors import ReplayError
        from replay.testing.session import DriftError, UnreplayableError

        if isinstance(excinfo.value, DriftError | UnreplayableError | ReplayError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where it stands."""
        return self.path, None, self.name

    @cached_property
    def location(self) -> tuple[str, int | None, str]:
        """The same, for reports: without looking up again how the path lies to the others."""
        return self.nodeid.partition("::")[0], None, self.name


class _Run:
    """One run of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: Session | None = None
        self._told: dict[str, list[str]] = {_ACCEPTED: [], _UNUSED: []}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Have the cases of a test isolated where it is marked so."""
        marked = item.get_closest_marker(_MARKER) is not None
        if not (marked or isinstance(item, CaseItem) or "replay.testing.session" in sys.modules):
            return (yield)
        session = self._begun()
        player = session.player
        before, player.isolates = player.isolates, player.isolates or marked
        try:
            return (yield)
        finally:
            player.isolates = before
            # Properties of a report reach the process that prints, also from one of xdist's.
            item.user_properties += [(_ACCEPTED, str(it)) for it in session.accepted]
            item.user_properties += [(_UNUSED, it) for it in session.unused]
            session.accepted.clear()
            session.unused.clear()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what is to be said at the end."""
        if report.when == "call":
            for name, value in report.user_properties:
                if name in self._told:
                    self._told[name].append(str(value))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was accepted, and which rules have nothing to say any more."""
        for path in self._told[_ACCEPTED]:
            terminalreporter.write_line(f"replay: accepted {path}")
        for rule in self._told[_UNUSED]:
            terminalreporter.write_line(
                f"replay: warning: this noise rule excuses what is not there any more: {rule}",
                yellow=True,
            )

    def pytest_unconfigure(self) -> None:
        """End what was started."""
        if self._session is not None:
            from replay.testing import session

            session.end(self._session)
            self._session = None

    def _begun(self) -> "Session":
        if self._session is None:
            from replay.testing import session
            from replay.testing.player import Player

            options = self._config.option
            accepts = {None: None, "ask": self._ask, "all": lambda _: True}
            self._session = session.Session(
                Player(isolates=options.replay_isolate),
                accepts=accepts[options.replay_accept],
                is_strict=options.replay_strict_noise,
            )
            session.begin(self._session)
        return self._session

    def _ask(self, text: str) -> bool:
        """Ask on the terminal; without one, accept nothing."""
        capture = self._config.pluginmanager.getplugin("capturemanager")
        capture.suspend(in_=True)
        try:
            if not sys.stdin.isatty():
                return False
            print(f"\n{text}")
            return input("is this what it is to do from now on? [y/N] ").strip().lower() == "y"
        finally:
            capture.resume()
