"""`replay layer`: what is in the zip, that it captures alone, and how it is refused."""

import io
import json
import platform
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from test_cli import one_line_error

from replay.cli import main
from replay.layer.archive import EXTENSION, WRAPPER, Layer
from replay.layer.module import PACKAGE, modules

VERSION = ".".join(map(str, sys.version_info[:2]))
ARCH = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
OWN = ("--python", VERSION, "--arch", ARCH)
linux = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's orjson loads on Linux alone")
ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
from replay import capture

@capture(store="captured.db")
def handler(event, context):
    return {"files": [sys.modules[name].__file__ for name in ("replay", "orjson")]}

print(*handler({"n": 1}, None)["files"], sep="\\n")
print(sys.modules["replay.recorder.journal"].__cached__, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def layer(tmp_path_factory) -> Path:
    """The layer for this very interpreter."""
    path = tmp_path_factory.mktemp("layer") / "layer.zip"
    with pytest.raises(SystemExit) as ended:
        main(["layer", *OWN, "-o", str(path)])
    assert ended.value.code == 0
    return path


def unpack(layer: Path, folder: Path) -> Path:
    """Unpack as Lambda does to /opt, with the modes that the zip says."""
    with zipfile.ZipFile(layer) as archive:
        for info in archive.infolist():
            Path(archive.extract(info, folder)).chmod(info.external_attr >> 16 & 0o777)
    return folder


@pytest.mark.long
def test_a_layer_without_the_exporter_starts_nothing(project, replay):
    """For functions whose sandboxes are to have no extension."""
    assert replay("layer", *OWN, "--no-exporter", "-o", "layer.zip").returncode == 0
    with zipfile.ZipFile(project / "layer.zip") as archive:
        assert WRAPPER in archive.namelist()
        assert EXTENSION not in archive.namelist()


@pytest.mark.slow
@linux
def test_the_layer_captures_with_nothing_else_installed(layer, project, replay):
    """The recorder half and orjson need no third thing; without the layer there is neither."""
    opt = unpack(layer, project / "opt")
    (project / "empty").mkdir()
    done, control = (
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", ALONE, str(folder)],
            capture_output=True,
            text=True,
            check=False,
            cwd=project,
        )
        for folder in (opt / "python", project / "empty")
    )
    assert "No module named 'replay'" in control.stderr
    assert done.returncode == 0, done.stderr
    assert all(Path(file).is_relative_to(opt) for file in done.stdout.split())
    assert Path(done.stderr.strip()).is_file()
    (listed,) = json.loads(replay("list", "--store", "captured.db", "--json").stdout)
    assert listed["outcome"] == "returned"


@pytest.mark.slow
@linux
def test_the_exec_wrapper_of_the_layer_captures_under_awss_client(layer, project, runtime, replay):
    """An undecorated handler, two variables, and the layer first on the path as on Lambda."""
    opt = unpack(layer, project / "opt")
    (project / "app.py").write_text(
        "import sys\n"
        "def handler(event, context):\n"
        "    return [sys.modules[name].__file__ for name in ('replay', 'orjson')]\n"
    )
    process = runtime(
        AWS_LAMBDA_EXEC_WRAPPER=str(opt / WRAPPER),
        PYTHONPATH=str(opt / "python"),
    )
    files = process.invoke({"n": 1}).value
    assert all(Path(file).is_relative_to(opt) for file in files)
    process.kill()

    (listed,) = json.loads(replay("list", "--json").stdout)

    shown = json.loads(replay("show", listed["id"], "--json").stdout)
    assert (shown["event"], shown["outcome"]["value"]) == ({"n": 1}, files)


@pytest.mark.slow
def test_a_layer_holds_the_recorder_orjson_and_the_wrapper_and_nothing_else(layer):
    """Nothing of the database, the terminal, the replayer; every adapter; one file may run."""
    with zipfile.ZipFile(layer) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    top = {name.split("/")[1] for name in modes if name.startswith("python/")}
    assert {name.partition("-")[0] for name in top} == {"replay", "orjson"}
    assert [name for name, mode in modes.items() if mode & 0o111] == [EXTENSION, WRAPPER]
    ours = {name for name in modes if name.startswith("python/replay/")}
    halves = ("cli", "store", "replayer", "report", "testing", "layer", "_migrations")
    assert {name.split("/")[2] for name in ours} & set(halves) == set()
    assert {PACKAGE / half / "__init__.py" for half in halves[:6]} & set(modules()) == set()
    recorder = {it.relative_to(PACKAGE.parent) for it in (PACKAGE / "recorder").rglob("*.py")}
    assert {f"python/{path.as_posix()}" for path in recorder} <= ours


