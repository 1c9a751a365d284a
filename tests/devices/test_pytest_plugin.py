"""The pytest plugin, in runs of its own: what its fixture gives, what is left, and what is kept of a failing test."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devices.transcripts.export import to_json_lines
from devices.transcripts.show import read_file

pytest_plugins = ["pytester"]

HEAVY = ("bumble", "cbor2", "cryptography", "fastapi", "pydantic", "uvicorn", "zeroconf")
EXAMPLE = Path(__file__).parent.parent / "examples" / "test_border_router.py"
HOME = """
[[accessory]]
id = "br"
kind = "thread-border-router"
"""
STRICT = """
[pytest]
filterwarnings =
    error
    ignore:The configuration option .asyncio_default_fixture_loop_scope
"""
NOTHING_LEFT = """
import threading
from pathlib import Path
import pytest

def open_sockets():
    descriptors = Path("/proc/self/fd")
    return sum(each.is_socket() for each in descriptors.iterdir()) if descriptors.exists() else 0

@pytest.fixture(autouse=True)
def nothing_is_left():
    before = (set(threading.enumerate()), open_sockets())
    yield
    assert (set(threading.enumerate()), open_sockets()) == before
"""
FAILING = """
from pathlib import Path

def test_before(pairlab_home):
    home = pairlab_home("home.toml")
    second = pairlab_home("home.toml")
    assert home["br"].facts["ext_address"] != second["br"].facts["ext_address"]

def test_fails(pairlab_home):
    home = pairlab_home("home.toml")
    Path("drawn.txt").write_text(home["br"].facts["ext_address"])
    home.events.wait("RoleChanged", where={"role": "router"}, within="1ms")

def test_counts_on_a_fault(pairlab_home):
    pairlab_home.virtual({"fault": [{"kind": "drop", "id": "never-met"}, {"kind": "drop", "optional": True}]}, seed=5)
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> "Run":
    """A folder with a home file, the check that nothing is left, and strict warnings."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # the inner run is nobody's worker
    pytester.makeini(STRICT)
    pytester.makeconftest(NOTHING_LEFT)
    (pytester.path / "home.toml").write_text(HOME)
    return Run(pytester)


class Run:
    """Runs pytest as a user does, in another process."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.path = pytester.path
        self._pytester = pytester

    def __call__(self, test: str, *options: str, file: str = "test_it.py") -> pytest.RunResult:
        target = self.path / file
        target.parent.mkdir(exist_ok=True)
        target.write_text(test)
        # Of the other plugins, hypothesis is the one that takes longer to load than all of a small run.
        return self._pytester.runpytest_subprocess("-pno:hypothesispytest", *options, timeout=60)


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import devices.pytest_plugin, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "devices.pytest_plugin" in loaded
    assert sorted(set(loaded) & {*HEAVY, "asyncio", "devices.home"}) == []


def test_example_works_and_nothing_is_left(run: Run) -> None:
    run.path.joinpath("test_light.py").write_text(f"""
import sys

def test_a_run_without_a_home_loads_nothing_heavy(request):
    assert request.config.pluginmanager.hasplugin("pairlab")
    assert sorted(set(sys.modules) & {set(HEAVY)!r}) == []

def test_asking_for_the_fixture_loads_nothing_heavy(pairlab_home):
    assert sorted(set(sys.modules) & {set(HEAVY)!r}) == []
""")
    run.path.joinpath("test_virtual.py").write_text("""
import pytest

def test_virtual_time_passes_inside_calls_only(pairlab_home):
    home = pairlab_home.virtual("home.toml", seed=3)
    assert home.events.wait("RoleChanged", where={"role": "leader"}).at_us == 200_000
    assert home.seed == 3

@pytest.mark.asyncio
async def test_virtual_home_in_an_asynchronous_test(pairlab_home):
    home = pairlab_home.virtual("home.toml")
    assert (await home.events.wait_async("RoleChanged", where={"role": "leader"})).at_us == 200_000
    await home["br"].do("power-off")
""")
    # The light tests must come first: what later ones load stays loaded.
    run(EXAMPLE.read_text(), "test_light.py", "test_it.py", "test_virtual.py").assert_outcomes(passed=6)


WITHOUT_HOME = """
import socket
import pytest

def test_without_a_home_there_is_no_socket():
    with pytest.raises((RuntimeError, UserWarning)):
        socket.socket()
"""
OTHER_HOST = """
import socket
import pytest

def test_other_hosts_stay_fenced_off(pairlab_home):
    with socket.socket() as trial, pytest.raises((RuntimeError, UserWarning)):
        trial.connect(("192.0.2.1", 9))
"""


@pytest.mark.parametrize(
    ("fence", "fenced"),
    [(["--disable-socket"], WITHOUT_HOME), (["--disable-socket", "--allow-hosts=127.0.0.1"], OTHER_HOST)],
)
def test_example_works_behind_a_socket_fence(run: Run, fence: list[str], fenced: str) -> None:
    run.path.joinpath("test_fence.py").write_text(fenced)
    run(EXAMPLE.read_text(), *fence).assert_outcomes(passed=3)


def test_example_works_without_the_other_plugins(run: Run) -> None:
    only_synchronous = EXAMPLE.read_text().partition("\n\n@pytest.mark.asyncio")[0]
    options = [f"-pno:{name}" for name in ("socket", "asyncio", "xdist", "anyio", "cacheprovider")]
    run(only_synchronous, *options).assert_outcomes(passed=1)


