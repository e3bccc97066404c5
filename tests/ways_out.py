"""Ways for a handler to dial out, each the body of a function `way(host, port, path)`.

Each sends its own name to what listens there; `host` and `port` are of TCP and UDP, `path` is of a
Unix socket. The second word of a way says how a replay names it: by its address or by its program.
"""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

BY_ADDRESS = {
    "socket": "s = socket.socket(); s.connect((host, port)); s.sendall(NAME); s.recv(99)",
    "connect_ex": (
        "s = socket.socket()\nif s.connect_ex((host, port)) == 0: s.sendall(NAME); s.recv(99)"
    ),
    "create_connection": (
        "s = socket.create_connection((host, port)); s.sendall(NAME); s.recv(99)"
    ),
    "http_client": (
        "import http.client\nc = http.client.HTTPConnection(host, port)\n"
        "c.request('GET', '/http_client'); c.getresponse().read()"
    ),
    "urllib_request": (
        "import urllib.request\n"
        "urllib.request.urlopen(f'http://{host}:{port}/urllib_request').read()"
    ),
    "urllib3": (
        "import urllib3\n"
        "urllib3.PoolManager(retries=False).request('GET', f'http://{host}:{port}/urllib3')"
    ),
    "requests": "import requests\nrequests.get(f'http://{host}:{port}/requests')",
    "httpx": "import httpx\nhttpx.get(f'http://{host}:{port}/httpx', trust_env=False)",
    "aiohttp": (
        "import aiohttp, asyncio\n"
        "async def get():\n"
        "    async with aiohttp.ClientSession() as session:\n"
        "        async with session.get(f'http://{host}:{port}/aiohttp') as r: await r.read()\n"
        "asyncio.run(get())"
    ),
    "boto3": (
        "import boto3\nfrom botocore.config import Config\n"
        "boto3.client('s3', endpoint_url=f'http://{host}:{port}', region_name='eu-west-1',\n"
        "    aws_access_key_id='a', aws_secret_access_key='b',\n"
        "    config=Config(retries={'total_max_attempts': 1}, s3={'addressing_style': 'path'}),\n"
        ").get_object(Bucket='boto3', Key='x')"
    ),
    "asyncio_streams": (
        "import asyncio\n"
        "async def get():\n"
        "    reader, writer = await asyncio.open_connection(host, port)\n"
        "    writer.write(NAME); await writer.drain(); await reader.read(99); writer.close()\n"
        "asyncio.run(get())"
    ),
    "udp_sendto": "socket.socket(type=socket.SOCK_DGRAM).sendto(NAME, (host, port))",
    "udp_connected": (
        "s = socket.socket(type=socket.SOCK_DGRAM); s.connect((host, port)); s.send(NAME)"
    ),
    "udp_sendmsg": ("socket.socket(type=socket.SOCK_DGRAM).sendmsg([NAME], [], 0, (host, port))"),
    "udp_of_asyncio": (
        "import asyncio\n"
        "async def send():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    transport, _ = await loop.create_datagram_endpoint(\n"
        "        asyncio.DatagramProtocol, remote_addr=(host, port))\n"
        "    transport.sendto(NAME); await asyncio.sleep(0.01); transport.close()\n"
        "asyncio.run(send())"
    ),
    "tls_socket": (
        "import ssl\ncontext = ssl.create_default_context()\n"
        "s = context.wrap_socket(socket.socket(), server_hostname='tls_socket')\n"
        "s.connect((host, port))"
    ),
    "unix_socket": (
        "s = socket.socket(socket.AF_UNIX); s.connect(path); s.sendall(NAME); s.recv(99)"
    ),
    "fork": (
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try: s = socket.create_connection((host, port)); s.sendall(NAME); s.recv(99)\n"
        "    finally: os._exit(0)\n"
        "os.waitpid(pid, 0)"
    ),
    "thread": (
        "def dial(): s = socket.create_connection((host, port)); s.sendall(NAME); s.recv(99)\n"
        "thread = threading.Thread(target=dial); thread.start(); thread.join()"
    ),
}
_C = (
    "libc = ctypes.CDLL(None)\n"
    "fd = {socket}\n"
    "address = struct.pack('<HH4s8x', 2, socket.htons(port), socket.inet_aton(host))\n"
    "if fd >= 0 and libc.connect(fd, address, 16) == 0: os.write(fd, NAME); os.read(fd, 99)\n"
    "if fd >= 0: os.close(fd)"
)
BY_PROGRAM = {
    "raw_socket": (
        "import _socket\n"
        "s = _socket.socket(socket.AF_INET); s.connect((host, port)); s.sendall(NAME); s.recv(99)"
    ),
    "ctypes_libc": _C.format(socket="libc.socket(2, 1, 0)"),
    "ctypes_syscall": _C.format(
        socket="libc.syscall(198 if os.uname().machine == 'aarch64' else 41, 2, 1, 0)"
    ),
    "pycurl": (
        "import pycurl\nc = pycurl.Curl(); c.setopt(c.URL, f'http://{host}:{port}/pycurl')\n"
        "c.setopt(c.WRITEFUNCTION, lambda data: None); c.perform()"
    ),
    "libpq": (
        "import psycopg2\n"
        "psycopg2.connect(host=host, port=port, dbname='x', user='libpq', sslmode='disable')"
    ),
    "bash": (
        "subprocess.run(['bash', '-c', f'exec 3<>/dev/tcp/{host}/{port};"
        " echo bash >&3; head -c1 <&3'], capture_output=True)"
    ),
    "child_interpreter": (
        'code = f\'s = __import__("socket").create_connection(("{host}", {port}));\'\\\n'
        "    ' s.sendall(b\"child_interpreter\"); s.recv(9)'\n"
        "subprocess.run([sys.executable, '-S', '-c', code], capture_output=True)"
    ),
}
WAYS = {**BY_ADDRESS, **BY_PROGRAM}
_HEAD = (
    "import ctypes, os, signal, socket, struct, subprocess, sys, threading\n"
    "socket.setdefaulttimeout(5)\n"
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def module(ways: dict[str, str]) -> str:
    """An app whose handler takes the way that its event names, and returns what came of it."""
    functions = "".join(
        f"def way_{name}(host, port, path):\n{body}" for name, body in _bodies(ways)
    )
    return (
        f"{_HEAD}{functions}"
        "def way_none(): pass\n"
        "def handler(event, context):\n"
        "    try: globals()['way_' + event['way']](*event['to'])\n"
        "    except Exception as error: return type(error).__name__\n"
    )


def _bodies(ways: dict[str, str]) -> list[tuple[str, str]]:
    texts = {name: f"NAME = {name.encode()!r}\n{body}" for name, body in ways.items()}
    return [
        (name, "".join(f"    {line}\n" for line in text.splitlines()))
        for name, text in texts.items()
    ]


class Listener:
    """Listens on loopback and at a path; keeps what each contact said."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[bytes] = []
        tcp = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = tcp.getsockname()
        self.path = str(folder / "unix.sock")
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(self.path)
        unix.listen()
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.bind((self.host, self.port))
        self._sockets = (tcp, unix, udp)
        targets: list[tuple[Callable[[socket.socket], None], socket.socket]] = [
            (self._accept, tcp),
            (self._accept, unix),
            (self._take, udp),
        ]
        self._threads = [
            threading.Thread(target=serve, args=(listening,)) for serve, listening in targets
        ]
        for thread in self._threads:
            thread.start()

    @property
    def to(self) -> list[object]:
        """Where it is, as an event says it."""
        return [self.host, self.port, self.path]

    def heard_of(self, names: "set[str] | dict[str, str]") -> set[str]:
        """Which of the ways have come through."""
        said = b" ".join(self.heard)
        return {name for name in names if name.encode() in said}

    def close(self) -> None:
        """Wake each thread with a last contact, and end it."""
        for connection, to in zip(self._sockets, ("tcp", "unix", "udp"), strict=True):
            family = socket.AF_UNIX if to == "unix" else socket.AF_INET
            kind = socket.SOCK_DGRAM if to == "udp" else socket.SOCK_STREAM
            with socket.socket(family, kind) as last:
                last.connect(connection.getsockname())
                last.send(b"end")
        for thread in self._threads:
            thread.join()
        for connection in self._sockets:
            connection.close()

    def _accept(self, listening: socket.socket) -> None:
        said = b""
        while said != b"end":
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(2)
                said = connection.recv(9999)
                if said != b"end":
                    self.heard.append(said)
                    try:
                        connection.sendall(ANSWER)
                        connection.shutdown(socket.SHUT_WR)
                        connection.recv(9999)
                    except OSError:
                        pass  # it has hung up, having said all

    def _take(self, listening: socket.socket) -> None:
        while (said := listening.recv(9999)) != b"end":
            self.heard.append(said)
