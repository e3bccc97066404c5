"""The world that a replayed handler sees: environment, clock, randomness, hash seed.

A `World` is a value that the parent chooses and the child enters before the handler is imported. To
find out what a difference depends on, the second look moves one factor of it at a time.
"""

import os
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from replay.entropy import EntropyTape
from replay.invocation import Invocation
from replay.recording import Recording
from replay.replayer.case import Case, Clock

Factor: TypeAlias = Literal[
    "clock", "pace", "deadline", "entropy", "hash seed", "environment order", "address", "system"
]
"""What a value may depend on. `pace` is how far a read of the clock moves it, which stands for how
fast a machine is; reports call it the clock. `system` is what no replay fixes, such as what native
code draws, and which of two threads was first."""

_MOVED_MS = ((25 * 60 + 1) * 60 + 1) * 1000 + 137
"""How far the second look moves the clock: enough to change every field of a time but the year."""
_MOVED_REMAINING_MS = 41
"""How much remaining time it takes away."""
_MOVED_STEP_US = 1_009
_IMPORT_EPOCH_MS = 1_577_836_800_000
"""The wall clock of an import that cases share, 2020-01-01: before any of them."""
_REAL = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_TASK_ROOT = "LAMBDA_TASK_ROOT"
_PROFILES = frozenset(
    {
        "AWS_CONFIG_FILE",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CREDENTIAL_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_LOGIN_CACHE_DIRECTORY",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "BOTO_CONFIG",
        "SSH_AUTH_SOCK",
        "NETRC",
    }
)
"""What leads to credentials besides the variables that hold them: files, roles, local services."""
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
_NOT_SET = frozenset(
    {*_REAL, *_PROFILES, _TASK_ROOT, "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_RUNTIME_API"}
)
_DEFAULTS = {"TZ": ":UTC", "LANG": "en_US.UTF-8"}
_FIXED = {"AWS_EC2_METADATA_DISABLED": "true"}
_TRACE_ID = "_X_AMZN_TRACE_ID"
_LOG_STREAM = "AWS_LAMBDA_LOG_STREAM_NAME"
OWN_VARIABLES = (_TRACE_ID, _LOG_STREAM)
"""Variables that differ between invocations of one function."""
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


_MOVES: tuple[tuple[Factor, int], ...] = (
    ("clock", 1),
    ("pace", 1),
    ("deadline", 1),
    ("entropy", 3),
    ("hash seed", 2),
    ("environment order", 1),
)
"""How often the second look moves each factor: a die falls on the same side now and then."""


@dataclass(frozen=True, slots=True)
class World:
    """What a replay fixes; two replays in equal worlds see the same entropy and hash seed.

    Without an `entropy_seed` nothing is fixed: it is no replay but an invocation of its own, which
    a decorated handler stores.
    """

    clock: Clock
    entropy_seed: str | None
    hash_seed: int = 0
    moved_ms: int = 0
    moved_remaining_ms: int = 0
    step_us: int = 1
    is_environment_reversed: bool = False
    import_epoch_ms: int | None = None
    import_seed: str | None = None
    moved_entropy: int = 0

    @classmethod
    def of(cls, case: Case) -> "World":
        """Return the world of a first replay."""
        return cls(clock=case.clock, entropy_seed=case.recording.id)

    @classmethod
    def shared_by(cls, case: Case) -> "World":
        """Return the world of an import that is not the case's alone: nothing of it is in it."""
        is_fixed = case.clock == "virtual"
        return replace(
            cls.of(case),
            import_epoch_ms=_IMPORT_EPOCH_MS if is_fixed else None,
            import_seed=case.handler,
        )

    @property
    def is_replay(self) -> bool:
        """Whether it is a replay's, and not that of an invocation of its own."""
        return self.entropy_seed is not None

    def of_other(self, recording: Recording) -> "World":
        """Return the world that is this one for another recording: with the same factors moved."""
        return replace(self, entropy_seed=recording.id) if self.is_replay else self

    @property
    def seed(self) -> str | None:
        """What the randomness of the replayed handler begins from."""
        return (
            f"{self.entropy_seed}+{self.moved_entropy}" if self.moved_entropy else self.entropy_seed
        )

    def tape_of(self, recording: Recording) -> EntropyTape | None:
        """Return the recorded randomness that a replay gives first; none where it is moved."""
        return None if self.moved_entropy or not self.is_replay else recording.entropy

    def fields(self) -> dict[str, object]:
        """Return what `World(**fields)` makes this world of."""
        return {name: getattr(self, name) for name in self.__slots__}

    def all_moved(self) -> Iterator[tuple[Factor, "World"]]:
        """Yield each world that could explain why a replay differs, with the factor moved."""
        for factor, times in _MOVES:
            for number in range(1, times + 1):
                yield factor, self.moved(factor, number)

    def moved(self, factor: Factor, times: int = 1) -> "World":
        """Return this world with one factor elsewhere; an address moves by itself."""
        match factor:
            case "clock":
                return replace(self, moved_ms=_MOVED_MS)
            case "pace":
                return replace(self, step_us=_MOVED_STEP_US)
            case "deadline":
                return replace(self, moved_remaining_ms=_MOVED_REMAINING_MS)
            case "entropy":
                return replace(self, moved_entropy=self.moved_entropy + times)
            case "hash seed":
                return replace(self, hash_seed=self.hash_seed + times)
            case "environment order":
                return replace(self, is_environment_reversed=True)
            case "address" | "system":
                return self


def environment_of(recording: Recording, home: str, task_root: str) -> dict[str, str]:
    """Return the variables of a replayed handler: those recorded, the real search paths, defaults.

    The trace id comes with each invocation. AWS credentials are placeholders, `HOME` is `home` and
    `LAMBDA_TASK_ROOT` is `task_root`, so that nothing real is found by them.
    """
    recorded = recording.environment
    kept = {k: v for k, v in recorded.items() if k not in _NOT_SET and k.upper() not in _PROXIES}
    environment = {**_DEFAULTS, **kept, **_FIXED}
    environment |= {name: os.environ[name] for name in _REAL if name in os.environ}
    environment["HOME"] = home
    if _TASK_ROOT in recorded:
        environment[_TASK_ROOT] = task_root
    # Clients look for credentials before they call, wherever they were captured.
    return {**environment, **dict.fromkeys(_CREDENTIALS, "replay-withheld")}


def own_variables(invocation: Invocation) -> dict[str, str]:
    """Return the variables of `OWN_VARIABLES` that an invocation had."""
    own = {_TRACE_ID: invocation.trace_id, _LOG_STREAM: invocation.environment.get(_LOG_STREAM)}
    return {name: value for name, value in own.items() if value is not None}


def import_key(case: Case) -> Hashable:
    """Return what the import of a case's handler depends on: equal keys may share a process."""
    variables = case.recording.environment
    shared = frozenset(variables.items())
    if _LOG_STREAM in variables:
        shared -= {(_LOG_STREAM, variables[_LOG_STREAM])}
    how = case.folders, case.clock, case.network, case.measures
    return case.handler, how, shared, _calls_key(case)


def _calls_key(case: Case) -> Hashable:
    """Return what the calls made at import are: an import that finds other answers is another."""
    at_import = case.recording.call_parts(at_import=True)
    return tuple(part.payload for part in at_import) or case.recording.outbound
