"""What comes to `intake`: batches off a queue, good and bad messages mixed, some more than once."""

import hashlib
import json
import uuid
from typing import Any, ClassVar

from applications.traffic import REGION, Traffic, kind

QUEUE = f"arn:aws:sqs:{REGION}:123456789012:intake"
FILES = {
    "march.csv": b"number,amount,currency\nA-1,10.50,EUR\nA-2,7,USD\n\nA-3,0.99,EUR\n",
    "april.csv": b"\xef\xbb\xbfnumber;amount;currency;due\nB-1;100;gbp;2026-05-01\n",
    "may.jsonl": b'{"number": "C-1", "amount": 3, "currency": "EUR"}\n\n'
    b'{"number": "C-2", "amount": "4.25", "currency": "usd"}\n',
    "june.ndjson": b'{"number": "D-1", "amount": 1, "currency": "EUR"}\n',
    "broken.jsonl": b'{"number": "E-1"\n',
    "list.jsonl": b"[1, 2]\n",
    "scan.pdf": b"%PDF-1.7",
    "latin.csv": "number,amount,currency\nF-1,1,EUR\nM\u00fcller,2,EUR\n".encode("latin-1"),
}


class IntakeTraffic(Traffic):
    """Batches of SQS messages."""

    function_name = "intake"
    variables: ClassVar = {"ARCHIVE_BUCKET": "archive", "MAX_RECEIVES": "4"}
    timeout_ms = 30_000

    def prepare(self) -> None:
        """Make the buckets, and the files that messages name."""
        s3 = self.client("s3")
        for bucket in ("archive", "uploads"):
            place = {"LocationConstraint": REGION}
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        for name, content in FILES.items():
            s3.put_object(Bucket="uploads", Key=name, Body=content)
        self.earlier: list[str] = []

    # The shape of the messages

    def _record(self, body: Any, *, receives: int = 1, group: str | None = None) -> dict[str, Any]:
        text = body if isinstance(body, str) else json.dumps(body)
        sent_ms = 1_772_000_000_000 + self.random.randrange(10**9)
        attributes = {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": str(sent_ms),
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": str(sent_ms + 7),
        }
        if group:
            attributes |= {"MessageGroupId": group, "MessageDeduplicationId": self._id()}
        return {
            "messageId": self._id(),
            "receiptHandle": "AQEB" + self._id(),
            "body": text,
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(text.encode()).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE + (".fifo" if group else ""),
            "awsRegion": REGION,
        }

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def _batch(self, *bodies: Any, **more: Any) -> dict[str, Any]:
        return {"Records": [self._record(body, **more) for body in bodies]}

    def _invoice(self, **fields: Any) -> dict[str, Any]:
        amount = self.random.choice((12, 7.5, "199.99", 0.29, -3))
        currency = self.random.choice(("EUR", "EUR", "usd", "GBP"))
        number = f"R-{self.random.randrange(10**6):06}"
        return {
            "type": "invoice",
            "invoice": {"number": number, "amount": amount, "currency": currency, **fields},
        }

    def _invoices(self, most: int) -> list[str]:
        made = [json.dumps(self._invoice()) for _ in range(self.random.randint(1, most))]
        self.earlier += made
        return made

    def _refund(self, **fields: Any) -> dict[str, Any]:
        number = f"R-{self.random.randrange(10**6):06}"
        refund = {"invoice": number, "amount": 5.5, "currency": "EUR", **fields}
        return {"type": "refund", "refund": refund}

    def _file(self, name: str, bucket: str = "uploads") -> dict[str, Any]:
        # A token keeps two messages about one file apart.
        return {"type": "file", "bucket": bucket, "key": name, "token": self._id()}

    def _table(self, *rows: str, head: str = "number,amount,currency") -> dict[str, Any]:
        return {"type": "table", "csv": "\n".join((head, *rows)) + "\n", "token": self._id()}

    # The kinds

    @kind(0.32)
    def invoices(self):
        return self._batch(*self._invoices(3))

    @kind(0.08)
    def invoice_with_due_date(self):
        return self._batch(self._invoice(due="2026-12-31"))

    @kind(0.1)
    def refunds(self):
        return self._batch(*(self._refund() for _ in range(self.random.randint(1, 2))))

    @kind(0.09)
    def known_again(self):
        some = self.random.sample(self.earlier, min(2, len(self.earlier)))
        return self._batch(*some, *self._invoices(1))

    @kind(0.08)
    def csv_in_the_message(self):
        rows = [f"T-{n},{self.random.randint(1, 99)}.5,EUR" for n in range(4)]
        return self._batch(self._table(*rows))

    @kind(0.06)
    def csv_file(self):
        return self._batch(self._file(self.random.choice(("march.csv", "april.csv"))))

    @kind(0.05)
    def json_lines_file(self):
        return self._batch(self._file(self.random.choice(("may.jsonl", "june.ndjson"))))

    @kind(0.04)
    def from_a_topic(self):
        message = json.dumps(self._invoice())
        return self._batch({"Type": "Notification", "TopicArn": "arn:topic", "Message": message})

    @kind(0.04)
    def file_not_there_among_others(self):
        return self._batch(*self._invoices(2), self._file("july.csv"), self._refund())

    @kind(0.03)
    def no_json(self):
        return self._batch(*self._invoices(1), f"number=1 {self._id()}")

    @kind(0.03)
    def fifo(self):
        return self._batch(*(self._invoice() for _ in range(3)), group="shop-1")

    @kind(0.02)
    def mixed(self):
        bodies = [self._invoice(), self._file("march.csv"), self._refund(), self._file("gone.csv")]
        self.random.shuffle(bodies)
        return self._batch(*bodies, "{", self._table("T-1,1,EUR"))

    @kind(0.015)
    def file_not_there(self):
        return self._batch(self._file("july.csv"))

    @kind(0.015)
    def amount_missing(self):
        return self._batch(self._invoice(amount=""), *self._invoices(1))

    @kind(times=2)
    def fifo_stops(self):
        bodies = (self._invoice(), self._file("july.csv"), self._invoice(), self._refund())
        return self._batch(*bodies, group="shop-2")

    @kind(times=1)
    def fifo_stops_at_once(self):
        return self._batch(self._file("july.csv"), self._invoice(), group="shop-3")

    @kind(times=2)
    def last_receive_of_a_file_not_there(self):
        return self._batch(self._file("july.csv"), receives=4)

    @kind(times=1)
    def third_receive_of_a_file_not_there(self):
        return self._batch(self._file("july.csv"), receives=3)

    @kind(times=2)
    def every_message_fails(self):
        return self._batch(self._file("july.csv"), self._file("august.csv"))

    @kind(times=1)
    def a_bucket_that_is_not_there(self):
        return self._batch(self._file("march.csv", "nowhere"), *self._invoices(1))

    @kind(times=2)
    def unknown_type(self):
        return self._batch({"type": "reminder", "token": self._id()})

    @kind(times=1)
    def no_type(self):
        return self._batch(json.dumps([self._id()]), *self._invoices(1))

    @kind(times=3)
    def bad_amount(self):
        amount = self.random.choice(("ten", "NaN", 1_000_000, "-1000000", "1e9"))
        return self._batch(self._invoice(amount=amount))

    @kind(times=1)
    def greatest_amount(self):
        return self._batch(self._invoice(amount="999999.99"))

    @kind(times=2)
    def unknown_currency(self):
        return self._batch(self._invoice(currency="CHF"))

    @kind(times=1)
    def currency_is_a_number(self):
        return self._batch(self._invoice(currency=978), *self._invoices(1))

    @kind(times=2)
    def refund_of_nothing(self):
        return self._batch(self._refund(amount=self.random.choice(("0.00", -5))))

    @kind(times=1)
    def refund_with_a_reason(self):
        return self._batch(self._refund(reason="broken"))

    @kind(times=2)
    def csv_without_a_column(self):
        return self._batch(self._table("T-1,1", head="number,amount"))

    @kind(times=1)
    def csv_without_lines(self):
        return self._batch(self._table(",,"))

    @kind(times=1)
    def csv_as_long_as_may_be(self):
        return self._batch(self._table(*(f"T-{n},1,EUR" for n in range(50))))

    @kind(times=1)
    def csv_too_long(self):
        return self._batch(self._table(*(f"T-{n},1,EUR" for n in range(51))))

    @kind(times=2)
    def broken_file(self):
        return self._batch(self._file(self.random.choice(("broken.jsonl", "list.jsonl"))))

    @kind(times=1)
    def file_of_another_kind(self):
        return self._batch(self._file("scan.pdf"))

    @kind(times=1)
    def file_in_another_encoding(self):
        return self._batch(*self._invoices(1), self._file("latin.csv"))

    @kind(times=1)
    def no_batch(self):
        return {"ping": True}

    @kind(times=1)
    def empty_batch(self):
        return self._batch()
