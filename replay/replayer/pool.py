"""Many cases to their verdicts, in the order in which they came.

Cases with equal imports share sandboxes, each driven by one thread; `isolation` says how much they
share: a fresh process each, a fork each, or one warm process. A shared sandbox is believed where it
matches; whatever differs there is judged again in fresh processes, and that verdict counts.
"""

import sys
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice, takewhile
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Literal, TypeAlias

from replay.errors import ReplayError
from replay.replayer.builtin import BuiltinSandbox, ForkingSandbox
from replay.replayer.case import Case
from replay.replayer.crowd import crowd
from replay.replayer.engine import Sandbox
from replay.replayer.examine import Forks, judged_in_forks
from replay.replayer.process import interrupt, resume
from replay.replayer.replay import Replay
from replay.replayer.ric import RicSandbox
from replay.replayer.sandboxes import Sandboxes
from replay.replayer.verdict import Engine, Verdict, error_of, judge, settled_by
from replay.replayer.world import World, import_key

Isolation: TypeAlias = Literal["process", "case", "worker"]
Runtime: TypeAlias = Literal["builtin", "ric"]

_ENGINES: dict[tuple[Runtime, Isolation], Engine] = {
    ("builtin", "process"): BuiltinSandbox,
    ("builtin", "case"): ForkingSandbox,
    ("builtin", "worker"): BuiltinSandbox,
    ("ric", "process"): RicSandbox,
    ("ric", "worker"): RicSandbox,
}
_WINDOW = 512
_WINDOW_BYTES = 64 * 2**20
"""Cases read ahead, to be sorted by their imports: so many, or with so many bytes of parts."""
_CHUNK = 64
"""Cases that one thread takes at a time."""
_CHUNKS_AHEAD: dict[Runtime, int] = {"builtin": 4, "ric": 2}
"""Chunks that are there for each thread: with fewer, sandboxes run dry while the next window of
cases is read. AWS's client takes three times as long over one, and its threads compute as well."""
_SWITCH_S = 0.001
"""How long a thread may go on where another one waits: those that drive sandboxes have little to do
and leave them idle until they may do it. With Python's 5 ms, many replays take a tenth longer."""
_MAX_AHEAD = 2048
"""Verdicts that may be there before an earlier one is: one slow case holds up the others then, and
does not fill the memory with theirs."""
_BATCH_S = 0.01
_WARM = 4
"""Sandboxes that one thread keeps."""

Numbered: TypeAlias = tuple[int, Case]
_Results: TypeAlias = list[tuple[int, Verdict]] | None
"""Verdicts of some cases of a chunk; None behind the last of them."""
_Todo: TypeAlias = SimpleQueue[list[Numbered] | None]
_Done: TypeAlias = SimpleQueue[_Results | BaseException]


def default_isolation(runtime: Runtime, *, is_one: bool) -> Isolation:
    """Return how cases are kept apart where nobody has said: one case has a process of its own."""
    if is_one or (runtime == "builtin" and sys.platform == "darwin"):
        return "process"
    return "worker" if runtime == "ric" else "case"


def engine_of(runtime: Runtime, isolation: Isolation) -> Engine:
    """Return the engine; raises ReplayError for one that there is not."""
    if (runtime, isolation) not in _ENGINES:
        raise ReplayError(
            f"--runtime {runtime} has no --isolation {isolation}",
            "AWS's runtime client cannot be forked; use --isolation worker or process",
        )
    return _ENGINES[runtime, isolation]


@dataclass(frozen=True, slots=True)
class Pool:
    """How many cases are replayed: by which engine, kept apart how, and on how many threads."""

    runtime: Runtime
    isolation: Isolation
    jobs: int

    def verdicts(self, cases: Iterable[Case]) -> Generator[Verdict, None, None]:
        """Yield the verdict of each case, in order; cases are read as they are needed."""
        chunks = _chunks(cases, self.jobs, self.isolation)
        judged: dict[int, Verdict] = {}
        following, under_way, ahead = 0, 0, _CHUNKS_AHEAD[self.runtime] * self.jobs
        with self._threads() as (todo, done):
            while True:
                free = ahead - under_way if len(judged) < _MAX_AHEAD else 0
                for chunk in islice(chunks, free):
                    todo.put(chunk)
                    under_way += 1
                if not under_way:
                    return
                results = _results(done.get())
                under_way -= results is None
                judged.update(results or ())
                while following in judged:
                    yield judged.pop(following)
                    following += 1

    @contextmanager
    def _threads(self) -> Iterator[tuple[_Todo, _Done]]:
        todo, done, switch_s = _Todo(), _Done(), sys.getswitchinterval()
        if self.runtime == "builtin":
            sys.setswitchinterval(_SWITCH_S)
        crowd.begin_anew()
        threads = [Thread(target=self._serve, args=(todo, done)) for _ in range(self.jobs)]
        for thread in threads:
            thread.start()
        try:
            yield todo, done
        except BaseException:
            interrupt()  # else the threads would wait for each replay's own end
            raise
        finally:
            for _ in threads:
                todo.put(None)
            for thread in threads:
                thread.join()
            crowd.begin_anew()
            sys.setswitchinterval(switch_s)
            resume()

    def _serve(self, todo: _Todo, done: _Done) -> None:
        with closing(Judge(self)) as judging:
            try:
                for chunk in iter(todo.get, None):
                    for results in _batches(judging.judge_all(chunk)):
                        done.put(results)
                    done.put(None)
            except BaseException as error:  # noqa: BLE001 - raised again where results are read
                done.put(error)


