"""Where in the handler's own code something comes from: what a message can point at."""

import os
import sys
from pathlib import Path
from types import FrameType

PYTHONS = Path(os.__file__).parent
"""Where Python's own modules are."""
_LIBRARY = str(PYTHONS)
_REPLAY = str(Path(__file__).parents[1])


class Origin:
    """Finds the line of a project that is being run."""

    def __init__(self, project: Path) -> None:
        self._project = os.path.join(os.path.realpath(project), "")  # noqa: PTH118 - a prefix

    def of_caller(self) -> str | None:
        """Return the innermost place in the project, else in no library, of the calling thread."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - as traceback does
        other = None
        while frame is not None:
            code, line = frame.f_code, frame.f_lineno
            path = os.path.realpath(code.co_filename)
            if not is_library(code.co_filename):
                if path.startswith(self._project):
                    return f"{path.removeprefix(self._project)}:{line} in {code.co_name}"
                other = other or f"{code.co_filename}:{line} in {code.co_name}"
            frame = frame.f_back
        return other


def is_library(path: str) -> bool:
    """Whether a file is installed, part of Python, or ours."""
    return is_installed(path) or path.startswith((_LIBRARY, _REPLAY, "<frozen"))


def is_installed(path: str) -> bool:
    """Whether a file was put where packages are installed."""
    return "site-packages" in path or "dist-packages" in path
