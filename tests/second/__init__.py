"""Set B: invocations of a clinic, a freight company, a game studio, a university, a farm and a travel agency."""

from __future__ import annotations

from typing import List

from . import arcade, campus, clinic, farm, freight, spill
from .case import Benign, Planted, Secret

__all__ = ["Benign", "Planted", "Secret", "invocations"]


def invocations() -> list[Planted]:
    """The whole set."""
    return [
        *clinic.build(),
        *freight.build(),
        *arcade.build(),
        *campus.build(),
        *farm.build(),
        *spill.build(),
    ]
