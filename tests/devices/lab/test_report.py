"""Results for people and for CI."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from devices.lab.report import junit, result_lines, summary_line
from devices.lab.result import Failure, ScenarioResult
from tests.support.scenarios import play

LEADER = '[[step]]\nexpect = "RoleChanged"\nwhere = { role = "leader" }\nwithin = "2s"\n'


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> ScenarioResult:
    return play(tmp_path_factory.mktemp("passed"), LEADER)


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> ScenarioResult:
    return play(tmp_path_factory.mktemp("failed"), LEADER.replace("leader", "child") + LEADER)


def test_a_scenario_that_passed_is_one_line(passed: ScenarioResult) -> None:
    assert list(result_lines(passed)) == [f"PASS  {passed.path}  seed 1  1 steps in 1.000 s of virtual time"]


def test_a_failure_shows_its_steps_reason_nearest_ladder_and_replay(failed: ScenarioResult) -> None:
    lines = list(result_lines(failed))
    assert lines[0].startswith(f"FAIL  {failed.path}  seed 1  2 steps")
    assert lines[1].split()[:4] == ["1", "0.000", "s", "FAILED"]
    assert lines[2].split() == ["2", "-", "expect", "RoleChanged"]
    assert lines[3] == "  step 1: no RoleChanged where role = 'child' within 2s"
    assert sum(line.startswith("  nearest: ") for line in lines) == 3
    assert any("RoleChanged role=leader" in line for line in lines)
    assert lines[-1] == f"  again: {failed.replay}"


def test_a_failure_names_the_faults_that_never_fired(tmp_path: Path) -> None:
    fault = '[[fault]]\nkind = "drop"\nid = "loss"\nmedium = "air"\n'
    result = play(tmp_path, fault + LEADER.replace("leader", "child"))
    assert "  never fired: loss" in list(result_lines(result))
    (case,) = ElementTree.fromstring(junit([result])).iter("testcase")  # noqa: S314  # our own document
    assert "never fired: loss" in (case.findtext("failure") or "")


def test_the_json_document_says_the_same(failed: ScenarioResult) -> None:
    document = failed.as_json()
    assert (document["passed"], document["seed"], document["failure"]["step"]) == (False, 1, 1)
    assert [each["outcome"] for each in document["steps"]] == ["failed", "skipped"]
    assert document["failure"]["nearest"][0]["misses"] == ["role is 'leader'"]


def test_the_summary_counts(passed: ScenarioResult, failed: ScenarioResult) -> None:
    assert summary_line([passed, failed, passed]) == "2 passed, 1 failed"


def test_junit_holds_every_case_and_the_failures_text(passed: ScenarioResult, failed: ScenarioResult) -> None:
    suite = ElementTree.fromstring(junit([passed, failed]))[0]  # noqa: S314  # our own document
    assert suite.attrib["tests"] == "2"
    assert suite.attrib["failures"] == "1"
    good, bad = suite.findall("testcase")
    assert good.find("failure") is None
    failure = bad.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "no RoleChanged where role = 'child' within 2s"
    assert failed.replay in (failure.text or "")


def test_junit_of_hostile_texts_is_still_xml(passed: ScenarioResult) -> None:
    hostile = replace(
        passed,
        name="a\x00b\ud800<&>\x1b",
        path=Path("x\x01.toml"),
        failure=Failure(1, "\x02]]>\ufffe"),
        client_output=("\x1b[2J", "tab\there"),
    )
    (case,) = ElementTree.fromstring(junit([hostile])).iter("testcase")  # noqa: S314  # our own document
    assert case.attrib["name"] == "a\\x00b\\ud800<&>\\x1b [seed 1]"
    assert case.findtext("system-out") == "\\x1b[2J\ntab\there"
