"""The tables of a store, as SQLAlchemy declares them; every column says what it means.

`part` is the truth and is written by the recorder (recorder/journal.py) and by an import. `tag`
holds what a person has said of recordings: it cannot be derived from anything. Every other table is
derived from `part` by the intake and can be dropped and derived again; tags stay when that is done.
Changes go through a migration, with `HEAD` in revision.py moved along.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

part = Table(
    "part",
    metadata,
    Column("n", Integer, primary_key=True, doc="Order of commit; given by the database."),
    Column("id", Text, doc="The recording that the part belongs to."),
    Column("kind", Text, doc="begun, sent, answered or ended."),
    Column("crc", Integer, doc="CRC-32 of id, kind and payload; checked on each read."),
    Column("payload", LargeBinary, doc="A codec document; never changed."),
)

recording = Table(
    "recording",
    metadata,
    Column("id", Text, primary_key=True, doc="ULID in lower case: ordered by time."),
    Column("short_id", Text, nullable=False, doc="Last 8 characters of the id, as lists show it."),
    Column("reversed_id", Text, nullable=False, doc="The id backwards: a tail becomes a prefix."),
    Column("begun_n", Integer, doc="Where the begun part is; null: it never arrived."),
    Column("ended_n", Integer, doc="Where the ended part is; null: the recording is unfinished."),
    Column("damage", Text, doc="Why the recording cannot be read; null: it can."),
    Column("format", Integer, doc="Format of the parts as they were written."),
    Column(
        "digest",
        Text,
        doc="BLAKE2b-128, in hexadecimal, of the parts but those of calls at import.",
    ),
    Column("size_bytes", Integer, doc="Bytes of the payloads but those of calls at import."),
    Column("captured_at_us", BigInteger, doc="Entry into the handler, microseconds since 1970."),
    Column("function_name", Text, doc="The function, or the handler outside Lambda."),
    Column("function_version", Text, doc="$LATEST or a number."),
    Column("alias", Text, doc="Qualifier of the invoked ARN."),
    Column("handler", Text, doc="Dotted handler, as in _HANDLER."),
    Column("request_id", Text, doc="AWS request id; equal for the retries of an invocation."),
    Column("source", Text, doc="Service the event comes from, such as aws:sqs."),
    Column("remaining_ms", Integer, doc="Remaining time at entry."),
    Column("outcome", Text, doc="returned, raised, timed_out, exited or unfinished."),
    Column("error_type", Text, doc="Class name of what was raised."),
    Column("duration_us", BigInteger, doc="How long the handler ran."),
    Column("sandbox_id", Text, doc="Execution environment the invocation ran in."),
    Column("sandbox_sequence", Integer, doc="Place in that sandbox, from 1."),
    Column("cold", Boolean, doc="Whether it was the sandbox's first invocation."),
    Column("outbound", Text, doc="Which calls were watched for: off, handler or all."),
    Column("calls", Integer, doc="Outbound calls of the handler, answered or not."),
    Index("ix_recording_short_id", "short_id"),
    Index("ix_recording_reversed_id", "reversed_id"),
    Index("ix_recording_request_id", "request_id"),
    Index("ix_recording_captured_at_us", "captured_at_us"),
    Index("ix_recording_function_name", "function_name", "id"),
    Index("ix_recording_alias", "alias", "id"),
    Index("ix_recording_outcome", "outcome", "id"),
    Index("ix_recording_error_type", "error_type", "id"),
    Index("ix_recording_source", "source", "id"),
)

interaction = Table(
    "interaction",
    metadata,
    Column("recording_id", Text, primary_key=True, doc="The recording that the parts lie with."),
    Column("at_import", Boolean, primary_key=True, doc="Whether the call is the sandbox's own."),
    Column(
        "sequence",
        Integer,
        primary_key=True,
        doc="Place among the calls, from 1; below 0 where no part tells it: its number, negated.",
    ),
    Column("sandbox_id", Text, doc="Of a call at import: the sandbox whose recordings it is of."),
    Column("sent_n", Integer, doc="Where the sent part is; null: it never arrived."),
    Column("answered_n", Integer, doc="Where the answered part is; null: it was never answered."),
    Column("kind", Text, doc="aws or http; null, like all that follows, where it cannot be read."),
    Column("name", Text, doc="What messages call it, such as dynamodb PutItem."),
    Column("service", Text, doc="AWS service, by botocore's name."),
    Column("operation", Text, doc="Operation of an AWS service."),
    Column("host", Text, doc="Host of an HTTP request."),
    Column("status", Integer, doc="HTTP status of the answer; null: none came."),
    Column("error_type", Text, doc="Class name of what came in the place of an answer."),
    Column("at_us", BigInteger, doc="When it was sent, microseconds after entry or import."),
    Column("duration_us", BigInteger, doc="How long its answer took."),
    Index("ix_interaction_sandbox_id", "sandbox_id"),
)

field = Table(
    "field",
    metadata,
    Column("recording_id", Text, primary_key=True, doc="The recording whose event has the value."),
    Column("path", Text, primary_key=True, doc="The declared JSONPath at which it is."),
    Column("value", Text, primary_key=True, doc="The value as JSON, cut where it is long."),
    Index("ix_field_path", "path", "value", "recording_id"),
)

intake = Table(
    "intake",
    metadata,
    Column("name", Text, primary_key=True, doc="What is taken in: part, or a path of fields."),
    Column("taken_n", Integer, nullable=False, doc="The last part that was taken in."),
)

tag = Table(
    "tag",
    metadata,
    Column("recording_id", Text, primary_key=True, doc="The recording that is tagged."),
    Column("name", Text, primary_key=True, doc="The tag; see replay/tag.py for what it may be."),
    Index("ix_tag_name", "name", "recording_id"),
)
