"""Handlers whose results depend on clocks, randomness, threads or children, and on nothing else.

This file is the module that is replayed. `EXPECTED` holds what handlers compute on the virtual
clock, by their names; the others only have to compute the same every time. Those of `OTHERS` leave
the work to other people's code: retries, buckets, signatures, pools.
"""

import asyncio
import datetime
import email.utils
import functools
import gzip
import hashlib
import io
import itertools
import json
import logging
import multiprocessing
import os
import queue
import random
import sched
import secrets
import select
import selectors
import signal
import string
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime as now_class
from time import monotonic as tick
from time import sleep as pause
from time import time as wall

STARTED, INSTANCE, DEADLINE = time.time(), str(uuid.uuid4()), time.monotonic() + 300
calls = itertools.count(1)
cache = {}


class Timed:
    clock = time.monotonic
    zero = staticmethod(time.time)


def since(began):
    return round(time.time() - began, 2)


def run(*targets):
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


EXPECTED = {}
OTHERS = []


def computes(value):
    """Say what a handler computes."""

    def noted(handler):
        EXPECTED[handler.__name__] = value
        return handler

    return noted


def others(handler):
    """Say that a handler leaves the work to other people's code."""
    OTHERS.append(handler.__name__)
    return handler


def handler(event, context):
    """Do what the event names."""
    return globals()[event](event, context)


@computes(3.0)
def sleeps(event, context):
    began = time.time()
    time.sleep(3)
    return since(began)


@computes(0.25)
def names_taken_early(event, context):
    began = wall()
    pause(0.25)
    return since(began)


@computes(1.0)
def monotonic_clock(event, context):
    began = tick()
    time.sleep(1)
    return round(tick() - began, 2)


@computes(90)
def datetime_clock(event, context):
    began = now_class.now()
    time.sleep(90)
    return (now_class.now() - began).seconds


@computes(True)
def processor_time_leaves_out_waits(event, context):
    began = time.process_time()
    time.sleep(9)
    return time.process_time() - began < 1


@computes(2.0)
def clock_by_number(event, context):
    began = time.clock_gettime(1)
    pause(2)
    return round(time.clock_gettime(1) - began, 2)


@computes(True)
def formatted_clocks_agree(event, context):
    return time.ctime() == time.asctime() == time.strftime("%a %b %e %T %Y")


@computes(True)
def wall_clocks_agree(event, context):
    return abs(time.time_ns() / 1e9 - datetime.datetime.now().timestamp()) < 0.001


@computes(True)
def reads_are_distinct_and_ordered(event, context):
    times = [time.time() for _ in range(1000)]
    return times == sorted(set(times))


@computes(True)
def clocks_as_class_attributes(event, context):
    return Timed().clock() <= Timed.clock() and Timed().zero() > 0


@computes(3.0)
def eight_threads_sleep(event, context):
    began = time.time()
    run(*[lambda: time.sleep(3)] * 8)
    return since(began)


@computes([1, 2, 3])
def threads_finish_by_their_times(event, context):
    order = []

    def work(n):
        time.sleep(n)
        order.append(n)

    run(*[functools.partial(work, n) for n in (3, 1, 2)])
    return order


@computes([True, 2.0])
def join_with_timeout(event, context):
    began = time.time()
    thread = threading.Thread(target=time.sleep, args=(9,), daemon=True)
    thread.start()
    thread.join(2)
    return [thread.is_alive(), since(began)]


@computes([4.0])
def timer_thread(event, context):
    began, seen = time.time(), []
    threading.Timer(4, lambda: seen.append(since(began))).start()
    time.sleep(5)
    return seen


@computes([2, 2.5])
def event_polled(event, context):
    ready, began = threading.Event(), time.time()
    threading.Timer(2.5, ready.set).start()
    polls = 0
    while not ready.wait(1):
        polls += 1
    return [polls, since(began)]


@computes([False, 7.0])
def event_times_out(event, context):
    began = time.time()
    return [threading.Event().wait(7), since(began)]


@computes([False, True, 3.0])
def lock_with_timeout(event, context):
    lock, began = threading.Lock(), time.time()
    lock.acquire()
    threading.Timer(3, lock.release).start()
    return [lock.acquire(timeout=1), lock.acquire(timeout=5), since(began)]


