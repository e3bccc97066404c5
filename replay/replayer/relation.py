"""Values that were the same, or one in the other, and may vary only together. Pure.

An id that is drawn anew is noise; where it was part of a link or of a message as well, that must
hold a new one of these, and what was the same twice must be so again. Ids alone are held to it:
times that were equal then may be read a moment apart. Which of several ids stands where is not
asked, for some are sorted.
"""

import re
from collections import Counter
from collections.abc import Sequence

from replay.replayer.compare import Difference
from replay.replayer.noise import Noise
from replay.replayer.place import Place, place_of

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{7,}")
"""What is long enough not to be equal by chance."""


def difference_of(noise: Noise) -> Difference:
    """Return the difference that is excused."""
    return Difference(noise.path, noise.recorded, noise.replayed, call=noise.call)


def split(noise: Sequence[Noise]) -> tuple[tuple[Noise, ...], tuple[Difference, ...]]:
    """Return the noise that holds together, and what of it does not as the differences it is."""
    apart = broken(noise)
    left = (it for it in noise if place_of(it) in apart)
    return (
        tuple(it for it in noise if place_of(it) not in apart),
        tuple(difference_of(it) for it in left),
    )


def broken(noise: Sequence[Noise]) -> set[Place]:
    """Return the places where the recorded value was one with others, and the replayed is not."""
    texts = [it for it in noise if isinstance(it.recorded, str) and isinstance(it.replayed, str)]
    drawn = [it for it in texts if it.factor == "entropy" or it.rule in ("uuid", "token")]
    whole = [it for it in drawn if it.rule != "token" and _ID.fullmatch(str(it.recorded))]
    then, now = Counter(it.recorded for it in whole), Counter(it.replayed for it in whole)
    found: set[Place] = set()
    if sorted(then.values()) != sorted(now.values()):
        found |= {place_of(it) for it in whole if now[it.replayed] != then[it.recorded]}
    for it in drawn:
        held = [id for id in _ID.findall(str(it.recorded)) if id != it.recorded and id in then]
        if held and not any(id in now for id in _ID.findall(str(it.replayed))):
            found.add(place_of(it))
    return found
