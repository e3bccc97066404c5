"""What comes to `poller`: the schedule's events, and jobs in every state that they can be in.

A job that ends while it is waited for is changed by a timer, which counts from the making of the
event; the time that the function has is ample for it.
"""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Timer
from typing import Any, ClassVar

from applications.traffic import REGION, Traffic, kind

TABLE, BUCKET = "jobs", "results"


class PollerTraffic(Traffic):
    """Events of EventBridge that name jobs."""

    function_name = "poller"
    variables: ClassVar = {
        "JOBS_TABLE": TABLE,
        "RESULTS_BUCKET": BUCKET,
        "POLL_SECONDS": "0.01",
        "RESERVE_MS": "800",
    }

    def __init__(self, random: Random, url: str) -> None:
        super().__init__(random, url)
        self._timers: list[Timer] = []
        self._made = 0

    def prepare(self) -> None:
        """Make the table and the bucket."""
        self.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        place = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)

    def close(self) -> None:
        """Wait for the timers: each has changed its job by then."""
        for timer in self._timers:
            timer.join()
        super().close()

    def _job(self, status: str, *, attempts: int = 1, parts: int = 0, **more: Any) -> str:
        self._made += 1
        name = f"{self.random.choice(('export', 'import', 'report'))}-{self._made:03}"
        item = {"id": {"S": name}, "status": {"S": status}, "heard_at": {"S": _ago(seconds=5)}}
        item |= {"attempts": {"N": str(attempts)}, "parts": {"N": str(parts)}}
        for key, value in more.items():
            item[key] = {"BOOL": value} if isinstance(value, bool) else {"S": value}
        self.client("dynamodb").put_item(TableName=TABLE, Item=item)
        return name

    def _made_by(self, name: str, rows: list[int]) -> None:
        parts = [{"name": f"part-{n}", "rows": count} for n, count in enumerate(rows)]
        body = json.dumps({"job": name, "parts": parts}).encode()
        self.client("s3").put_object(Bucket=BUCKET, Key=f"{name}/manifest.json", Body=body)

    def _done(self, status: str = "done", **more: Any) -> str:
        rows = [self.random.randint(1, 900) for _ in range(self.random.randint(1, 4))]
        name = self._job(status, parts=len(rows), **more)
        self._made_by(name, rows)
        return name

    def _later(self, name: str, changes: dict[str, str], ms: float) -> None:
        def change() -> None:
            self.client("dynamodb").update_item(
                TableName=TABLE,
                Key={"id": {"S": name}},
                AttributeUpdates={key: {"Value": {"S": value}} for key, value in changes.items()},
            )

        self._timers.append(Timer(ms / 1000, change))
        self._timers[-1].start()

    def _event(self, *names: Any, **more: Any) -> dict[str, Any]:
        rule = f"arn:aws:events:{REGION}:123456789012:rule/jobs"
        return {
            "version": "0",
            "id": f"{self.random.getrandbits(64):016x}",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00Z"),
            "region": REGION,
            "resources": [rule],
            "detail": {"jobs": list(names)},
            **more,
        }

    # The kinds

    @kind(0.4)
    def done(self):
        return self._event(self._done())

    @kind(0.16)
    def done_soon(self):
        name = self._done("running")
        self._later(name, {"status": "done"}, self.random.randint(15, 50))
        return self._event(name)

    @kind(0.04)
    def begins_and_is_done(self):
        name = self._done("queued")
        self._later(name, {"status": "running", "heard_at": _ago()}, 25)
        self._later(name, {"status": "done"}, 50)
        return self._event(name)

    @kind(0.09)
    def nothing_due(self):
        return self._event()

    @kind(0.07)
    def several(self):
        names = [self._done() for _ in range(self.random.randint(2, 3))]
        return self._event(*names, names[0])

    @kind(0.06)
    def failed(self):
        return self._event(self._job("failed", attempts=self.random.randint(1, 2)))

    @kind(0.03)
    def cancelled(self):
        return self._event(self._job("cancelled"))

    @kind(0.03)
    def collected_before(self):
        return self._event(self._done(collected_at=_ago(seconds=60)))

    @kind(0.02)
    def unlocked_soon(self):
        name = self._done(locked_by="poller-2")
        self._later(name, {"locked_by": ""}, 40)
        return self._event(name)

    @kind(0.02)
    def failed_for_good(self):
        return self._event(self._job("failed", attempts=3, reason="disk full"))

    @kind(0.02)
    def missing(self):
        return self._event(self._done(), f"report-{self.random.randint(900, 999)}")

    @kind(0.015, timeout_ms=1_000)
    def time_is_short(self):
        return self._event(self._job("running"))

    @kind(times=2, timeout_ms=1_000)
    def time_is_short_for_several(self):
        return self._event(self._done(), self._job("queued"), self._done())

    @kind(times=2)
    def stalled(self):
        return self._event(self._job("running", heard_at=_ago(minutes=16)))

    @kind(times=1)
    def nearly_stalled(self):
        name = self._done("running", heard_at=_ago(minutes=14))
        self._later(name, {"status": "done"}, 40)
        return self._event(name)

    @kind(times=1)
    def not_to_be_started_again(self):
        return self._event(self._job("failed", retryable=False))

    @kind(times=2)
    def nothing_made(self):
        return self._event(self._job("done", parts=2))

    @kind(times=1)
    def made_too_little(self):
        name = self._job("done", parts=3)
        self._made_by(name, [10, 20])
        return self._event(name)

    @kind(times=2)
    def empty_part(self):
        name = self._job("done", parts=3)
        self._made_by(name, [10, 0, 20])
        return self._event(name)

    @kind(times=1)
    def no_parts(self):
        name = self._job("done")
        self._made_by(name, [])
        return self._event(name)

    @kind(times=2)
    def other_source(self):
        return self._event(self._done(), source="shop", **{"detail-type": "Order Placed"})

    @kind(times=1)
    def by_hand(self):
        return self._event(self._done(), source="operator", **{"detail-type": "Jobs Due"})

    @kind(times=2)
    def no_names(self):
        return self._event(detail={"jobs": self.random.choice(("report-1", [1]))})

    @kind(times=1)
    def no_detail(self):
        return self._event(detail=None)

    @kind(times=2, timeout_ms=1_000)
    def locked_for_ever(self):
        return self._event(self._done(locked_by="poller-1"))

    @kind(times=2)
    def poisoned(self):
        return self._event(self._done(), self._job("poisoned"))

    @kind(times=1, timeout_ms=1_000)
    def draining(self):
        return self._event(self._job("draining"))


def _ago(**more: int) -> str:
    return (datetime.now(UTC) - timedelta(**more)).isoformat(timespec="milliseconds")
