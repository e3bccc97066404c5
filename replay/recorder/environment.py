"""What the recorder takes from the process environment: its settings and the variables to keep.

Both are worked out again only when a variable changes; an unchanged environment costs one
comparison. Credentials never leave the process: AWS's own and `REPLAY_*KEY*` are dropped, and a
variable that looks like a credential, by its name or as a URL with user info, keeps its name only.
"""

import os
import sys
from collections.abc import Mapping

from replay.codec import encode
from replay.payload import escapes_text
from replay.recorder.journal import journal_of
from replay.settings import recorder_settings

TRACE_ID = "_X_AMZN_TRACE_ID"
_RAW_TRACE_ID = TRACE_ID.encode()
WITHHELD = "replay-withheld"
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
_OFF = ("off", "false", "no", "0")
_FOLDERS = ("PWD", "OLDPWD")
_PLATFORM = ("AWS_LAMBDA_*", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "TZ", "LANG")
"""Variables that a replay needs to rebuild the runtime, kept whatever REPLAY_ENV says."""


class Environment:
    """The environment as of the last look, and what follows from it.

    `encoded` holds the kept variables as a codec document, `journal` is where parts go.
    """

    def __init__(self, *, store: str | None, sample: float | None, outbound: bool | None) -> None:
        self._arguments = store, sample, outbound
        self._raw: object = None
        self.encoded = b"{}"
        self.handler = ""
        self.is_capturing = False
        self.escapes_text = True
        self.trace_id: str | None = None

    def refresh(self) -> None:
        """Look again; raises SettingsError where a variable cannot be understood."""
        # CPython's os.environ keeps encoded names and values in `_data`; comparing a copy of it
        # takes 1 us, decoding 40 variables 12 us. The trace id changes with every invocation.
        data = getattr(os.environ, "_data", None)
        raw = data.copy() if type(data) is dict else dict(os.environ)
        trace_id = raw.pop(_RAW_TRACE_ID, None) or raw.pop(TRACE_ID, None)
        self.trace_id = os.fsdecode(trace_id) if trace_id is not None else None
        if raw != self._raw:
            self._read(dict(os.environ))
            self._raw = raw

    def _read(self, variables: dict[str, str]) -> None:
        store, sample, outbound = self._arguments
        self.settings = recorder_settings(variables, store=store, sample=sample, outbound=outbound)
        self.journal = journal_of(self.settings)
        self.encoded = encode(kept(variables, self.settings.keep))
        self.handler = variables.get("REPLAY_HANDLER") or variables.get("_HANDLER", "")
        self.escapes_text = escapes_text(variables)
        wish = variables.get("REPLAY_CAPTURE", "").lower()
        is_asked_for = store is not None or "REPLAY_STORE" in variables
        self.is_capturing = wish not in _OFF if wish else is_asked_for or not _in_test_runner()


def _in_test_runner() -> bool:
    if "PYTEST_CURRENT_TEST" in os.environ and "_pytest" in sys.modules:
        return True
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return getattr(spec, "name", None) == "unittest.__main__"


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
    words = name.lower().replace("-", "_").replace(".", "_")
    if any(word in words for word in _CREDENTIAL_WORDS):
        return True
    ends = any(part.endswith(_CREDENTIAL_ENDS) for part in words.split("_"))
    return (ends and name not in _FOLDERS) or _has_user_info(value)


def _has_user_info(value: str) -> bool:
    _, is_url, rest = value.partition("://")
    return bool(is_url) and "@" in rest
