"""An order, out of what came in."""

from dataclasses import dataclass

COUNTRIES = {"DE", "AT", "CH", "US"}


class ValidationError(Exception):
    """What came in is no order."""


@dataclass(frozen=True)
class Line:
    """Some of one article."""

    sku: str
    count: int
    gift: bool


@dataclass(frozen=True)
class Order:
    """What is ordered, and where it goes."""

    id: str
    country: str
    zip: str
    lines: tuple
    code: str | None
    express: bool


def parse(body):
    """Return the order."""
    if not isinstance(body, dict):
        raise ValidationError("an order is an object")
    for name in ("id", "country", "address", "lines"):
        if name not in body:
            raise ValidationError(f"{name} is missing")
    if body["country"] not in COUNTRIES:
        raise ValidationError(f"nothing goes to {body['country']}")
    if not body["lines"]:
        raise ValidationError("an order has lines")
    return Order(
        id=text_of(body, "id", 40),
        country=body["country"],
        zip=zip_of(body),
        lines=tuple(line_of(line) for line in body["lines"]),
        code=body.get("code"),
        express=bool(body.get("express")),
    )


def text_of(body, name, longest):
    """Return a text that is not too long."""
    value = body[name]
    if not isinstance(value, str):
        raise ValidationError(f"{name} is no text")
    value = value.strip()
    if not value or len(value) > longest:
        raise ValidationError(f"{name} has no length of 1 to {longest}")
    return value


def zip_of(body):
    """Return the postal code as its country writes it."""
    code = body["address"].get("zip", "").replace(" ", "")
    length = 4 if body["country"] in ("AT", "CH") else 5
    if len(code) != length:
        if body["country"] == "US" and len(code) == length + 5:
            return code[:length]
        raise ValidationError(f"{code} is no postal code")
    if not code.isdigit():
        raise ValidationError(f"{code} is no number")
    return code


def line_of(line):
    """Return one line."""
    sku = text_of(line, "sku", 20).lower()
    count = line.get("count", 1)
    if not isinstance(count, int):
        raise ValidationError("a count is a number")
    if count < 1 or count > 100:
        raise ValidationError("a count is 1 to 100")
    return Line(sku, count, bool(line.get("gift")))
