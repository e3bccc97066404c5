"""Which recordings a command means: the filters that all commands share, as one value. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; None means any. Times are microseconds since 1970, `before` is a recording's id.

    `tags` are those that a recording must all have; `where` pairs JSONPaths with the values that
    the event must have there.
    """

    function_name: str | None = None
    alias: str | None = None
    outcome: str | None = None
    error_type: str | None = None
    source: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    before: str | None = None
    tags: tuple[str, ...] = ()
    where: tuple[tuple[str, object], ...] = ()
    limit: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return self == Selection(limit=self.limit)