@computes([[0, 1, 2], 3.0])
def reentrant_lock_contended(event, context):
    lock, seen = threading.RLock(), []

    def work(n):
        with lock, lock:
            time.sleep(1)
            seen.append(n)

    began = time.time()
    run(*[functools.partial(work, n) for n in range(3)])
    return [seen, since(began)]


@computes(3.0)
def semaphore(event, context):
    limit, began = threading.Semaphore(2), time.time()

    def work():
        with limit:
            time.sleep(1)

    run(*[work] * 6)
    return since(began)


@computes(4.0)
def barrier(event, context):
    barrier, began = threading.Barrier(3), time.time()

    def work(n):
        time.sleep(n)
        barrier.wait()

    run(*[functools.partial(work, n) for n in (1, 2, 4)])
    return since(began)


@computes([False, [1], 2.0])
def condition(event, context):
    changed, items, began = threading.Condition(), [], time.time()

    def make():
        time.sleep(2)
        with changed:
            items.append(1)
            changed.notify()

    threading.Thread(target=make).start()
    with changed:
        late = bool(changed.wait_for(lambda: items, timeout=1))
        got = changed.wait_for(lambda: items, timeout=9)
    return [late, got, since(began)]


@computes(2.0)
def queue_times_out(event, context):
    began, tasks = time.time(), queue.Queue()
    try:
        tasks.get(timeout=2)
    except queue.Empty:
        return since(began)


@computes([[0, 3.0], [1, 5.0], [2, 7.0], [3, 9.0]])
def producer_and_consumer(event, context):
    tasks, got = queue.Queue(1), []

    def produce():
        for n in range(4):
            time.sleep(1)
            tasks.put(n)
        tasks.put(None)

    def consume():
        while (n := tasks.get()) is not None:
            time.sleep(2)
            got.append((n, since(began)))

    began = time.time()
    run(produce, consume)
    return got


@computes([7, 1.0])
def simple_queue(event, context):
    tasks, began = queue.SimpleQueue(), time.time()
    threading.Timer(1, tasks.put, (7,)).start()
    return [tasks.get(timeout=3), since(began)]


@computes([1, 2, 0])
def as_completed_by_time(event, context):
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(time.sleep, n) for n in (4, 1, 3)]
        done = [jobs.index(job) for job in futures.as_completed(jobs)]
    return done


@computes(3.0)
def pool_of_two_maps(event, context):
    began = time.time()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(time.sleep, [1] * 6))
    return since(began)


@computes(5.0)
def future_times_out(event, context):
    began = time.time()
    pool = ThreadPoolExecutor(1)
    job = pool.submit(time.sleep, 60)
    try:
        job.result(timeout=5)
    except futures.TimeoutError:
        return since(began)


@computes([2, 1])
def wait_for_some(event, context):
    pool = ThreadPoolExecutor(3)
    jobs = [pool.submit(time.sleep, n) for n in (1, 2, 30)]
    done, late = futures.wait(jobs, timeout=10)
    return [len(done), len(late)]


@computes([[2, 1, 3], 3.0])
def gather(event, context):
    async def work(n):
        await asyncio.sleep(n)
        return n

    async def main():
        return await asyncio.gather(work(2), work(1), work(3))

    began = time.time()
    return [asyncio.run(main()), since(began)]


@computes(5.0)
def wait_for_times_out(event, context):
    async def main():
        try:
            await asyncio.wait_for(asyncio.sleep(100), 5)
        except TimeoutError:
            return since(began)

    began = time.time()
    return asyncio.run(main())


@computes(["x", 2.0])
def call_later(event, context):
    async def main():
        tasks = asyncio.Queue()
        asyncio.get_running_loop().call_later(2, tasks.put_nowait, "x")
        return [await tasks.get(), since(began)]

    began = time.time()
    return asyncio.run(main())


@computes(4.0)
def to_thread(event, context):
    async def main():
        await asyncio.gather(*[asyncio.to_thread(time.sleep, 4)] * 1, asyncio.sleep(1))
        return since(began)

    began = time.time()
    return asyncio.run(main())


