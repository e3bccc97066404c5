"""What AWS does next with a batch of records: which are done, and which come again. Pure.

Imports events and outcomes. A result counts for single records only where the event source mapping
has `ReportBatchItemFailures`. A recording does not know that; a result with `batchItemFailures` is
taken for a sign of it, and the sentence says so. Sources, all in the Lambda developer guide:
"Handling errors for an SQS event source" (services-sqs-errorhandling), "Configuring partial batch
response" with Kinesis (services-kinesis-batchfailurereporting) and with DynamoDB
(services-ddb-batchfailurereporting), and "Configuring error handling controls for Kafka event
sources" (kafka-retry-configurations). Invariant: what comes again is named in the event's order.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replay.event import source_of
from replay.outcome import Exited, Outcome, Raised, Returned, TimedOut

_KEY = "batchItemFailures"
_ITEM = "itemIdentifier"
_MISSPELT = frozenset({"batchitemfailures", "batchitemfailure"})
_STREAMS = frozenset({"aws:kinesis", "aws:dynamodb"})
# Both have stood in AWS's guide, and Powertools for Python sends the second.
_PARTITION_KEYS = ("partition", "topic-partition")
_MAX_LISTED = 5
_MAX_ID = 80


@dataclass(frozen=True, slots=True)
class Batch:
    """What becomes of the records of one event.

    `retried` are the ids of those that come again: message ids, sequence numbers, or a Kafka
    record's topic, partition and offset as `orders-0:15`. `is_reported` says that the result holds
    `batchItemFailures`, `is_malformed` that it does not say what its author meant. `out_of_order`
    are messages of a FIFO queue that are done before an earlier one of their group is.
    """

    source: str
    size: int
    reason: str
    retried: tuple[str, ...] = ()
    is_reported: bool = False
    is_malformed: bool = False
    out_of_order: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every record comes again."""
        return len(self.retried) == self.size

    @property
    def is_remarkable(self) -> bool:
        """Whether anything but plain success is to be told."""
        return bool(self.retried) or self.is_malformed

    def differs(self, other: "Batch") -> bool:
        """Return whether another outcome has other consequences, for whatever reason."""
        mine = (self.retried, self.is_malformed, self.out_of_order)
        return mine != (other.retried, other.is_malformed, other.out_of_order)

    @property
    def text(self) -> str:
        """What AWS does next, in one sentence without a full stop."""
        if not self.retried:
            done = "the record is done" if self.size == 1 else f"all {self.size:,} records are done"
            return f"{done}: {self.reason}" if self.is_malformed else done
        is_listed = not self.is_whole and self.source not in _STREAMS
        detail = _listed(self.retried) if is_listed else self.reason
        condition = ", if ReportBatchItemFailures is on" if self.is_reported else ""
        return f"{self._extent()}{condition}: {detail}{self._disorder()}"

    def _extent(self) -> str:
        if self.is_whole:
            return "the whole batch comes again"
        count = len(self.retried)
        return f"{count:,} of {self.size:,} records {'comes' if count == 1 else 'come'} again"

    def _disorder(self) -> str:
        if not self.out_of_order:
            return ""
        verb = "is" if len(self.out_of_order) == 1 else "are"
        listed = _listed(self.out_of_order)
        return f"; out of order, {listed} of the same message group {verb} deleted"


def batch_of(event: object, outcome: Outcome | None) -> Batch | None:
    """Return what AWS does with the records of `event` after `outcome`; None is unfinished.

    None for an event that is no batch of SQS, Kinesis, DynamoDB or Kafka, for records without
    their ids, and for a result that was too large to be kept. Retry limits, bisecting and failure
    destinations belong to the mapping and are not known here. Sources: the module's.
    """
    source = source_of(event)
    records = tuple(_records(event, source))
    ids = tuple(id for id, _ in records if id is not None)
    if source is None or not ids or len(ids) < len(records):
        return None
    if not isinstance(outcome, Returned):
        return Batch(source, len(ids), _failure(outcome), ids)
    if outcome.payload is None:
        return None
    batch = _answered(source, ids, _result_of(outcome.payload))
    if not batch.retried:  # then nothing is done before what comes again
        return batch
    return dataclasses.replace(batch, out_of_order=_overtaking(records, batch))


_Record = tuple[str | None, Mapping[str, Any]]


def _records(event: Any, source: str | None) -> Iterator[_Record]:
    if source == "aws:kafka":
        yield from _kafka_records(event)
    id_of = _ID_OF.get(source or "")
    if id_of is not None and all(isinstance(record, Mapping) for record in event["Records"]):
        yield from ((_string(id_of(record)), record) for record in event["Records"])


def _kafka_records(event: Any) -> Iterator[_Record]:
    by_partition = event["records"]
    if not isinstance(by_partition, Mapping):
        return
    for partition, records in by_partition.items():
        for record in records if isinstance(records, list) else ():
            offset = record.get("offset") if isinstance(record, Mapping) else None
            yield (None if offset is None else _kafka_id(partition, offset)), record