@pytest.mark.slow
def test_no_module_of_the_layer_imports_what_is_not_there(project):
    """What its modules load of this package, when each is imported, is in the layer as well."""
    names = [
        ".".join(it.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for it in modules()
    ]
    adapters = ("aiohttp", "httpx", "urllib3", "aws")  # import the library that they hook
    wanted = [name for name in names if not any(word in name for word in adapters)]
    program = (
        "import sys\n"
        f"for name in {wanted}: __import__(name)\n"
        "print(*(name for name in sys.modules if name.partition('.')[0] == 'replay'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= set(names)
    assert "replay.recorder.journal" in done.stdout.split()


@pytest.mark.long
def test_the_same_inputs_give_the_same_bytes(layer, project, replay):
    """Whatever the day and the folder."""
    assert replay("layer", *OWN).returncode == 0
    assert (project / "layer.zip").read_bytes() == layer.read_bytes()


def test_order_and_date_leave_no_trace_in_the_bytes():
    """Names are sorted and dates fixed; another content is another zip."""
    files = {"python/b.py": b"1", "python/a.py": b"2"}
    zips = [io.BytesIO() for _ in range(3)]
    for names, file in zip(
        (files, dict(reversed(files.items())), {WRAPPER: b""}), zips, strict=True
    ):
        Layer(names, {}, {}).write(file)
    assert zips[0].getvalue() == zips[1].getvalue() != zips[2].getvalue()


@pytest.mark.long
def test_bytecode_is_left_out_where_no_interpreter_of_that_version_is(project, replay, monkeypatch):
    """That is said; one that only bears the name is none, and its own bytecode is of no use."""
    other = next(it for it in ("3.13", "3.12") if it != VERSION)
    (project / f"python{other}").symlink_to(sys.executable)
    for path in ("", str(project)):
        monkeypatch.setenv("PATH", path)
        done = replay("layer", "--python", other, "--force")
        assert done.returncode == 0, done.stderr
        assert f"no python{other} is on the path" in done.stderr
        with zipfile.ZipFile(project / "layer.zip") as archive:
            assert [name for name in archive.namelist() if name.endswith(".pyc")] == []


@pytest.mark.slow
def test_every_module_of_a_layer_has_its_bytecode(layer):
    """Where Python looks for it: /opt cannot be written to, and a cold start is short."""
    with zipfile.ZipFile(layer) as archive:
        names = set(archive.namelist())
    tag = sys.implementation.cache_tag
    sources = [Path(name) for name in names if name.endswith(".py")]
    wanted = {f"{it.parent.as_posix()}/__pycache__/{it.stem}.{tag}.pyc" for it in sources}
    assert wanted == {name for name in names if name.endswith(".pyc")}


@pytest.mark.slow
def test_sizes_and_contents_are_told(layer, project, replay):
    """As text, and as JSON with the same figures; how to publish it on stderr."""
    done = replay("layer", *OWN, "-o", "mine.zip")
    document = json.loads(replay("layer", *OWN, "-o", "mine.zip", "--force", "--json").stdout)
    with zipfile.ZipFile(project / "mine.zip") as archive:
        sizes = [info.file_size for info in archive.infolist()]
    assert document["zipped_bytes"] == layer.stat().st_size
    assert document["unzipped_bytes"] == sum(sizes)
    assert sum(content["files"] for content in document["contents"]) == len(sizes)
    assert (document["path"], document["python"], document["arch"]) == ("mine.zip", VERSION, ARCH)
    assert f"{document['unzipped_bytes'] / 1000:,.0f} KB unzipped" in done.stdout
    assert "publish-layer-version" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--python", "3.10"), "not a version from 3.11 on"),
        (("--python", "../3.13"), "not a version from 3.11 on"),
        (("-o", "-"), "not for a terminal"),
        (("-o", "missing/layer.zip"), "cannot be written"),
        (("-o", "there.zip"), "--force"),
        (("-o", "."), "is a directory"),
    ],
)
def test_a_layer_that_cannot_be_made_is_one_clear_line(project, replay, arguments, words):
    """Before anything is fetched; what is there stays as it is."""
    (project / "there.zip").write_bytes(b"theirs")
    assert words in one_line_error(replay("layer", *arguments))
    assert [it.name for it in project.iterdir()] == ["there.zip"]
    assert (project / "there.zip").read_bytes() == b"theirs"


@pytest.mark.slow
def test_a_platform_without_a_wheel_is_named(project, replay, monkeypatch):
    """pip's own reason, and nothing is left behind."""
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)  # pip then gives another reason
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project))
    text = one_line_error(replay("layer", "--python", "3.13", "--arch", "arm64"))
    assert "Python 3.13 on arm64: No matching distribution found" in text
    assert list(project.iterdir()) == []


@pytest.mark.slow
def test_an_environment_without_pip_is_told_how_to_get_it(project, tmp_path, replay, monkeypatch):
    """As those that other installers make."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare/bin/python"))
    assert "ensurepip" in one_line_error(replay("layer"))
