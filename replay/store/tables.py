"""The tables of a store, as SQLAlchemy declares them; every column says what it means.

`part` is the truth and is written by the recorder (recorder/journal.py) and by an import. `tag`
holds what a person has said of recordings: it cannot be derived from anything. Every other table is
derived from `part` by the intake and can be dropped and derived again; tags stay when that is done,
and `pulled`, which spares downloads.
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

INTEGER = Integer().with_variant(BigInteger(), "postgresql")
"""64 bits, which in SQLite every integer may have."""
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared by its bytes, whatever the language of a server."""
metadata = MetaData()

part = Table(
    "part",
    metadata,
    Column(
        "n",
        INTEGER,
        primary_key=True,
        autoincrement=False,
        doc="Order of commit, from 1.",
    ),
    Column("id", TEXT, doc="The recording that the part belongs to."),
    Column("kind", TEXT, doc="begun, sent, answered or ended."),
    Column("crc", INTEGER, doc="CRC-32 of id, kind and payload; checked on each read."),
    Column("payload", LargeBinary, doc="A codec document, plain or packed; see packing.py."),
)

recording = Table(
    "recording",
    metadata,
    Column("id", TEXT, primary_key=True, doc="ULID in lower case: ordered by time."),
    Column("short_id", TEXT, nullable=False, doc="Last 8 characters of the id, as lists show it."),
    Column("reversed_id", TEXT, nullable=False, doc="The id backwards: a tail becomes a prefix."),
    Column("begun_n", INTEGER, doc="Where the begun part is; null: it never arrived."),
    Column("ended_n", INTEGER, doc="Where the ended part is; null: the recording is unfinished."),
    Column("damage", TEXT, doc="Why the recording cannot be read; null: it can."),
    Column("format", INTEGER, doc="Format of the parts as they were written."),
    Column(
        "digest",
        TEXT,
        doc="BLAKE2b-128, in hexadecimal, of the parts but those of calls at import.",
    ),
    Column("size_bytes", INTEGER, doc="Bytes of the payloads but those of calls at import."),
    Column("captured_at_us", BigInteger, doc="Entry into the handler, microseconds since 1970."),
    Column("function_name", TEXT, doc="The function, or the handler outside Lambda."),
    Column("function_version", TEXT, doc="$LATEST or a number."),
    Column("alias", TEXT, doc="Qualifier of the invoked ARN."),
    Column("handler", TEXT, doc="Dotted handler, as in _HANDLER."),
    Column("request_id", TEXT, doc="AWS request id; equal for the retries of an invocation."),
    Column("source", TEXT, doc="Service the event comes from, such as aws:sqs."),
    Column("remaining_ms", INTEGER, doc="Remaining time at entry."),
    Column("outcome", TEXT, doc="returned, raised, timed_out, exited or unfinished."),
    Column("error_type", TEXT, doc="Class name of what was raised."),
    Column("duration_us", BigInteger, doc="How long the handler ran."),
    Column("sandbox_id", TEXT, doc="Execution environment the invocation ran in."),
    Column("sandbox_sequence", INTEGER, doc="Place in that sandbox, from 1."),
    Column("cold", Boolean, doc="Whether it was the sandbox's first invocation."),
    Column("outbound", TEXT, doc="Which calls were watched for: off, handler or all."),
    Column("calls", INTEGER, doc="Outbound calls of the handler, answered or not."),
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
    Column("recording_id", TEXT, primary_key=True, doc="The recording that the parts lie with."),
    Column("at_import", Boolean, primary_key=True, doc="Whether the call is the sandbox's own."),
    Column(
        "sequence",
        INTEGER,
        primary_key=True,
        doc="Place among the calls, from 1; below 0 where no part tells it: its number, negated.",
    ),
    Column("sandbox_id", TEXT, doc="Of a call at import: the sandbox whose recordings it is of."),
    Column("sent_n", INTEGER, doc="Where the sent part is; null: it never arrived."),
    Column("answered_n", INTEGER, doc="Where the answered part is; null: it was never answered."),
    Column("kind", TEXT, doc="aws or http; null, like all that follows, where it cannot be read."),
    Column("name", TEXT, doc="What messages call it, such as dynamodb PutItem."),
    Column("service", TEXT, doc="AWS service, by botocore's name."),
    Column("operation", TEXT, doc="Operation of an AWS service."),
    Column("host", TEXT, doc="Host of an HTTP request."),
    Column("status", INTEGER, doc="HTTP status of the answer; null: none came."),
    Column("error_type", TEXT, doc="Class name of what came in the place of an answer."),
    Column("at_us", BigInteger, doc="When it was sent, microseconds after entry or import."),
    Column("duration_us", BigInteger, doc="How long its answer took."),
    Index("ix_interaction_sandbox_id", "sandbox_id"),
)

field = Table(
    "field",
    metadata,
    Column("recording_id", TEXT, primary_key=True, doc="The recording whose event has the value."),
    Column("path", TEXT, primary_key=True, doc="The declared JSONPath at which it is."),
    Column("value", TEXT, primary_key=True, doc="The value as JSON, cut where it is long."),
    Index("ix_field_path", "path", "value", "recording_id"),
)

intake = Table(
    "intake",
    metadata,
    Column("name", TEXT, primary_key=True, doc="What is taken in: part, or a path of fields."),
    Column("taken_n", INTEGER, nullable=False, doc="The last part that was taken in."),
)

tag = Table(
    "tag",
    metadata,
    Column("recording_id", TEXT, primary_key=True, doc="The recording that is tagged."),
    Column("name", TEXT, primary_key=True, doc="The tag; see replay/tag.py for what it may be."),
    Index("ix_tag_name", "name", "recording_id"),
)

pulled = Table(
    "pulled",
    metadata,
    Column("bucket", TEXT, primary_key=True, doc="The bucket of an object."),
    Column("key", TEXT, primary_key=True, doc="Its key; its parts were taken in to the last."),
)
