"""`pairlab up --transcript --secrets`: tshark reads from the export all that was said on a border router's ports."""

import asyncio
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from devices.cli.control_client import ControlClient
from devices.driver import EngineDriver
from devices.sim.clock import Clock
from devices.transports.udp_client import UdpClient
from pairing.engine import Endpoint, Event
from pairing.thread.joiner import Joiner
from pairing.thread.meshcop_events import JoinerEntrusted
from tests.support.command_line import home_up, run_process
from tests.support.needs import requires_tools
from tests.support.recorded_entropy import seeded
from tests.support.thread_network import DATASET

pytestmark = pytest.mark.interop

HOME = f"""
name = "Sealed"
[[accessory]]
id = "br"
kind = "thread-border-router"
attach = "0.1s"
rest_port = 0
dataset = "{DATASET.hex()}"

[[commissioner]]
id = "installer"
"""
EUI64, PSKD = bytes.fromhex("18b4300000000002"), "J01NU5"


async def join(router: Endpoint) -> JoinerEntrusted:
    """Join at a joiner port, as a device of a program outside does."""
    clock = Clock(asyncio.get_running_loop(), virtual=False)
    entrusted: asyncio.Future[JoinerEntrusted] = asyncio.get_running_loop().create_future()

    def note(event: Event) -> None:
        if isinstance(event, JoinerEntrusted):
            entrusted.set_result(event)

    joiner = EngineDriver(Joiner(router, EUI64, PSKD, seeded("joiner")), clock, on_event=note)
    path = await UdpClient.open(router, joiner.deliver, lambda: None)
    joiner.port = path
    joiner.do(lambda engine, now: engine.start(now))
    try:
        return await asyncio.wait_for(entrusted, 20)
    finally:
        joiner.stop()
        clock.close()
        await path.close()


class Session:
    """What a running home was told to do, and the ports at which it was done."""

    def __init__(self, api: str) -> None:
        self._client = ControlClient(api)
        self.meshcop, self.joiner = (self._port(name) for name in ("meshcop", "joiner"))
        self.ephemeral_key = 0

    def _port(self, name: str) -> int:
        return int(self._client.get("v1", "accessories", "br")["endpoints"][name].rpartition(":")[2])

    def do(self, role: str, actor: str, verb: str, **arguments: Any) -> Any:
        document = self._client.post("v1", role, actor, "actions", verb, body=arguments, secrets=True)
        assert document["outcome"] == "done", document
        return document["value"]

    def run(self) -> None:
        """A petition, a dataset read and set, a joiner, a sharing code, a resignation."""
        self.do("commissioners", "installer", "petition")
        self.do("commissioners", "installer", "get")
        self.do("commissioners", "installer", "set", fields={"network_name": "Attic"})
        self.do("commissioners", "installer", "enable-joiner", joiner=EUI64.hex(), pskd=PSKD)
        assert (DATASET.network_key or b"none") in asyncio.run(join(Endpoint("127.0.0.1", self.joiner))).tlvs
        shared = self.do("accessories", "br", "share-code")
        self.ephemeral_key = shared["port"]
        self.do("commissioners", "installer", "fetch", code=shared["code"])
        self.do("commissioners", "installer", "resign")


class Capture:
    """The export in tshark, which is told which ports speak DTLS."""

    def __init__(self, path: Path, session: Session) -> None:
        self._path = path
        self._as = [
            part
            for port in (session.meshcop, session.joiner, session.ephemeral_key)
            for part in ("-d", f"udp.port=={port},dtls", "-d", f"dtls.port=={port},coap")
        ]

    def fields(self, *names: str, where: str) -> list[list[str]]:
        wanted = [part for name in names for part in ("-e", name)]
        command = ["tshark", "-r", str(self._path), *self._as, "-Y", where, "-T", "fields", *wanted]
        done = subprocess.run(command, check=True, text=True, capture_output=True, timeout=60)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def requests(self, port: int) -> list[str]:
        """The paths of the requests that came to a port and went out of it."""
        where = f"udp.port == {port} && coap.code == 2"
        return [path for (path,) in self.fields("coap.opt.uri_path_recon", where=where)]


def test_tshark_reads_a_whole_session_from_its_export(tmp_path: Path) -> None:
    requires_tools("tshark")
    (tmp_path / "home.toml").write_text(HOME)
    options = ("--seed", "3", "--transcript", str(tmp_path / "transcripts"), "--secrets")
    with home_up(tmp_path, str(tmp_path / "home.toml"), *options) as home:
        home.until("RoleChanged", role="leader")
        session = Session(home.ready["api"])
        session.run()
        assert home.stop().code == 0
    (transcript,) = (tmp_path / "transcripts").glob("*.cbor")
    exported = run_process(tmp_path, "transcript", "export", str(transcript), "--pcapng", str(tmp_path / "all.pcapng"))
    assert exported.code == 0, exported.err
    capture = Capture(tmp_path / "all.pcapng", session)
    main = Counter(capture.requests(session.meshcop))
    assert main["/c/cp"] == main["/c/ca"] == 1, "petition and resignation"
    assert main["/c/ag"] >= 2
    assert {"/c/ut", "/c/ur", "/c/rx", "/c/tx"} <= set(main), "the proxy and the relay"
    assert capture.requests(session.ephemeral_key) == ["/c/ag", "/c/pg"]
    assert capture.requests(session.joiner) == ["/c/jf"], "inside the joiner's own DTLS"
    assert capture.fields("frame.number", where="_ws.malformed") == []
