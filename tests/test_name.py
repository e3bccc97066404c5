"""Names of cases and of their tests, whatever was captured."""

import dataclasses
import json
import random
import types
from pathlib import Path

import pytest
from test_recording import ID, invocation

from replay.outcome import Exited, Raised, Returned, TimedOut
from replay.recording import Recording
from replay.testing import (
    api_gateway_event,
    eventbridge_event,
    http_api_event,
    s3_event,
    sns_event,
    sqs_event,
)
from replay.testing.case_file import CaseFile
from replay.testing.draft import Names, Target
from replay.testing.name import case_name, file_stem
from replay.testing.suite_module import module_path, module_text

CREATED = Returned(b'{"statusCode": 201}')
HOSTILE = [
    *('"', "'", "\\", "\n", "\r", "\x00", "\x1b]52;c;", "\u202e", "é", "名", "\ud800", " ", "/"),
    *("..", "{}", "%s", '"""', "import os", "class", "None", "def", "test_", "💥", "-", "0", "a"),
]


def recording(event: object, outcome: object = Returned(b"null"), number: int = 0) -> Recording:
    id = ID[:-6] + f"{number:06}"
    return Recording(id, invocation(event), outcome, None if outcome is None else 1)


@pytest.mark.parametrize(
    ("event", "outcome", "expected"),
    [
        (api_gateway_event("POST", "/orders"), CREATED, "post_orders_returns_201"),
        (
            api_gateway_event("GET", "/orders/7", resource="/orders/{id}"),
            Returned(b'{"statusCode": 404}'),
            "get_orders_id_returns_404",
        ),
        (http_api_event("GET", "/"), Raised("app.NoShop", ""), "get_root_raises_no_shop"),
        (sqs_event(1, 2, queue="orders"), TimedOut(1), "sqs_orders_of_2_times_out"),
        (
            sqs_event(1, queue="orders"),
            Returned(b'{"batchItemFailures": [{"itemIdentifier": "1"}]}'),
            "sqs_orders_reports_1_failure",
        ),
        (sns_event("a", topic="news"), None, "sns_news_does_not_finish"),
        (s3_event("a/b"), Exited(3), "s3_object_created_put_exits_3"),
        (eventbridge_event(), Returned(b"null"), "scheduled_event_returns_none"),
        (eventbridge_event("OrderPlaced"), Returned(b"1"), "order_placed_returns"),
        ({"action": "refund"}, Exited(-9), "refund_exits_by_signal_9"),
        ([1], Returned(b"1"), "event_of_list_returns"),
        ({"1": 2}, Returned(b"1"), "event_with_1_returns"),
    ],
)
def test_a_case_is_called_by_what_invoked_it_and_what_came_of_it(event, outcome, expected):
    """A reader of a red test knows which invocation it is."""
    assert expected == case_name(recording(event, outcome), outcome)


def test_two_functions_never_share_a_folder():
    """A name that is no identifier carries a hash of what it was."""
    names = ["orders", "orders-api", "Orders", "orders api", "orders/api", "名", "\ud800", "..", ""]
    assert len({file_stem(name) for name in names}) == len(names)
    assert [file_stem(name) for name in names[:2]] == ["orders", "orders_api"]


def test_functions_with_one_slug_have_folders_of_their_own():
    """`a-b` and `a_b` both are functions of AWS."""
    names, target = Names(), Target(Path("/p"), Path("/p/fixtures"))
    folders = set()
    for name in ("order-service", "order_service", "order-service"):
        context = dataclasses.replace(
            recording({}).invocation.context, attributes={"function_name": name}
        )
        base = recording({}, number=len(name))
        found = dataclasses.replace(
            base, invocation=dataclasses.replace(base.invocation, context=context)
        )
        file = CaseFile(Path("/p/x.json"), "x", "app.handler", found, found.outcome)
        folders.add((name, names.named(file, target).path.parent.name))
    assert len(folders) == len({folder for _, folder in folders}) == 2


def hostile(draw: random.Random) -> str:
    return "".join(draw.choices(HOSTILE, k=draw.randint(0, 6)))


def hostile_recording(draw: random.Random, number: int) -> Recording:
    event = draw.choice(
        [
            api_gateway_event(hostile(draw), hostile(draw)),
            sqs_event(hostile(draw), queue=hostile(draw)),
            eventbridge_event(hostile(draw)),
            {hostile(draw): 1, hostile(draw): 2},
            {"action": hostile(draw)},
            hostile(draw),
        ]
    )
    outcome = draw.choice(
        [
            Returned(json.dumps({"statusCode": hostile(draw)}).encode()),
            Raised(hostile(draw), hostile(draw)),
            Exited(draw.randint(-9, 9)),
        ]
    )
    found = recording(event, outcome, number)
    attributes = {"function_name": draw.choice(["shop", hostile(draw)])}
    context = dataclasses.replace(found.invocation.context, attributes=attributes)
    return dataclasses.replace(
        found, invocation=dataclasses.replace(found.invocation, context=context)
    )


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_whatever_was_captured_a_module_has_exactly_the_intended_functions(count):
    """It can be imported, and holds one function for each case, one constant, and no more."""
    draw, names = random.Random(7), Names()
    target = Target(Path("/p"), Path("/p/fixtures"))
    by_path: dict[Path, list[CaseFile]] = {}
    for number in range(count):
        found = hostile_recording(draw, number)
        file = CaseFile(Path("/p/x.json"), "x", "app.handler", found, found.outcome)
        named = names.named(file, target)
        path = module_path(Path("/p/tests"), named.path.parent.name)
        by_path.setdefault(path, []).append(named)
        assert named.path.is_relative_to("/p/fixtures")
        assert len(named.path.name) < 100
    for path, files in by_path.items():
        text = module_text(files, path, None)
        assert text.isascii()
        module = types.ModuleType("module")
        module.__file__ = str(path)
        exec(compile(text, str(path), "exec"), vars(module))
        functions = [name for name in vars(module) if name.startswith("test_")]
        assert sorted(f"test_{file.name}" for file in files) == functions
        assert files[0].path.parent == module.CASES.resolve()
        others = {name for name in vars(module) if not name.startswith(("test_", "__"))}
        assert {"CASES", "Path", "replay_case"} == others
    assert count == sum(map(len, by_path.values()))
