"""What the recorder takes from the process environment: its settings and the variables to keep.

Both are worked out again only when a variable changes; an unchanged environment costs one
comparison. Credentials never leave the process: AWS's own and `REPLAY_*KEY*` are dropped, and a
variable that looks like a credential, by its name or as a URL with user info, keeps its name only.
"""

import os
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from replay.codec import encode
from replay.settings import Settings

TRACE_ID = "_X_AMZN_TRACE_ID"
WITHHELD = "replay-withheld"
_CREDENTIALS = re.compile(
    r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN"
    r"|CONTAINER_(AUTHORIZATION|CREDENTIALS)_\w+|WEB_IDENTITY_TOKEN_FILE)$|REPLAY_\w*KEY"
)
_CREDENTIAL_NAME = re.compile(
    r"secret|token|passw|passphrase|(?<!old)(?<!^)pwd|credential|dsn|(?:^|[^a-z])pass(?:$|[^a-z])"
    r"|keys?(?:$|[^a-z])|(?:^|[^a-z])keys?"
)
_CREDENTIAL_URL = re.compile(r"[a-zA-Z][\w+.-]*://[^/?#\s]*@")
_PLATFORM = ("AWS_LAMBDA_*", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "TZ", "LANG")
"""Variables that a replay needs to rebuild the runtime, kept whatever REPLAY_ENV says."""


class Environment:
    """The environment as of the last look: `settings`, and `encoded`, the kept variables."""

    def __init__(self, read_settings: Callable[[Mapping[str, str]], Settings]) -> None:
        self._read_settings = read_settings
        self._raw: object = None
        self.settings = Settings(store="")
        self.encoded = b"{}"
        self.names_store = False
        self.capture = ""
        self.handler = ""

    def refresh(self) -> None:
        """Look again; raises SettingsError where a variable cannot be understood."""
        raw = _raw_environment()
        if raw == self._raw:
            return
        variables = dict(os.environ)
        self.capture = variables.get("REPLAY_CAPTURE", "").lower()
        self.names_store = "REPLAY_STORE" in variables
        self.handler = variables.get("REPLAY_HANDLER") or variables.get("_HANDLER", "")
        self.settings = self._read_settings(variables)
        self.encoded = encode(kept(variables, self.settings.keep))
        self._raw = raw


def _raw_environment() -> object:
    # CPython's os.environ keeps encoded names and values in `_data`; comparing a copy of it takes
    # 1 us, decoding 40 variables 12 us. The trace id changes with every invocation.
    data = getattr(os.environ, "_data", None)
    if type(data) is not dict:
        return dict(os.environ)
    raw = data.copy()
    raw.pop(b"_X_AMZN_TRACE_ID", None)
    return raw


def kept(variables: Mapping[str, str], patterns: tuple[str, ...]) -> dict[str, str]:
    """Return the variables that a recording holds, sorted by name, without the trace id."""
    patterns = (*patterns, *_PLATFORM)
    return {
        name: WITHHELD if looks_like_credential(name, value) else value
        for name, value in sorted(variables.items())
        if name != TRACE_ID
        and not _CREDENTIALS.match(name)
        and any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def looks_like_credential(name: str, value: str) -> bool:
    """Whether a variable's name or its value (a URL with user info) gives a credential away."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return bool(_CREDENTIAL_NAME.search(words) or _CREDENTIAL_URL.search(value))
