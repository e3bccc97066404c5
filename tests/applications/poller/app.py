"""Started by a schedule: waits for long-running jobs and collects what they have made."""

import logging
import os

import jobs
from wait import wait_for

from replay import capture

logger = logging.getLogger("poller")

MAX_ATTEMPTS = int(os.environ.get("MAX_ATTEMPTS", "3"))


class BadScheduleError(Exception):
    """The rule passes on what is no list of jobs."""


class JobFailedError(Exception):
    """A job has failed for good."""


class IncompleteError(Exception):
    """A job has made less than its manifest says."""


@capture
def handler(event, context):
    """Look after the jobs that the rule names; those that time is short for wait for the next."""
    names = names_of(event)
    summary, pending = {}, []
    for name in names:
        job = None if pending else wait_for(name, context)
        if job is None:
            pending.append(name)
        else:
            summary[name] = settled(job)
            logger.info("%s: %s", name, summary[name])
    result = {"at": event["time"], "jobs": summary}
    if pending:
        result["pending"] = pending
    return result


def names_of(event):
    if event.get("source") != "aws.events" and event.get("detail-type") != "Jobs Due":
        raise BadScheduleError(f"source {event.get('source')}")
    detail = event.get("detail") or {}
    names = detail.get("jobs", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadScheduleError("jobs is no list of names")
    return list(dict.fromkeys(names))


def settled(job):
    """Return what became of a job that no longer runs."""
    match job["status"]:
        case "done":
            return collected(job)
        case "failed":
            if job["attempts"] >= MAX_ATTEMPTS or not job.get("retryable", True):
                raise JobFailedError(f"{job['id']}: {job.get('reason', 'no reason given')}")
            jobs.start_again(job)
            return {"result": "started again", "attempt": job["attempts"] + 1}
        case "poisoned":
            # It has written into the memory that sandboxes of it share: this one must not go on.
            logger.critical("%s is poisoned", job["id"])
            os._exit(3)
        case "draining":
            while job["status"] == "draining":
                pass
    return {"result": job["status"]}


def collected(job):
    """Return the sums of what a job has made."""
    manifest = jobs.manifest(job)
    if manifest is None:
        return {"result": "nothing made"}
    parts = manifest["parts"]
    if len(parts) != job["parts"]:
        raise IncompleteError(f"{job['id']}: {len(parts)} of {job['parts']} parts")
    rows = sum(part["rows"] for part in parts)
    empty = [part["name"] for part in parts if part["rows"] == 0]
    if not jobs.mark_collected(job, rows):
        return {"result": "collected by another"}
    outcome = {"result": "collected", "rows": rows, "mean": round(rows / max(len(parts), 1), 2)}
    if empty:
        outcome["empty"] = empty
    return outcome