class Judge:
    """Judges cases one after the other, for one thread, in sandboxes that it keeps."""

    def __init__(self, pool: Pool) -> None:
        self._isolation = pool.isolation
        self._at_once = pool.jobs
        self._fresh = engine_of(pool.runtime, "process")
        self._shared = engine_of(pool.runtime, pool.isolation)
        self._sandboxes = Sandboxes(_WARM)
        self._forks = Forks()

    def verdicts(self, cases: Sequence[Case]) -> list[Verdict]:
        """Return the verdict of each case, in order, whatever they import."""
        chunks = _chunks(cases, 1, self._isolation)
        judged = dict(it for chunk in chunks for it in self.judge_all(chunk))
        return [judged[number] for number in range(len(cases))]

    def judge_all(self, chunk: list[Numbered]) -> Iterator[tuple[int, Verdict]]:
        """Yield the verdicts of cases with equal imports."""
        left = deque(chunk)
        while left:
            number, case = left[0]
            try:
                self._fresh.refuse(case)
                sandbox = self._sandbox_of(case)
            except ReplayError as error:
                yield number, error_of(case, error)
                left.popleft()
                continue
            if sandbox is None:
                yield number, self._judged_afresh(case)
                left.popleft()
                continue
            yield from self._replay_in(sandbox, left)

    def _replay_in(self, sandbox: Sandbox, left: deque[Numbered]) -> Iterator[tuple[int, Verdict]]:
        """Yield verdicts, and take their cases off `left`, until a case ends the sandbox."""
        replayable = list(takewhile(self._can_be_replayed, (case for _, case in left)))
        again: list[tuple[int, Case, bool]] = []
        with crowd.among_others():
            for replay in sandbox.replay_all(replayable):
                number, case = left.popleft()
                verdict = _settled(case, replay)
                if verdict is None:
                    again.append((number, case, isinstance(replay, Replay)))
                else:
                    yield number, verdict
        # Not in between: cases that were sent ahead run on meanwhile, with the same folders.
        for number, case, was_replayed in again:
            yield number, self._judged_again(case, was_replayed=was_replayed)

    def _judged_again(self, case: Case, *, was_replayed: bool) -> Verdict:
        if not was_replayed or self._isolation != "case" or case.looks != "once, then again":
            return self._judged_afresh(case)
        return _undisturbed(lambda: judged_in_forks(case, self._forks, at_once=self._at_once))

    def _judged_afresh(self, case: Case) -> Verdict:
        return _undisturbed(lambda: judge(case, self._fresh, at_once=self._at_once))

    def _can_be_replayed(self, case: Case) -> bool:
        try:
            self._fresh.refuse(case)
        except ReplayError:
            return False
        return True

    def _sandbox_of(self, case: Case) -> Sandbox | None:
        """Return a sandbox with the case's import; None where the case needs one of its own.

        Raises ReplayError where the handler cannot be had.
        """
        if self._isolation == "process" or case.breaks_at:
            return None
        world = World.shared_by(case)
        sandbox = self._sandboxes.of(
            import_key(case), lambda: self._shared(case, world, is_shared=True)
        )
        return None if sandbox.is_threaded and self._isolation == "case" else sandbox

    def close(self) -> None:
        """End them."""
        self._forks.close()
        self._sandboxes.close()


def _settled(case: Case, replay: Replay | ReplayError) -> Verdict | None:
    if isinstance(replay, ReplayError):
        return None
    crowd.see(replay)
    try:
        return settled_by(case, replay)
    except ReplayError as error:  # a rule of the case that cannot be read
        return error_of(case, error)


def _undisturbed(judged: Callable[[], Verdict]) -> Verdict:
    """Return a verdict that no file of another replay has made differ."""
    with crowd.alone_if_need_be() as is_alone:
        verdict = judged()
    crowd.see(verdict.replay)
    differs = verdict.kind != "match" or bool(verdict.noise)
    if is_alone or not differs or not crowd.makes_files:
        return verdict
    return _undisturbed(judged)


def _results(found: _Results | BaseException) -> _Results:
    if isinstance(found, BaseException):
        raise found
    return found


def _batches(results: Iterator[tuple[int, Verdict]]) -> Iterator[list[tuple[int, Verdict]]]:
    """Yield results in batches: each wakes the main thread, which is dear where they come fast."""
    batch: list[tuple[int, Verdict]] = []
    put_s = monotonic()
    for result in results:
        batch.append(result)
        if monotonic() - put_s > _BATCH_S:
            yield batch
            batch, put_s = [], monotonic()
    if batch:
        yield batch


def _window(numbered: Iterator[Numbered]) -> list[Numbered]:
    found: list[Numbered] = []
    size_bytes = 0
    for number, case in numbered:
        found.append((number, case))
        size_bytes += sum(len(part.payload) for part in case.recording.parts())
        if len(found) == _WINDOW or size_bytes >= _WINDOW_BYTES:
            break
    return found


def _chunks(cases: Iterable[Case], jobs: int, isolation: Isolation) -> Iterator[list[Numbered]]:
    """Yield cases with their numbers, sorted by what they import, in portions for one thread."""
    numbered = enumerate(cases)
    while window := _window(numbered):
        size = 1 if isolation == "process" else min(_CHUNK, -(-len(window) // jobs))
        by_import: defaultdict[Hashable, list[Numbered]] = defaultdict(list)
        for number, case in window:
            by_import[import_key(case)].append((number, case))
        for alike in by_import.values():
            yield from (alike[start : start + size] for start in range(0, len(alike), size))
