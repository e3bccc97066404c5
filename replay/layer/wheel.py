"""orjson for Lambda's platform, fetched by pip as the user has set it up.

The release is the one that is installed here, so that the same installation makes the same layer.
Index, links, constraints and proxies are those of pip's own configuration.
"""

import subprocess
import sys
from pathlib import Path

import orjson

from replay.errors import ReplayError
from replay.layer.target import Target

VERSION = orjson.__version__
_TIMEOUT_S = 300


def fetch_wheel(target: Target, folder: Path) -> Path:
    """Download orjson's wheel into an empty folder and return its path; raises ReplayError."""
    done = _run_pip(_arguments(target, folder))
    found = list(folder.glob("orjson-*.whl"))
    if done.returncode or len(found) != 1:
        raise _refused(target, done.stderr)
    return found[0]


def _arguments(target: Target, folder: Path) -> list[str]:
    options = {
        "--dest": str(folder),
        "--platform": target.platform,
        "--python-version": target.python,
        "--implementation": "cp",
        "--only-binary": ":all:",
    }
    named = [word for option in options.items() for word in option]
    return ["download", "--no-deps", "--disable-pip-version-check", *named, f"orjson=={VERSION}"]


def _run_pip(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            [sys.executable, "-m", "pip", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReplayError(
            f"pip has not fetched orjson within {_TIMEOUT_S} s", "look at its network settings"
        ) from error


def _refused(target: Target, said: str) -> ReplayError:
    if "No module named pip" in said:
        return ReplayError(
            f"pip, which fetches orjson for Lambda, is not installed in {sys.prefix}",
            f"{sys.executable} -m ensurepip",
        )
    reasons = [line.strip() for line in said.splitlines() if line.startswith("ERROR:")]
    why = reasons[-1].removeprefix("ERROR: ") if reasons else said.strip()[-300:]
    return ReplayError(
        f"pip finds no orjson {VERSION} for Python {target.python} on {target.arch}: {why}",
        "name another --python or --arch, or take a newer orjson: pip install -U orjson",
    )
