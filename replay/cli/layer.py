"""`replay layer`: an AWS Lambda layer, for capture without a change of code."""

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from replay.cli.command import JsonOption, answering, print_json, say
from replay.cli.file import ForceOption, new_file
from replay.errors import ReplayError
from replay.layer.archive import Layer, layer_for
from replay.layer.target import Target


class Arch(StrEnum):
    """`--arch`: an architecture as Lambda names it."""

    arm64 = "arm64"
    x86_64 = "x86_64"


PythonOption = Annotated[
    str | None,
    typer.Option(
        "--python",
        help="The version of the function's runtime, such as 3.13; else this interpreter's.",
    ),
]
ArchOption = Annotated[
    Arch,
    typer.Option("--arch", help="The architecture of the function; Lambda's default is x86_64."),
]
ExporterOption = Annotated[
    bool,
    typer.Option(
        help="With the extension that ships to REPLAY_EXPORT; it is started in every sandbox.",
    ),
]
OutputOption = Annotated[Path, typer.Option("-o", "--output", help="Write the layer to this file.")]


@answering
def layer(
    *,
    python: PythonOption = None,
    arch: ArchOption = Arch.x86_64,
    exporter: ExporterOption = True,
    output: OutputOption = Path("layer.zip"),
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Make a layer of the recorder and orjson; AWS_LAMBDA_EXEC_WRAPPER=/opt/replay captures."""
    target = Target(python or ".".join(map(str, sys.version_info[:2])), arch.value)
    if str(output) == "-":
        raise ReplayError("a layer is not for a terminal or a pipe", "name a file: -o layer.zip")
    with new_file(output, force=force) as file:
        made = layer_for(target, ships=exporter)
        made.write(file)
        zipped_bytes = file.tell()
    document = _document(output, target, made, zipped_bytes=zipped_bytes)
    if as_json:
        print_json(document)
    else:
        _print(document)
        if not made.bytecode:
            say(
                f"no python{target.python} is on the path: without bytecode a cold start compiles"
                " the recorder anew, half as long again"
            )
        say(f"publish it:  {_publish(output, target)}")
    return 0


def _document(output: Path, target: Target, made: Layer, *, zipped_bytes: int) -> dict[str, Any]:
    return {
        "path": str(output),
        **asdict(target),
        "zipped_bytes": zipped_bytes,
        "unzipped_bytes": made.unzipped_bytes,
        "contents": [asdict(content) for content in made.contents],
    }


def _print(document: dict[str, Any]) -> None:
    sizes = f"{_kb(document['zipped_bytes'])} zipped, {_kb(document['unzipped_bytes'])} unzipped"
    typer.echo(f"{document['path']}  Python {document['python']}, {document['arch']}  {sizes}")
    for content in document["contents"]:
        size = _kb(content["unzipped_bytes"])
        name = f"{content['name']} {content['version']}".rstrip()
        typer.echo(f"  {name}  {content['files']} files  {size}")


def _publish(output: Path, target: Target) -> str:
    return (
        f"aws lambda publish-layer-version --layer-name replay --zip-file fileb://{output}"
        f" --compatible-runtimes python{target.python} --compatible-architectures {target.arch}"
    )


def _kb(size_bytes: int) -> str:
    return f"{size_bytes / 1000:,.0f} KB"
