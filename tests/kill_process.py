"""A program that captures in many processes and kills them; `test_kill.py` judges what is left.

    python kill_process.py STORE PROCESSES KILLS SEED [WAY]

WAY is empty, `fork`, or a control: `without-begun`, `late`, `fork-unhooked`, `fork-unclosed`.


Each process is forked from this one, which has imported the recorder and opened nothing, as a
sandbox is restored from an image. It says on a pipe what it has got done, always after the recorder
has: the handler is entered, the call is sent, its answer is read, the handler's caller has the
result. Printed is all that was said, as JSON.
"""

import functools
import http.client
import itertools
import json
import math
import os
import random
import selectors
import signal
import socket
import sys
import threading
import time

from replay import capture
from replay.recorder import calls, journal, library, recorder, spool
from replay.recorder.outbound import http_client

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MAX_LIFE_S = 0.015
MAX_DELAY_S = 0.01
PATIENCE_S = {"fork": 20}
IMAGE = (calls, library, spool, http_client)  # else each process would first import them


def say(writer: int, word: str, name: str) -> None:
    os.write(writer, f"{word} {name}\n".encode())


def make_handler(store: str):
    @capture(store=store)
    def handler(event, context):
        writer, name = event["writer"], event["n"]
        say(writer, "begun", name)
        if event.get("calls"):
            ours, theirs = socket.socketpair()
            connection = http.client.HTTPConnection("service.test")
            connection.sock = ours
            connection.request("GET", "/")
            say(writer, "sent", name)
            theirs.sendall(ANSWER)
            connection.getresponse().read()
            say(writer, "answered", name)
            theirs.close()
            connection.close()
        return name

    def call(writer: int, name: str, **more: object) -> None:
        handler({"writer": writer, "n": name, **more}, None)
        say(writer, "ended", name)

    return call


def capture_for_ever(call, writer: int, *, name: str) -> None:
    for n in itertools.count():
        call(writer, f"{name}-{n}", calls=n % 3 == 0)


class Process:
    """One child, its pipe, and when it dies: so long after its first word, or its birth."""

    def __init__(self, work, life_s: float, *, counts_from_birth: bool = False) -> None:
        self.reader, writer = os.pipe()
        self.said = b""
        self.life_s = life_s
        self.born = time.monotonic() if counts_from_birth else math.inf
        self.pid = os.fork()
        if self.pid == 0:
            work(writer)
            os._exit(0)
        os.close(writer)

    @property
    def dies_at(self) -> float:
        return self.born + self.life_s

    def listen(self) -> bool:
        said = os.read(self.reader, 65536)
        self.said += said
        self.born = min(self.born, time.monotonic())
        return bool(said)

    def end(self) -> None:
        while self.listen():
            pass
        os.close(self.reader)
        os.waitpid(self.pid, 0)


def kill_round(processes: list[Process]) -> None:
    """Kill each at its time, listening to all of them meanwhile."""
    with selectors.DefaultSelector() as selector:
        for one in processes:
            selector.register(one.reader, selectors.EVENT_READ, one)
        while alive := selector.get_map():
            doomed = min((key.data for key in alive.values()), key=lambda one: one.dies_at)
            left_s = doomed.dies_at - time.monotonic()
            if left_s <= 0:
                os.kill(doomed.pid, signal.SIGKILL)
                selector.unregister(doomed.reader)
                doomed.end()
                continue
            for key, _ in selector.select(min(left_s, 10)):
                key.data.listen()


def kill_many(call, processes: int, kills: int, source: random.Random) -> list[Process]:
    ended: list[Process] = []
    while len(ended) < kills:
        round_ = []
        for k in range(len(ended), min(len(ended) + processes, kills)):
            work = functools.partial(capture_for_ever, call, name=f"p{k}")
            life_s = source.random() * MAX_LIFE_S
            round_.append(Process(work, life_s, counts_from_birth=k % 4 == 0))
        kill_round(round_)
        ended += round_
    return ended


def fork_amid_writes(call, writer: int, *, name: str, delay_s: float) -> None:
    """Fork while another thread writes; the child captures on beside the parent and after it."""
    done, has_written = threading.Event(), threading.Event()

    def work() -> None:
        for n in itertools.count():  # a time of many digits may be the number of a card
            if done.is_set():
                return
            call(writer, f"{name}-thread-{n}", blob="x" * 200_000)
            has_written.set()
            time.sleep(delay_s / 3)

    thread = threading.Thread(target=work)
    thread.start()
    if delay_s < MAX_DELAY_S / 2:  # else it may be loading what it needs for its first part
        has_written.wait()
    time.sleep(delay_s)
    parent_lives, lives = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(lives)
        capture_after(parent_lives, call, writer, name)
        os._exit(0)
    call(writer, f"{name}-parent")
    done.set()
    thread.join()
    journal._close_journals()
    os.close(lives)
    os.waitpid(child, 0)


def capture_after(parent_lives: int, call, writer: int, name: str) -> None:
    # What waits for a thread of the parent's, which is not here, dies.
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S.get(sys.argv[-1], 1))
    call(writer, f"{name}-child-0")
    os.read(parent_lives, 1)
    for n in range(1, 4):
        call(writer, f"{name}-child-{n}")
    journal._close_journals()


def fork_many(call, rounds: int, source: random.Random) -> list[Process]:
    ended = []
    for k in range(rounds):
        delay_s = source.random() * MAX_DELAY_S
        work = functools.partial(fork_amid_writes, call, name=f"f{k}", delay_s=delay_s)
        ended.append(Process(work, 60))
        ended[-1].end()
    return ended


def write_late(self, *part, _late=[]) -> bool:  # noqa: B006
    """Write the part before this one: what is acknowledged is one part ahead."""
    if _late:
        real_write(self, *_late.pop())
    _late.append(part)
    return True


def open_another(self) -> None:
    self._abandon()
    self._lock = threading.RLock()


def open_whatever_the_log(self):
    if self._connection is None:
        real_open(self)
    return self._connection


real_open = journal.Journal._open


def forget_the_spool() -> None:
    """Take away what would send a child with its parent's connection to the spool."""
    journal.Journal._is_inherited = lambda _: False
    journal.Journal._open = open_whatever_the_log


real_write = journal.Journal.write


def main(store: str, processes: str, kills: str, seed: str, way: str = "") -> None:
    if way == "without-begun":
        recorder.Unfinished.begin = lambda *_, **__: None
    elif way == "late":
        journal.Journal.write = write_late
    elif way == "fork-unhooked":
        os.register_at_fork = lambda **_: None
        forget_the_spool()
    elif way == "fork-unclosed":
        journal.Journal._hold = lambda self: self._lock.acquire()
        journal.Journal._start_over = open_another
        forget_the_spool()
    call, source = make_handler(store), random.Random(int(seed))
    if way.startswith("fork"):
        ended = fork_many(call, int(kills), source)
    else:
        ended = kill_many(call, int(processes), int(kills), source)
    said: dict[str, list[str]] = {word: [] for word in ("begun", "sent", "answered", "ended")}
    for one in ended:
        for line in one.said.decode().splitlines(keepends=True):
            if line.endswith("\n"):
                word, name = line.split()
                said[word].append(name)
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