def test_failing_test_keeps_its_artifacts_and_can_be_repeated(run: Run) -> None:
    # The home file lies beside the test, the run is started above it.
    run.path.joinpath("sub").mkdir()
    run.path.joinpath("home.toml").rename(run.path / "sub" / "home.toml")
    first = run(FAILING, "--pairlab-artifacts", "kept", "--junitxml", "report.xml", file="sub/test_it.py")
    first.assert_outcomes(passed=2, failed=1, errors=1)
    first.stdout.fnmatch_lines(["*never fired: never-met;*", "*home 'Home' (virtual time): seed 5"])
    text = first.stdout.str()
    [seed] = set(re.findall(r"home 'Home' \(real time\): seed (\d+)", text))
    replay = f"pytest sub/test_it.py::test_fails --pairlab-seed {seed}"
    assert f"replay: {replay}\n" in text
    assert f'name="pairlab_replay" value="{replay}"' in run.path.joinpath("report.xml").read_text()
    first.stdout.fnmatch_lines(["  before the failure:", "*seconds  *", "*  ◆  *"])
    kept = sorted(run.path.joinpath("kept").iterdir())
    assert [each.name[:-9] for each in kept] == ["sub-test_it.py-test_counts_on_a_fault", "sub-test_it.py-test_fails"]
    assert {each.name for each in kept[1].iterdir()} == {
        "transcript.cbor",
        "capture.pcapng",
        "ladder.txt",
        "replay.txt",
    }
    assert kept[1].joinpath("replay.txt").read_text() == replay + "\n"
    records: list[bytes] = []
    to_json_lines(read_file(kept[1] / "transcript.cbor"), records.append)
    assert json.loads(records[0])["seed"] == int(seed)
    assert any(json.loads(each).get("type") == "RoleChanged" for each in records)
    drawn = run.path.joinpath("drawn.txt").read_text()
    run(FAILING, *replay.split()[1:], file="sub/test_it.py").assert_outcomes(failed=1)
    assert run.path.joinpath("drawn.txt").read_text() == drawn


SCENARIO = """
name = "Leads"
seed = 4
[[accessory]]
id = "br"
kind = "thread-border-router"
[[step]]
expect = "RoleChanged"
where = { role = "leader" }
"""
PLAYING = """
import sys
import pytest

def test_passes(pairlab_scenario):
    result = pairlab_scenario("leads.toml", seed=7)
    assert (result.seed, result.virtual) == (7, True)

@pytest.mark.asyncio
async def test_passes_in_an_asynchronous_test_beside_a_program(pairlab_scenario):
    assert not pairlab_scenario("leads.toml", client=[sys.executable, "-c", ""]).virtual

def test_a_program_that_fails(pairlab_scenario):
    pairlab_scenario("leads.toml", client=[sys.executable, "-c", "raise SystemExit('no cookie')"])
"""


def test_a_scenario_is_played_in_a_test_beside_a_program_of_the_users(run: Run) -> None:
    run.path.joinpath("leads.toml").write_text(SCENARIO)
    played = run(PLAYING, "--pairlab-artifacts", "kept")
    played.assert_outcomes(passed=2, failed=1)
    played.stdout.fnmatch_lines(
        [
            "*after the last step: the client ended with exit code 1, expected 0",
            "*no cookie",
            "*again: pairlab run *leads.toml --seed 4 --client *no cookie*",
            "*or: pytest test_it.py::test_a_program_that_fails --pairlab-seed 4",
            "*artifacts: *kept*test_a_program_that_fails-*",
        ]
    )
    [kept] = run.path.joinpath("kept").iterdir()
    assert kept.joinpath("replay.txt").read_text() == (
        "pytest test_it.py::test_a_program_that_fails --pairlab-seed 4\n"
    )


def test_artifacts_of_several_workers_do_not_meet(run: Run) -> None:
    failing = "import pytest\n@pytest.mark.parametrize('x', ['a/b', 'a b', '../c', 'd' * 300])\n" + (
        "def test_it(pairlab_home, x):\n    pairlab_home.virtual({})\n    pairlab_home.virtual({})\n    assert False\n"
    )
    run(failing, "-n", "2", "--pairlab-artifacts", str(run.path / "kept")).assert_outcomes(failed=4)
    kept = [each.name for each in run.path.joinpath("kept").iterdir()]
    assert len(kept) == 8
    assert sum(name.endswith("-home2") for name in kept) == 4
    assert all(re.fullmatch(r"[\w.-]{1,120}", name) for name in kept)
    assert {re.search(r"-(gw\d)", name)[1] for name in kept} <= {"gw0", "gw1"}


def test_seed_that_is_none_is_wrong_usage(run: Run) -> None:
    result = run("", "--pairlab-seed", "-3")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*a seed is a number from 0 to 9223372036854775807, not '-3'*"])


def test_home_of_a_test_is_not_put_on_the_air_by_its_file(pairlab_home, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.delenv("PAIRLAB_REACH", raising=False)
    home = pairlab_home('reach = "all"\n' + HOME)
    assert home.live.options.reach == "loopback"
    assert "PAIRLAB_REACH" not in os.environ
