"""Handlers whose results depend on clocks, randomness, threads or children, and on nothing else.

Each entry of `WITH_VALUE` says what it must compute on the virtual clock; those of `WITHOUT_VALUE`
only have to compute the same every time.
"""

PREAMBLE = """
import asyncio, collections, contextvars, datetime, email.utils, functools, gzip, hashlib, heapq, io
import itertools, json, logging, multiprocessing, os, queue, random, sched, secrets, select
import selectors, signal, string, subprocess, sys, tempfile, threading, time, uuid, zipfile
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime as now_class
from time import monotonic as tick, perf_counter, sleep as pause, time as wall

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
"""

WITH_VALUE = [
    # waits of one thread
    ("began = time.time()\ntime.sleep(3)\nreturn since(began)", 3.0),
    ("began = wall()\npause(0.25)\nreturn since(began)", 0.25),
    ("began = tick()\ntime.sleep(1)\nreturn round(tick() - began, 2)", 1.0),
    ("began = now_class.now()\ntime.sleep(90)\nreturn (now_class.now() - began).seconds", 90),
    ("began = time.process_time()\ntime.sleep(9)\nreturn time.process_time() - began < 1", True),
    (
        "began = time.clock_gettime(1)\npause(2)\nreturn round(time.clock_gettime(1) - began, 2)",
        2.0,
    ),
    ("return time.ctime() == time.asctime() == time.strftime('%a %b %e %T %Y')", True),
    ("return abs(time.time_ns() / 1e9 - datetime.datetime.now().timestamp()) < 0.001", True),
    ("times = [time.time() for _ in range(1000)]\nreturn times == sorted(set(times))", True),
    ("return Timed().clock() <= Timed.clock() and Timed().zero() > 0", True),
    # threads
    ("began = time.time()\nrun(*[lambda: time.sleep(3)] * 8)\nreturn since(began)", 3.0),
    (
        "order = []\ndef work(n):\n    time.sleep(n)\n    order.append(n)\n"
        "run(*[functools.partial(work, n) for n in (3, 1, 2)])\nreturn order",
        [1, 2, 3],
    ),
    (
        "began = time.time()\nthread = threading.Thread(target=time.sleep, args=(9,), daemon=True)\n"
        "thread.start()\nthread.join(2)\nreturn [thread.is_alive(), since(began)]",
        [True, 2.0],
    ),
    (
        "began, seen = time.time(), []\n"
        "threading.Timer(4, lambda: seen.append(since(began))).start()\ntime.sleep(5)\nreturn seen",
        [4.0],
    ),
    (
        "ready, began = threading.Event(), time.time()\n"
        "threading.Timer(2.5, ready.set).start()\npolls = 0\n"
        "while not ready.wait(1):\n    polls += 1\nreturn [polls, since(began)]",
        [2, 2.5],
    ),
    ("began = time.time()\nreturn [threading.Event().wait(7), since(began)]", [False, 7.0]),
    (
        "lock, began = threading.Lock(), time.time()\nlock.acquire()\n"
        "threading.Timer(3, lock.release).start()\n"
        "return [lock.acquire(timeout=1), lock.acquire(timeout=5), since(began)]",
        [False, True, 3.0],
    ),
    (
        "lock, seen = threading.RLock(), []\ndef work(n):\n    with lock, lock:\n"
        "        time.sleep(1)\n        seen.append(n)\nbegan = time.time()\n"
        "run(*[functools.partial(work, n) for n in range(3)])\nreturn [seen, since(began)]",
        [[0, 1, 2], 3.0],
    ),
    (
        "limit, began = threading.Semaphore(2), time.time()\ndef work():\n    with limit:\n"
        "        time.sleep(1)\nrun(*[work] * 6)\nreturn since(began)",
        3.0,
    ),
    (
        "barrier, began = threading.Barrier(3), time.time()\n"
        "def work(n):\n    time.sleep(n)\n    barrier.wait()\n"
        "run(*[functools.partial(work, n) for n in (1, 2, 4)])\nreturn since(began)",
        4.0,
    ),
    (
        "changed, items, began = threading.Condition(), [], time.time()\ndef make():\n"
        "    time.sleep(2)\n    with changed:\n        items.append(1)\n        changed.notify()\n"
        "threading.Thread(target=make).start()\nwith changed:\n"
        "    late = bool(changed.wait_for(lambda: items, timeout=1))\n"
        "    got = changed.wait_for(lambda: items, timeout=9)\n"
        "return [late, got, since(began)]",
        [False, [1], 2.0],
    ),
    # queues
    (
        "began, tasks = time.time(), queue.Queue()\ntry:\n    tasks.get(timeout=2)\n"
        "except queue.Empty:\n    return since(began)",
        2.0,
    ),
    (
        "tasks, got = queue.Queue(1), []\ndef produce():\n    for n in range(4):\n"
        "        time.sleep(1)\n        tasks.put(n)\n    tasks.put(None)\ndef consume():\n"
        "    while (n := tasks.get()) is not None:\n        time.sleep(2)\n"
        "        got.append((n, since(began)))\n"
        "began = time.time()\nrun(produce, consume)\nreturn got",
        [[0, 3.0], [1, 5.0], [2, 7.0], [3, 9.0]],
    ),
    (
        "tasks, began = queue.SimpleQueue(), time.time()\n"
        "threading.Timer(1, tasks.put, (7,)).start()\nreturn [tasks.get(timeout=3), since(began)]",
        [7, 1.0],
    ),
    # pools
    (
        "with ThreadPoolExecutor(4) as pool:\n    jobs = [pool.submit(time.sleep, n) for n in"
        " (4, 1, 3)]\n    done = [jobs.index(job) for job in futures.as_completed(jobs)]\n"
        "return done",
        [1, 2, 0],
    ),
    (
        "began = time.time()\nwith ThreadPoolExecutor(2) as pool:\n"
        "    list(pool.map(time.sleep, [1] * 6))\nreturn since(began)",
        3.0,
    ),
    (
        "began = time.time()\npool = ThreadPoolExecutor(1)\njob = pool.submit(time.sleep, 60)\n"
        "try:\n    job.result(timeout=5)\nexcept futures.TimeoutError:\n    return since(began)",
        5.0,
    ),
    (
        "pool = ThreadPoolExecutor(3)\njobs = [pool.submit(time.sleep, n) for n in (1, 2, 30)]\n"
        "done, late = futures.wait(jobs, timeout=10)\nreturn [len(done), len(late)]",
        [2, 1],
    ),
    # asyncio
    (
        "async def work(n):\n    await asyncio.sleep(n)\n    return n\nasync def main():\n"
        "    return await asyncio.gather(work(2), work(1), work(3))\n"
        "began = time.time()\nreturn [asyncio.run(main()), since(began)]",
        [[2, 1, 3], 3.0],
    ),
    (
        "async def main():\n    try:\n        await asyncio.wait_for(asyncio.sleep(100), 5)\n"
        "    except asyncio.TimeoutError:\n        return since(began)\n"
        "began = time.time()\nreturn asyncio.run(main())",
        5.0,
    ),
    (
        "async def main():\n    tasks = asyncio.Queue()\n"
        "    asyncio.get_running_loop().call_later(2, tasks.put_nowait, 'x')\n"
        "    return [await tasks.get(), since(began)]\n"
        "began = time.time()\nreturn asyncio.run(main())",
        ["x", 2.0],
    ),
    (
        "async def main():\n    await asyncio.gather(*[asyncio.to_thread(time.sleep, 4)] * 1,"
        " asyncio.sleep(1))\n    return since(began)\nbegan = time.time()\nreturn asyncio.run(main())",
        4.0,
    ),
    (
        "async def main():\n    child = await asyncio.create_subprocess_exec('echo', 'hi',"
        " stdout=subprocess.PIPE)\n    out, _ = await child.communicate()\n"
        "    return [out.decode(), since(began)]\nbegan = time.time()\nreturn asyncio.run(main())",
        ["hi\n", 0.0],
    ),
    # children
    ("return subprocess.run(['echo', 'x'], capture_output=True, timeout=5).stdout.decode()", "x\n"),
    (
        "began = time.time()\ntry:\n    subprocess.run(['sleep', '20'], timeout=0.3)\n"
        "except subprocess.TimeoutExpired:\n    return since(began)",
        0.3,
    ),
    (
        "ours, theirs = multiprocessing.Pipe()\ndef work():\n    time.sleep(50)\n"
        "    theirs.send('done')\nchild = multiprocessing.Process(target=work)\nchild.start()\n"
        "answer = ours.recv()\nchild.join()\nreturn [answer, child.exitcode]",
        ["done", 0],
    ),
    # descriptors
    ("began = time.time()\nselect.select([], [], [], 6)\nreturn since(began)", 6.0),
    (
        "reads, writes = os.pipe()\nbegan = time.time()\n"
        "threading.Timer(2, os.write, (writes, b'x')).start()\n"
        "ready = select.select([reads], [], [], 9)[0] == [reads]\n"
        "return [ready, os.read(reads, 1).decode(), since(began)]",
        [True, "x", 2.0],
    ),
    (
        "reads, writes = os.pipe()\nbegan = time.time()\n"
        "threading.Timer(3, os.write, (writes, b'y')).start()\n"
        "return [os.read(reads, 1).decode(), since(began)]",
        ["y", 3.0],
    ),
    (
        "chosen, (reads, writes) = selectors.DefaultSelector(), os.pipe()\n"
        "chosen.register(reads, selectors.EVENT_READ)\nbegan = time.time()\n"
        "nothing = chosen.select(2)\nos.write(writes, b'x')\n"
        "return [nothing, len(chosen.select(2)), since(began)]",
        [[], 1, 2.0],
    ),
    # signals
    (
        "def ring(*_):\n    raise TimeoutError\nsignal.signal(signal.SIGALRM, ring)\n"
        "signal.alarm(2)\nbegan = time.time()\ntry:\n    time.sleep(10)\nexcept TimeoutError:\n"
        "    return since(began)",
        2.0,
    ),
    (
        "rings = []\nsignal.signal(signal.SIGALRM, lambda *_: rings.append(since(began)))\n"
        "began = time.time()\nsignal.setitimer(signal.ITIMER_REAL, 1, 0.5)\ntime.sleep(2.2)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\nreturn rings",
        [1.0, 1.5, 2.0],
    ),
    ("signal.alarm(5)\ntime.sleep(3)\nreturn signal.alarm(0)", 2),
    # schedules
    (
        "began, seen = time.time(), []\nplan = sched.scheduler()\n"
        "for n in (3, 1, 2):\n    plan.enter(n, 1, lambda n=n: seen.append((n, since(began))))\n"
        "plan.run()\nreturn seen",
        [[1, 1.0], [2, 2.0], [3, 3.0]],
    ),
    (
        "began, waited = time.time(), 0\nfor attempt in range(8):\n    time.sleep(2 ** attempt / 2)\n"
        "    if time.time() - began > 60:\n        return [attempt, since(began)]",
        [6, 63.5],
    ),
    (
        "polls = 0\nwhile context.get_remaining_time_in_millis() > 60_000:\n    time.sleep(10)\n"
        "    polls += 1\nreturn polls",
        84,
    ),
    # a spin, which only a look from outside can end
    (
        "seen = []\nthreading.Timer(0.2, seen.append, (1,)).start()\nwhile not seen:\n    pass\n"
        "return seen",
        [1],
    ),
    (
        "done = threading.Thread(target=time.sleep, args=(2,))\ndone.start()\nbegan = time.time()\n"
        "while done.is_alive():\n    time.sleep(0.5)\nreturn since(began)",
        2.0,
    ),
]
"""Bodies of handlers, and what they return."""

