"""The function that `replay demo` captures: orders over HTTP, a queue, and a slow report."""

import json
import secrets
import time
import uuid
from typing import Any

from replay import capture

PRICES = {"tea": 350, "coffee": 420}


@capture
def handler(event: dict[str, Any], context: Any) -> object:
    """Route one event."""
    if "Records" in event:
        return _take_batch(event["Records"])
    if event.get("detail-type") == "Scheduled Event":
        _report(context)
        return "done"
    return _order(json.loads(event["body"]))


def _order(body: dict[str, Any]) -> dict[str, Any]:
    order = {
        "id": str(uuid.uuid4()),
        "token": secrets.token_urlsafe(16),
        "created_at": time.time(),
        "total": PRICES[body["item"]] * body["count"],
    }
    return {"statusCode": 201, "body": json.dumps(order)}


def _take_batch(records: list[dict[str, Any]]) -> dict[str, Any]:
    failed = [record["messageId"] for record in records if not record["body"].isdigit()]
    return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}


def _report(context: Any) -> None:
    while context.get_remaining_time_in_millis() > 0:
        time.sleep(0.05)
    time.sleep(60)
