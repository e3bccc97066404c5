"""DynamoDB's expressions with their placeholders resolved: their names mean nothing. Pure.

Source: the DynamoDB developer guide, "Expression attribute names" and "... values".
"""

import re
from typing import Any

_EXPRESSIONS = (
    "KeyConditionExpression",
    "FilterExpression",
    "ConditionExpression",
    "UpdateExpression",
    "ProjectionExpression",
)
_NAMES, _VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
_PLACEHOLDER = re.compile(r"[#:]\w+")


def resolved(value: Any) -> Any:
    """Return parameters with names in their places, and values numbered as they come."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not any(isinstance(value.get(name), str) for name in _EXPRESSIONS):
        return {name: resolved(item) for name, item in value.items()}
    return _resolved(value)


def _resolved(parameters: dict[str, Any]) -> dict[str, Any]:
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
            result[name] = _PLACEHOLDER.sub(resolve, result[name])
    if values:
        result[_VALUES] = {numbers.get(name, name): item for name, item in values.items()}
    return result
