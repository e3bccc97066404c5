"""The bytes of a layer: a zip with `python/` for the runtime and `replay`, the exec wrapper.

Where it is to ship, `extensions/replay-export` is there as well, which Lambda starts by itself.

Lambda unpacks it to /opt and has /opt/python on the path
(https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html). Invariant: the same files give
the same bytes, whatever their dates, modes and order on the disk.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from replay.layer.bytecode import bytecode
from replay.layer.module import PACKAGE, modules
from replay.layer.target import Target
from replay.layer.wheel import VERSION, fetch_wheel
from replay.recorder.export.extension import NAME
from replay.version import __version__

WRAPPER = "replay"
EXTENSION = f"extensions/{NAME}"
_LIBRARIES = "python/"
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can tell."""
_UNIX = 3
_REGULAR = 0o100000


@dataclass(frozen=True, slots=True)
class Content:
    """One of the things in a layer: how many files it has, and their bytes unzipped.

    `version` is "" of what has none of its own.
    """

    name: str
    version: str
    files: int
    unzipped_bytes: int


@dataclass(frozen=True, slots=True)
class Layer:
    """The files of a layer by their names in the zip."""

    recorder: Mapping[str, bytes]
    orjson: Mapping[str, bytes]
    bytecode: Mapping[str, bytes]

    @property
    def contents(self) -> tuple[Content, ...]:
        """What it holds, summed up."""
        own = (
            _content("recorder", __version__, self.recorder),
            _content("orjson", VERSION, self.orjson),
        )
        return (*own, _content("bytecode", "", self.bytecode)) if self.bytecode else own

    @property
    def unzipped_bytes(self) -> int:
        """What it takes below /opt."""
        return sum(content.unzipped_bytes for content in self.contents)

    def write(self, file: BinaryIO) -> None:
        """Write the zip."""
        members = {**self.recorder, **self.orjson, **self.bytecode}
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in sorted(members):
                archive.writestr(_info(name), members[name], compresslevel=9)


def layer_for(target: Target, *, ships: bool = True) -> Layer:
    """Return the layer for a target; raises ReplayError where pip finds no orjson for it.

    One that `ships` starts the exporter in every sandbox.
    """
    with TemporaryDirectory(prefix="replay-") as folder:
        wheel = fetch_wheel(target, Path(folder))
        recorder, orjson = _recorder(ships=ships), _unpacked(wheel)
    return Layer(recorder, orjson, bytecode(target, {**recorder, **orjson}))


def _recorder(*, ships: bool) -> dict[str, bytes]:
    root = PACKAGE.parent
    found = {_LIBRARIES + it.relative_to(root).as_posix(): it.read_bytes() for it in modules()}
    found[WRAPPER] = (PACKAGE / "recorder/exec-wrapper").read_bytes()
    if ships:
        found[EXTENSION] = (PACKAGE / "recorder/export/extension-wrapper").read_bytes()
    return found


def _unpacked(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        return {_LIBRARIES + name: archive.read(name) for name in names}


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _FIRST_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = _UNIX
    mode = 0o755 if name in (WRAPPER, EXTENSION) else 0o644
    info.external_attr = (_REGULAR | mode) << 16
    return info


def _content(name: str, version: str, files: Mapping[str, bytes]) -> Content:
    return Content(name, version, len(files), sum(map(len, files.values())))
