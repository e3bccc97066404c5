"""What a replayed process's interpreter starts with: the same on every machine.

Of the machine's settings those stay that say where code is found; whatever else would change what
Python does - its warnings, its optimisation, its text encoding, the locale - is fixed.
"""

import os
from pathlib import Path

UMASK = 0o022
"""What a file may not be for others, as on Lambda."""
_FIXED = {"PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "TZ": ":UTC"}
_FINDS_CODE = frozenset(
    {
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONNOUSERSITE",
        "PYTHONPLATLIBDIR",
        "PYTHONPYCACHEPREFIX",
        "PYTHONUSERBASE",
    }
)
_DEBUGGER = "PYTHONBREAKPOINT"


def environment(hash_seed: int | None, *, on_terminal: bool) -> dict[str, str]:
    """Return the variables that a child process starts with, before its handler's replace them.

    `hash_seed` None is no replay: everything is the machine's. `on_terminal` leaves the choice of
    a debugger to whoever sits there.
    """
    kept = {"PYTHONPATH": _search_path()}
    if hash_seed is None:
        return {**os.environ, **kept}
    kept |= {name: value for name, value in os.environ.items() if _may_stay(name)}
    if on_terminal and _DEBUGGER in os.environ:
        kept[_DEBUGGER] = os.environ[_DEBUGGER]
    return {**kept, **_FIXED, "PYTHONHASHSEED": str(hash_seed)}


def _may_stay(name: str) -> bool:
    is_locale = name.startswith("LC_") or name in ("LANG", "LANGUAGE")
    return name in _FINDS_CODE or not (name.startswith("PYTHON") or is_locale)


def _search_path() -> str:
    search = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(str(Path(entry).absolute()) for entry in search if entry)
