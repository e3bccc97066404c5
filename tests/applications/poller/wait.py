"""Waiting for a job, as long as the invocation has time for it."""

import os
import time
from datetime import UTC, datetime, timedelta

import jobs

POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "2"))
MAX_POLL_SECONDS = 8 * POLL_SECONDS
RESERVE_MS = int(os.environ.get("RESERVE_MS", "700"))
SILENT_FOR = timedelta(minutes=int(os.environ.get("SILENT_MINUTES", "15")))
RUNNING = ("queued", "running")


class JobMissingError(LookupError):
    """There is no job of that name."""


class JobStalledError(Exception):
    """A job that runs has not been heard of for long."""


def wait_for(name, context):
    """Return a job that no longer runs, None where the time is too short to see its end."""
    seconds = POLL_SECONDS
    job = unlocked(name)
    while job["status"] in RUNNING:
        if job["status"] == "running" and is_silent(job):
            raise JobStalledError(f"{name} was last heard of at {job['heard_at']}")
        if context.get_remaining_time_in_millis() - seconds * 1000 < RESERVE_MS:
            return None
        time.sleep(seconds)
        seconds = min(seconds * 1.5, MAX_POLL_SECONDS)
        job = found(name)
    return job


def unlocked(name):
    """Return a job once no other poller holds it."""
    seconds = POLL_SECONDS
    job = found(name)
    while job.get("locked_by"):
        time.sleep(seconds)
        seconds *= 2
        job = found(name)
    return job


def found(name):
    job = jobs.get(name)
    if job is None:
        raise JobMissingError(name)
    return job


def is_silent(job):
    heard_at = datetime.fromisoformat(job["heard_at"])
    return datetime.now(UTC) - heard_at > SILENT_FOR