@computes(["hi\n", 0.0])
def asyncio_child(event, context):
    async def main():
        child = await asyncio.create_subprocess_exec("echo", "hi", stdout=subprocess.PIPE)
        out, _ = await child.communicate()
        return [out.decode(), since(began)]

    began = time.time()
    return asyncio.run(main())


@computes("x\n")
def child_in_time(event, context):
    return subprocess.run(["echo", "x"], capture_output=True, timeout=5).stdout.decode()


@computes(0.3)
def child_times_out(event, context):
    began = time.time()
    try:
        subprocess.run(["sleep", "20"], timeout=0.3)
    except subprocess.TimeoutExpired:
        return since(began)


@computes(["done", 0])
def forked_child_and_pipe(event, context):
    ours, theirs = multiprocessing.Pipe()

    def work():
        time.sleep(50)
        theirs.send("done")

    child = multiprocessing.Process(target=work)
    child.start()
    answer = ours.recv()
    child.join()
    return [answer, child.exitcode]


@computes(6.0)
def select_times_out(event, context):
    began = time.time()
    select.select([], [], [], 6)
    return since(began)


@computes([True, "x", 2.0])
def pipe_selected_from_a_thread(event, context):
    reads, writes = os.pipe()
    began = time.time()
    threading.Timer(2, os.write, (writes, b"x")).start()
    ready = select.select([reads], [], [], 9)[0] == [reads]
    return [ready, os.read(reads, 1).decode(), since(began)]


@computes(["y", 3.0])
def pipe_read_from_a_thread(event, context):
    reads, writes = os.pipe()
    began = time.time()
    threading.Timer(3, os.write, (writes, b"y")).start()
    return [os.read(reads, 1).decode(), since(began)]


@computes([[], 1, 2.0])
def selector(event, context):
    chosen, (reads, writes) = selectors.DefaultSelector(), os.pipe()
    chosen.register(reads, selectors.EVENT_READ)
    began = time.time()
    nothing = chosen.select(2)
    os.write(writes, b"x")
    return [nothing, len(chosen.select(2)), since(began)]


