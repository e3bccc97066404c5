"""One walk through a captured value, which is plain data: what is secret in it is replaced.

Changes the containers that it is given, which are decoded for it. What is inside a text - JSON,
base64, gzip, forms, cookies - is walked through as well, to a bounded depth. Standard library and
orjson only.
"""

from collections.abc import Callable
from typing import Any

from replay.codec import TAG
from replay.errors import RedactionError
from replay.redaction import credential
from replay.redaction.assignment import redact_assignments
from replay.redaction.look import CODE, NAMED, NAMING, SECURE, STATE, Look, Seen, begins_as_token
from replay.redaction.name import Secrecies, Secrecy, is_header_name
from replay.redaction.needle import redact_needles
from replay.redaction.stand_in import StandIns
from replay.redaction.token import redact_marked
from replay.redaction.word import listed
from replay.redaction.wrapped import redact_base64, redact_fields, redact_form, redact_json

_MAX_DEPTH = 8
"""Wrappings that are looked into, one in another."""
_MIN_TEXT_LENGTH = 6
"""A shorter text is no secret by its form."""
_MIN_WORD_LENGTH = 14
_GENERIC = NAMED | set(listed("S N B SS NS BS L M token text string raw data content plain"))
"""Names that say nothing of their value but its type, those of DynamoDB among them."""
_STAGES = frozenset({"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"})
"""What Secrets Manager calls the versions of a secret; programs ask for them by these."""
_ORDINARY = Secrecy.ORDINARY


