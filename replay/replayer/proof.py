"""Whether a handler proves something with a secret that it was not given: signs, verifies, derives.

Stands in for the keyed functions of `hmac` and `hashlib` in a replay's process. They do what they
do; where one is given a pseudonym, that is found, with the name of the secret.
"""

import hashlib
import hmac
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from replay.replayer.finding import FindingSink

_VERIFIERS = ("cryptography.hazmat.primitives.asymmetric", "Crypto.Signature", "rsa.pkcs1")
"""Modules that verify signatures with public keys, in native code."""
_DERIVING = ("pbkdf2_hmac", "scrypt")
_MIN_LENGTH = 4


class Proofs:
    """Watches what is proved in this process, from its making on."""

    def __init__(self, findings: FindingSink) -> None:
        self._findings = findings
        self._names: Mapping[str, str] = {}
        hmac.HMAC.__init__ = self._watched(hmac.HMAC.__init__)  # type: ignore[method-assign]
        for module, names in ((hmac, ("digest", "compare_digest")), (hashlib, _DERIVING)):
            for name in names:
                if hasattr(module, name):
                    vars(module)[name] = self._watched(getattr(module, name))

    def expect(self, names: Mapping[str, str]) -> None:
        """Look for these pseudonyms from now on."""
        self._names = {it: name for it, name in names.items() if len(it) >= _MIN_LENGTH}

    def end(self) -> None:
        """Note tokens that a program which verifies signatures was given with a broken one."""
        if any(module in sys.modules for module in _VERIFIERS):
            for pseudonym, name in self._names.items():
                if "token" in name.lower() or "authorization" in name.lower():
                    self._findings.add("proved", name=name, by="signature", of=len(pseudonym))

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if self._names:
                self._look_at((*args, *kwargs.values()), function.__name__)
            return function(*args, **kwargs)

        return watched

    def _look_at(self, values: tuple[Any, ...], by: str) -> None:
        for value in values:
            if isinstance(value, bytes | bytearray | memoryview):
                text = bytes(value).decode(errors="replace")
            elif isinstance(value, str):
                text = value
            else:
                continue
            for pseudonym, name in self._names.items():
                if pseudonym in text:
                    self._findings.add("proved", name=name, by=by)