def _kafka_id(partition: object, offset: object) -> str | None:
    is_offset = isinstance(offset, int) and not isinstance(offset, bool)
    return f"{partition}:{offset}" if is_offset else None


def _inside(record: Mapping[str, Any], name: str, key: str) -> object:
    inner = record.get(name)
    return inner.get(key) if isinstance(inner, Mapping) else None


_ID_OF: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "aws:sqs": lambda record: record.get("messageId"),
    "aws:kinesis": lambda record: _inside(record, "kinesis", "sequenceNumber"),
    "aws:dynamodb": lambda record: _inside(record, "dynamodb", "SequenceNumber"),
}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _failure(outcome: Raised | TimedOut | Exited | None) -> str:
    match outcome:
        case Raised(error_type=error_type):
            return f"the handler raised {error_type}"
        case TimedOut():
            return "the handler timed out"
        case Exited():
            return "the handler ended its process"
        case None:
            return "the invocation did not finish"


def _result_of(payload: bytes) -> object:
    if b"batch" not in payload.lower():  # as few as are reports are parsed
        return None
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload  # bytes that are no JSON hold no report


def _answered(source: str, ids: tuple[str, ...], result: object) -> Batch:
    """Return what a result says of a batch; without a report it is done, whatever is in it."""
    done = Batch(source, len(ids), "the handler returned")
    if not isinstance(result, Mapping):
        return done
    if _KEY not in result:
        misspelt = next((key for key in result if _is_misspelt(key)), None)
        if misspelt is None:
            return done
        reason = f"the key is {_KEY}, not {_quoted(misspelt)}"
        return dataclasses.replace(done, reason=reason, is_malformed=True)
    if not result[_KEY] and isinstance(result[_KEY], list | None):
        return dataclasses.replace(done, reason=f"{_KEY} names no record", is_reported=True)
    return _reported(source, ids, result[_KEY])


def _is_misspelt(key: str) -> bool:
    return key.replace("_", "").casefold() in _MISSPELT


def _reported(source: str, ids: tuple[str, ...], failures: object) -> Batch:
    """Return what a report says of a batch; one flaw in it, and every record comes again.

    AWS's pages on streams do not say what an unknown number does; it is taken as for SQS.
    """
    if not isinstance(failures, list):
        return Batch(source, len(ids), f"{_KEY} is no list", ids, True, True)
    known = frozenset(ids)
    flaw = next((flaw for item in failures if (flaw := _flaw(item, source, known))), None)
    if flaw is not None:
        return Batch(source, len(ids), flaw, ids, True, True)
    named = frozenset(_named(item[_ITEM], source) for item in failures)
    if source in _STREAMS:
        return _from_checkpoint(source, ids, min(filter(None, named), key=_rank))
    retried = tuple(id for id in ids if id in named)
    every = len(retried) == len(ids)
    reason = f"{_KEY} names {'every record' if every else 'them'}"
    return Batch(source, len(ids), reason, retried, True)


def _from_checkpoint(source: str, ids: tuple[str, ...], lowest: str) -> Batch:
    retried = tuple(id for id in ids if _rank(id) >= _rank(lowest))
    return Batch(source, len(ids), f"the lowest number reported is {lowest}", retried, True)


def _rank(number: str) -> tuple[int, str]:
    return len(number), number  # decimal numbers in their order, without a limit of digits


def _flaw(item: object, source: str, known: frozenset[str]) -> str | None:
    """Return what makes AWS refuse the report that holds `item`, None if nothing does."""
    if not isinstance(item, Mapping) or _ITEM not in item:
        return f"{_KEY} has an entry without {_ITEM}"
    given = item[_ITEM]
    if given is None or given == "":
        return f"{_KEY} has {'a null' if given is None else 'an empty'} {_ITEM}"
    is_known = _named(given, source) in known
    return None if is_known else f"{_KEY} names the unknown id {_quoted(given)}"


def _named(given: object, source: str) -> str | None:
    if source != "aws:kafka":
        return _string(given)
    if not isinstance(given, Mapping):
        return None
    partition = next((given[key] for key in _PARTITION_KEYS if key in given), None)
    return _kafka_id(partition, given.get("offset"))


def _overtaking(records: tuple[_Record, ...], batch: Batch) -> tuple[str, ...]:
    """Return the messages of a FIFO queue that are done though an earlier one of a group is not.

    The handler should stop at the first failure and report it with all that it did not process.
    """
    waiting: set[object] = set()
    found = []
    for id, record in records:
        if not str(record.get("eventSourceARN")).endswith(".fifo"):
            continue  # a standard queue may have groups too, without an order
        group = _inside(record, "attributes", "MessageGroupId")
        if id in batch.retried:
            waiting.add(group)
        elif group in waiting and id is not None:
            found.append(id)
    return tuple(found)


def _quoted(value: object) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _MAX_ID else f"{text[:_MAX_ID]} ..."


def _listed(ids: tuple[str, ...]) -> str:
    more = len(ids) - _MAX_LISTED
    listed = ", ".join(id[:_MAX_ID] for id in ids[:_MAX_LISTED])
    return f"{listed} and {more:,} more" if more > 0 else listed
