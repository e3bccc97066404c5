"""What AWS does next with a batch: by source, by result, and in the reports of a verdict."""

import json
from pathlib import Path

import pytest
from conftest import SHARED_EVENTS
from databases import capture_parts
from hypothesis import given
from hypothesis import strategies as st
from test_recording import invocation

from replay.outcome import Exited, Raised, Returned, TimedOut
from replay.recorder.ulid import new_ulid
from replay.recording import Recording
from replay.replayer.batch import Batch, batch_of

EVENTS = Path(__file__).parents[1] / "fixtures" / "events"
IF = ", if ReportBatchItemFailures is on"
WHOLE = "the whole batch comes again"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:orders"


def sqs(*ids: str, groups: str = "", fifo: bool = False) -> dict:
    """An event of SQS; `groups` names each message's group by a letter."""
    arn = QUEUE + (".fifo" if fifo else "")
    records = [{"messageId": id, "eventSource": "aws:sqs", "eventSourceARN": arn} for id in ids]
    for record, group in zip(records, groups, strict=False):
        record["attributes"] = {"MessageGroupId": group}
    return {"Records": records}


def kinesis(*numbers: str) -> dict:
    return {
        "Records": [
            {"eventSource": "aws:kinesis", "kinesis": {"sequenceNumber": n}} for n in numbers
        ]
    }


def dynamodb(*numbers: str) -> dict:
    inner = [{"SequenceNumber": number} for number in numbers]
    return {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": it} for it in inner]}


def kafka(source: str = "aws:kafka", **offsets: list[int]) -> dict:
    """An event of Kafka; its partitions are written with `_` for `-`."""
    records = {
        name.replace("_", "-"): [{"offset": offset} for offset in found]
        for name, found in offsets.items()
    }
    return {"eventSource": source, "bootstrapServers": "b:9092", "records": records}


def returned(result: object) -> Returned:
    return Returned(json.dumps(result).encode())


def failures(*ids: object) -> Returned:
    return returned({"batchItemFailures": [{"itemIdentifier": id} for id in ids]})


def batch(event: object, outcome: object) -> Batch:
    found = batch_of(event, outcome)
    assert found is not None
    return found


EACH = {
    "sqs": sqs("a", "b", "c"),
    "fifo": sqs("a", "b", "c", groups="xxx", fifo=True),
    "kinesis": kinesis("98", "99", "100"),
    "dynamodb": dynamodb("98", "99", "100"),
    "kafka": kafka(orders_0=[1, 2], orders_1=[1]),
    "self-managed kafka": kafka("SelfManagedKafka", orders_0=[1, 2], orders_1=[1]),
}


@pytest.mark.parametrize("source", EACH)
@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Raised("KeyError", "boom"), "the handler raised KeyError"),
        (TimedOut(3000), "the handler timed out"),
        (Exited(0), "the handler ended its process"),
        (None, "the invocation did not finish"),
    ],
)
def test_what_does_not_return_brings_the_whole_batch_back(source, outcome, reason):
    """Whatever the mapping reports, an invocation that failed is tried again as it was."""
    found = batch(EACH[source], outcome)
    assert (len(found.retried), found.is_whole, found.is_reported) == (3, True, False)
    assert f"{WHOLE}: {reason}" == found.text


@pytest.mark.parametrize("source", EACH)
@pytest.mark.parametrize(
    "outcome",
    [
        returned(None),
        returned({}),
        returned({"batchItemFailures": []}),
        returned({"batchItemFailures": None}),
        returned({"statusCode": 500}),
        returned("ok"),
        returned([1]),
        Returned(b"\xff", "application/unknown"),
        Returned(b"[" * 100_000),
    ],
)
def test_a_result_that_names_no_record_is_success(source, outcome):
    """An empty or null list, an empty or null result; or anything at all without the key."""
    found = batch(EACH[source], outcome)
    assert (found.retried, found.is_whole, found.is_remarkable) == ((), False, False)
    assert found.text == "all 3 records are done"


