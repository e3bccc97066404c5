"""An HTTP service on loopback that answers in every way that clients must cope with."""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import parse_qs, urlsplit

BINARY = bytes(range(256)) * 40
CHUNKS = (b"first ", b"second ", b"x" * 5000, b" last")
SLOW_S = 5.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a head and its body are 40 ms apart

    def log_message(self, *args):
        pass

    def answer(self, body=b"", status=200, **headers):
        self.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-").title(), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value, status=200):
        self.answer(json.dumps(value).encode(), status, content_type="application/json")

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def handle_one(self):
        self.server.requests.append((self.command, self.path))
        parts = urlsplit(self.path)
        name, _, argument = parts.path.strip("/").partition("/")
        sent = self.body()
        getattr(self, f"on_{name or 'json'}", self.on_unknown)(argument, parts.query, sent)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_one  # noqa: N815 - the base class calls these

    def do_CONNECT(self):
        """Refuse to be a proxy, but for hosts named `open`: there the target knows no TLS."""
        if not self.path.startswith("open."):
            self.send_error(403)
            return
        self.send_response(200)
        self.end_headers()
        self.rfile.read1()
        self.wfile.write(b"this is no TLS\r\n")
        while self.rfile.read1():  # until the client has had enough
            pass
        self.close_connection = True

    def on_unknown(self, argument, query, sent):
        self.answer_json({"error": "not found"}, 404)

    def on_json(self, argument, query, sent):
        """JSON that tells of the request and, by `n`, of how many there were before."""
        count = len(self.server.requests)
        self.answer_json({"n": count, "query": parse_qs(query), "method": self.command})

    def on_echo(self, argument, query, sent):
        self.answer(sent, content_type=self.headers.get("Content-Type", "text/plain"))

    def on_form(self, argument, query, sent):
        self.answer_json(parse_qs(sent.decode()))

    def on_binary(self, argument, query, sent):
        self.answer(BINARY, content_type="application/octet-stream")

    def on_lines(self, argument, query, sent):
        self.answer(b"".join(b"line %d\n" % n for n in range(100)), content_type="text/plain")

    def on_chunked(self, argument, query, sent):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in CHUNKS:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def on_gzip(self, argument, query, sent):
        body = gzip.compress(b"zipped " * 1000, mtime=0)
        self.answer(body, content_encoding="gzip", content_type="text/plain")

    def on_close(self, argument, query, sent):
        """A body that only the end of the connection delimits."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"until the end " * 500)
        self.close_connection = True

    def on_redirect(self, argument, query, sent):
        """`/redirect/N`: N times, by 302."""
        left = int(argument or 1)
        self.answer(status=302, location=f"/redirect/{left - 1}" if left > 1 else "/json")

    def on_status(self, argument, query, sent):
        self.answer_json({"status": int(argument)}, int(argument))

    def on_flaky(self, argument, query, sent):
        """503 twice for a path, then 200."""
        times = sum(1 for _, path in self.server.requests if path == self.path)
        self.answer_json({"times": times}, 200 if times > 2 else 503)

    def on_empty(self, argument, query, sent):
        self.send_response(204)
        self.end_headers()

    def on_cookie(self, argument, query, sent):
        self.answer(b"ok", set_cookie="session=abc; Path=/")

    def on_slow(self, argument, query, sent):
        """Nothing at all, for longer than anybody waits."""
        self.server.stopping.wait(SLOW_S)
        self.close_connection = True

    def on_halfslow(self, argument, query, sent):
        """A head and half of a body, then nothing."""
        self.half(b"half of it")
        self.server.stopping.wait(SLOW_S)

    def on_truncated(self, argument, query, sent):
        """Half of a body, then the end."""
        self.half(b"half of it")

    def on_cutchunks(self, argument, query, sent):
        """A whole chunk and part of one, then the end."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nwhole \r\n10\r\npart")
        self.close_connection = True

    def on_reset(self, argument, query, sent):
        """The connection is reset before an answer; `/reset/body`: in the middle of one."""
        if argument == "body":
            self.half(b"half of it")
            time.sleep(0.05)  # or the reset overtakes what was sent
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def on_hangup(self, argument, query, sent):
        """The connection ends before an answer."""
        self.close_connection = True

    def on_garbage(self, argument, query, sent):
        self.wfile.write(b"this is no HTTP\r\n\r\n")
        self.close_connection = True

    def half(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True


class Service(ThreadingHTTPServer):
    """What serves; `requests` are the method and the path of each request, `connections` counts."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = []
        self.connections = 0
        self.stopping = threading.Event()

    def server_bind(self):
        TCPServer.server_bind(self)  # without looking its own name up
        self.server_name, self.server_port = self.server_address

    @property
    def netloc(self):
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self):
        return f"http://{self.netloc}"

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.close_request(request)  # without FIN first, so that a reset is one

    def handle_error(self, request, client_address):
        pass


@contextmanager
def running_service() -> Iterator[Service]:
    """Run a service; at the end it no longer listens, and hurries what it is waiting with."""
    service = Service()
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.002})
    thread.start()
    try:
        yield service
    finally:
        service.stopping.set()
        service.shutdown()
        service.server_close()
        thread.join()
