"""Errors that a person reads are the same in another process, whatever they were made of."""

import pickle

import pytest
from test_recording import invocation

from replay.errors import DamagedError, ReplayError
from replay.outcome import Exited
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.case import Case
from replay.replayer.engine import ImportRefusedError
from replay.replayer.secret import NeedsSecretError


@pytest.mark.parametrize(
    "error",
    [
        ReplayError("what", "how", 7),
        DamagedError("what"),
        NeedsSecretError(["key"], "01m81fw1gk0008m74ctcfv7j20"),
    ],
)
def test_an_error_is_the_same_in_another_process(error):
    """Its message, its hint and its exit code; verdicts travel with theirs."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_an_import_that_was_refused_is_told_in_another_process(project):
    """With what comes of it on Lambda."""
    case = Case(Recording(new_ulid(), invocation()), "app.handler", (project,))
    error = ImportRefusedError(case, Exited(3), "no more")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.message, copy.outcome, copy.output) == (error.message, Exited(3), "no more")
