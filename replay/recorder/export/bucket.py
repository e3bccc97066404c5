"""A place in S3, which the host's own boto3 writes to. It is loaded with the first object."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from replay.errors import ReplayError, SettingsError

VARIABLE = "REPLAY_EXPORT"
SCHEME = "s3://"
_CONNECT_S = 2
_READ_S = 5
_AWS = ("botocore.", "boto3.", "s3transfer.", "urllib3.")


class ShipError(ReplayError):
    """An object was not acknowledged: its parts stay, and are shipped again later."""


@dataclass(slots=True)
class Bucket:
    """A bucket and a prefix in it."""

    name: str
    prefix: str
    _client: Any = field(default=None, repr=False)

    def put(self, key: str, body: bytes) -> None:
        """Store an object below the prefix; raises ShipError where it is not acknowledged."""
        try:
            self._client = self._client or _client()
            self._client.put_object(Bucket=self.name, Key=self.prefix + key, Body=body)
        except Exception as error:
            if not type(error).__module__.startswith(_AWS) and not isinstance(error, ImportError):
                raise
            why = f"{type(error).__name__}: {error}"
            raise ShipError(f"{SCHEME}{self.name}/{self.prefix}: {why}") from error


def bucket_of(environment: Mapping[str, str]) -> Bucket | None:
    """Return what `REPLAY_EXPORT` names, None where nothing is to be shipped; SettingsError."""
    wish = environment.get(VARIABLE, "")
    if not wish:
        return None
    place = place_of(wish)
    if place is None:
        raise SettingsError(f"{VARIABLE} is {wish!r}, not s3://BUCKET/PREFIX", "name a bucket")
    name, prefix = place
    return Bucket(name, f"{prefix}/" if prefix else "")


def place_of(address: str) -> tuple[str, str] | None:
    """Return the bucket and the prefix that an address names, None where it is no such address."""
    name, _, prefix = address.removeprefix(SCHEME).partition("/")
    return (name, prefix.strip("/")) if address.startswith(SCHEME) and name else None


def _client() -> Any:
    # 150 ms and more: only to ship. Not typed, and not ours to depend on.
    boto3, botocore = import_module("boto3"), import_module("botocore.config")
    config = botocore.Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        retries={"max_attempts": 2, "mode": "standard"},
    )
    # A session of its own: the default one is the host's.
    session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))
    return session.client("s3", config=config)
