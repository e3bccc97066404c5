"""What tests import: cases, their replay, and a context and events for tests without a recording.

    from replay.testing import LambdaContext, api_gateway_event, replay_case

Needs orjson, time-machine and pytest alone; knows no database. Names are loaded as they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.testing.case_file import CaseFile as CaseFile
    from replay.testing.case_file import load_case as load_case
    from replay.testing.context import LambdaContext as LambdaContext
    from replay.testing.event import api_gateway_event as api_gateway_event
    from replay.testing.event import eventbridge_event as eventbridge_event
    from replay.testing.event import http_api_event as http_api_event
    from replay.testing.event import s3_event as s3_event
    from replay.testing.event import sns_event as sns_event
    from replay.testing.event import sqs_event as sqs_event
    from replay.testing.folder import cases as cases
    from replay.testing.session import DriftError as DriftError
    from replay.testing.session import UnreplayableError as UnreplayableError
    from replay.testing.session import replay_case as replay_case

_HOMES = {
    "CaseFile": "case_file",
    "load_case": "case_file",
    "cases": "folder",
    "LambdaContext": "context",
    "DriftError": "session",
    "UnreplayableError": "session",
    "replay_case": "session",
    **dict.fromkeys(
        ("api_gateway_event", "http_api_event", "sqs_event", "sns_event", "s3_event"), "event"
    ),
    "eventbridge_event": "event",
}
__all__ = [*_HOMES]  # noqa: PLE0604 - strings all of them


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
