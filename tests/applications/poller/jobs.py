"""Jobs in DynamoDB, and in S3 what they have made."""

import json
import os
from datetime import UTC, datetime

import boto3

table = boto3.resource("dynamodb").Table(os.environ["JOBS_TABLE"])
s3 = boto3.client("s3")
BUCKET = os.environ["RESULTS_BUCKET"]
Refused = table.meta.client.exceptions.ConditionalCheckFailedException


def get(name):
    """Return a job with plain numbers, None where there is none."""
    item = table.get_item(Key={"id": name}, ConsistentRead=True).get("Item")
    if item is None:
        return None
    return {**item, "attempts": int(item.get("attempts", 0)), "parts": int(item.get("parts", 0))}


def manifest(job):
    """Return the list of what a job has made, None where it has made nothing."""
    try:
        made = s3.get_object(Bucket=BUCKET, Key=f"{job['id']}/manifest.json")
    except s3.exceptions.NoSuchKey:
        return None
    return json.loads(made["Body"].read())


def start_again(job):
    """Queue a failed job once more."""
    table.update_item(
        Key={"id": job["id"]},
        UpdateExpression="SET #s = :queued, heard_at = :now ADD attempts :one REMOVE reason",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":queued": "queued", ":now": now(), ":one": 1},
    )


def mark_collected(job, rows):
    """Say that a job is collected; False where another has done so meanwhile."""
    try:
        table.update_item(
            Key={"id": job["id"]},
            UpdateExpression="SET #s = :collected, collected_at = :now, #r = :rows",
            ConditionExpression="#s = :done AND attribute_not_exists(collected_at)",
            ExpressionAttributeNames={"#s": "status", "#r": "rows"},
            ExpressionAttributeValues={
                ":collected": "collected",
                ":now": now(),
                ":done": "done",
                ":rows": rows,
            },
        )
    except Refused:
        return False
    return True


def now():
    return datetime.now(UTC).isoformat(timespec="seconds")
