"""Unmodified programs that may not use the local network: refused, granted, cut off; and how one asks for it."""

import asyncio
import contextlib
import json
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.cli.exec_ import serve
from devices.errors import ScenarioError, UsageError
from devices.home import HomeOptions, LiveHome
from devices.home.live import read_fault
from devices.lab.behind_doors import LocalNetworkOption
from devices.lab.client import ServeControl
from devices.lab.exec import CommandNotFoundError, ExecPlan, exec_beside
from devices.lab.scenario import read_scenario
from devices.spec import Gate, read_home
from tests.support.needs import requires_private_networks, requires_tools

BR = {"id": "br", "kind": "thread-border-router", "name": "Living Room", "attach": "0.1s"}
QUERY = "000000000001000000000000085f6d657368636f70045f756470056c6f63616c00000c0001"
ENOUGH = 6
JAVA = Path(__file__).parents[2] / "support" / "LocalNetworkHub.java"

HUB = f"""
import json, os, socket, sys, time, urllib.request
home = json.load(open(os.environ["PAIRLAB_HOME"]))
rest = home["accessories"][0]["endpoints"]["rest"]
query, group = bytes.fromhex("{QUERY}"), ("224.0.0.251", 5353)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.2)

def error_of(call):
    try:
        call()
        return 0
    except OSError as problem:
        return getattr(problem, "reason", problem).errno

found = []
def note():
    sent = error_of(lambda: sock.sendto(query, group))
    found.append([sent, error_of(lambda: urllib.request.urlopen(rest + "/node"))])

def control(method, path, body=None):
    request = urllib.request.Request(os.environ["PAIRLAB_URL"] + path, json.dumps(body).encode(), method=method)
    request.add_header("Content-Type", "application/json")
    return json.load(urllib.request.urlopen(request))
"""
GRANTED_LATER = f"""{HUB}
while not found or any(found[-1]):
    note()
    time.sleep(0.02)
answer = b""
while not answer:  # a responder that still probes does not answer
    try:
        answer = sock.recv(9000)
    except TimeoutError:
        sock.sendto(query, group)
json.dump([found[0], found[-1], b"Living Room" in answer], open(sys.argv[1], "w"))
"""
ASKED_OVER_HTTP = f"""{HUB}
note()
fault = control("POST", "/v1/faults", {{"kind": "local-network-denied", "target": "client", "reject": "refused"}})
note()
fired = control("POST", "/v1/events/wait", {{"type": "FaultFired", "timeout": "5s"}})
control("DELETE", "/v1/faults/" + fault["id"])
note()
json.dump([found, fired["event"]["what"]], open(sys.argv[1], "w"))
"""


@asynccontextmanager
async def _serve_and_grant(live: LiveHome) -> AsyncIterator[str]:
    """Once the program has been refused several times, its user allows it."""

    async def grant() -> None:
        refused = 0
        async with contextlib.aclosing(live.log.follow(0)) as events:
            async for event in events:
                if event.type == "FaultFired":
                    refused += int(event["what"].split()[0])
                if refused >= ENOUGH:
                    live.remove_fault(str(event["fault"]))
                    return

    async with serve(live) as url:
        task = asyncio.ensure_future(grant())
        yield url
        task.cancel()


def _exec(
    option: str,
    *command: str,
    gate: Gate = "all",
    faults: Sequence[Mapping[str, object]] = (),
    serve: ServeControl = serve,
) -> int:
    requires_private_networks()
    plan = ExecPlan(
        spec=read_home({"accessory": [BR], "fault": [dict(each) for each in faults]}),
        source=b"",
        seed=5,
        reach="loopback",
        command=command,
        replay="",
        local_network=LocalNetworkOption.parse(option) if option else None,
        gate=gate,
    )
    return asyncio.run(exec_beside(plan, serve))


def test_a_python_program_is_refused_and_once_it_is_granted_finds_and_reads_the_border_router(tmp_path: Path) -> None:
    note = tmp_path / "note"
    assert _exec("denied", sys.executable, "-c", GRANTED_LATER, str(note), serve=_serve_and_grant) == 0
    assert json.loads(note.read_text()) == [[113, 113], [0, 0], True]


def test_it_is_denied_and_granted_over_http_in_the_middle_of_a_test(tmp_path: Path) -> None:
    note = tmp_path / "note"
    assert _exec("granted", sys.executable, "-c", ASKED_OVER_HTTP, str(note)) == 0
    found, what = json.loads(note.read_text())
    assert found == [[0, 0], [113, 111], [0, 0]]
    assert what.endswith(" refused")


