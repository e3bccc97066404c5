"""`replay invoke`: run a handler here as Lambda would, with an event of one's own."""

import math
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from replay.cli.captured import captured_file
from replay.cli.command import (
    PathOption,
    RuntimeChoice,
    RuntimeOption,
    StoreOption,
    answering,
    folders_of,
    read_settings,
    say,
)
from replay.cli.event import read_event, read_json_object, read_variables
from replay.outcome import Exited
from replay.replayer.case import Case
from replay.replayer.engine import ImportRefusedError, Sandbox
from replay.replayer.local import LATEST, WORLD, LocalFunction
from replay.replayer.pool import engine_of
from replay.replayer.replay import Replay
from replay.replayer.response import is_failure, response_of
from replay.settings import Settings

HandlerArgument = Annotated[str, typer.Argument(metavar="MODULE.HANDLER", help="app.handler")]
EventArgument = Annotated[str, typer.Argument(help="A JSON file, - for stdin, or JSON itself.")]
ClientContextOption = Annotated[
    str | None, typer.Option("--client-context", help="JSON, or a file of it.")
]
IdentityOption = Annotated[
    str | None,
    typer.Option("--cognito-identity", help='{"cognitoIdentityId": ..., ...}, or a file of it.'),
]
TenantOption = Annotated[str | None, typer.Option("--tenant-id", help="context.tenant_id")]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.001, max=900, help="Lambda's setting, in seconds.")
]
MemoryOption = Annotated[
    int,
    typer.Option("--memory", min=128, max=32_768, help="Lambda's setting, in MB."),
]
NameOption = Annotated[str | None, typer.Option("--function-name", help="Else the module's name.")]
VersionOption = Annotated[str, typer.Option("--version", help="context.function_version")]
AliasOption = Annotated[str | None, typer.Option("--alias", help="Invoked by this alias.")]
EnvFileOption = Annotated[
    Path | None, typer.Option("--env-file", help="NAME=VALUE lines, added to the environment.")
]
RepeatOption = Annotated[
    int, typer.Option("--repeat", min=1, help="So many invocations of one warm sandbox.")
]
CaptureOption = Annotated[
    bool, typer.Option("--capture", help="Store it, though the handler is not decorated.")
]


@answering
def invoke(
    handler: HandlerArgument,
    event: EventArgument,
    *,
    client_context: ClientContextOption = None,
    cognito_identity: IdentityOption = None,
    tenant_id: TenantOption = None,
    timeout: TimeoutOption = 3,
    memory: MemoryOption = 128,
    function_name: NameOption = None,
    version: VersionOption = LATEST,
    alias: AliasOption = None,
    env_file: EnvFileOption = None,
    runtime: RuntimeOption = RuntimeChoice.builtin,
    repeat: RepeatOption = 1,
    capture: CaptureOption = False,
    path: PathOption = None,
    store: StoreOption = None,
) -> int:
    """Invoke a handler once; prints what the invoker gets, exits with 1 where it failed."""
    settings = read_settings(store)
    with captured_file(settings) as file:
        function = _function(
            handler,
            settings,
            file=file,
            path=path,
            env_file=env_file,
            name=function_name,
            version=version,
            alias=alias,
            memory_mb=memory,
            timeout_ms=round(timeout * 1000),
            is_captured=capture,
        )
        caller = {"identity": cognito_identity, "tenant_id": tenant_id}
        case = _case(function, event, client_context=client_context, **caller)
        failed = list(_invoke_all((case() for _ in range(repeat)), runtime, memory))
    return 1 if any(failed) else 0


def _case(
    function: LocalFunction,
    event: str,
    *,
    client_context: str | None,
    identity: str | None,
    tenant_id: str | None,
) -> Callable[[], Case]:
    """Return what makes a case of the event, a new one each time."""
    return partial(
        function.case,
        read_event(event),
        client_context=read_json_object(client_context, "--client-context"),
        identity=read_json_object(identity, "--cognito-identity"),
        tenant_id=tenant_id,
    )


def _function(
    handler: str,
    settings: Settings,
    *,
    file: str,
    path: list[Path] | None,
    env_file: Path | None,
    name: str | None,
    **configured: Any,
) -> LocalFunction:
    return LocalFunction(
        handler=handler,
        folders=folders_of(path, settings),
        name=name or handler.replace("/", ".").split(".", maxsplit=1)[0],
        environment={**os.environ, "REPLAY_STORE": file},
        variables=read_variables(env_file),
        **configured,
    )


def _invoke_all(cases: Iterator[Case], runtime: RuntimeChoice, memory_mb: int) -> Iterator[bool]:
    """Run the cases in one sandbox, and in a new one where it has ended; yield which failed."""
    engine = engine_of(runtime.value, "process")
    case = next(cases, None)
    while case is not None:
        engine.refuse(case)
        first = case
        try:
            with engine(first, WORLD) as sandbox:
                init_us = sandbox.init_us
                while case is not None and sandbox.is_alive:
                    yield _invoke(sandbox, case, init_us, memory_mb)
                    init_us, case = 0, next(cases, None)
        except ImportRefusedError as refused:
            yield _say_refused(refused, first)
            case = next(cases, None)


def _say_refused(refused: ImportRefusedError, case: Case) -> bool:
    sys.stderr.write(refused.output)
    # An error of the import was there before the invocation was, and has no request id.
    request_id = _request_id(case) if isinstance(refused.outcome, Exited) else ""
    _print(response_of(refused.outcome, request_id))
    say(f"error: {refused.message}\nhint: --path names the folder of its module")
    return True


def _invoke(sandbox: Sandbox, case: Case, init_us: int, memory_mb: int) -> bool:
    """Run one case and print payload and report; return whether it failed."""
    replay = sandbox.replay(case, WORLD)
    request_id = _request_id(case)
    sys.stderr.write(replay.output)
    _print(response_of(replay.outcome, request_id))
    sys.stdout.flush()
    say(_report(replay, request_id, init_us, memory_mb, sandbox.peak_memory_bytes))
    if case.is_captured:
        say(f"captured: replay run {request_id}")
    return is_failure(replay.outcome)


def _request_id(case: Case) -> str:
    return case.recording.invocation.context.text("aws_request_id") or ""


def _print(payload: bytes) -> None:
    try:
        typer.echo(payload.decode())
    except UnicodeDecodeError:
        typer.echo(payload, nl=False)


def _report(
    replay: Replay, request_id: str, init_us: int, memory_mb: int, peak_bytes: int | None
) -> str:
    """Return the line that Lambda writes after an invocation; a cold start is billed as well."""
    billed_ms = math.ceil((replay.duration_us + init_us) / 1000)
    used = "unknown" if peak_bytes is None else f"{math.ceil(peak_bytes / 2**20)} MB"
    fields = {
        "Duration": f"{replay.duration_us / 1000:.2f} ms",
        "Billed Duration": f"{billed_ms} ms",
        "Memory Size": f"{memory_mb} MB",
        "Max Memory Used": used,
        **({"Init Duration": f"{init_us / 1000:.2f} ms"} if init_us else {}),
    }
    words = "\t".join(f"{name}: {value}" for name, value in fields.items())
    return f"REPORT RequestId: {request_id}\t{words}"
