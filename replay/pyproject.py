"""The table `[tool.replay]` of pyproject.toml, for commands and tests; the recorder reads none.

A key that is not known, or a value of another type, is a `SettingsError` that names it.
"""

from collections.abc import Mapping
from typing import Any

from replay.errors import SettingsError

_KEYS = ("store", "path", "handler", "timeout", "outbound", "noise", "redact", "index")
_RULES = {"reads": ("noise", "drift"), "writes": ("noise", "drift"), "order": ("noise", "drift")}


def table_of(pyproject: str) -> Mapping[str, object]:
    """Return the table of a pyproject.toml, empty where there is none; raises SettingsError."""
    import tomllib

    try:
        with open(pyproject, "rb") as file:
            tool = tomllib.load(file).get("tool", {})
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read settings from {pyproject}: {error}") from error
    table = tool.get("replay", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"[tool.replay] in {pyproject} is not a table")
    for key in table:
        if key not in _KEYS:
            known = ", ".join(_KEYS)
            raise SettingsError(
                f"[tool.replay] in {pyproject} has no key {key!r}", f"keys: {known}"
            )
    return table


def text_of(table: Mapping[str, object], key: str) -> str | None:
    """Return a string, None where there is none; raises SettingsError."""
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong_type(key, value, "a string")
    return value


def texts_of(table: Mapping[str, object], key: str) -> list[str]:
    """Return a list of strings; raises SettingsError."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise _wrong_type(key, value, "a list of strings")
    return value


def seconds_of(table: Mapping[str, object], key: str) -> float | None:
    """Return a number of seconds, None where there is none; raises SettingsError."""
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _wrong_type(key, value, "a number of seconds above 0")
    return float(value)


def noise_of(rules: object) -> tuple[Mapping[str, Any], ...]:
    """Return rules for places that may vary; raises SettingsError."""
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise _wrong_type("noise", rules, 'a list of {path = "$.id", kind = "uuid"}')
    return tuple(rules)


def outbound_rules_of(table: object) -> Mapping[str, Mapping[str, Any]]:
    """Return for each function how strictly its calls are judged; raises SettingsError."""
    if not isinstance(table, dict) or not all(isinstance(it, dict) for it in table.values()):
        raise _wrong_type("outbound", table, "a table for each function")
    return {name: _rules(f"outbound.{name}", rules) for name, rules in table.items()}


def _rules(name: str, table: Mapping[str, object]) -> Mapping[str, Any]:
    rules: dict[str, Any] = (
        {"ignore": tuple(texts_of(table, "ignore"))} if "ignore" in table else {}
    )
    for key, value in table.items():
        if key in _RULES:
            if value not in _RULES[key]:
                raise _wrong_type(f"{name}.{key}", value, '"noise" or "drift"')
            rules[key] = value
        elif key != "ignore":
            known = ", ".join((*_RULES, "ignore"))
            raise SettingsError(
                f"{name} in [tool.replay] of pyproject.toml has no key {key!r}", f"keys: {known}"
            )
    return rules


def _wrong_type(key: str, value: object, wanted: str) -> SettingsError:
    return SettingsError(f"{key} in [tool.replay] of pyproject.toml is {value!r}, not {wanted}")
