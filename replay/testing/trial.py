"""Whether cases can run in a test's own process: they do, in two orders, in a process like it.

Run as a program with the project's folder and that of the cases; prints a JSON object with the path
of each case that cannot, and why. A case that needs its predecessors, leaves something to its
successors or waits for real time is found by what comes of it.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from tempfile import TemporaryDirectory
from time import perf_counter

import orjson

from replay.replayer.interpreter import environment
from replay.testing.case_file import CaseFile, files_of
from replay.testing.folder import cases
from replay.testing.player import Player, Project

_LONGEST_S = 0.25
"""A case that takes longer waits for something, or is better off beside others."""
_LIMIT_S = 600


def tried(files: Sequence[CaseFile], root: Path) -> Mapping[Path, str]:
    """Return why cases cannot run in a test's process, by their paths; the others can.

    Where the process that tries them does not come to an end, none can.
    """
    with TemporaryDirectory(prefix="replay-") as folder:
        for number, file in enumerate(files):
            place = Path(folder, f"{number:08}.json")
            for path, content in files_of(replace(file, path=place)).items():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        said = _said(root, folder)
    if said is None:
        return {file.path: "the process that tried it came to no end" for file in files}
    return {files[int(Path(name).stem)].path: why for name, why in said.items()}


def _said(root: Path, folder: str) -> Mapping[str, str] | None:
    command = [sys.executable, "-P", "-m", __name__, str(root), folder]
    variables = environment(0, on_terminal=False)
    with Popen(command, env=variables, stdout=PIPE, stdin=DEVNULL, stderr=DEVNULL) as process:  # noqa: S603 - ours
        try:
            output, _ = process.communicate(timeout=_LIMIT_S)
        except TimeoutExpired:
            process.kill()
            return None
        except BaseException:
            process.kill()
            raise
    lines = output.splitlines()  # handlers write to the same
    try:
        return dict(orjson.loads(lines[-1])) if process.returncode == 0 else None
    except (IndexError, ValueError):
        return None


def _failures(files: Iterable[CaseFile], player: Player, project: Project) -> dict[str, str]:
    found = {}
    for file in files:
        began_s = perf_counter()
        tried = player.tried_here(project.case(file))
        if isinstance(tried, str):
            found[file.path.name] = tried
        elif perf_counter() - began_s > _LONGEST_S:
            found[file.path.name] = "it takes real time in a test's process"
    return found


def main(root: str, folder: str) -> None:
    """Try the cases of a folder, forward and backward."""
    files, project = list(cases(folder)), Project(Path(root))
    with closing(Player()) as player:
        for file in files[:1]:
            player.verdict_here(project.case(file))  # what is imported first takes its time
        found = _failures(files, player, project) | _failures(reversed(files), player, project)
    sys.stdout.write("\n" + orjson.dumps(found).decode() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
