"""What a test run makes of verdicts: failures that say what differs and how to look at it.

`replay_case` is what tests call. A run of pytest has a session of its own, made by the plugin;
other programs share one that is made with the first case.
"""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from replay.errors import ReplayError
from replay.replayer.verdict import Verdict
from replay.report.pieces import escaped
from replay.report.text import failure_text
from replay.testing.accept import accepted
from replay.testing.case_file import CaseFile, files_of, load_case
from replay.testing.place import unused_rules
from replay.testing.player import Player, root_of


class DriftError(AssertionError):
    """A replay differs from what its case expects; the message says where, and both values."""


class UnreplayableError(Exception):
    """A case could not be replayed; the message says why, and what to do."""


class Session:
    """The cases of one run: their verdicts counted, the rules that had nothing to say kept.

    `accepts` is asked about each drift, with its text, whether it is the new expectation;
    `is_strict` makes a rule that never fires a failure.
    """

    def __init__(
        self,
        player: Player,
        *,
        accepts: Callable[[str], bool] | None = None,
        is_strict: bool = False,
    ) -> None:
        self.player = player
        self._accepts = accepts
        self._is_strict = is_strict
        self.unused: list[str] = []
        """The rules of cases that excuse a place which is not there any more."""
        self.accepted: list[Path] = []

    def replay(self, file: CaseFile) -> Verdict:
        """Return the verdict of a case that matches; raises DriftError, UnreplayableError."""
        __tracebackhide__ = True
        verdict = self.player.verdict(file)
        if verdict.kind == "error":
            raise UnreplayableError(told(file, verdict))
        if verdict.kind == "drift" and not self._is_accepted(file, verdict):
            raise DriftError(told(file, verdict))
        self._look_for_unused(file, verdict)
        return verdict

    def _is_accepted(self, file: CaseFile, verdict: Verdict) -> bool:
        if self._accepts is None or not self._accepts(told(file, verdict)):
            return False
        write(files_of(accepted(file, verdict)))
        self.accepted.append(file.path)
        return True

    def _look_for_unused(self, file: CaseFile, verdict: Verdict) -> None:
        rules = unused_rules(file, verdict)
        unused = [escaped(f"{file.path.name}: {rule.path}") for rule in rules]
        self.unused += unused
        if unused and self._is_strict:
            __tracebackhide__ = True
            raise DriftError(f"a rule excuses what is not there any more: {', '.join(unused)}")


def write(files: dict[Path, bytes]) -> None:
    """Put files in place, each whole or not at all; raises ReplayError for what cannot be."""
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                half.write_bytes(content)
                half.replace(path)
            finally:
                half.unlink(missing_ok=True)
        except OSError as error:
            raise ReplayError(
                f"{path} cannot be written: {error.strerror or error}",
                "name other folders: --to, --fixtures",
            ) from error


def told(file: CaseFile, verdict: Verdict) -> str:
    """Return what somebody reads of a case that fails: what differs, and how to replay it alone."""
    root = root_of(file.path.absolute().parent)
    command = f"replay run {shlex.quote(os.path.relpath(file.path, root))}"
    if root != Path.cwd():
        command = f"cd {shlex.quote(str(root))}; {command}"
    return f"{escaped(file.name)}\n{failure_text(verdict, command)}"


_sessions: list[Session] = []
"""Those of the runs that are under way, the innermost last; at first none."""


def begin(session: Session) -> None:
    """Have `replay_case` replay in a session."""
    _sessions.append(session)


def end(session: Session) -> None:
    """End a session, with what it has started."""
    _sessions.remove(session)
    session.player.close()


def replay_case(case: CaseFile | str | os.PathLike[str]) -> Verdict:
    """Replay a case, given as such or as its file, and return its verdict, a match.

    Raises DriftError, an AssertionError, where the handler does something else than the case
    expects; UnreplayableError where it could not be replayed; DamagedError for a file that holds no
    case.
    """
    __tracebackhide__ = True
    if not _sessions:
        begin(Session(Player()))
    try:
        return _sessions[-1].replay(case if isinstance(case, CaseFile) else load_case(case))
    except ReplayError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        raise UnreplayableError(escaped(error.message + hint, keep_lines=True)) from error
