"""`--replay-accept` asks on the terminal, of each case that drifts."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from test_generate import ALONE


def answered(folder: Path, answer: bytes) -> str:
    """What pytest shows on a terminal where each question gets this answer."""
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *ALONE]
    asking = subprocess.Popen(
        [*command, "--replay-accept", "tests"],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown, questions = b"", 0
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # it has ended
            break
        if not piece:
            break
        shown += piece
        if shown.count(b"[y/N]") > questions:
            questions += 1
            os.write(terminal, answer)
    asking.wait()
    os.close(terminal)
    return shown.decode()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ")
def test_each_drift_is_shown_and_asked_about(project, replay):
    """No leaves the case as it is, and red; yes makes it what the handler does."""
    (project / "shop.py").write_text("def handler(event, context): return {'n': event['n'] * 3}\n")
    replay("invoke", "shop.handler", '{"n": 2}', "--capture")
    replay("generate", "--yes")
    (project / "shop.py").write_text("def handler(event, context): return {'n': event['n'] * 4}\n")
    case = next((project / "fixtures").rglob("*.json"))
    for answer, passed, expected in ((b"n\n", "1 failed", 6), (b"y\n", "1 passed", 8)):
        shown = answered(project, answer)
        assert "is this what it is to do from now on?" in shown, shown
        assert "recorded  6" in shown
        assert passed in shown
        assert json.loads(case.read_text())["expected"]["value"] == {"n": expected}
