"""Orders over HTTP: the entry of the function, for REST and for HTTP APIs of API Gateway."""

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal

import table
from order import advanced, new_order, priced
from request import ConflictError, InvalidError, NotFoundError, Problem, request_of

from replay import capture

logger = logging.getLogger("orders")
logger.setLevel("INFO")

MAX_PAGE = 20
ALLOWED = {"orders": ("GET", "POST"), "order": ("GET", "PUT", "DELETE")}


@capture
def handler(event, context):
    """Answer one call of the API."""
    request = request_of(event)
    headers = {"content-type": "application/json", "x-request-id": context.aws_request_id}
    try:
        status, body, more = answer(request)
    except Problem as problem:
        logger.info("%s %s: %s", request.method, request.path, problem)
        status, body, more = problem.status, problem.document(), problem.headers
    return {
        "statusCode": status,
        "headers": {**headers, **more},
        "body": "" if body is None else json.dumps(body, default=plain),
        "isBase64Encoded": False,
    }


def answer(request):
    """Return status, body and further headers."""
    match request.segments:
        case ["orders"]:
            if request.method == "POST":
                return create(request)
            if request.method == "GET":
                return 200, page(request), {}
            allowed = ALLOWED["orders"]
        case ["orders", order_id]:
            if request.method == "GET":
                return 200, found(order_id), {}
            if request.method == "PUT":
                return 200, change(order_id, request), {}
            if request.method == "DELETE":
                return remove(order_id)
            allowed = ALLOWED["order"]
        case _:
            raise NotFoundError(f"nothing at {request.path}")
    raise Problem(405, "MethodNotAllowed", request.method, headers={"allow": ", ".join(allowed)})


def create(request):
    order = new_order(request.document(), request.user, now())
    if not table.insert(order):
        raise ConflictError(f"order {order['id']} exists")
    return 201, order, {"location": f"/orders/{order['id']}"}


def found(order_id):
    order = table.get(order_id)
    if order is None:
        raise NotFoundError(f"no order {order_id}")
    return order


def change(order_id, request):
    """Change status or lines of an order that nobody else has changed since `version`."""
    document = request.document()
    version = document.get("version")
    if not isinstance(version, int) or version < 1:
        raise InvalidError("version", "is the number of the version that you have read")
    order = found(order_id)
    changed = advanced(order, document["status"]) if "status" in document else dict(order)
    if "lines" in document:
        if order["status"] != "new":
            raise ConflictError(f"the lines of an order that is {order['status']} are fixed")
        changed = {**changed, **priced(document["lines"], document)}
    if changed == order:
        return order
    changed["version"] = version + 1
    changed["updated_at"] = now()
    if not table.replace(changed, version):
        raise ConflictError(f"order {order_id} is no longer at version {version}")
    return changed


def remove(order_id):
    order = found(order_id)
    if order["status"] not in ("new", "cancelled"):
        raise ConflictError(f"an order that is {order['status']} stays")
    if not table.delete(order_id, order["version"]):
        raise ConflictError(f"order {order_id} has changed meanwhile")
    return 204, None, {}


def page(request):
    """Return a page of the orders of a customer, newest first."""
    customer = request.query.get("customer") or request.user
    if not customer:
        raise InvalidError("customer", "is missing")
    limit = request.query.get("limit", "10")
    if not limit.isdigit() or not 1 <= int(limit) <= MAX_PAGE:
        raise InvalidError("limit", f"is a number from 1 to {MAX_PAGE}")
    status = request.query.get("status")
    orders, cursor = table.page(customer, int(limit), request.query.get("cursor"))
    orders = [order for order in orders if status is None or order["status"] == status]
    body = {"orders": orders, "count": len(orders), "total": sum(one["total"] for one in orders)}
    if cursor is not None:
        body["next"] = cursor
    return body


def now():
    return datetime.now(UTC).isoformat(timespec="seconds")


def plain(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
