"""What a crowd costs on the air: `.venv/bin/python scripts/bench/air.py [--crowd 10 100 1000]`.

Two radios exchange multicast discovery of one service and acknowledged unicast frames, on a virtual air with that many
other publishers in it, each with a service of its own. Rounds alternate between an empty and a crowded air, so that a
busy machine hits both alike; the ratio is the median of the rounds' ratios. Exit 1 above the goal.
"""

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

from devices.media.air import Air, AirPort
from devices.media.interest import Interest
from devices.media.medium import Flight
from devices.sim.clock import Clock
from devices.sim.loop import VirtualTimeLoop

GOAL = 1.2
ROUNDS, EXCHANGES = 15, 1_000
NETWORK_ID = bytes.fromhex("516f9a010000")
CLUSTER = bytes.fromhex("506f9a012500")
PHONE, CAMERA = b"\x02" + bytes(4) + b"\x01", b"\x02" + bytes(4) + b"\x02"
SUBSCRIBE = 1


def _frame(to: bytes, sender: bytes, body: bytes) -> bytes:
    return b"\xd0\0\0\0" + to + sender + CLUSTER + b"\0\0" + body


def _service(number: int) -> bytes:
    return b"\xd3" + number.to_bytes(5, "big")


def _subscribe(service: bytes) -> bytes:
    descriptor = b"\x03\x09\0" + service + bytes((1, 0, SUBSCRIBE))
    return _frame(NETWORK_ID, PHONE, bytes.fromhex("0409506f9a13") + descriptor + b"\x0f\x09\0" + bytes(9))


class Scene:
    """A phone, a camera, and a crowd of publishers on an air of their own."""

    def __init__(self, crowd: int) -> None:
        self.loop = VirtualTimeLoop()
        self.deliveries = 0
        self.left = 0
        self.clock = self._make(lambda: Clock(self.loop, virtual=True))
        self.air = Air(self.clock)
        for number in range(crowd):
            mac = b"\x06" + number.to_bytes(5, "big")
            self.air.attach(f"publisher-{number}", (mac,), self._count, interest=self._publishes(number + 1))
        self.camera = self.air.attach("camera", (CAMERA,), self._answer, interest=self._publishes(0))
        self.phone: AirPort = self.air.attach(
            "phone", (PHONE,), self._count, interest=Interest(publishes=frozenset()), on_acknowledged=lambda _: None
        )

    def _make(self, build: Callable[[], Clock]) -> Clock:
        async def run() -> Clock:
            return build()

        return self.loop.run_until_complete(run())

    @staticmethod
    def _publishes(number: int) -> Interest:
        return Interest(groups=frozenset((NETWORK_ID,)), publishes=frozenset((_service(number),)))

    def _count(self, _flight: Flight) -> None:
        self.deliveries += 1

    def _answer(self, flight: Flight) -> None:
        self.deliveries += 1
        self.camera.send(_frame(PHONE, CAMERA, bytes(200)), flight.source)

    def run(self, exchanges: int) -> float:
        """Seconds for so many exchanges: a Subscribe, a unicast frame, and an answer to each."""

        async def story() -> None:
            for _ in range(exchanges):
                self.phone.send(_subscribe(_service(0)), NETWORK_ID)
                self.phone.send(_frame(CAMERA, PHONE, bytes(200)), CAMERA)
                await self.clock.sleep(2_000)

        start = time.perf_counter()
        self.loop.run_until_complete(story())
        return time.perf_counter() - start


def main() -> int:
    """0 when every crowd stays below the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crowd", type=int, nargs="+", default=[10, 100, 1_000])
    alone = Scene(0)
    alone.run(EXCHANGES)
    missed = False
    for crowd in parser.parse_args().crowd:
        crowded = Scene(crowd)
        crowded.run(EXCHANGES)
        crowded.deliveries = 0
        rounds = [(alone.run(EXCHANGES), crowded.run(EXCHANGES)) for _ in range(ROUNDS)]
        ratio = median(many / none for none, many in rounds)
        seconds = median(many for _, many in rounds)
        missed |= ratio > GOAL
        print(
            f"{crowd:5} others: {seconds / EXCHANGES * 1e6:6.1f} µs an exchange, "
            f"{crowded.deliveries / ROUNDS / seconds:8,.0f} deliveries a second, ratio to an empty air {ratio:.2f} "
            f"(goal <= {GOAL}){'  MISSED' if ratio > GOAL else ''}"
        )
        crowded.loop.close()
    alone.loop.close()
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
