"""What an order is: its lines, what it costs, and the states it goes through."""

import os
import uuid
from decimal import ROUND_HALF_UP, Decimal

from request import ConflictError, InvalidError

FREE_SHIPPING_FROM = Decimal(os.environ.get("FREE_SHIPPING_FROM", "50"))
SHIPPING = Decimal("4.90")
EXPRESS = Decimal("7.50")
COUPONS = {"TENOFF": Decimal("0.10"), "HALF": Decimal("0.50")}
MAX_LINES = 10
MAX_QUANTITY = 99
NEXT = {
    "new": ("paid", "cancelled"),
    "paid": ("shipped", "cancelled"),
    "shipped": ("delivered",),
    "delivered": (),
    "cancelled": (),
}


def new_order(document, user, created_at):
    """Return the order that a document asks for."""
    customer = user or document.get("customer")
    if not isinstance(customer, str) or not customer.strip():
        raise InvalidError("customer", "is missing")
    order = {
        "id": str(document.get("id") or uuid.uuid4()),
        "customer": customer.strip().lower(),
        "status": "new",
        "version": 1,
        "created_at": created_at,
        "updated_at": created_at,
        **priced(document.get("lines"), document),
    }
    if document.get("note"):
        order["note"] = str(document["note"])[:200]
    return order


def priced(lines, document):
    """Return lines and amounts; an order of many pieces is cheaper."""
    if not isinstance(lines, list) or not lines:
        raise InvalidError("lines", "is no list with something in it")
    if len(lines) > MAX_LINES:
        raise InvalidError("lines", f"has more than {MAX_LINES} entries")
    checked = [checked_line(line, n) for n, line in enumerate(lines)]
    subtotal = sum(line["quantity"] * line["price"] for line in checked)
    pieces = sum(line["quantity"] for line in checked)
    discount = Decimal(0)
    coupon = document.get("coupon")
    if coupon is not None:
        if coupon not in COUPONS:
            raise InvalidError("coupon", f"{coupon} is unknown")
        discount += subtotal * COUPONS[coupon]
    if pieces >= 20 and coupon != "HALF":
        discount += subtotal * Decimal("0.05")
    shipping = shipping_of(subtotal - discount, express=document.get("express", False))
    return {
        "lines": checked,
        "pieces": pieces,
        "subtotal": money(subtotal),
        "discount": money(discount),
        "shipping": shipping,
        "total": money(subtotal - discount) + shipping,
    }


def checked_line(line, n):
    if not isinstance(line, dict) or not line.get("sku"):
        raise InvalidError(f"lines[{n}].sku", "is missing")
    quantity, price = line.get("quantity", 1), line.get("price")
    if not isinstance(quantity, int) or quantity < 1 or quantity > MAX_QUANTITY:
        raise InvalidError(f"lines[{n}].quantity", f"is a number from 1 to {MAX_QUANTITY}")
    if not isinstance(price, (int, Decimal)) or price < 0:
        raise InvalidError(f"lines[{n}].price", "is no amount of money")
    return {"sku": line["sku"].upper(), "quantity": quantity, "price": money(Decimal(price))}


def shipping_of(amount, *, express):
    shipping = Decimal(0) if amount >= FREE_SHIPPING_FROM else SHIPPING
    return shipping + EXPRESS if express else shipping


def advanced(order, status):
    """Return the order in its next status."""
    if status not in NEXT:
        raise InvalidError("status", f"is one of {', '.join(NEXT)}")
    if status not in NEXT[order["status"]]:
        raise ConflictError(f"from {order['status']} no way leads to {status}")
    return {**order, "status": status}


def money(amount):
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
