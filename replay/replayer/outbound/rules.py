"""How strictly a function's outbound calls are judged. A plain value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Judgement: TypeAlias = Literal["noise", "drift"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What it counts that `reads` or `writes` are more or fewer than once, or in another `order`.

    `ignore` are paths at which a call may differ, such as `$.Item.updated_at`.
    """

    reads: Judgement = "noise"
    writes: Judgement = "drift"
    order: Judgement = "drift"
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, function_name: str, settings: Mapping[str, Mapping[str, Any]]) -> "Rules":
        """Return the rules of a function: what is set for `*`, and for it above that."""
        return cls(**{**settings.get("*", {}), **settings.get(function_name, {})})


STANDARD = Rules()
