"""What a layer is made for: a version of Python and an architecture, as Lambda names them."""

import re
from dataclasses import dataclass

from replay.errors import ReplayError

_OLDEST = 11
_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
"""What Lambda calls an architecture, and the platform of wheels that its oldest runtime loads.

PEP 599 asks for glibc 2.17; python3.11 runs on Amazon Linux 2, which has 2.26
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html).
"""
ARCHITECTURES = tuple(_PLATFORMS)


@dataclass(frozen=True, slots=True)
class Target:
    """A version of Python, such as 3.13, and one of `ARCHITECTURES`."""

    python: str
    arch: str

    def __post_init__(self) -> None:
        """Raise ReplayError where the recorder does not run there."""
        found = re.fullmatch(r"3\.(\d{1,3})", self.python)
        if not found or int(found[1]) < _OLDEST:
            raise ReplayError(
                f"--python is {self.python!r}, not a version from 3.{_OLDEST} on",
                "name the one of the function's runtime: --python 3.13",
            )

    @property
    def platform(self) -> str:
        """The platform as wheels name it."""
        return _PLATFORMS[self.arch]
