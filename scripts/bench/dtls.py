"""What DTLS with EC-JPAKE costs, both ends on one core: `.venv/bin/python scripts/bench/dtls.py [--mbedtls DIR]`.

A full handshake of our engines, datagrams passing by hand; then whole sessions of a Commissioner with a Border Agent
(handshake, petition, get, resign, close), and a hundred border routers with a Commissioner each. DIR holds a build of
Mbed TLS: its `ssl_client2` and `ssl_server2` make the same handshake over loopback through a relay, which takes the
time from the first ClientHello to the server's Finished. Rounds alternate. Exit 1 where the goal is missed.
"""

import argparse
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pairing.dtls.record import ContentType, decode_records  # noqa: E402 - found by the path above
from pairing.dtls.settings import DtlsSettings  # noqa: E402
from pairing.engine import SECOND  # noqa: E402
from pairing.thread.commissioner import Commissioner  # noqa: E402
from pairing.thread.meshcop_events import DatasetReceived  # noqa: E402
from tests.support.dtls_pair import DtlsPair  # noqa: E402
from tests.support.meshcop import PSKC  # noqa: E402
from tests.support.meshcop_wire import PORTS, Wire  # noqa: E402
from tests.support.recorded_entropy import seeded  # noqa: E402

GOAL = 0.6
ROUNDS, SESSIONS, ROUTERS = 40, 60, 100
COMMON = ("dtls=1", "server_addr=127.0.0.1", "ecjpake_pw=J01NME", "extended_ms=0", "groups=secp256r1")
WITHOUT_COOKIE = DtlsSettings(cookie_exchange=False)
LOOPBACK = "127.0.0.1"
Peer: TypeAlias = tuple[str, int] | None
PATIENCE_S = 5.0


def our_handshake(seed: int, settings: DtlsSettings) -> float:
    """Seconds of one handshake of ours."""
    pair = DtlsPair(server=settings, seed=seed)
    begun = time.perf_counter()
    pair.connect()
    taken = time.perf_counter() - begun
    assert pair.completed("client").keys == pair.completed("server").keys
    return taken


class MbedTls:
    """A server of Mbed TLS, and a relay before it that takes the time."""

    def __init__(self, folder: Path) -> None:
        self._client = _program(folder, "ssl_client2")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK, 0))
            self._port = probe.getsockname()[1]
        command = [_program(folder, "ssl_server2"), *COMMON, f"server_port={self._port}", "cookies=0"]
        self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(0.5)

    def handshake(self) -> float:
        """Seconds of one handshake of theirs."""
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as front,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
        ):
            front.bind((LOOPBACK, 0))
            back.connect((LOOPBACK, self._port))
            command = [self._client, *COMMON, f"server_port={front.getsockname()[1]}"]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as client:
                taken, peer = _relay(front, back)
                while client.poll() is None:
                    peer, _ = _pass_on(front, back, peer, 0.05)
        return taken

    def close(self) -> None:
        """End the server."""
        self._server.terminate()
        self._server.wait()


def _program(folder: Path, name: str) -> str:
    for place in (folder / name, folder / "programs" / "ssl" / name):
        if place.is_file():
            return str(place)
    raise SystemExit(f"there is no {name} in {folder}")


def _relay(front: socket.socket, back: socket.socket) -> tuple[float, Peer]:
    """Pass datagrams on until the server's Finished: seconds since the first, and who the client is."""
    peer, _ = _pass_on(front, back, None, PATIENCE_S)
    begun = time.perf_counter()
    while True:
        peer, datagram = _pass_on(front, back, peer, PATIENCE_S)
        records = () if datagram is None else decode_records(datagram)
        if any(record.epoch and record.content_type == ContentType.HANDSHAKE for record in records):
            return time.perf_counter() - begun, peer


def _pass_on(front: socket.socket, back: socket.socket, peer: Peer, patience: float) -> tuple[Peer, bytes | None]:
    """One datagram: who the client is, and the datagram if it was the server's."""
    ready, _, _ = select.select([front, back], [], [], patience)
    if not ready and patience == PATIENCE_S:
        raise SystemExit("Mbed TLS has fallen silent")
    if front in ready:
        datagram, peer = front.recvfrom(1 << 16)
        back.send(datagram)
        return peer, None
    if back in ready:
        datagram = back.recv(1 << 16)
        front.sendto(datagram, peer)
        return peer, datagram
    return peer, None


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
    theirs = None if folder is None else MbedTls(folder)
    rounds: list[tuple[float, float, float]] = []
    try:
        for seed in range(ROUNDS):
            other = 0.0 if theirs is None else theirs.handshake()
            rounds.append((our_handshake(seed, DtlsSettings()), our_handshake(seed, WITHOUT_COOKIE), other))
    finally:
        if theirs is not None:
            theirs.close()
    with_cookie, mine, other = (median(times) for times in zip(*rounds, strict=True))
    print(f"handshake with cookie            {with_cookie * 1e3:6.2f} ms  {1 / with_cookie:6.0f} a second, both ends")
    print(f"handshake without cookie         {mine * 1e3:6.2f} ms  {1 / mine:6.0f} a second, both ends")
    if theirs is None:
        return True
    ratio = median(one / two for _, one, two in rounds)
    verdict = "" if ratio <= GOAL else "  MISSED"
    print(f"  Mbed TLS                       {other * 1e3:6.2f} ms  ratio {ratio:.2f} (goal <= {GOAL}){verdict}")
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