def test_curl_is_refused_while_another_program_of_the_same_script_is_not(tmp_path: Path) -> None:
    requires_tools("curl")
    place = "import json, os; print(json.load(open(os.environ['PAIRLAB_HOME']))['accessories'][0]['endpoints']['rest'])"
    script = (
        f"rest=$({shlex.join([sys.executable, '-c', place])})\n"
        f"$PAIRLAB_GATE curl -sv $rest/node 2>{tmp_path / 'denied'}; denied=$?\n"
        f"curl -s -o {tmp_path / 'granted'} $rest/node && exit $denied\n"
    )
    assert _exec("denied", "sh", "-c", script, gate="prefix") == 7
    assert "No route to host" in (tmp_path / "denied").read_text()
    assert json.loads((tmp_path / "granted").read_text())["state"]


def test_a_java_program_is_told_no_route_to_host_until_it_is_granted(tmp_path: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("needs java")
    place = "import json, os; print(json.load(open(os.environ['PAIRLAB_HOME']))['accessories'][0]['endpoints']['rest'])"
    script = (
        f"rest=$({shlex.join([sys.executable, '-c', place])})\n"
        f"exec java -XX:TieredStopAtLevel=1 {JAVA} $rest {QUERY} >{tmp_path / 'said'} 2>&1\n"
    )
    assert _exec("denied", "sh", "-c", script, serve=_serve_and_grant) == 0
    refused = "java.net.NoRouteToHostException: No route to host"
    lines = (tmp_path / "said").read_text().splitlines()
    assert lines[0] == f"{refused} | {refused}"
    assert lines[-3:] == ["none | none", "answered", "200"]


def test_a_fault_of_the_home_file_is_about_the_program_beside_it() -> None:
    denied = {"kind": "local-network-denied", "target": "client"}
    send = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('224.0.0.251', 5353))"
    assert _exec("", "sh", "-c", f"! {shlex.join([sys.executable, '-c', send])} 2>/dev/null", faults=(denied,)) == 0


def test_the_option_says_how_programs_are_refused_and_for_how_long() -> None:
    parse = LocalNetworkOption.parse
    assert parse("granted") == LocalNetworkOption()
    assert parse("denied") == LocalNetworkOption("no-route")
    assert parse("refused:2m") == LocalNetworkOption("refused", "2m")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no", "--local-network is granted, denied or refused"),
        ("granted:5s", "not 'granted:5s'"),
        ("denied:", "not 'denied:'"),
        ("denied:soon", "--local-network denied:soon: "),
        ("", "not ''"),
    ],
)
def test_an_option_that_says_nothing_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        LocalNetworkOption.parse(text)


@pytest.mark.parametrize(
    ("fault", "client", "reason"),
    [
        ('target = "client"', "", r"target 'client' is the program of \[client\], and there is none"),
        ('target = "br"', "", "target is a phone of the home, or 'client'.* not 'br'"),
        ("", "", "not '\\*'"),
        ('target = "phon"', "", "did you mean 'phone'"),
        ('target = "phone"\nreject = "maybe"', "", "reject: "),
        ('target = "client"\nfor = "5s"', "[client]\ncommand = ['true']\n", "has no parameter 'for'"),
    ],
)
def test_a_fault_that_is_about_nobody_is_refused_before_the_run(
    tmp_path: Path, fault: str, client: str, reason: str
) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(
        '[[accessory]]\nid = "br"\nkind = "thread-border-router"\n[[phone]]\nid = "phone"\n'
        f'{client}[[fault]]\nkind = "local-network-denied"\n{fault}\n[[step]]\nnever = "PeerLost"\n',
        encoding="utf-8",
    )
    with pytest.raises(ScenarioError, match=reason):
        read_scenario(path)


def test_without_doors_the_fault_says_how_to_have_them() -> None:
    with pytest.raises(UsageError, match="pairlab exec --local-network granted"):
        asyncio.run(_install_without_doors())


async def _install_without_doors() -> None:
    live = LiveHome(read_home({}), HomeOptions(virtual=False))
    try:
        live.install_fault(read_fault({"kind": "local-network-denied", "target": "client"}))
    finally:
        await live.stop()


def test_a_program_that_is_not_there_is_still_named() -> None:
    with pytest.raises(CommandNotFoundError, match="/nowhere/program: no such program"):
        _exec("denied", "/nowhere/program")