class Walk:
    """Walks through one value."""

    __slots__ = ("_depth", "_look", "_secrecies", "stand_ins")
    looks_at_all = False
    """Whether every leaf counts, whatever it is and whatever it is called."""

    def __init__(self, stand_ins: StandIns, secrecies: Secrecies, seen: Seen) -> None:
        self.stand_ins = stand_ins
        self._secrecies = secrecies
        self._look = Look(secrecies, stand_ins.known, seen=seen)
        self._depth = 0

    def value(self, value: Any, secrecy: Secrecy = _ORDINARY, name: str = "") -> Any:
        """Return a value redacted; `secrecy` is what the `name` that it stands under says."""
        kind = type(value)
        if kind is dict:
            return self._object(value, secrecy, name)
        if kind is list:
            return self._array(value, secrecy, name)
        return self.leaf(value, secrecy, name)

    def leaf(self, value: Any, secrecy: Secrecy, name: str) -> Any:
        """Return what stands in the place of a leaf."""
        if type(value) is str:
            if secrecy > 0:
                return self._secret(value, secrecy, name)
            return self.stand_ins.of_whole(value) or self.text(value, name)
        if type(value) in (int, float) and (
            secrecy is Secrecy.SECRET or self.stand_ins.of_whole(str(value))
        ):
            return self.stand_ins.of_number(value, name)
        return value

    def _object(self, value: dict[str, Any], secrecy: Secrecy, name: str) -> dict[str, Any]:
        # The hot path of a capture: most names say nothing, and most texts need not be read.
        secrecies = self._secrecies
        is_plain = not (secrecy or self.stand_ins.whole or self.looks_at_all)
        if not is_plain or not NAMED.isdisjoint(value):
            return self._named_object(value, secrecy, name)
        for key, item in value.items():
            kind = type(item)
            own = secrecies[key]
            if own or key[:1] == "$":
                if key == CODE and STATE in value:
                    own = Secrecy.TOKEN  # of an OAuth callback
                value[key] = self.value(item, own, key)
            elif kind is str:
                if len(item) >= _MIN_WORD_LENGTH or _may_tell(item):
                    value[key] = self.leaf(item, own, key)
            elif kind is dict:
                self._object(item, _ORDINARY, key)
            elif kind is list:
                self._array(item, _ORDINARY, key)
        return self._renamed(value)

    def _named_object(self, value: dict[str, Any], secrecy: Secrecy, name: str) -> dict[str, Any]:
        """Redact what has been given a secret name, or has a name and a value of its own."""
        named = _named(value)
        for key, item in value.items():
            own, called = self._secrecies[key], key
            if named is not None and key in NAMED:
                own, called = self._secrecies[named], named
                own = Secrecy.SECRET if value.get("Type") == SECURE else own
            elif named is not None and key in NAMING:
                own = Secrecy.HARMLESS
            if own is _ORDINARY and _is_inherited(secrecy, key):
                own, called = secrecy, name
            value[key] = self.value(item, own, called)
        return self._renamed(value)

    def _renamed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Replace names that are credentials themselves: sessions by their tokens, say."""
        if any(map(begins_as_token, value)):
            items = [
                (redact_marked(key, self.stand_ins.of, self._redacted_jwt), item)
                for key, item in value.items()
            ]
            value.clear()
            value.update(items)
        return value

    def _array(self, value: list[Any], secrecy: Secrecy, name: str) -> list[Any]:
        if len(value) == 2 and secrecy <= 0 and is_header_name(value[0]):
            own = self._secrecies[value[0]]
            if own > 0 and type(value[1]) is not dict:
                value[1] = self.value(value[1], own, value[0])
                return value
        text = _text_of_bytes(value) if secrecy > 0 else None
        if text is not None:
            return [*self._secret(text, secrecy, name).encode()]
        for index, item in enumerate(value):
            if type(item) is dict:
                self._object(item, secrecy, name)
            else:
                value[index] = self.value(item, secrecy, name)
        return value

    def text(self, text: str, name: str = "") -> str:  # noqa: ARG002 - a stricter walk asks for it
        """Return a text without the secrets in it."""
        if len(text) < _MIN_TEXT_LENGTH:
            return text
        if self.stand_ins.known:
            text = self.stand_ins.replace_known(text)
        if not self._look.text_may_hold(text) and not self.stand_ins.any_whole_in(text):
            return text
        redacted = self._redacted(text)
        if redacted == text:  # what looks like a secret and is none comes again as well
            self._look.seen.add_clean(text)
        return redacted

    def _redacted(self, text: str) -> str:
        if text[0] in "{[" or text[0].isspace():
            nested = self.nested(redact_json, text, self.value)
            if nested is not None:
                return nested
        if len(text) >= _MIN_WORD_LENGTH:
            nested = self.nested(redact_base64, text, self.text)
            if nested is not None:
                return nested
            text = self.nested(redact_form, text, self.text) or text
            text = redact_fields(text, self._secrecies, self.stand_ins.of)
            text = redact_marked(text, self.stand_ins.of, self._redacted_jwt)
            text = redact_needles(text, self.stand_ins.of)
            if "asic " in text:
                text = credential.redact_basic(text, self.stand_ins)
        return redact_assignments(text, self._secrecies, self.stand_ins.of)

    def _redacted_jwt(self, text: str) -> str:
        return credential.redact_tokens(text, self._claims, self.stand_ins)

    def _claims(self, text: str) -> str:
        return self.nested(redact_json, text, self.value) or text

    def nested(
        self,
        step: Callable[[str, Callable[[Any], Any], StandIns], str | None],
        text: str,
        redact: Callable[[Any], Any],
    ) -> str | None:
        """Return what a step returns that looks into a text; raises RedactionError if too deep."""
        if self._depth >= _MAX_DEPTH:
            raise RedactionError("a text is wrapped too often to be looked at")
        self._depth += 1
        try:
            return step(text, redact, self.stand_ins)
        finally:
            self._depth -= 1

    def _secret(self, text: str, secrecy: Secrecy, name: str) -> str:
        if text.startswith("arn:") or text in _STAGES:
            return text  # where a secret is, or who makes it, or which version of it
        if secrecy is Secrecy.OPAQUE and not credential.is_opaque(text, name):
            return self.text(text, name)
        if secrecy is Secrecy.COOKIE:
            return credential.redact_cookies(text, self.text, self.stand_ins)
        if text[:1] in ("{", "["):
            nested = self.nested(redact_json, text, lambda it: self.value(it, secrecy, name))
            if nested is not None:
                return nested
        if "://" in text or ("=" in text.rstrip("=") and ";" in text):
            redacted = self.text(text)  # an address or a connection string: its parts are named
            if redacted != text:
                return redacted
        return credential.redact_credential(text, name, self._claims, self.stand_ins)


def _is_inherited(secrecy: Secrecy, key: str) -> bool:
    """Whether what stands under a secret name makes a value in it secret, under an ordinary name.

    Of a token its claims, its scopes and the like are told beside it.
    """
    if secrecy is Secrecy.TOKEN:
        return key in _GENERIC or key.startswith(TAG)
    return secrecy in (Secrecy.SECRET, Secrecy.COOKIE)


def _text_of_bytes(value: list[Any]) -> str | None:
    """Return the text whose bytes an array holds, as a header of Kafka's does; None if it is none.

    Source: the Lambda developer guide, "Using Lambda with Apache Kafka" (with-kafka), its event.
    """
    if len(value) < _MIN_TEXT_LENGTH or any(type(it) is not int or it >> 8 for it in value):
        return None
    text = bytes(value).decode(errors="replace")
    return text if text.isprintable() else None


def _may_tell(text: str) -> bool:
    """Whether a text that is too short for a token may hold a name with its value."""
    return "=" in text or " " in text or '"' in text


def _named(value: dict[str, Any]) -> str | None:
    """Return the name of a pair of name and value, laid out as an object of its own."""
    if NAMED.isdisjoint(value):
        return None
    name = next((value[it] for it in NAMING if it in value), None)
    return name.rpartition("/")[2] if type(name) is str else None
