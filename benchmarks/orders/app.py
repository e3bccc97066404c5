"""A function as there are many: an order comes in over HTTP and is checked, priced, answered."""

import base64
import json

import pricing
import reply
import routing
import shipping
import stock
from validation import ValidationError, parse


def handler(event, context):
    """Route one request of an API Gateway."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        action = routing.action_of(event["httpMethod"], event["path"])
        body = body_of(event, headers)
        if action == "create":
            result = create(body, headers)
        elif action == "quote":
            result = quote(body)
        else:
            result = {"id": action.removeprefix("get:"), "status": "unknown"}
    except ValidationError as error:
        return reply.refused(400, str(error), headers)
    except LookupError as error:
        return reply.refused(404, str(error), headers)
    return reply.accepted(result, headers)


def body_of(event, headers):
    """Return the body of a request."""
    body = event.get("body")
    if body is None:
        return None
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    if "json" not in headers.get("content-type", "application/json"):
        raise ValidationError("the body is to be JSON")
    return json.loads(body)


def create(body, headers):
    """Take an order."""
    order = parse(body)
    stock.reserve(order)
    total = pricing.total_of(order)
    cost = shipping.cost_of(order, total.net)
    result = {
        "id": order.id,
        "net": total.net,
        "tax": total.tax,
        "shipping": cost,
        "total": total.net + total.tax + cost,
    }
    if "idempotency-key" in headers:
        result["key"] = headers["idempotency-key"]
    if total.notes:
        result["notes"] = total.notes
    return result


def quote(body):
    """Price an order without taking it."""
    order = parse(body)
    total = pricing.total_of(order)
    return {"net": total.net, "tax": total.tax, "days": shipping.days_of(order)}
