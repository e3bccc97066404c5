"""Invocations with planted secrets and benign values, to judge a redaction by: set A."""

from __future__ import annotations

from typing import List

from . import (
    balancer,
    bucket,
    bus,
    device,
    direct,
    gateway,
    graph,
    guard,
    log,
    message,
    pool,
    rest,
    shard,
    stray,
    table,
    topic,
    workflow,
)
from .record import Benign, Planted, Secret

__all__ = ["Benign", "Planted", "Secret", "invocations"]


def invocations() -> list[Planted]:
    """Every invocation of the set, built anew."""
    modules = (
        rest,
        gateway,
        balancer,
        message,
        topic,
        bucket,
        bus,
        table,
        shard,
        log,
        pool,
        guard,
        graph,
        workflow,
        device,
        direct,
        stray,
    )
    return [planted for module in modules for planted in module.build()]
