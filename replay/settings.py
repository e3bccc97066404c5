"""Settings: read once at the edge, passed down as one frozen value.

Order of precedence: command options, `REPLAY_*` variables, arguments of `@capture`, `[tool.replay]`
in pyproject.toml (commands only; the recorder reads no file), defaults. Imports errors only; a
setting that cannot be understood is a `SettingsError` that names its source.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from os.path import join
from typing import Any, TypeAlias

from replay.errors import SettingsError

MIB = 2**20
LAMBDA_MAX_BYTES = 6 * MIB
"""Lambda's own limit of an event and of a result."""
_MAX_BODY_BYTES = 64 * MIB
_OFF = ("off", "false", "no", "0")
_LAMBDA_STORE = "/tmp/replay.db"  # noqa: S108 - the only folder that a function can write to
STDOUT = "stdout:"
"""The store that is none: the recorder writes lines to the function's log."""
_UNITS = {"": 1, "KIB": 2**10, "MIB": MIB, "GIB": 2**30}
REDACT_MODES = ("balanced", "strict", "off")
TAPES = ("entropy",)
"""What `REPLAY_TAPE` can name: what the invocation drew from the system's randomness."""

RedactRule: TypeAlias = str | Callable[[str, Any], Any]
"""A name pattern, a JSONPath, or a function of the name and the value of a leaf."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the recorder and the commands are told; the README lists every setting."""

    store: str
    """A path or a `sqlite:///` address; for the recorder `STDOUT` as well."""
    sample: float = 1.0
    """Share of invocations that are captured, 0 to 1."""
    max_bytes: int = LAMBDA_MAX_BYTES
    """Cap of an event or a result; above it a head and a digest are kept."""
    max_store_bytes: int | None = None
    """Cap of store, WAL and spool together; None: no cap."""
    keep: tuple[str, ...] = ("*",)
    """Patterns of the environment variables that are kept."""
    outbound: bool = True
    """Whether outbound calls are captured."""
    max_body_bytes: int = _MAX_BODY_BYTES
    """Cap of the body of an outbound call or its answer."""
    synchronous: str = "NORMAL"
    """SQLite's `synchronous` of the recorder's commits: NORMAL or FULL."""
    tape: tuple[str, ...] = ()
    """What else of an invocation is taped, of `TAPES`."""
    redact: str = REDACT_MODES[0]
    """How strictly captured values are redacted, of `REDACT_MODES`."""
    redact_rules: tuple[RedactRule, ...] = ()
    """What is secret besides what is known to be."""
    redact_key: str = ""
    """What pseudonyms are made with; empty: the key beside the store."""
    path: tuple[str, ...] = ()
    """Folders where handlers are looked for, before the working directory."""
    handler: str | None = None
    """The dotted handler to replay in place of the recorded one."""
    timeout: float | None = None
    """Seconds of real time after which a replay is stopped, before its deadline."""
    outbound_rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For each function, or `*`, how strictly its outbound calls are judged."""
    index: tuple[str, ...] = ()
    """JSONPaths of events that `--where` finds without looking into each."""
    noise: tuple[Mapping[str, Any], ...] = ()
    """Rules for places that may vary, of all cases."""

    @property
    def is_strict(self) -> bool:
        """Whether whatever is not known to be harmless is redacted."""
        return self.redact == "strict"


def recorder_settings(
    environment: Mapping[str, str],
    *,
    store: str | None,
    sample: float | None,
    outbound: bool | None,
    redact: "str | Iterable[RedactRule] | None" = None,
) -> Settings:
    """Return the settings of one decorated handler; `store` and others are its arguments."""
    given = environment.get("REPLAY_REDACT", "")
    mode, rules = _redaction(redact or (), given)
    on_lambda = "AWS_LAMBDA_RUNTIME_API" in environment
    cap = environment.get("REPLAY_MAX_STORE_BYTES")
    return Settings(
        store=environment.get("REPLAY_STORE")
        or store
        or (_LAMBDA_STORE if on_lambda else "replay.db"),
        sample=_share(environment.get("REPLAY_SAMPLE", 1.0 if sample is None else sample)),
        max_bytes=_bytes(environment.get("REPLAY_MAX_BYTES", "6MiB"), "REPLAY_MAX_BYTES"),
        max_store_bytes=_bytes(cap, "REPLAY_MAX_STORE_BYTES")
        if cap
        else (64 * MIB if on_lambda else None),
        keep=_patterns(environment.get("REPLAY_ENV", "all")),
        outbound=is_on(environment["REPLAY_OUTBOUND"])
        if "REPLAY_OUTBOUND" in environment
        else outbound is not False,
        max_body_bytes=_bytes(environment["REPLAY_MAX_BYTES"], "REPLAY_MAX_BYTES")
        if "REPLAY_MAX_BYTES" in environment
        else _body_bytes(environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")),
        synchronous=_synchronous(environment.get("REPLAY_SYNCHRONOUS", "normal")),
        tape=_tapes(environment["REPLAY_TAPE"]) if "REPLAY_TAPE" in environment else (),
        redact=mode,
        redact_rules=rules,
        redact_key=environment.get("REPLAY_REDACT_KEY", ""),
    )


def command_settings(environment: Mapping[str, str], folder: str) -> Settings:
    """Return the settings of a command run in `folder`, before its own options."""
    from replay import pyproject  # which the recorder never reads

    table = pyproject.table_of(join(folder, "pyproject.toml"))
    redact = pyproject.texts_of(table, "redact")
    mode, rules = _redaction(redact, environment.get("REPLAY_REDACT", ""))
    return Settings(
        store=environment.get("REPLAY_STORE") or pyproject.text_of(table, "store") or "replay.db",
        path=tuple(join(folder, entry) for entry in pyproject.texts_of(table, "path")),
        handler=pyproject.text_of(table, "handler"),
        timeout=pyproject.seconds_of(table, "timeout"),
        outbound_rules=pyproject.outbound_rules_of(table.get("outbound", {})),
        noise=pyproject.noise_of(table.get("noise", [])),
        redact=mode,
        redact_rules=rules,
        redact_key=environment.get("REPLAY_REDACT_KEY", ""),
        index=tuple(pyproject.texts_of(table, "index")),
    )


def store_path(store: str) -> str:
    """Return the file that a store setting names: a path or `sqlite:///` and a path."""
    if store.startswith("sqlite:///"):
        store = store.removeprefix("sqlite:///")
    if "://" in store or store.startswith(STDOUT):
        scheme = store.partition(":")[0]  # what follows may be a password
        raise SettingsError(
            f"a store at {scheme}: is not a file",
            "name a path or sqlite:///PATH, for example REPLAY_STORE=replay.db",
        )
    return store


def is_server(store: str) -> bool:
    """Whether a store setting names a database of a server, which commands alone know."""
    return store.startswith(("postgresql://", "postgresql+psycopg://", "postgres://"))


def _redaction(
    argument: "str | Iterable[RedactRule]", variable: str
) -> tuple[str, tuple[RedactRule, ...]]:
    """Return mode and rules: the variable's mode counts, rules add up.

    A word that is a mode is one, whatever stands beside it.
    """
    own = [argument] if isinstance(argument, str) else list(argument)
    wishes = [*own, *(part.strip() for part in variable.split(",") if part.strip())]
    modes = [wish for wish in wishes if isinstance(wish, str) and wish.lower() in REDACT_MODES]
    rules = tuple(wish for wish in wishes if wish not in modes)
    return (modes[-1].lower() if modes else REDACT_MODES[0]), rules


def _share(value: str | float) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise SettingsError(
            f"REPLAY_SAMPLE (or sample=) is {value!r}, not a share from 0 to 1",
            "for one invocation in ten write REPLAY_SAMPLE=0.1",
        )
    return share


def _bytes(value: str, name: str) -> int:
    digits = value.strip().upper().rstrip("KMGIB")
    unit = value.strip().upper()[len(digits) :]
    if not digits.strip().isdecimal() or unit not in _UNITS:
        raise SettingsError(
            f"{name} is {value!r}, not a size", f"write bytes or KiB, MiB, GiB: {name}=6MiB"
        )
    return int(digits) * _UNITS[unit]


def _body_bytes(memory_mb: str) -> int:
    """Return how large a body is kept: while it is written it is in memory four times over."""
    if not memory_mb.isdecimal():
        return _MAX_BODY_BYTES
    return min(_MAX_BODY_BYTES, int(memory_mb) * MIB // 12)


def is_on(value: str) -> bool:
    """Return whether a variable that turns something on or off turns it on."""
    return value.strip().lower() not in _OFF


def _patterns(value: str) -> tuple[str, ...]:
    if value.strip().lower() == "all":
        return ("*",)
    return tuple(pattern.strip() for pattern in value.split(",") if pattern.strip())


def _synchronous(value: str) -> str:
    if value.strip().upper() not in ("NORMAL", "FULL"):
        raise SettingsError(
            f"REPLAY_SYNCHRONOUS is {value!r}, neither normal nor full",
            "write REPLAY_SYNCHRONOUS=full to sync each part to the disk, or leave it out",
        )
    return value.strip().upper()


def _tapes(value: str) -> tuple[str, ...]:
    names = [name.strip().lower() for name in value.split(",") if name.strip()]
    for name in names:
        if name not in TAPES:
            raise SettingsError(
                f"REPLAY_TAPE is {value!r}: {name!r} cannot be taped",
                f"write REPLAY_TAPE={TAPES[0]}, or leave it out",
            )
    return tuple(names)