@pytest.mark.parametrize("source", EACH)
@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([{"itemIdentifier": ""}], "batchItemFailures has an empty itemIdentifier"),
        ([{"itemIdentifier": None}], "batchItemFailures has a null itemIdentifier"),
        ([{"itemidentifier": "b"}], "batchItemFailures has an entry without itemIdentifier"),
        ([{}], "batchItemFailures has an entry without itemIdentifier"),
        (["b"], "batchItemFailures has an entry without itemIdentifier"),
        ([{"itemIdentifier": "x"}], "batchItemFailures names the unknown id 'x'"),
        ([{"itemIdentifier": 99}], "batchItemFailures names the unknown id 99"),
        ([{"itemIdentifier": ["b"]}], 'batchItemFailures names the unknown id ["b"]'),
        ("b", "batchItemFailures is no list"),
        ("", "batchItemFailures is no list"),
        (0, "batchItemFailures is no list"),
        ({"itemIdentifier": "b"}, "batchItemFailures is no list"),
    ],
)
def test_one_flaw_in_the_report_brings_the_whole_batch_back(source, entries, reason):
    """Empty, null, unknown or misnamed; what is right beside it saves nothing."""
    found = batch(EACH[source], returned({"batchItemFailures": entries}))
    assert (found.is_whole, found.is_reported, found.is_malformed) == (True, True, True)
    assert f"{WHOLE}{IF}: {reason}" == found.text
    assert found.out_of_order == ()


def test_a_right_entry_beside_a_wrong_one_does_not_help():
    """SQS: a message id that does not exist makes the whole response invalid."""
    assert batch(EACH["sqs"], failures("a", "x")).is_whole


@pytest.mark.parametrize("key", ["BatchItemFailures", "batch_item_failures", "batchItemFailure"])
def test_a_misspelt_key_loses_the_failures(key):
    """AWS takes a result without the key for success: the records are deleted."""
    found = batch(sqs("a"), returned({key: [{"itemIdentifier": "a"}]}))
    assert found.retried == ()
    assert found.is_remarkable
    assert f"the record is done: the key is batchItemFailures, not '{key}'" == found.text


def test_a_queue_gives_back_the_messages_that_are_named():
    """In the order of the event, each once."""
    found = batch(sqs("a", "b", "c"), failures("c", "a", "c"))
    assert found.retried == ("a", "c")
    assert f"2 of 3 records come again{IF}: a, c" == found.text
    assert f"1 of 3 records comes again{IF}: b" == batch(sqs(*"abc"), failures("b")).text
    every = batch(sqs(*"ab"), failures("a", "b"))
    assert f"{WHOLE}{IF}: batchItemFailures names every record" == every.text


def test_a_long_list_is_cut():
    """Five ids, and how many more; a long id is cut, too."""
    ids = [f"m-{n}" for n in range(10)]
    text = batch(sqs(*ids), failures(*ids[:8])).text
    assert f"8 of 10 records come again{IF}: m-0, m-1, m-2, m-3, m-4 and 3 more" == text
    assert len(batch(sqs("a"), failures("x" * 10_000)).text) < 250


def test_a_message_that_overtakes_a_failed_one_of_its_group_is_named():
    """A FIFO queue keeps the order of a group only if the rest of it is reported as well."""
    event = sqs("a", "b", "c", "d", groups="xyxy", fifo=True)
    found = batch(event, failures("a"))
    assert found.out_of_order == ("c",)
    tail = "a; out of order, c of the same message group is deleted"
    assert f"1 of 4 records comes again{IF}: {tail}" == found.text
    assert batch(event, failures("a", "c")).out_of_order == ()
    assert batch(event, failures("d")).out_of_order == ()
    standard = sqs("a", "b", "c", "d", groups="xyxy")
    assert batch(standard, failures("a")).out_of_order == ()


@pytest.mark.parametrize("make", [kinesis, dynamodb])
def test_a_stream_comes_again_from_the_lowest_number_on(make):
    """Numbers are compared as numbers, however long, and whatever order they are named in."""
    event = make("98", "99", "100", "101")
    found = batch(event, failures("101", "99"))
    assert found.retried == ("99", "100", "101")
    text = f"3 of 4 records come again{IF}: the lowest number reported is 99"
    assert text == found.text
    assert f"{WHOLE}{IF}: the lowest number reported is 98" == batch(event, failures("98")).text


