"""Bodies of handlers over the whole table of outcomes; each sees `event`, `context` and `world`."""

PREAMBLE = """
import asyncio, collections, ctypes, dataclasses, datetime, decimal, enum, logging, os, signal
import subprocess, sys, threading, time, uuid
from collections import OrderedDict, UserDict, namedtuple
from decimal import Decimal

Point = namedtuple("Point", "x y")
calls = 0

class Colour(enum.Enum):
    red = 1

class Level(enum.IntEnum):
    high = 3

class Name(enum.StrEnum):
    tea = "tea"

@dataclasses.dataclass
class Order:
    total: int = 7

class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no text")

class Odd(Exception):
    def __str__(self):
        return "odd \\N{SNOWMAN} text\\nover lines"

class AsDict:
    def _asdict(self):
        return {"a": 1}

class Liar(str):
    pass

def deep(n):
    value = 1
    for _ in range(n):
        value = [value]
    return value

def helper(n):
    if n:
        return helper(n - 1)
    raise LookupError("deep down")
"""

RETURNS = [
    "None",
    "True",
    "1",
    "-0.0",
    "1e22",
    "10**40",
    "'text'",
    "'Grüße \\N{SNOWMAN} \\U0001f600'",
    "'\\x00\\x1f\\u2028'",
    "b'raw \\xff bytes'",
    "bytearray(b'x')",
    "[]",
    "{}",
    "(1, (2, 3))",
    "Point(1, 2)",
    "{'p': Point(1, [Point(3, 4)])}",
    "{'d': Decimal('1.10'), 'n': Decimal('NaN'), 'i': Decimal('Infinity')}",
    "{'b': b'text', b'k': 1}",
    "{'b': b'\\xff'}",
    "float('nan')",
    "[float('inf'), -float('inf')]",
    "{1: 'a', None: 'b', True: 'c', 1.5: 'd'}",
    "{(1, 2): 3}",
    "{Decimal(1): 2}",
    "{1, 2}",
    "frozenset()",
    "Colour.red",
    "Level.high",
    "Name.tea",
    "{'k': Level.high}",
    "Order()",
    "AsDict()",
    "AsDict",
    "Liar('sub')",
    "datetime.datetime(2026, 1, 2)",
    "uuid.UUID(int=7)",
    "OrderedDict(b=1, a=2)",
    "UserDict(a=1)",
    "{}.keys()",
    "(n for n in range(3))",
    "iter([])",
    "1j",
    "range(3)",
    "object",
    "lambda: 1",
    "'\\ud800 lone'",
    "deep(300)",
    "'x' * 300_000",
    "event",
    "repr(context)",
    "sorted(vars(context))",
    "[context.w3c(), context.tenant_id, context.log_stream_name, context.memory_limit_in_mb]",
    "type(context.get_remaining_time_in_millis())().bit_length()",
    "os.environ.get('_X_AMZN_TRACE_ID')",
    "threading.current_thread() is threading.main_thread()",
    "context.nope",
    "context['x']",
    "{'statusCode': 200, 'headers': {'content-type': 'text/html'}, 'body': '<p>'}",
]
"""Expressions that a handler returns."""

OF_THE_PLACE = [
    "sorted(name for name in os.environ if name not in ('HOME', 'LC_CTYPE'))",
    "[os.getcwd().endswith('/task'), sys.argv, sys.path[0], __file__]",
]
"""Expressions that are another on this machine than they were on Lambda."""

RAISES = [
    "raise KeyError('boom')",
    "raise ValueError",
    "raise ValueError('')",
    "raise ValueError('two', 'arguments')",
    "raise Odd()",
    "raise ExceptionGroup('several', [ValueError(1), KeyError(2)])",
    "raise OSError(2, 'No such file', 'x.txt')",
    "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'bad')",
    "raise StopIteration('stopped')",
    "helper(3)",
    "1 / 0",
    "try:\n    1 / 0\nexcept ArithmeticError as error:\n    raise ValueError('after') from error",
    "try:\n    1 / 0\nfinally:\n    raise RuntimeError('instead')",
    "assert event == 'nothing', 'as expected'",
    "exec('def f(): raise TypeError(1)')\nlocals()['f']()",
    "open('/no/such/file')",
    "import no_such_module",
    "raise type('Made', (Exception,), {})('up')",
    "raise Exception('\\N{SNOWMAN}' * 3)",
    "def again(): again()\nagain()",
    "raise TimeoutError('late')",
    "raise Exception('x' * 300_000)",
    "subprocess.run(['false'], check=True)",
]
"""Statements that end in an exception which the runtime reports."""

EXITS = [
    "sys.exit()",
    "sys.exit(3)",
    "sys.exit('text')",
    "sys.exit(256)",
    "sys.exit(-1)",
    "raise SystemExit(True)",
    "exit(4)",
    "os._exit(7)",
    "raise KeyboardInterrupt",
    "raise GeneratorExit",
    "raise type('Own', (BaseException,), {})('x')",
    "os.kill(os.getpid(), signal.SIGKILL)",
    "os.kill(os.getpid(), signal.SIGTERM)",
    "os.abort()",
    "ctypes.string_at(0)",
    "raise asyncio.CancelledError",
    "raise Silent()",
    "raise Exception('\\ud800')",
    "try:\n    sys.exit(5)\nexcept Exception:\n    return 1",
]
"""Statements that end the process."""


def module(bodies: list[str], *more: str) -> str:
    """The source of a module with a function `body_0`, `body_1`, ... for each body, and `more`."""
    functions = []
    for number, body in enumerate(bodies):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        functions.append(f"def body_{number}(event, context):\n{lines}")
    return "\n".join([PREAMBLE, *functions, *more])