@computes(2.0)
def alarm_interrupts_sleep(event, context):
    def ring(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(2)
    began = time.time()
    try:
        time.sleep(10)
    except TimeoutError:
        return since(began)


@computes([1.0, 1.5, 2.0])
def interval_timer(event, context):
    rings = []
    signal.signal(signal.SIGALRM, lambda *_: rings.append(since(began)))
    began = time.time()
    signal.setitimer(signal.ITIMER_REAL, 1, 0.5)
    time.sleep(2.2)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return rings


@computes(2)
def alarm_cancelled(event, context):
    signal.alarm(5)
    time.sleep(3)
    return signal.alarm(0)


@computes([[1, 1.0], [2, 2.0], [3, 3.0]])
def scheduler(event, context):
    began, seen = time.time(), []
    plan = sched.scheduler()
    for n in (3, 1, 2):
        plan.enter(n, 1, lambda n=n: seen.append((n, since(began))))
    plan.run()
    return seen


@computes([6, 63.5])
def backoff(event, context):
    began = time.time()
    for attempt in range(8):
        time.sleep(2**attempt / 2)
        if time.time() - began > 60:
            return [attempt, since(began)]


@computes([0, 100, "1", 0])
def file_times(event, context):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.txt")
        with open(path, "w") as file:
            file.write("1")
        young = time.time() - os.path.getmtime(path)
        time.sleep(100)
        old = time.time() - os.stat(path).st_mtime
        with open(path) as file:
            text = file.read()
        os.utime(path)
        return [round(young), round(old), text, os.stat(path).st_size - 1]


@computes(84)
def polls_the_remaining_time(event, context):
    polls = 0
    while context.get_remaining_time_in_millis() > 60_000:
        time.sleep(10)
        polls += 1
    return polls


@computes([1])
def spins_on_a_variable(event, context):
    seen = []
    threading.Timer(0.2, seen.append, (1,)).start()
    while not seen:
        pass
    return seen


@computes(2.0)
def polls_is_alive(event, context):
    done = threading.Thread(target=time.sleep, args=(2,))
    done.start()
    began = time.time()
    while done.is_alive():
        time.sleep(0.5)
    return since(began)


def clocks(event, context):
    return [time.time(), time.monotonic(), time.perf_counter_ns(), time.process_time(), wall()]


def formatted_clocks(event, context):
    return [time.ctime(), time.strftime("%c %Z"), email.utils.formatdate(localtime=True)]


def datetimes(event, context):
    return [
        str(datetime.datetime.now()),
        str(datetime.datetime.today()),
        str(datetime.date.today()),
    ]


def broken_down_times(event, context):
    return list(time.localtime()) + list(time.gmtime())


def uuids(event, context):
    return [str(uuid.uuid1()), str(uuid.uuid4()), uuid.getnode()]


def randoms(event, context):
    return [random.random(), random.choice("abc"), random.sample(range(99), 9), random.gauss(0, 1)]


def random_generators(event, context):
    return [random.Random().random(), random.SystemRandom().random(), random.Random(7).random()]


def secret_tokens(event, context):
    return [secrets.token_hex(8), secrets.choice("abc"), os.urandom(8).hex(), secrets.randbelow(99)]


def shuffled(event, context):
    deck = list(range(52))
    random.shuffle(deck)
    return deck


def set_order(event, context):
    return list({"tea", "coffee", "milk", "cocoa", "water"})


def hashes(event, context):
    return [hash("text"), hash(b"bytes"), hash((1, "a")), sorted(map(hash, "abc"))]


def order_in_json(event, context):
    return json.dumps({n: list(set(string.ascii_letters)) for n in range(3)})


def temporary_file(event, context):
    with tempfile.NamedTemporaryFile() as file:
        return file.name


def temporary_name(event, context):
    descriptor, name = tempfile.mkstemp(suffix=".x")
    os.unlink(name)
    return name


def temporary_folder(event, context):
    with tempfile.TemporaryDirectory() as folder:
        return folder


def gzip_header(event, context):
    return gzip.compress(b"text").hex()


def zip_dates(event, context):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.txt", "text")
    return hashlib.sha256(packed.getvalue()).hexdigest()


def machine_facts(event, context):
    return [os.getpid(), os.cpu_count(), os.uname().nodename, sys.argv, sorted(os.environ)]


def environment_order(event, context):
    return list(os.environ)


def module_state(event, context):
    return [STARTED, INSTANCE, DEADLINE, next(calls)]


def warm_cache(event, context):
    cache.setdefault("token", (secrets.token_hex(4), time.time() + 300))
    return cache["token"]


def jittered_backoff(event, context):
    return [time.sleep(random.uniform(0, 2**n)) or time.time() for n in range(5)]


def log_record(event, context):
    logging.warning("x")
    record = logging.makeLogRecord({})
    return [record.created, record.relativeCreated, record.process, record.threadName]


def threads_with_random_sleeps(event, context):
    seen = []

    def work(n):
        time.sleep(random.random())
        seen.append((n, time.time()))

    run(*[functools.partial(work, n) for n in range(6)])
    return seen


def pool_with_ids(event, context):
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda n: (n, str(uuid.uuid4()), time.time()), range(9)))


def coroutines_with_random_sleeps(event, context):
    async def work(n):
        await asyncio.sleep(random.random())
        return n, time.time()

    async def main():
        return await asyncio.gather(*map(work, range(5)))

    return asyncio.run(main())


def child_interpreter(event, context):
    done = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, timeout=30)
    return [done.stdout.decode(), time.time(), time.monotonic()]


def child_with_much_input(event, context):
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return [child.communicate(b"x" * 200_000, timeout=20)[0].decode()[:3], time.time()]


def remaining_reads(event, context):
    reads = [context.get_remaining_time_in_millis() for _ in range(5)]
    time.sleep(0.123)
    return reads + [context.get_remaining_time_in_millis()]


def two_threads_take_turns(event, context):
    seen = []

    def work():
        while len(seen) < 9:
            seen.append(time.perf_counter())
            time.sleep(0.01)

    run(work, work)
    return seen


