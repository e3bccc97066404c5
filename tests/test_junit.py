"""`replay run --junit`: what CI systems read, and that nothing captured gets the better of it."""

import dataclasses
import json
import re
import tracemalloc
import xml.etree.ElementTree as ET
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_html import (
    CONTROL,
    HOSTILE,
    drift,
    drift_with_calls,
    error,
    hostile,
    match_with_calls,
    unfinished,
)
from test_recording import ID
from test_run import ECHO, returned, store

from replay.errors import ReplayError
from replay.replayer.verdict import Verdict
from replay.report.file import ReportFile
from replay.report.junit import JUNIT, JUnitStream
from replay.report.text import failure_text

CHILDREN = {  # of the schema that Jenkins's plug-in checks, in what is used of it
    "testsuites": ("testsuite",),
    "testsuite": ("properties", "testcase"),
    "properties": ("property",),
    "property": (),
    "testcase": ("error", "failure", "system-out"),
    "failure": (),
    "error": (),
    "system-out": (),
}
COUNTS = {"name", "tests", "failures", "errors", "time"}
ATTRIBUTES = {
    "testsuites": COUNTS,
    "testsuite": COUNTS | {"skipped", "timestamp", "hostname"},
    "property": {"name", "value"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
}


def written(path: Path, *verdicts: Verdict) -> str:
    with ReportFile(path, JUNIT) as file:
        stream = JUnitStream(file)
        for verdict in verdicts:
            stream.add(verdict)
        stream.close()
    return path.read_text(encoding="utf-8")


def suite_of(path: Path, *verdicts: Verdict) -> ET.Element:
    """The suite of a report, which keeps the schema: elements in its order, its attributes."""
    root = ET.fromstring(written(path, *verdicts))
    for element in root.iter():
        children = list(dict.fromkeys(child.tag for child in element))
        assert children == [it for it in CHILDREN[element.tag] if it in children]
        assert set(element.attrib) == ATTRIBUTES.get(element.tag, set())
    (suite,) = root
    assert {k: root.attrib[k] for k in COUNTS} == {k: suite.attrib[k] for k in COUNTS}
    return suite


def test_a_report_keeps_the_schema_and_its_counts_add_up(tmp_path):
    """Counts in the head are those of what follows, times are seconds, the start has no zone."""
    verdicts = (match_with_calls(), drift_with_calls(), error(), unfinished(), drift(), error())
    suite = suite_of(tmp_path / "junit.xml", *verdicts)
    cases = suite.findall("testcase")
    assert [len(cases), len(suite.findall("*/failure")), len(suite.findall("*/error"))] == [
        int(suite.attrib[name]) for name in ("tests", "failures", "errors")
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
    assert [float(case.attrib["time"]) for case in cases] == [801e-6, 801e-6, 0, 801e-6, 801e-6, 0]
    assert float(suite.attrib["time"]) == pytest.approx(4 * 801e-6)
    properties = {it.attrib["name"]: it.attrib["value"] for it in suite.iter("property")}
    assert {k: v for k, v in properties.items() if k != "replay"} == {
        "noise": "2",
        "noise.entropy": "1",
        "noise.signature": "1",
    }


def test_a_case_is_named_by_its_recording_alone(tmp_path):
    """So that a CI system follows it from run to run, whatever comes of it."""
    suite = suite_of(tmp_path / "junit.xml", drift(700, 700), drift(), unfinished())
    named = [(it.attrib["classname"], it.attrib["name"]) for it in suite.iter("testcase")]
    assert named == [
        ("app.handler", f"{ID[-8:]} returned"),
        ("app.handler", f"{ID[-8:]} returned"),
        ("app.handler", f"{ID[-8:]} unfinished"),
    ]


def test_drift_is_a_failure_with_path_and_both_values(tmp_path):
    """In the message the first, in the text all; the handler's output is beside it."""
    (case,) = suite_of(tmp_path / "junit.xml", drift_with_calls()).iter("testcase")
    failure, out = case
    assert failure.attrib["message"].startswith("$.total: 700 -> 600, and ")
    assert failure.attrib["type"] == "drift"
    for words in ("$.items[2]", "recorded  3", "replayed  (nothing there)", "4 dynamodb PutItem"):
        assert words in failure.text
    assert "took the order" not in failure.text
    assert out.text == "replay: 2 noise\ntook the order\n"


def test_what_could_not_be_replayed_is_an_error_with_its_hint(tmp_path):
    """A match is neither."""
    wrong, fine = suite_of(tmp_path / "junit.xml", error(), drift(1, 1)).iter("testcase")
    (found,) = wrong
    said = "the handler tried to reach db.example.com:5432"
    assert found.tag == "error"
    assert found.attrib == {
        "message": f"{said} (hint: --allow-network lets it)",
        "type": "error",
    }
    assert said in found.text
    assert "hint: --allow-network lets it" in found.text
    assert [child.tag for child in fine] == ["system-out"]


def test_hostile_text_is_shown_as_it_is(tmp_path):
    """Markup as text, control characters as escapes, line ends of the output kept."""
    output = f"{HOSTILE}{CONTROL}]]>\ufffe\uffff\n\ttwo"
    verdict = hostile()
    replay = dataclasses.replace(verdict.replay, output=output)
    verdict = dataclasses.replace(verdict, replay=replay, error=None)
    wrong = dataclasses.replace(verdict, kind="error", error=ReplayError(output, output))
    case, other = suite_of(tmp_path / "junit.xml", verdict, wrong).iter("testcase")
    shown = HOSTILE + "\\x1b]52;c;aGk=\\x07 \\x9b \\u202e\\u2066 \\x00"
    assert case.attrib["classname"].startswith(HOSTILE[:200])
    assert f"{shown}]]>\\ufffe\\uffff\n\ttwo" in case.find("system-out").text
    assert f"{shown}]]>\\ufffe\\uffff\n\ttwo" in other.find("error").attrib["message"]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_gives_a_report_that_parses(tmp_path_factory, text):
    """Of every code point; what XML can hold and a terminal does not obey comes back as it was."""
    verdict = drift()
    replay = dataclasses.replace(verdict.replay, output=text)
    verdict = dataclasses.replace(verdict, replay=replay)
    (case,) = suite_of(tmp_path_factory.mktemp("junit") / "x.xml", verdict).iter("testcase")
    out = case.find("system-out")
    found = "" if out is None else out.text
    if text.isprintable() or not text:
        assert found == text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def test_unescaped_the_same_text_does_not_parse():
    """Positive control: the parser of these tests refuses what the report must not hold."""
    for text in (HOSTILE, "\x00", "\x1b", "\ufffe", "&"):
        with pytest.raises(ET.ParseError):
            ET.fromstring(f"<a>{text}</a>")


def test_a_long_output_is_cut_and_says_how_long_it_is(tmp_path):
    """CI systems give up on reports of many megabytes."""
    replay = dataclasses.replace(drift().replay, output="x" * 3_000_000)
    path = tmp_path / "junit.xml"
    (case,) = suite_of(path, dataclasses.replace(drift(), replay=replay)).iter("testcase")
    assert "cut: 65,536 of 3,000,000 characters" in case.find("system-out").text
    assert path.stat().st_size < 100_000


def test_memory_stays_flat_over_many_cases(tmp_path):
    """Cases go to the file; its head, with the counts, is put before them at the end."""
    replay = dataclasses.replace(drift().replay, output="x" * 5_000)
    verdict = dataclasses.replace(drift(), replay=replay)

    def peak(count: int) -> int:
        tracemalloc.start()
        with ReportFile(tmp_path / f"{count}.xml", JUNIT) as file:
            stream = JUnitStream(file)
            for _ in range(count):
                stream.add(verdict)
            stream.close()
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(1)
    few, many = peak(40), peak(160)  # both beyond the buffers of the files
    assert (tmp_path / "160.xml").stat().st_size > 800_000
    assert many < few + 50_000


@pytest.mark.slow
def test_the_command_writes_all_reports_of_one_run(project, replay):
    """JSON on stdout, a page and a JUnit report beside it; a report of ours is replaced."""
    store(project, ECHO, [returned(n=0), returned(n=7)])
    written(project / "junit.xml", error())
    done = replay("run", "--once", "--json", "--junit", "junit.xml", "--html", "page.html")
    assert (done.returncode, done.stderr) == (1, "")
    assert [it["verdict"] for it in json.loads(done.stdout)] == ["drift", "match"]
    suite = ET.parse(project / "junit.xml").getroot()[0]
    assert {k: suite.attrib[k] for k in ("tests", "failures", "errors")} == {
        "tests": "2",
        "failures": "1",
        "errors": "0",
    }
    assert "2 cases" in (project / "page.html").read_text()
    names = {it.name for it in project.iterdir() if "junit" in it.name or "page" in it.name}
    assert names == {"junit.xml", "page.html"}


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("other.xml", "is there already, and is no JUnit report of replay's"),
        ("absent/junit.xml", "No such file or directory"),
        ("-", "no JUnit report to stdout"),
        ("page.html", "name the same file"),
    ],
)
def test_a_place_that_cannot_take_a_report_is_refused_before_anything_is_replayed(
    project, replay, place, words
):
    """Exit 2 with a hint; what another tool has written stays as it is."""
    store(project, f"open({str(project / 'ran')!r}, 'w')\n{ECHO}", [returned(n=0)])
    (project / "other.xml").write_text('<?xml version="1.0" encoding="utf-8"?><testsuites/>')
    before = sorted(project.iterdir())
    done = replay("run", "--junit", place, "--html", "page.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert sorted(project.iterdir()) == before


def test_an_interrupted_run_leaves_the_report_from_before(tmp_path):
    """And no half of a new one."""
    path = tmp_path / "junit.xml"
    before = written(path, drift())
    with suppress(KeyboardInterrupt), ReportFile(path, JUNIT) as file:
        stream = JUnitStream(file)
        stream.add(error())
        stream.close()
        raise KeyboardInterrupt
    assert [path] == list(tmp_path.iterdir())
    assert path.read_text() == before


def test_the_text_of_a_failing_case_is_plain_and_names_the_command():
    """What a test says: path, both values, calls, output, and how to replay the case alone."""
    text = failure_text(drift_with_calls(), "replay run x \x1b[31m")
    for words in (
        f"drift  {ID[-8:]}  app.handler",
        "$.total\n         recorded  700\n         replayed  600",
        "calls  4 matched, 1 changed, 1 unused, 1 extra, 1 reordered",
        "took the order",
        "to replay it alone: replay run x \\x1b[31m",
    ):
        assert words in text
    assert "to replay" not in failure_text(error(), None)
    assert "\x1b" not in failure_text(hostile(), None)
