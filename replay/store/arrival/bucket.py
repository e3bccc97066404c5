"""A bucket of S3 to read from, through obstore, which the extra `s3` brings.

Credentials are those of the environment; else boto3 finds them, where it is installed, in profiles
and single sign-on as well.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from replay.errors import ReplayError
from replay.recorder.export.bucket import place_of
from replay.recorder.export.shipment import SUFFIX

if TYPE_CHECKING:
    from obstore.store import S3Store

Result = TypeVar("Result")
_AT_ONCE = 8
_EXTRA = "pip install 'lambda-replay[s3]'"
_KEY = "AWS_ACCESS_KEY_ID"
_SAID = re.compile(r"<Code>([^<]+)</Code>\s*<Message>([^<]+)</Message>")
_MAX_SHOWN = 300


class Bucket:
    """The objects below a prefix; every method raises ReplayError that names what failed."""

    def __init__(self, address: str) -> None:
        place = place_of(address)
        if place is None:
            raise ReplayError(f"{address!r} is no bucket", "name one, such as s3://BUCKET/PREFIX")
        self.address = address
        self.name, self._prefix = place
        self._store = self._said_clearly(lambda: _store(self.name))

    def listed(self) -> Iterator[str]:
        """Yield the keys of all objects."""
        import obstore

        pages = self._said_clearly(lambda: iter(obstore.list(self._store, self._prefix or None)))
        while page := self._said_clearly(lambda: next(pages, None)):
            # What consoles make for a folder is an object of nothing.
            yield from (it["path"] for it in page if it["size"] or it["path"].endswith(SUFFIX))

    def bodies(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield objects in the order of their keys, some fetched at once."""
        coming = iter(keys)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                ahead = [(key, pool.submit(self._get, key)) for key in islice(coming, 2 * _AT_ONCE)]
                while ahead:
                    key, body = ahead.pop(0)
                    yield key, body.result()
                    ahead += [(key, pool.submit(self._get, key)) for key in islice(coming, 1)]
            finally:
                pool.shutdown(cancel_futures=True)

    def _get(self, key: str) -> bytes:
        import obstore

        return self._said_clearly(lambda: bytes(obstore.get(self._store, key).bytes()))

    def _said_clearly(self, step: Callable[[], Result]) -> Result:
        try:
            return step()
        except ImportError as error:
            raise ReplayError(f"{self.address}: obstore is not installed", _EXTRA) from error
        except Exception as error:
            if not type(error).__module__.startswith("obstore"):
                raise
            raise ReplayError(
                f"{self.address} cannot be read: {_why(error)}",
                "check the name, AWS_REGION, AWS_ENDPOINT_URL and the credentials; what was taken"
                " stays, and the next pull goes on",
            ) from error


def _store(name: str) -> "S3Store":
    from obstore.store import S3Store

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    if _KEY not in os.environ:
        options |= _credentials()
    is_plain = bool(endpoint) and str(endpoint).startswith("http://")
    return S3Store(name, client_options={"allow_http": is_plain, "timeout": "30s"}, **options)


def _credentials() -> dict[str, Any]:
    """Return where to find credentials besides the environment."""
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider

        return {"credential_provider": Boto3CredentialProvider()}
    except (ImportError, ValueError):  # no boto3, or nothing that it finds
        return {}


def _why(error: Exception) -> str:
    """Return what S3 says, where it says anything, else the first line of what obstore does."""
    said = _SAID.search(str(error))
    if said:
        return f"{said[1]}: {said[2]}"[:_MAX_SHOWN]
    return str(error).strip().partition("\n")[0][:_MAX_SHOWN]
