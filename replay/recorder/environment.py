"""What the recorder takes from the process environment: its settings and the variables to keep.

Both are worked out again only when a variable changes; an unchanged environment costs one
comparison. Which variables are kept is told in `variable.py`.
"""

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from replay.outcome import Exited, Raised, Returned
from replay.recorder.journal import Journal, journal_of
from replay.settings import STDOUT, RedactRule, Settings, is_on, recorder_settings

if TYPE_CHECKING:
    from replay.recorder.funnel import Funnel
    from replay.recorder.log import Log
    from replay.redaction.redactor import Rules

TRACE_ID = "_X_AMZN_TRACE_ID"
_RAW_TRACE_ID = TRACE_ID.encode()


class Environment:
    """The environment as of the last look, and what follows from it.

    `encoded` holds the kept variables as a codec document, `journal` is where parts go, `marshal`
    makes an outcome of a result, `ship` sends parts on in line, given the seconds that are left;
    None where that is not wanted.
    """

    def __init__(
        self,
        *,
        store: str | None,
        sample: float | None,
        outbound: bool | None,
        redact: str | Iterable[RedactRule] | None,
    ) -> None:
        self._arguments = store, sample, outbound, redact
        self._rules: Rules | None = None
        self._withheld: dict[str, str] = {}
        self._pseudonyms: dict[str, str] = {}
        self._raw: object = None
        self.encoded = b"{}"
        self.handler = ""
        self.is_capturing = False
        self.marshal: Callable[[object], Returned | Raised | Exited] = _not_yet
        self.trace_id: str | None = None
        self.ship: Callable[[float | None], None] | None = None

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
        store, sample, outbound, redact = self._arguments
        self.settings = recorder_settings(
            variables, store=store, sample=sample, outbound=outbound, redact=redact
        )
        self.journal = _destination(self.settings)
        self.handler = variables.get("REPLAY_HANDLER") or variables.get("_HANDLER", "")
        from replay.payload import escapes_text, marshal  # with the first capture

        self.marshal = partial(marshal, escaped=escapes_text(variables))
        self.ship = self._shipping(variables) if "REPLAY_EXPORT_INLINE" in variables else None
        wish = variables.get("REPLAY_CAPTURE", "")
        is_asked_for = store is not None or "REPLAY_STORE" in variables
        self.is_capturing = is_on(wish) if wish else is_asked_for or not _in_test_runner()
        if self.is_capturing:
            self._redact(variables)

    def funnel(self) -> "Funnel":
        """Return the way of one invocation's values into its parts."""
        from replay.recorder.funnel import Funnel  # with the first capture

        return Funnel(self._rules, self._withheld, self._pseudonyms)

    def _shipping(self, variables: dict[str, str]) -> Callable[[float | None], None] | None:
        from replay.recorder.export.inline import shipping_of  # most ship by an extension, or never

        if not isinstance(self.journal, Journal):  # a log outlives the sandbox
            return None
        return shipping_of(variables, self.settings, self.journal.path)

    def _redact(self, variables: dict[str, str]) -> None:
        from replay.recorder.variable import kept, rules_of, withheld

        self._rules = rules_of(self.settings, variables)
        wanted = kept(variables, self.settings.keep)
        self._withheld = withheld(variables, wanted, self._rules)
        funnel = self.funnel()
        self.encoded = funnel.environment(wanted)
        self._pseudonyms = funnel.pseudonyms()


def _destination(settings: Settings) -> "Journal | Log":
    if settings.store != STDOUT:
        return journal_of(settings)
    from replay.recorder.log import log  # nothing of it where there is a store

    return log


def _not_yet(_result: object) -> Exited:
    return Exited(1)


def _in_test_runner() -> bool:
    if "PYTEST_CURRENT_TEST" in os.environ and "_pytest" in sys.modules:
        return True
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return getattr(spec, "name", None) == "unittest.__main__"
