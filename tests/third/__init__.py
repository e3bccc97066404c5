"""Invocations with planted secrets and benign values, to judge a redaction by: set C."""

from __future__ import annotations

from typing import List

from . import airline, bank, fleet, hospital, paper, portal, saas, studio
from .sheet import Benign, Planted, Secret

__all__ = ["Benign", "Planted", "Secret", "invocations"]


def invocations() -> list[Planted]:
    """Every invocation of the set, built anew."""
    return [
        planted
        for company in (bank, studio, portal, hospital, saas, fleet, paper, airline)
        for planted in company.build()
    ]
