"""The key of a store's pseudonyms: beside the store and never in it; without one, the process's.

`REPLAY_REDACT_KEY` outranks it: with one key for all, a team's stores agree. Imports the
standard library and `asking` only.
"""

import os

from replay.asking import is_answer

SUFFIX = ".key"
_KEY_BYTES = 32
_MAX_KEY_BYTES = 64
_own_key = b""


def key_of(store: str | None, given: str) -> bytes:
    """Return the key that `REPLAY_REDACT_KEY` gives, else the one of the store's file.

    It is made if need be.
    Where there is no store, or no file can be written, the key lasts as long as this process.
    """
    if given:
        from hashlib import blake2b  # 3 ms, rarely needed

        return blake2b(given.encode(), digest_size=_MAX_KEY_BYTES).digest()
    if store is None:
        return _key_of_process()
    return _read(store + SUFFIX) or _made(store + SUFFIX)


def _key_of_process() -> bytes:
    global _own_key  # noqa: PLW0603 - the same for as long as the process lasts
    _own_key = _own_key or os.urandom(_KEY_BYTES)
    return _own_key


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        _pass_on(error)
        return b""
    try:
        key = os.read(descriptor, _MAX_KEY_BYTES)
    except OSError as error:
        _pass_on(error)
        return b""
    finally:
        os.close(descriptor)
    return key if len(key) >= _KEY_BYTES else b""


def _pass_on(error: OSError) -> None:
    if not is_answer(error):  # a host's timeout may be an OSError too
        raise error


def _made(path: str) -> bytes:
    """Write a new key; a link that is there already is another process's, which was first."""
    key = os.urandom(_KEY_BYTES)
    draft = f"{path}.{os.urandom(8).hex()}"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        _pass_on(error)
        return key
    try:
        os.write(descriptor, key)
        os.link(draft, path)
    except OSError as error:
        _pass_on(error)
        return _read(path) or key
    finally:
        os.close(descriptor)
        os.unlink(draft)  # noqa: PTH108 - pathlib is 5 ms of a cold start
    return key
