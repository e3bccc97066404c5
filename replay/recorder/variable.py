"""Which environment variables are kept, which are withheld, and which are secrets to look for.

Credentials never leave the process: AWS's own and `REPLAY_*KEY*` are dropped, and a variable that
looks like a credential, by its name or as a URL with user info, keeps its name only. Loaded with
the first capture.
"""

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from replay.recorder.environment import TRACE_ID
from replay.redaction.key import key_of
from replay.redaction.name import Secrecy, secrecy_of
from replay.redaction.pseudonym import Pseudonyms
from replay.redaction.redactor import Rules
from replay.redaction.stand_in import WITHHELD, is_distinct
from replay.settings import STDOUT, Settings, store_path

if TYPE_CHECKING:
    from replay.redaction.rule import OwnRules

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_",
    "AWS_CONTAINER_CREDENTIALS_",
)
"""Beginnings of the names of AWS's own credentials."""
_CREDENTIAL_WORDS = ("secret", "token", "passw", "passphrase", "credential", "dsn")
_CREDENTIAL_ENDS = ("key", "keys", "pwd", "pass")
_OPEN_KEYS = ("PARTITION_KEY", "SORT_KEY", "PRIMARY_KEY", "HASH_KEY", "RANGE_KEY", "PUBLIC_KEY")
_NO_KEYS = ("monkey", "turkey", "donkey", "jockey", "hockey", "whiskey")
_FOLDERS = ("PWD", "OLDPWD")
_PLATFORM = ("AWS_LAMBDA_*", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "TZ", "LANG")
"""Variables that a replay needs to rebuild the runtime, kept whatever REPLAY_ENV says."""


def kept(variables: Mapping[str, str], patterns: tuple[str, ...]) -> dict[str, str]:
    """Return the variables that a recording holds, sorted by name, without the trace id."""
    return {
        name: WITHHELD if looks_like_credential(name, value) else value
        for name, value in sorted(variables.items())
        if name != TRACE_ID and not _is_dropped(name) and _is_wanted(name, patterns)
    }


def _is_dropped(name: str) -> bool:
    own_key = name.startswith("REPLAY_") and "KEY" in name
    return own_key or name.startswith(_CREDENTIALS)


def _is_wanted(name: str, patterns: tuple[str, ...]) -> bool:
    if "*" in patterns:
        return True
    from fnmatch import fnmatchcase  # a regular expression each, rarely needed

    return any(fnmatchcase(name, pattern) for pattern in (*patterns, *_PLATFORM))


def looks_like_credential(name: str, value: str) -> bool:
    """Whether a variable's name or its value (a URL with user info) gives a credential away."""
    if secrecy_of(name) is Secrecy.HARMLESS or name.endswith(_OPEN_KEYS):
        return _has_user_info(value)
    words = name.lower().replace("-", "_").replace(".", "_")
    is_open_token = "token" in words and secrecy_of(name) is Secrecy.ORDINARY
    if not is_open_token and any(word in words for word in _CREDENTIAL_WORDS):
        return True
    ends = any(it.endswith(_CREDENTIAL_ENDS) for it in words.split("_") if it not in _NO_KEYS)
    return (ends and name not in _FOLDERS) or _has_user_info(value)


def _has_user_info(value: str) -> bool:
    _, is_url, rest = value.partition("://")
    return bool(is_url) and "@" in rest


def withheld(
    variables: Mapping[str, str], wanted: Mapping[str, str], rules: Rules | None
) -> dict[str, str]:
    """Return the pseudonyms of the variables whose values are withheld."""
    if rules is None:
        return {}
    names = [name for name, value in wanted.items() if value == WITHHELD != variables[name]]
    return {name: rules.pseudonyms.of(variables[name]) for name in names}


def rules_of(settings: Settings, variables: Mapping[str, str]) -> Rules | None:
    """Return the rules of redaction; None where it is off."""
    return None if settings.redact == "off" else active_rules(settings, variables)


def active_rules(settings: Settings, variables: Mapping[str, str]) -> Rules:
    """Return the rules of redaction for a store; secrets of `variables` are known to them."""
    is_file = settings.store != STDOUT
    store = os.path.abspath(store_path(settings.store)) if is_file else None
    return Rules(
        Pseudonyms(functools.partial(key_of, store, settings.redact_key)),
        is_strict=settings.is_strict,
        own=_own_rules(settings) if settings.redact_rules else None,
        known={
            value: name
            for name, value in variables.items()
            if _is_secret(name, value) and is_distinct(value)
        },
    )


def _own_rules(settings: Settings) -> "OwnRules":
    from replay.redaction.rule import own_rules  # most have none

    return own_rules(settings.redact_rules)


def _is_secret(name: str, value: str) -> bool:
    return _is_dropped(name) or looks_like_credential(name, value)
