"""The bytecode of a layer's modules, without which every cold start compiles them anew.

Lambda's /opt cannot be written to, so none is kept there. Only an interpreter of the runtime's own
version can make it. It is not checked against the source when it is loaded, and depends on nothing
else, so the same source gives the same bytes.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from replay.layer.target import Target

_PROGRAM = """
import compileall, py_compile, sys
folder, tag = sys.argv[1:]
is_compiled = sys.implementation.cache_tag == tag and compileall.compile_dir(
    folder, stripdir=folder, prependdir="/opt", quiet=2,
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
sys.exit(not is_compiled)
"""
_TIMEOUT_S = 120


def bytecode(target: Target, sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the bytecode of those files that are modules, by the names where Python looks for it.

    Nothing where no interpreter of the target's version is this one or on the path.
    """
    interpreter = _interpreter(target)
    if interpreter is None:
        return {}
    with TemporaryDirectory(prefix="replay-") as name:
        folder = Path(name)
        for path, content in sources.items():
            if path.endswith(".py"):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        if not _compile(interpreter, folder, target):
            return {}
        found = folder.rglob("*.pyc")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _interpreter(target: Target) -> str | None:
    if target.python == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    return shutil.which(f"python{target.python}")


def _compile(interpreter: str, folder: Path, target: Target) -> bool:
    """Compile everything in a folder; False where that interpreter does not, or is another."""
    tag = f"cpython-{target.python.replace('.', '')}"
    command = [interpreter, "-I", "-S", "-c", _PROGRAM, str(folder), tag]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