WITHOUT_VALUE = [
    "return [time.time(), time.monotonic(), time.perf_counter_ns(), time.process_time(), wall()]",
    "return [time.ctime(), time.strftime('%c %Z'), email.utils.formatdate(localtime=True)]",
    "return [str(datetime.datetime.now()), str(datetime.datetime.today()), str(datetime.date.today())]",
    "return list(time.localtime()) + list(time.gmtime())",
    "return [str(uuid.uuid1()), str(uuid.uuid4()), uuid.getnode()]",
    "return [random.random(), random.choice('abc'), random.sample(range(99), 9), random.gauss(0, 1)]",
    "return [random.Random().random(), random.SystemRandom().random(), random.Random(7).random()]",
    "return [secrets.token_hex(8), secrets.choice('abc'), os.urandom(8).hex(), secrets.randbelow(99)]",
    "deck = list(range(52))\nrandom.shuffle(deck)\nreturn deck",
    "return list({'tea', 'coffee', 'milk', 'cocoa', 'water'})",
    "return [hash('text'), hash(b'bytes'), hash((1, 'a')), sorted(map(hash, 'abc'))]",
    "return json.dumps({n: list(set(string.ascii_letters)) for n in range(3)})",
    "with tempfile.NamedTemporaryFile() as file:\n    return file.name",
    "descriptor, name = tempfile.mkstemp(suffix='.x')\nos.unlink(name)\nreturn name",
    "with tempfile.TemporaryDirectory() as folder:\n    return folder",
    "return gzip.compress(b'text').hex()",
    "packed = io.BytesIO()\nwith zipfile.ZipFile(packed, 'w') as file:\n"
    "    file.writestr('a.txt', 'text')\nreturn hashlib.sha256(packed.getvalue()).hexdigest()",
    "return [os.getpid(), os.cpu_count(), os.uname().nodename, sys.argv, sorted(os.environ)]",
    "return list(os.environ)",
    "return [STARTED, INSTANCE, DEADLINE, next(calls)]",
    "cache.setdefault('token', (secrets.token_hex(4), time.time() + 300))\nreturn cache['token']",
    "return [time.sleep(random.uniform(0, 2 ** n)) or time.time() for n in range(5)]",
    "logging.warning('x')\nrecord = logging.makeLogRecord({})\n"
    "return [record.created, record.relativeCreated, record.process, record.threadName]",
    "seen = []\ndef work(n):\n    time.sleep(random.random())\n    seen.append((n, time.time()))\n"
    "run(*[functools.partial(work, n) for n in range(6)])\nreturn seen",
    "with ThreadPoolExecutor() as pool:\n"
    "    return list(pool.map(lambda n: (n, str(uuid.uuid4()), time.time()), range(9)))",
    "async def work(n):\n    await asyncio.sleep(random.random())\n    return n, time.time()\n"
    "async def main():\n    return await asyncio.gather(*map(work, range(5)))\n"
    "return asyncio.run(main())",
    "done = subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True, timeout=30)\n"
    "return [done.stdout.decode(), time.time(), time.monotonic()]",
    "child = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
    "return [child.communicate(b'x' * 200_000, timeout=20)[0].decode()[:3], time.time()]",
    "reads = [context.get_remaining_time_in_millis() for _ in range(5)]\n"
    "time.sleep(0.123)\nreturn reads + [context.get_remaining_time_in_millis()]",
    "seen = []\ndef work():\n    while len(seen) < 9:\n        seen.append(time.perf_counter())\n"
    "        time.sleep(0.01)\nrun(work, work)\nreturn seen",
]
"""Bodies of handlers that only have to compute the same every time."""

