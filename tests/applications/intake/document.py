"""What messages say: invoices and refunds as JSON or CSV, or the name of a file with many."""

import csv
import io
import json
from decimal import Decimal, InvalidOperation

CURRENCIES = ("EUR", "USD", "GBP")
MAX_ENTRIES = 50
COLUMNS = ("number", "amount", "currency")


class BadRecordError(Exception):
    """A message that will never be right, however often it comes."""


def parsed(body, content):
    """Return kind and entries of a message; `content` reads a file that it names."""
    try:
        message = json.loads(body)
    except ValueError:
        raise BadRecordError("the body is no JSON") from None
    if isinstance(message, dict) and "Message" in message and "TopicArn" in message:
        return parsed(message["Message"], content)
    match message:
        case {"type": "invoice", "invoice": dict(invoice)}:
            return "invoice", [entry(invoice)]
        case {"type": "refund", "refund": dict(refund)}:
            return "refund", [refunded(refund)]
        case {"type": "table", "csv": str(text)}:
            return "table", table(text)
        case {"type": "file", "bucket": str(bucket), "key": str(key)}:
            return "file", lines(content(bucket, key), key)
        case {"type": str(kind)}:
            raise BadRecordError(f"{kind} is unknown or lacks something")
    raise BadRecordError("the body has no type")


def entry(fields):
    """Return an invoice in the form in which it is kept: amounts are whole cents."""
    missing = [name for name in COLUMNS if not fields.get(name)]
    if missing:
        raise BadRecordError(f"{', '.join(missing)} missing")
    try:
        amount = Decimal(str(fields["amount"]))
    except InvalidOperation:
        raise BadRecordError(f"amount {fields['amount']} is no number") from None
    currency = fields["currency"].upper()
    if currency not in CURRENCIES:
        raise BadRecordError(f"currency {currency} is not taken")
    if not amount.is_finite() or abs(amount) >= 1_000_000:
        raise BadRecordError(f"amount {amount} is out of bounds")
    kept = {"number": str(fields["number"]), "cents": int(amount * 100), "currency": currency}
    if fields.get("due"):
        kept["due"] = fields["due"]
    return kept


def refunded(refund):
    kept = entry({**refund, "number": refund.get("invoice")})
    if kept["cents"] <= 0:
        raise BadRecordError("a refund is more than nothing")
    return {**kept, "cents": -kept["cents"], "reason": refund.get("reason", "none given")}


def table(text):
    """Return the entries of CSV; lines that say nothing are left out."""
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text else ",")
    absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if absent:
        raise BadRecordError(f"no column {', '.join(absent)}")
    entries = [entry(row) for row in reader if any(row.values())]
    if not entries or len(entries) > MAX_ENTRIES:
        raise BadRecordError(f"{len(entries)} lines, not 1 to {MAX_ENTRIES}")
    return entries


def lines(content, name):
    """Return the entries of a file of CSV, or of JSON objects one a line."""
    text = content.decode("utf-8-sig")
    if name.endswith(".csv"):
        return table(text)
    if not name.endswith((".jsonl", ".ndjson")):
        raise BadRecordError(f"{name} is of no known kind")
    try:
        return [entry(json.loads(line)) for line in text.splitlines() if line.strip()]
    except (ValueError, AttributeError):
        raise BadRecordError(f"{name} holds what is no JSON object") from None