@pytest.mark.parametrize("key", ["partition", "topic-partition"])
def test_kafka_names_a_partition_and_an_offset(key):
    """An object; both of its keys have stood in AWS's guide."""
    event = kafka(orders_0=[1, 2], orders_1=[1, 2**62])
    found = batch(event, failures({key: "orders-1", "offset": 2**62}))
    assert (f"orders-1:{2**62}",) == found.retried
    assert found.source == "aws:kafka"


@pytest.mark.parametrize(
    "given",
    [
        {"partition": "orders-1", "offset": 2},
        {"partition": "orders-2", "offset": 1},
        {"partition": 1, "offset": 1},
        {"partition": "orders-1", "offset": "1"},
        {"partition": "orders-0", "offset": True},
        {"partition": "orders-1"},
        {"offset": 1},
        "orders-1:1",
    ],
)
def test_kafka_takes_no_other_identifier(given):
    """A partition or an offset that was not in the event: the whole batch."""
    found = batch(EACH["kafka"], failures(given))
    assert found.is_whole
    assert "names the unknown id" in found.text


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Records": []},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"Records": [{"EventSource": "aws:sns"}]},
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"Records": [{"eventSource": "aws:sqs", "messageId": ""}]},
        {"Records": [{"eventSource": "aws:sqs", "messageId": "a"}, None]},
        {"Records": [{"eventSource": "aws:kinesis", "kinesis": None}]},
        {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": 1}}]},
        kafka(),
        {**kafka(), "records": []},
        {**kafka(), "records": {"orders-0": None}},
        {**kafka(), "records": {"orders-0": [None]}},
        {**kafka(), "records": {"orders-0": [{"offset": "1"}]}},
    ],
)
def test_what_is_no_batch_or_has_no_ids_has_no_next(event):
    """Nothing is said rather than something wrong."""
    assert batch_of(event, returned(None)) is None
    assert batch_of(event, None) is None


def test_a_result_that_was_not_kept_tells_nothing():
    """Only its digest is known."""
    assert batch_of(sqs("a"), Returned(None, digest="d", size_bytes=7_000_000)) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from("abc"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["itemIdentifier", "offset", "partition"]), inner)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.sampled_from(sorted(EACH)), json_values)
def test_whatever_is_reported_every_record_is_done_or_comes_again(source, report):
    """Total: no result is beyond it, and what comes again was in the event."""
    found = batch(EACH[source], returned({"batchItemFailures": report}))
    assert len(found.retried) <= found.size == 3
    assert found.is_reported
    assert bool(found.retried) == bool(report or not isinstance(report, list | None))
    assert found.text


def first_id(event: dict) -> object:
    if "records" in event:
        partition, (record, *_) = next(iter(event["records"].items()))
        return {"partition": partition, "offset": record["offset"]}
    record = event["Records"][0]
    ids = (
        record.get("messageId"),
        record.get("kinesis", {}).get("sequenceNumber"),
        record.get("dynamodb", {}).get("SequenceNumber"),
    )
    return next(id for id in ids if id)


def shared(*patterns: str) -> list[Path]:
    """Events of others, where they are here, and our own."""
    folders = [EVENTS, *([SHARED_EVENTS] if SHARED_EVENTS.is_dir() else [])]
    return [
        path
        for folder in folders
        for pattern in patterns
        for path in sorted(folder.rglob(pattern))
        if batch_of(json.loads(path.read_text()), None) is not None
    ]


def test_the_first_record_of_each_real_event_can_come_again():
    """The events of this project and, where they are, of other projects."""
    paths = shared("*sqs*.json", "*kinesis*.json", "*dynamodb*.json", "*kafka*.json")
    sources = set()
    for path in paths:
        event = json.loads(path.read_text())
        found = batch(event, failures(first_id(event)))
        sources.add(found.source)
        assert not found.is_malformed, path
        assert found.retried, path
        assert batch(event, returned({})).retried == ()
    assert {"aws:sqs", "aws:kinesis", "aws:dynamodb", "aws:kafka"} == sources
    assert len(paths) >= (15 if SHARED_EVENTS.is_dir() else 4)


