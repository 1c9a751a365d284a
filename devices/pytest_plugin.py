"""The pytest plugin: `pairlab_home`, `pairlab_scenario`, and what is kept of a test that fails.

    def test_it_leads(pairlab_home):
        home = pairlab_home("home.toml")
        home.events.wait("RoleChanged", where={"role": "leader"})

    def test_my_hub_after_a_reset(pairlab_scenario):
        pairlab_scenario("hub-after-reset.toml", client=["python", "my_hub.py"])

Importing this loads nothing but pytest: every run of every project that has pairlab installed pays for it.
"""

import argparse
import hashlib
import os
import re
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest

if TYPE_CHECKING:
    from devices.home import Home
    from devices.lab.result import ScenarioResult
    from devices.spec import HomeSpec

    Source: TypeAlias = HomeSpec | Mapping[str, Any] | str | Path

SourceT = TypeVar("SourceT")
MAX_SEED = 2**63 - 1
_LONGEST_NAME = 80
_RUNGS = 20
"""How many of the last records of a home are shown below a failing test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options; both work with xdist."""
    group = parser.getgroup("pairlab", "virtual accessories")
    group.addoption(
        "--pairlab-seed",
        type=_seed,
        metavar="N",
        help="draw what the homes of tests draw from this seed, instead of the home file's or a new one",
    )
    group.addoption(
        "--pairlab-artifacts",
        metavar="DIR",
        help="keep the transcript, capture, ladder and replay command of each failing test's homes in this folder",
    )


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_SEED:
        raise argparse.ArgumentTypeError(f"a seed is a number from 0 to {MAX_SEED}, not {text!r}")
    return int(text)


class HomeFactory:
    """Makes the homes of one test: call it for real time, `virtual` for virtual time."""

    def __init__(self, item: pytest.Item, stack: ExitStack) -> None:
        self._item = item
        self._stack = stack
        self._option: int | None = item.config.getoption("--pairlab-seed")
        self._drawn: int | None = None
        self.homes: list[Home] = []
        self.failed = False
        self.bleak = False
        """Whether bleak in this test reaches each home that starts."""

    def __call__(self, source: "Source", seed: int | None = None) -> "Home":
        """A running home: a file, TOML text or tables; free ports, on a thread of its own until the test is over."""
        return self._start(source, seed, virtual=False)

    def virtual(self, source: "Source", seed: int | None = None) -> "Home":
        """A home on virtual time, for tests whose every party is pairlab's: time passes only inside calls."""
        return self._start(source, seed, virtual=True)

    def _start(self, source: "Source", seed: int | None, *, virtual: bool) -> "Home":
        from devices.home import Home

        given = self._option if seed is None else seed
        # What a home file says for `pairlab up` must not put a test on the air; the environment may, on purpose.
        reach = os.environ.get("PAIRLAB_REACH") or "loopback"
        source = _located(self._item, source)
        home = Home(source, seed=given, virtual=virtual, reach=reach)
        if given is None and home.spec.seed is None:
            home = Home(source, seed=self._draw(home.seed), virtual=virtual, reach=reach)
        self.homes.append(home)
        self._stack.callback(home.stop)
        home.start()
        if self.bleak and not virtual:
            reach_by_bleak(home)
        return home

    def _draw(self, fresh: int) -> int:
        # One number repeats the whole test: a further home draws from the next seed.
        self._drawn = fresh if self._drawn is None else self._drawn
        return (self._drawn + len(self.homes)) % (MAX_SEED + 1)

    def silent_faults(self) -> list[str]:
        """The faults that a test counted on and that never fired."""
        return [each for home in self.homes if home.running for each in home.call(partial(_silent, home))]

    @property
    def replay(self) -> str:
        """The one command that repeats the test."""
        seed = self._option if self._drawn is None else self._drawn
        option = "" if seed is None else f" --pairlab-seed {seed}"
        return f"pytest {shlex.quote(self._item.nodeid)}{option}"

    def folder(self, number: int) -> Path | None:
        """Where the artifacts of the test's n-th home go."""
        return _folder(self._item, f"home{number}" if number > 1 else "")

    def summary(self) -> str:
        """What is printed below a failing test."""
        lines = []
        for number, home in enumerate(self.homes, 1):
            time = "virtual time" if home.virtual else "real time"
            lines.append(f"home {home.spec.name!r} ({time}): seed {home.seed}")
            folder = self.folder(number)
            if folder is not None:
                lines.append(f"  artifacts: {folder}")
            lines += _last_events(home)
        return "\n".join([*lines, f"replay: {self.replay}"])

    def write_artifacts(self) -> None:
        """Keep what the homes of a failing test saw."""
        from devices.transcripts.export import write_artifacts

        for number, home in enumerate(self.homes, 1):
            folder = self.folder(number)
            if folder is not None and home.transcript:
                write_artifacts(folder, home.transcript, self.replay)


