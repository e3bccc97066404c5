"""The bucket of what was taken in: one object a message, which also tells that it is there."""

import hashlib
import json
import os
from collections import Counter
from datetime import UTC, datetime

import boto3
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
BUCKET = os.environ["ARCHIVE_BUCKET"]


class NotReadyError(Exception):
    """A file is named that is not there yet."""


class Denied(Exception):
    """The bucket of a file is none that the function may read."""


def key_of(record):
    """Return the key of a message: of its deduplication id, else of what it says."""
    same = record["attributes"].get("MessageDeduplicationId")
    digest = hashlib.sha256((same or record["body"]).encode()).hexdigest()
    return f"taken/{digest[:2]}/{digest[:32]}.json"


def exists(key):
    try:
        s3.head_object(Bucket=BUCKET, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return False
    return True


def content(bucket, key):
    """Return the bytes of a file."""
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        raise NotReadyError(f"s3://{bucket}/{key} is not there") from None
    except ClientError as error:
        raise Denied(f"{bucket}: {error.response['Error']['Code']}") from error


def store(key, kind, entries):
    totals = Counter()
    for entry in entries:
        totals[entry["currency"]] += entry["cents"]
    body = {
        "kind": kind,
        "taken_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "totals": dict(sorted(totals.items())),
        "entries": entries,
    }
    write(key, body, kind=kind, count=str(len(entries)))


def reject(record, error):
    """Keep a message that is no good where somebody looks at it."""
    body = {"why": str(error), "body": record["body"], "sent_by": record["eventSourceARN"]}
    write(f"rejected/{record['messageId']}.json", body, kind=type(error).__name__)


def write(key, body, **metadata):
    s3.put_object(
        Bucket=BUCKET,
        Key=key,
        Body=json.dumps(body, indent=1).encode(),
        ContentType="application/json",
        Metadata=metadata,
    )
