"""Which objects of a bucket a store has taken in already.

It spares downloads, and keeps what was pruned from coming back. Nothing else depends on it: each
part is taken once, whatever is read again.
"""

from sqlalchemy import Connection

from replay.store.engine.database import Database, driver
from replay.store.selection import Query

_KEYS = "SELECT key FROM pulled WHERE bucket = ?"
_ADD = "INSERT INTO pulled (bucket, key) VALUES (?, ?) ON CONFLICT DO NOTHING"


class Pulled:
    """The objects of one bucket that were read to their end."""

    def __init__(self, database: Database, bucket: str) -> None:
        self._database = database
        self._bucket = bucket
        self._keys = {key for (key,) in database.rows(Query(_KEYS, (bucket,)))}

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        """Note that an object's parts are in the store."""

        def write(connection: Connection) -> None:
            driver(connection).execute(_ADD, (self._bucket, key))

        self._database.write(write)
        self._keys.add(key)
