"""What DTLS with EC-JPAKE costs, both ends on one core: `.venv/bin/python scripts/bench/dtls.py [--mbedtls DIR]`.

A full handshake of our engines, datagrams passing by hand; then whole sessions of a Commissioner with a Border Agent
(handshake, petition, get, resign, close), and a hundred border routers with a Commissioner each. DIR holds a build of
Mbed TLS: its `ssl_client2` and `ssl_server2` make the same handshake over loopback. Compared is processor time: ours
of one process, theirs of both programs without what they need to start. Exit 1 where the goal is missed.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pairing.dtls.settings import DtlsSettings  # noqa: E402 - found by the path above
from pairing.engine import SECOND  # noqa: E402
from pairing.thread.commissioner import Commissioner  # noqa: E402
from pairing.thread.meshcop_events import DatasetReceived  # noqa: E402
from tests.support.dtls_pair import DtlsPair  # noqa: E402
from tests.support.meshcop import PSKC  # noqa: E402
from tests.support.meshcop_wire import PORTS, Wire  # noqa: E402
from tests.support.recorded_entropy import seeded  # noqa: E402

GOAL = 0.6
ROUNDS, SESSIONS, ROUTERS = 40, 60, 100
LOOPBACK = "127.0.0.1"
COMMON = (f"server_addr={LOOPBACK}", "ecjpake_pw=J01NME", "extended_ms=0", "groups=secp256r1")
SUITE = "force_ciphersuite=TLS-ECJPAKE-WITH-AES-128-CCM-8"
WITHOUT_COOKIE = DtlsSettings(cookie_exchange=False)
STARTED_S = 0.5


def our_handshake(seed: int, settings: DtlsSettings) -> float:
    """Processor seconds of one handshake of ours."""
    pair = DtlsPair(server=settings, seed=seed)
    begun = time.process_time()
    pair.connect()
    taken = time.process_time() - begun
    assert pair.completed("client").keys == pair.completed("server").keys
    return taken


def their_handshake(folder: Path) -> float:
    """Processor seconds of one handshake of Mbed TLS's two programs."""
    client, server = (_program(folder, name) for name in ("ssl_client2", "ssl_server2"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    starting = mean(_cost(_started(client, port, "dtls=0")) for _ in range(ROUNDS))  # nobody listens on TCP
    costs = []
    for rounds in (0, ROUNDS):
        served = _started(server, port, "dtls=1", "cookies=0")
        time.sleep(STARTED_S)
        connected = sum(_cost(_started(client, port, "dtls=1", SUITE), 0) - starting for _ in range(rounds))
        served.terminate()
        costs.append(connected + _cost(served))
    return (costs[1] - costs[0]) / ROUNDS


def _program(folder: Path, name: str) -> str:
    for place in (folder / name, folder / "programs" / "ssl" / name):
        if place.is_file():
            return str(place)
    raise SystemExit(f"there is no {name} in {folder}")


def _started(program: str, port: int, *options: str) -> "subprocess.Popen[bytes]":
    command = [program, *COMMON, f"server_port={port}", *options]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _cost(process: "subprocess.Popen[bytes]", expected: int | None = None) -> float:
    """Processor seconds of a program, which is waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if expected is not None and process.returncode != expected:
        raise SystemExit(f"{process.args} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def session(wire: Wire, number: int) -> None:
    """A Commissioner connects, petitions, reads the dataset and leaves."""
    engine = Commissioner(PORTS[""], PSKC, seeded(number))
    client = wire.add(engine, port=50000 + number)
    for intent in (engine.start, engine.petition, engine.get_active, engine.resign, engine.close):
        wire.do(client, intent)
        wire.run(SECOND // 10)
    assert any(isinstance(event, DatasetReceived) for event in client.events)
    assert engine.state.is_final
    del wire.clients[client.address]


def show_sessions() -> None:
    """Sessions per second, one after the other and with a hundred routers."""
    wire = Wire()
    begun = time.perf_counter()
    for number in range(SESSIONS):
        session(wire, number)
    cost = (time.perf_counter() - begun) / SESSIONS
    print(f"session with petition, get, stop {cost * 1e3:6.2f} ms  {1 / cost:6.0f} a second, both ends")
    wires = [Wire(seed=number) for number in range(ROUTERS)]
    begun = time.perf_counter()
    for number, each in enumerate(wires):
        session(each, number)
    print(f"{ROUTERS} border routers, a session each {time.perf_counter() - begun:6.2f} s")


def show_handshakes(folder: Path | None) -> bool:
    """The cost of a handshake, beside theirs if there is a build; whether the goal is met."""
    costs = [median(our_handshake(seed, each) for seed in range(ROUNDS)) for each in (DtlsSettings(), WITHOUT_COOKIE)]
    for name, cost in zip(("with", "without"), costs, strict=True):
        print(f"handshake {name + ' cookie':<22} {cost * 1e3:6.2f} ms  {1 / cost:6.0f} a second, both ends")
    if folder is None:
        return True
    other = their_handshake(folder)
    ratio = costs[1] / other
    verdict = "" if ratio <= GOAL else "  MISSED"
    print(f"  Mbed TLS, without cookie       {other * 1e3:6.2f} ms  ratio {ratio:.2f} (goal <= {GOAL}){verdict}")
    return ratio <= GOAL


def main() -> int:
    """0 when the goal is met, or there is nothing to compare with."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--mbedtls", metavar="DIR", type=Path, help="a build of Mbed TLS, to compare with")
    asked = parser.parse_args()
    our_handshake(-1, DtlsSettings())  # what is loaded and set up at first use
    is_met = show_handshakes(asked.mbedtls)
    show_sessions()
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