@pytest.mark.parametrize("failing", [{"a"}, {"b"}, {"b", "c"}, set()])
@pytest.mark.parametrize("is_fifo", [False, True])
def test_what_powertools_reports_is_well_formed(failing, is_fifo):
    """Its processors for queues, the one for FIFO queues without disorder."""
    powertools = pytest.importorskip("aws_lambda_powertools.utilities.batch")
    event = sqs("a", "b", "c", groups="xxx", fifo=is_fifo)
    processor = (
        powertools.SqsFifoPartialProcessor()
        if is_fifo
        else powertools.BatchProcessor(event_type=powertools.EventType.SQS)
    )
    processor.raise_on_entire_batch_failure = False

    def record_handler(record):
        if record.message_id in failing:
            raise ValueError

    result = powertools.process_partial_response(event, record_handler, processor)
    found = batch(event, returned(result))
    assert (found.is_malformed, found.out_of_order) == (False, ())
    after_first = "abc"["abc".index(min(failing)) :] if failing else ""
    assert set(found.retried) == (set(after_first) if is_fifo else failing)


def replayed(project, replay, body, event, outcome, *options):
    """The document and the text of one case."""
    (project / "app.py").write_text(f"def handler(event, context):\n    {body}\n")
    capture_parts(project / "replay.db", Recording(new_ulid(), invocation(event), outcome, 10))
    (document,) = json.loads(replay("run", "@1", "--once", "--json", *options).stdout)
    return document, replay("run", "@1", "--once", *options).stdout


REPORT = "return {'batchItemFailures': [{'itemIdentifier': 'b'}]}"


@pytest.mark.slow
def test_both_sides_are_shown_where_they_differ(project, replay):
    """What a changed report means for the queue, beside the difference itself."""
    document, text = replayed(project, replay, REPORT, sqs("a", "b"), failures("x"))
    assert f"batch  recorded: {WHOLE}{IF}: batchItemFailures names the unknown id 'x'" in text
    assert f"batch  replayed: 1 of 2 records comes again{IF}: b" in text
    sides = document["batch"]
    assert (sides["recorded"]["retried"], sides["replayed"]["retried"]) == (["a", "b"], ["b"])
    assert sides["replayed"] == {
        "source": "aws:sqs",
        "size": 2,
        "retried": ["b"],
        "whole": False,
        "reported": True,
        "malformed": False,
        "out_of_order": [],
        "reason": "batchItemFailures names them",
        "text": f"1 of 2 records comes again{IF}: b",
    }


@pytest.mark.long
def test_one_line_says_what_comes_again_in_a_match(project, replay):
    """And none where nothing does, or where the event is no batch."""
    document, text = replayed(project, replay, REPORT, sqs("a", "b"), failures("b"))
    assert document["verdict"] == "match"
    assert text.count("batch  ") == 1
    assert f"batch  1 of 2 records comes again{IF}: b" in text
    document, text = replayed(project, replay, "return None", sqs("a"), returned(None))
    assert document["batch"]["recorded"] == document["batch"]["replayed"]
    assert "batch  " not in text
    document, text = replayed(project, replay, "return None", {"n": 1}, returned(None))
    assert "batch" not in document
    assert "batch  " not in text


@pytest.mark.slow
def test_with_a_changed_input_only_the_replay_is_told(project, replay):
    """The recorded outcome is that of the recorded event."""
    options = ("--set", '$.Records[0].messageId="b"')
    document, text = replayed(project, replay, REPORT, sqs("a"), failures("a"), *options)
    assert document["batch"]["recorded"] is None
    assert document["batch"]["replayed"]["retried"] == ["b"]
    assert text.count("batch  ") == 1


@pytest.mark.slow
def test_a_case_that_cannot_be_replayed_has_its_recorded_side(project, replay):
    """In JSON; the text has the error alone."""
    options = ("--handler", "nowhere.handler")
    document, text = replayed(project, replay, REPORT, sqs("a"), None, *options)
    assert document["verdict"] == "error"
    assert document["batch"]["recorded"]["text"] == f"{WHOLE}: the invocation did not finish"
    assert document["batch"]["replayed"] is None
    assert "batch  " not in text