class ScenarioPlayer:
    """Plays scenario files in a test; one that fails fails the test, with its steps, its ladder and the replay."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._played = 0

    def __call__(
        self, path: str | Path, seed: int | None = None, client: "Sequence[str] | None" = None
    ) -> "ScenarioResult":
        """The result of one that passed. `client` runs in place of the file's own program, or beside a file without."""
        from devices.cli.exec_ import serve
        from devices.lab.report import result_lines
        from devices.lab.run import run_scenario
        from devices.lab.scenario import read_scenario, with_client
        from devices.transcripts.export import write_artifacts

        scenario = read_scenario(_located(self._item, Path(path)))
        scenario = scenario if client is None else with_client(scenario, client)
        given: int | None = self._item.config.getoption("--pairlab-seed")
        # A thread of its own: a scenario brings its own loop, and the test may be running in one.
        with ThreadPoolExecutor(1) as thread:
            result = thread.submit(run_scenario, scenario, seed if given is None else given, serve).result()
        self._played += 1
        if result.passed:
            return result
        replay = f"pytest {shlex.quote(self._item.nodeid)} --pairlab-seed {result.seed}"
        lines = [*result_lines(result), f"  or: {replay}"]
        folder = _folder(self._item, f"scenario{self._played}" if self._played > 1 else "")
        if folder is not None:
            write_artifacts(folder, result.transcript, replay)
            lines.append(f"  artifacts: {folder}")
        pytest.fail("\n".join(lines), pytrace=False)


def _located(item: pytest.Item, source: SourceT) -> "SourceT | Path":
    """A path as given, or beside the test that names it; anything else as it is."""
    path = Path(source) if isinstance(source, str) and "\n" not in source else source
    if isinstance(path, Path) and not path.exists():
        beside = item.path.parent / path
        return beside if beside.exists() else path
    return path


def _folder(item: pytest.Item, part: str) -> Path | None:
    """Where artifacts of a test go; another worker of xdist has another place."""
    directory: str | None = item.config.getoption("--pairlab-artifacts")
    if directory is None:
        return None
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", item.nodeid)[-_LONGEST_NAME:].strip("-.")
    digest = hashlib.sha256(item.nodeid.encode()).hexdigest()[:8]
    parts = [readable, digest, os.environ.get("PYTEST_XDIST_WORKER", ""), part]
    return item.config.invocation_params.dir / directory / "-".join(filter(None, parts))


def _last_events(home: "Home") -> Iterator[str]:
    """What the home saw last, and the faults that nothing has met."""
    from devices.transcripts.show import last_rungs

    silent = home.call(partial(_silent, home)) if home.running else []
    if silent:
        yield f"  never fired: {', '.join(silent)}"
    rungs = last_rungs(home.transcript, _RUNGS) if home.transcript else []
    if rungs:
        yield "  before the failure:"
        yield from (f"    {line}" for line in rungs)


def _silent(home: "Home") -> list[str]:
    return [each.id for each in home.live.faults.values() if each.silent]


_FACTORY = pytest.StashKey[HomeFactory]()


@pytest.fixture
def pairlab_home(request: pytest.FixtureRequest) -> Iterator[HomeFactory]:
    """`pairlab_home("home.toml")` is a running home, gone when the test is over; `pairlab_home.virtual(…)` likewise."""
    _enable_sockets(request)
    with ExitStack() as stack:
        factory = request.node.stash[_FACTORY] = HomeFactory(request.node, stack)
        yield factory
        silent = [] if factory.failed else factory.silent_faults()
    if factory.failed or silent:
        factory.write_artifacts()
    if silent:
        pytest.fail(
            f"never fired: {', '.join(silent)}; mark a fault that need not happen with optional = true\n"
            f"{factory.summary()}",
            pytrace=False,
        )


@pytest.fixture
def pairlab_scenario(request: pytest.FixtureRequest) -> ScenarioPlayer:
    """`pairlab_scenario("story.toml")` plays a scenario file, beside a program of yours with `client=[…]`."""
    _enable_sockets(request)
    return ScenarioPlayer(request.node)


def reach_by_bleak(home: "Home") -> None:
    """From now on, bleak in this process meets this home's accessories."""
    from devices.bluetooth.bleak_backend.install import VARIABLE

    os.environ[VARIABLE] = home.submit(home.live.open_hci()).result()


@pytest.fixture
def pairlab_bleak(pairlab_home: HomeFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[["Home"], None]]:
    """Unmodified bleak in this test reaches the home that was started last; call it with another home to change."""
    from devices.bluetooth.bleak_backend.install import VARIABLE, install

    # What is set on the way is undone with the test.
    monkeypatch.setenv(VARIABLE, "")
    pairlab_home.bleak = True
    undo = install()
    yield reach_by_bleak
    undo()
    pairlab_home.bleak = False


def _enable_sockets(request: pytest.FixtureRequest) -> None:
    # By request and not by name: the fixture is there only where pytest-socket is loaded.
    try:
        request.getfixturevalue("socket_enabled")
    except pytest.FixtureLookupError:
        pass


def pytest_itemcollected(item: pytest.Item) -> None:
    """Under `--disable-socket` the event loop of an asynchronous test needs its sockets before any fixture runs."""
    if not {"pairlab_home", "pairlab_scenario"} & {*getattr(item, "fixturenames", ())}:
        return
    config = item.config
    if config.getoption("--disable-socket", False) and not config.getoption("--allow-hosts", None):
        item.add_marker(pytest.mark.enable_socket)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Below a failing test: its homes, their seeds, and the command that repeats it."""
    report = yield
    factory = item.stash.get(_FACTORY, None)
    if factory is not None and report.failed and factory.homes:
        if report.when != "teardown":
            factory.failed = True
        report.sections.append(("pairlab", factory.summary()))
        # A JUnit file takes properties, and none of these sections.
        item.user_properties.append(("pairlab_replay", factory.replay))
    return report
