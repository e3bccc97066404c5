"""Takes invoices, refunds and uploaded files off a queue and keeps them in S3, each once."""

import logging
import os

import archive
from document import BadRecordError, parsed

from replay import capture

logger = logging.getLogger("intake")

MAX_RECEIVES = int(os.environ.get("MAX_RECEIVES", "5"))


class BatchFailedError(Exception):
    """Nothing of a batch could be done, so that something outside of it is broken."""


@capture
def handler(event, context):
    """Work off one batch; report the messages that are to come again."""
    records = event["Records"]
    failures, done = [], {"stored": 0, "known": 0, "rejected": 0}
    for n, record in enumerate(records):
        try:
            done[taken(record)] += 1
        except (archive.NotReadyError, archive.Denied) as error:
            logger.warning("%s: %s", record["messageId"], error)
            failures.append(record["messageId"])
            if is_ordered(record):
                # What follows in a FIFO queue must not overtake it.
                failures.extend(later["messageId"] for later in records[n + 1 :])
                break
    if len(records) > 1 and len(failures) == len(records) and not is_ordered(records[0]):
        raise BatchFailedError(f"none of {len(records)} messages could be taken in")
    if failures:
        logger.info("%d of %d come again", len(failures), len(records))
    return {"batchItemFailures": [{"itemIdentifier": id} for id in failures], **done}


def taken(record):
    """Return what became of a message: stored, known or rejected."""
    key = archive.key_of(record)
    if archive.exists(key):
        return "known"
    try:
        kind, entries = parsed(record["body"], archive.content)
    except BadRecordError as error:
        archive.reject(record, error)
        return "rejected"
    except archive.NotReadyError as error:
        if receives(record) < MAX_RECEIVES:
            raise
        archive.reject(record, error)
        return "rejected"
    archive.store(key, kind, entries)
    return "stored"


def receives(record):
    return int(record["attributes"]["ApproximateReceiveCount"])


def is_ordered(record):
    return record["eventSourceARN"].endswith(".fifo")
