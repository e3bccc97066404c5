"""A function as there are many: an order comes in over HTTP and is checked, priced, answered."""

import base64
import json

import audit
import invoice
import pricing
import reply
import routing
import shipping
import stock
import warehouse
from address import address_of
from customer import customer_of
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
    customer = customer_of(body, headers)
    address = address_of(body, order)
    stock.reserve(order)
    total = pricing.total_of(order)
    cost = shipping.cost_of(order, total.net)
    parcels = warehouse.pack(order)
    bill = invoice.invoice_of(order, customer, total, cost)
    entry = audit.entry_of(order, customer, address, bill, parcels)
    result = {
        "id": order.id,
        "net": total.net,
        "tax": total.tax,
        "shipping": cost,
        "total": bill.cents,
        "parcels": warehouse.summary_of(parcels),
        "invoice": bill.lines,
        "action": entry["action"],
    }
    if bill.due_days:
        result["due_days"] = bill.due_days
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