@others
def botocore_backoff(event, context):
    from types import SimpleNamespace

    from botocore.retries.standard import ExponentialBackoff

    return [
        ExponentialBackoff().delay_amount(SimpleNamespace(attempt_number=n, http_response=None))
        for n in range(1, 6)
    ]


@others
def botocore_token_bucket(event, context):
    from botocore.retries.bucket import Clock, TokenBucket

    bucket = TokenBucket(2, Clock())
    bucket.max_rate = 2
    began = time.time()
    for _ in range(6):
        bucket.acquire()
    return [bucket.available_capacity, since(began)]


@others
def botocore_cubic_throttling(event, context):
    from botocore.retries.throttling import CubicCalculator

    return CubicCalculator(10, time.time()).success_received(time.time() + 3)


@others
def botocore_timestamps(event, context):
    from botocore.utils import datetime2timestamp, parse_timestamp

    return datetime2timestamp(parse_timestamp(time.time()))


@others
def botocore_signature(event, context):
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("GET", "https://sqs.eu-west-1.amazonaws.com/", data=b"x")
    SigV4Auth(Credentials("a", "b"), "sqs", "eu-west-1").add_auth(request)
    return dict(request.headers)


@others
def boto3_presigned_url(event, context):
    import boto3

    client = boto3.client(
        "s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    return client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})


@others
def email_message(event, context):
    from email.generator import _make_boundary
    from email.message import EmailMessage

    message = EmailMessage()
    message["Message-ID"] = email.utils.make_msgid(domain="x")
    message["Date"] = email.utils.localtime()
    return [message.as_string(), _make_boundary()]


@others
def http_cookie(event, context):
    from http.cookies import SimpleCookie

    cookie = SimpleCookie()
    cookie["a"] = "b"
    cookie["a"]["expires"] = 3600
    return cookie.output()


@others
def logging_formatter(event, context):
    from logging import LogRecord

    record = LogRecord("a", 20, __file__, 1, "x", (), None)
    return logging.Formatter("%(asctime)s %(process)d").format(record)


@others
def powertools_idempotency_record(event, context):
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

    record = DataRecord("k", expiry_timestamp=int(time.time()) + 5, status="COMPLETED")
    first = record.status
    time.sleep(10)
    return [first, record.status]


@others
def powertools_logger(event, context):
    from aws_lambda_powertools import Logger

    log = Logger(service="x")
    out = io.StringIO()
    log.addHandler(logging.StreamHandler(out))
    log.info("text")
    return out.getvalue()


@others
def powertools_metrics(event, context):
    from aws_lambda_powertools.metrics import Metrics

    metrics = Metrics(namespace="n", service="s")
    metrics.add_metric("a", "Count", 1)
    return metrics.serialize_metric_set()


@others
def xray_segment(event, context):
    from aws_xray_sdk.core.models.segment import Segment
    from aws_xray_sdk.core.models.traceid import TraceId

    segment = Segment("x")
    time.sleep(2)
    segment.close()
    return [TraceId().to_id(), round(segment.end_time - segment.start_time, 3), segment.id]


@others
def hypothesis_floats(event, context):
    from hypothesis import strategies
    from hypothesis.internal.floats import next_up

    return [next_up(time.time()), repr(strategies.uuids())]


@others
def cpython_sleeping_retry(event, context):
    from test import support

    began = time.time()
    for _ in support.sleeping_retry(30, error=False):
        if time.time() - began > 5:
            break
    return since(began)


@others
def urllib3_retry(event, context):
    from urllib3.util.retry import Retry

    retry = Retry(total=5, backoff_factor=0.5, backoff_jitter=1.0)
    spent = []
    for _ in range(4):
        retry = retry.increment("GET", "/", error=OSError())
        began = time.time()
        retry.sleep()
        spent.append(since(began))
    return spent


@others
def urllib3_timeout(event, context):
    from urllib3.util.timeout import Timeout

    limit = Timeout(total=10)
    limit.start_connect()
    time.sleep(3)
    return round(limit.read_timeout, 3)


@others
def s3transfer_leaky_bucket(event, context):
    from s3transfer.bandwidth import LeakyBucket, RequestExceededException, RequestToken

    bucket, token, seen = LeakyBucket(100), RequestToken(), []
    for _ in range(6):
        try:
            seen.append(bucket.consume(90, token))
        except RequestExceededException as late:
            time.sleep(late.retry_time)
            seen.append(round(late.retry_time, 6))
    return seen


@others
def multiprocessing_thread_pool(event, context):
    from multiprocessing.pool import ThreadPool

    began = time.time()
    with ThreadPool(3) as pool:
        found = pool.map(lambda n: time.sleep(1) or n, range(6))
    return [found, since(began)]


@others
def timeit_timer(event, context):
    import timeit

    return timeit.timeit("pass", number=10)


@others
def email_message_ids(event, context):
    import socket

    return [email.utils.make_msgid(), socket.gethostname()]


@others
def plist_dates(event, context):
    import plistlib

    return plistlib.dumps({"at": datetime.datetime.now()}).decode()


@others
def cookiejar_dates(event, context):
    from http import cookiejar

    return [cookiejar.time2isoz(), cookiejar.time2netscape()]


@others
def http_server_dates(event, context):
    from http.server import BaseHTTPRequestHandler

    return BaseHTTPRequestHandler.date_time_string(None)


@others
def ssl_and_calendar_times(event, context):
    import ssl
    from calendar import timegm

    return ssl.cert_time_to_seconds("Jan  5 09:34:43 2018 GMT") + timegm(time.gmtime())


@others
def thread_subclasses(event, context):
    class Waits(threading.Thread):
        def run(self):
            time.sleep(2)
            self.at = time.monotonic()

    threads = [Waits() for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [thread.at for thread in threads]


@computes(0)
def fork_with_a_waiting_thread(event, context):
    tasks = queue.Queue()
    threading.Thread(target=lambda: [tasks.get() for _ in range(9)], daemon=True).start()
    pid = os.fork()
    if pid == 0:
        tasks.put(1)
        time.sleep(0.1)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


@computes(["interrupted", 0.2])
def interrupted_in_a_wait(event, context):
    began = time.time()
    signal.signal(signal.SIGALRM, lambda *_: raise_(TimeoutError()))
    signal.alarm(0)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        threading.Event().wait(5)
    except TimeoutError:
        return ["interrupted", since(began)]


def raise_(error):
    raise error


@computes("interrupted")
def interrupted_by_a_thread(event, context):
    signal.signal(signal.SIGUSR1, lambda *_: raise_(TimeoutError()))
    threading.Timer(0.2, signal.raise_signal, (signal.SIGUSR1,)).start()
    try:
        time.sleep(0.5)
        time.sleep(0.5)
    except TimeoutError:
        return "interrupted"


@computes("interrupted")
def alarm_while_computing(event, context):
    signal.signal(signal.SIGALRM, lambda *_: raise_(TimeoutError()))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        while True:
            pass
    except TimeoutError:
        return "interrupted"


@computes("blocking")
def nonblocking_read(event, context):
    reads, _ = os.pipe()
    os.set_blocking(reads, False)
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    try:
        os.read(reads, 1)
    except BlockingIOError:
        return "blocking"


@computes([True, 0.2])
def thread_that_cannot_start(event, context):
    began = time.time()
    size = threading.stack_size(1 << 46)
    try:
        threading.Thread(target=print).start()
        failed = False
    except RuntimeError:
        failed = True
    threading.stack_size(size)
    run(lambda: time.sleep(0.2))
    return [failed, since(began)]


@computes([7, "done"])
def loop_in_a_thread(event, context):
    async def work():
        return 7

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    job, end = asyncio.run_coroutine_threadsafe(work(), loop), time.monotonic() + 1
    while not job.done() and time.monotonic() < end:
        pass
    return [job.result(timeout=1), "done" if time.monotonic() < end else "late"]


@computes([True, True, True])
def copies_of_clocks(event, context):
    import copy
    import pickle

    held = copy.deepcopy({"clock": time.monotonic, "wait": time.sleep})
    again = pickle.loads(pickle.dumps(time.sleep))
    named = type(threading.Lock()).__module__ == "_thread"
    return [held["clock"] is time.monotonic, again is time.sleep, named]
