"""What an invocation drew from the system's randomness, as a frozen value and as plain data.

Optional in an ended part. Imports the standard library; loaded by the recorder only where a tape is
asked for. Invariant: `entropy_of(entropy_document(tape))` equals `tape`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any

_WORDS = Struct("<625I")
_STATE_WORDS = 624
_VERSION = 3


@dataclass(frozen=True, slots=True)
class GeneratorState:
    """The state of `random`'s shared generator: 624 words and a place, little-endian.

    `gauss_next` is the value that `random.gauss` has kept for its next call.
    """

    words: bytes
    gauss_next: float | None

    @classmethod
    def of(cls, state: tuple[Any, ...]) -> "GeneratorState | None":
        """Return what `random.getstate()` gave; None of another version than 3."""
        version, words, gauss_next = state
        return cls(_WORDS.pack(*words), gauss_next) if version == _VERSION else None

    def state(self) -> tuple[Any, ...]:
        """Return what `random.setstate()` takes."""
        return _VERSION, _WORDS.unpack(self.words), self.gauss_next


@dataclass(frozen=True, slots=True)
class EntropyTape:
    """The randomness of one invocation: `drawn` is every byte in order, whatever was asked for.

    `generator` is the state at entry, None where `random` was not imported; `complete` says that
    nothing which could be taped was missed.
    """

    drawn: bytes
    generator: GeneratorState | None
    complete: bool


def entropy_document(tape: EntropyTape) -> dict[str, object]:
    """Return a tape as the plain data that an ended part holds."""
    generator = tape.generator
    state = generator and {"words": generator.words, "gauss_next": generator.gauss_next}
    return {"drawn": tape.drawn, "generator": state, "complete": tape.complete}


def entropy_of(document: Mapping[str, Any]) -> EntropyTape:
    """Return the tape that `entropy_document` laid out; raises KeyError and its like if not."""
    drawn, complete = document["drawn"], document["complete"]
    if type(drawn) is not bytes or type(complete) is not bool:
        raise ValueError("drawn is no bytes, or complete no boolean")
    found = document["generator"]
    return EntropyTape(drawn, None if found is None else _generator_of(found), complete)


def _generator_of(document: Mapping[str, Any]) -> GeneratorState:
    words, gauss_next = document["words"], document["gauss_next"]
    if type(words) is not bytes or len(words) != _WORDS.size:
        raise ValueError(f"words of a generator are {_WORDS.size} bytes")
    if _WORDS.unpack(words)[-1] > _STATE_WORDS:
        raise ValueError("a generator's place is past its words")
    if gauss_next is not None and type(gauss_next) is not float:
        raise ValueError("gauss_next is no number")
    return GeneratorState(words, gauss_next)