OTHERS = [
    "from botocore.retries.standard import ExponentialBackoff\n"
    "from types import SimpleNamespace\n"
    "return [ExponentialBackoff().delay_amount(SimpleNamespace(attempt_number=n,"
    " http_response=None)) for n in range(1, 6)]",
    "from botocore.retries.bucket import TokenBucket, Clock\n"
    "bucket = TokenBucket(2, Clock())\nbucket.max_rate = 2\nbegan = time.time()\n"
    "for _ in range(6):\n    bucket.acquire()\nreturn [bucket.available_capacity, since(began)]",
    "from botocore.retries.throttling import CubicCalculator\n"
    "return CubicCalculator(10, time.time()).success_received(time.time() + 3)",
    "from botocore.utils import parse_timestamp, datetime2timestamp\n"
    "return datetime2timestamp(parse_timestamp(time.time()))",
    "from botocore.auth import SigV4Auth\nfrom botocore.awsrequest import AWSRequest\n"
    "from botocore.credentials import Credentials\n"
    "request = AWSRequest('GET', 'https://sqs.eu-west-1.amazonaws.com/', data=b'x')\n"
    "SigV4Auth(Credentials('a', 'b'), 'sqs', 'eu-west-1').add_auth(request)\n"
    "return dict(request.headers)",
    "import boto3\nclient = boto3.client('s3', region_name='eu-west-1', aws_access_key_id='a',"
    " aws_secret_access_key='b')\nreturn client.generate_presigned_url('get_object',"
    " Params={'Bucket': 'b', 'Key': 'k'})",
    "from email.message import EmailMessage\nfrom email.generator import _make_boundary\n"
    "message = EmailMessage()\nmessage['Message-ID'] = email.utils.make_msgid(domain='x')\n"
    "message['Date'] = email.utils.localtime()\nreturn [message.as_string(), _make_boundary()]",
    "from http.cookies import SimpleCookie\ncookie = SimpleCookie()\ncookie['a'] = 'b'\n"
    "cookie['a']['expires'] = 3600\nreturn cookie.output()",
    "from logging.handlers import MemoryHandler\nfrom logging import LogRecord\n"
    "record = LogRecord('a', 20, __file__, 1, 'x', (), None)\n"
    "return logging.Formatter('%(asctime)s %(process)d').format(record)",
    "from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord\n"
    "record = DataRecord('k', expiry_timestamp=int(time.time()) + 5, status='COMPLETED')\n"
    "first = record.status\ntime.sleep(10)\nreturn [first, record.status]",
    "from aws_lambda_powertools import Logger\nlog = Logger(service='x')\nout = io.StringIO()\n"
    "log.addHandler(logging.StreamHandler(out))\nlog.info('text')\nreturn out.getvalue()",
    "from aws_lambda_powertools.metrics import Metrics\n"
    "metrics = Metrics(namespace='n', service='s')\nmetrics.add_metric('a', 'Count', 1)\n"
    "return metrics.serialize_metric_set()",
    "from aws_xray_sdk.core.models.traceid import TraceId\n"
    "from aws_xray_sdk.core.models.segment import Segment\nsegment = Segment('x')\n"
    "time.sleep(2)\nsegment.close()\n"
    "return [TraceId().to_id(), round(segment.end_time - segment.start_time, 3), segment.id]",
    "from hypothesis.internal.floats import next_up\nfrom hypothesis import strategies\n"
    "return [next_up(time.time()), repr(strategies.uuids())]",
    "from test import support\nfrom test.support import threading_helper\nbegan = time.time()\n"
    "for _ in support.sleeping_retry(30, error=False):\n    if time.time() - began > 5:\n"
    "        break\nreturn since(began)",
    "from urllib3.util.retry import Retry\nretry = Retry(total=5, backoff_factor=0.5,"
    " backoff_jitter=1.0)\nspent = []\nfor _ in range(4):\n"
    "    retry = retry.increment('GET', '/', error=OSError())\n    began = time.time()\n"
    "    retry.sleep()\n    spent.append(since(began))\nreturn spent",
    "from urllib3.util.timeout import Timeout\nlimit = Timeout(total=10)\nlimit.start_connect()\n"
    "time.sleep(3)\nreturn round(limit.read_timeout, 3)",
    "from s3transfer.bandwidth import LeakyBucket\nfrom s3transfer.bandwidth import"
    " RequestExceededException, RequestToken\nbucket, token, seen = LeakyBucket(100),"
    " RequestToken(), []\nfor _ in range(6):\n    try:\n"
    "        seen.append(bucket.consume(90, token))\n"
    "    except RequestExceededException as late:\n        time.sleep(late.retry_time)\n"
    "        seen.append(round(late.retry_time, 6))\nreturn seen",
    "from multiprocessing.pool import ThreadPool\nbegan = time.time()\n"
    "with ThreadPool(3) as pool:\n    found = pool.map(lambda n: time.sleep(1) or n, range(6))\n"
    "return [found, since(began)]",
    "import timeit\nreturn timeit.timeit('pass', number=10)",
    "import mailbox, socket\nreturn [email.utils.make_msgid(), socket.gethostname()]",
    "import xml.etree.ElementTree as tree\nimport plistlib\n"
    "return plistlib.dumps({'at': datetime.datetime.now()}).decode()",
    "from http.cookiejar import CookieJar\nfrom http import cookiejar\n"
    "return [cookiejar.time2isoz(), cookiejar.time2netscape()]",
    "from http.server import BaseHTTPRequestHandler\n"
    "return BaseHTTPRequestHandler.date_time_string(None)",
    "from calendar import timegm\nimport ssl\n"
    "return ssl.cert_time_to_seconds('Jan  5 09:34:43 2018 GMT') + timegm(time.gmtime())",
    "class Waits(threading.Thread):\n    def run(self):\n        time.sleep(2)\n"
    "        self.at = time.monotonic()\nthreads = [Waits() for _ in range(3)]\n"
    "for thread in threads:\n    thread.start()\nfor thread in threads:\n    thread.join()\n"
    "return [thread.at for thread in threads]",
]
"""Bodies whose work is done by other people's code: retries, buckets, signatures, pools."""
