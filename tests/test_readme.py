"""The README's tour and its tests, block by block: each command prints what stands there.

`REPLAY_TOUR_BIN` names the folder of another installation's `replay`, such as the built wheel's.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BIN = Path(os.environ.get("REPLAY_TOUR_BIN") or Path(sys.executable).parent)
VARYING = [
    (r"(?m)^E +", ""),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-hjkmnp-tv-z]{26}\b", "ID"),
    (r"\b\d{10}\.\d+", "TIME"),
    (r"(Duration|Used): [\d.]+", r"\1: N"),
    (r"\b[\d.,]+ (us|ms|s)\b", "N ms"),
    (r"(?m)^((match|drift) +)?[0-9a-hjkmnp-tv-z]{8}  ", r"\1SHORT  "),
    (r"(?m)\b(now|N ms)$", "AGE"),
    (r"stack(Trace)?\": \[.*\]", 'stack": []'),
    (r"in [\d.]+s\b", "in N"),
    (r" +", " "),
]


def tour() -> list[tuple[str, str]]:
    """The language and text of each block of the tour, and of the tests that go on from there."""
    sections = [
        README.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]
        for title in ("A tour", "Tests out of recordings")
    ]
    return re.findall(r"```(\w+)\n(.*?)```", "".join(sections), re.DOTALL)


def steps(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it prints."""
    found = re.split(r"(?m)^\$ ", block)[1:]
    return [(command, output) for command, _, output in (step.partition("\n") for step in found)]


def plain(output: str) -> str:
    """An output without what differs from run to run."""
    for pattern, name in VARYING:
        output = re.sub(pattern, name, output)
    return output.strip()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the tour goes through the runtime client")
def test_the_tour_prints_what_it_says(project):
    """From a fresh folder, with the command as a user has it on the path."""
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(project),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",  # of plugins that a user need not have
    }
    ran = 0
    for language, block in tour():
        if language == "python" and (named := re.match(r"# (\S+)\n", block)):
            (project / named[1]).write_text(block)
        if language != "console":
            continue
        for command, expected in steps(block):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=project,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            head, dots, _ = expected.partition("\n...\n")
            printed = plain(done.stdout)
            assert plain(head) == (printed[: len(plain(head))] if dots else printed), command
            ran += 1
    assert ran >= 10


@pytest.fixture
def help_of(replay) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """The help of a command; another installation is asked in a process."""

    def ask(command: str) -> "subprocess.CompletedProcess[str]":
        if "REPLAY_TOUR_BIN" not in os.environ:
            return replay(command, "--help")
        words = [BIN / "replay", command, "--help"]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    return ask


def test_every_command_and_option_that_the_readme_names_exists(help_of):
    """A command that was renamed would leave the README behind."""
    text = README.read_text()
    blocks = "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL))
    named = re.findall(r"(?m)(?:^|\$ |bin/)replay (\w+)(.*)$", blocks)
    assert len(named) > 20
    for command in sorted({command for command, _ in named}):
        shown = help_of(command)
        assert shown.returncode == 0, command
        options = {o for c, rest in named if c == command for o in re.findall(r" (--[\w-]+)", rest)}
        assert {option for option in options if option not in shown.stdout} <= {"--help"}, command
