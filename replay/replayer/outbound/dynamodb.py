"""DynamoDB's parameters in one form: what means the same to it is the same. Pure.

Names of placeholders and blanks in expressions mean nothing, nor do zeros at the end of a number
and the order of the requests of a batch. Source: the DynamoDB developer guide, "Expression
attribute names" and "... values", "Data types: Number"; API reference, BatchWriteItem and
BatchGetItem.
"""

import re
from decimal import Context, Decimal, InvalidOperation
from typing import Any

_EXPRESSIONS = (
    "KeyConditionExpression",
    "FilterExpression",
    "ConditionExpression",
    "UpdateExpression",
    "ProjectionExpression",
)
_NAMES, _VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
_BATCH, _KEYS = "RequestItems", "Keys"
_PLACEHOLDER = re.compile(r"[#:]\w+")
_BLANKS = re.compile(r"\s+")
_AROUND_SIGNS = re.compile(r"\s*([=<>(),+-])\s*")
_EXACT = Context(prec=1_000)
"""DynamoDB keeps 38 digits."""


def resolved(value: Any) -> Any:
    """Return parameters with names in their places, and values numbered as they come."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("N"), str) and len(value) == 1:
        return {"N": _number(value["N"])}
    if any(isinstance(value.get(name), str) for name in _EXPRESSIONS):
        value = _with_names(value)
    result = {name: resolved(item) for name, item in value.items()}
    if isinstance(result.get(_BATCH), dict):
        result[_BATCH] = {table: _in_order(some) for table, some in result[_BATCH].items()}
    return result


def _with_names(parameters: dict[str, Any]) -> dict[str, Any]:
    names, values = parameters.get(_NAMES) or {}, parameters.get(_VALUES) or {}
    numbers: dict[str, str] = {}

    def resolve(found: re.Match[str]) -> str:
        placeholder = found[0]
        if placeholder in values:
            return numbers.setdefault(placeholder, f":{len(numbers)}")
        return str(names.get(placeholder, placeholder))

    result = {name: item for name, item in parameters.items() if name not in (_NAMES, _VALUES)}
    for name in _EXPRESSIONS:
        if isinstance(result.get(name), str):
            # No text stands in an expression itself, only placeholders of it.
            bare = _AROUND_SIGNS.sub(r"\1", _BLANKS.sub(" ", result[name].strip()))
            result[name] = _PLACEHOLDER.sub(resolve, bare)
    if values:
        result[_VALUES] = {numbers.get(name, name): item for name, item in values.items()}
    return result


def _number(text: str) -> str:
    try:
        return str(Decimal(text).normalize(_EXACT))
    except InvalidOperation:
        return text


def _in_order(requests: Any) -> Any:
    """Return what a batch asks of one table: a list of writes, or an object with keys to read."""
    if isinstance(requests, dict) and isinstance(requests.get(_KEYS), list):
        return {**requests, _KEYS: sorted(requests[_KEYS], key=repr)}
    return sorted(requests, key=repr) if isinstance(requests, list) else requests
