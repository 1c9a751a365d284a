"""The air over UDP on real loopback sockets: who hears whom, who is remembered, and what hostile bytes achieve."""

import asyncio
import random
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from devices.errors import ClockError, TransportUnavailableError
from devices.events import FrameIgnored, RadioForgotten, RadioRegistered
from devices.faults.base import FaultContext
from devices.faults.drop import Drop
from devices.media.air import Acknowledgement, Air, AirPort
from devices.media.medium import Flight
from devices.sim.chance import Chance
from devices.sim.clock import Clock
from devices.transports.air_hub import MAX_ADDRESSES, MAX_CLIENTS, MAX_MONITORS, SILENCE, AirHub, Header
from devices.transports.radiotap import Radiotap
from pairing.engine import Event
from pairing.nan.timing import Tsf
from tests.support.frames import BROADCAST, PUBLISH, descriptor, frame, mac, sdf, service
from tests.support.media import virtually
from tests.support.needs import requires_tools
from tests.support.udp_radio import GUARD_S, UdpRadio

pytestmark = pytest.mark.asyncio

LAMP, ANN, BEN, NOBODY = mac(1), mac(11), mac(12), mac(99)
TSF_OFFSET = 7_000_000


class _Lab:
    """An air with an emulated lamp, and a hub that is open."""

    def __init__(self, hub: AirHub, air: Air, events: "asyncio.Queue[Event]") -> None:
        self.hub = hub
        self.air = air
        self.clock = air.clock
        self.events = events
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.outcomes: asyncio.Queue[bool] = asyncio.Queue()
        self.lamp: AirPort = air.attach("lamp", (LAMP,), self._hear, on_acknowledged=self._learn)

    def _hear(self, flight: Flight) -> None:
        self.heard.put_nowait(flight.payload)

    def _learn(self, outcome: Acknowledgement) -> None:
        self.outcomes.put_nowait(outcome.acknowledged)

    def radio(self) -> UdpRadio:
        return UdpRadio(self.hub.address)

    async def register(self, radio: UdpRadio, address: bytes) -> None:
        """Let a radio speak for the first time, and wait until it has been heard."""
        radio.send(frame(LAMP, address, b"hello"))
        assert await self.next_heard() == frame(LAMP, address, b"hello")

    async def watch(self, radio: UdpRadio, word: bytes = b"monitor") -> None:
        radio.send(word)
        assert await self.next_event() == RadioRegistered(role="monitor")

    async def next_heard(self) -> bytes:
        async with asyncio.timeout(GUARD_S):
            return await self.heard.get()

    async def next_event(self) -> Event:
        async with asyncio.timeout(GUARD_S):
            return await self.events.get()


@asynccontextmanager
async def _open(header: Header = "none") -> AsyncIterator[_Lab]:
    clock = Clock(asyncio.get_running_loop(), virtual=False)
    air = Air(clock, cluster_time=Tsf(TSF_OFFSET))
    events: asyncio.Queue[Event] = asyncio.Queue()
    hub = await AirHub.open(air, "127.0.0.1", 0, header=header, emit=lambda event, _actor: events.put_nowait(event))
    try:
        yield _Lab(hub, air, events)
    finally:
        await hub.close()
        clock.close()


@contextmanager
def _many(lab: _Lab, count: int) -> Iterator[list[UdpRadio]]:
    with ExitStack() as stack:
        yield [stack.enter_context(lab.radio()) for _ in range(count)]


async def test_a_foreign_radio_and_an_emulated_one_hear_each_other_byte_for_byte() -> None:
    async with _open() as lab:
        with lab.radio() as ann:
            await lab.register(ann, ANN)
            lab.lamp.send(frame(ANN, LAMP, b"answer"), ANN)
            assert await ann.receive() == frame(ANN, LAMP, b"answer")
            assert await lab.outcomes.get() is True
        assert lab.events.get_nowait() == RadioRegistered(peer="02:00:00:00:00:0b", role="radio")


async def test_foreign_radios_hear_each_other_and_not_themselves() -> None:
    async with _open() as lab:
        with lab.radio() as ann, lab.radio() as ben:
            await lab.register(ann, ANN)
            await lab.register(ben, BEN)
            ann.send(frame(BROADCAST, ANN, b"all"))
            assert await ben.receive() == frame(BROADCAST, ANN, b"all")
            assert await lab.next_heard() == frame(BROADCAST, ANN, b"all")
            ben.send(frame(ANN, BEN, b"you"))
            # The first that reaches the sender of the group frame is the answer, not its own frame.
            assert await ann.receive() == frame(ANN, BEN, b"you")


async def test_without_a_radiotap_header_no_acknowledgement_comes_back() -> None:
    async with _open() as lab:
        with lab.radio() as ann:
            await lab.register(ann, ANN)
            lab.lamp.send(frame(ANN, LAMP, b"next"), ANN)
            assert await ann.receive() == frame(ANN, LAMP, b"next")


async def test_a_radio_has_every_address_that_it_has_spoken_from() -> None:
    async with _open() as lab:
        with lab.radio() as ann:
            for address in (ANN, mac(21), mac(22)):
                await lab.register(ann, address)
            for address in (ANN, mac(21), mac(22)):
                lab.lamp.send(frame(address, LAMP), address)
                assert await ann.receive() == frame(address, LAMP)
        assert lab.hub.registered == ("radio:1",)


async def test_of_too_many_addresses_the_one_unused_for_longest_is_given_up() -> None:
    async with _open() as lab:
        with lab.radio() as ann:
            for number in range(MAX_ADDRESSES):
                await lab.register(ann, mac(100 + number))
            await lab.register(ann, mac(100))
            await lab.register(ann, mac(999))
            lab.lamp.send(frame(mac(101), LAMP), mac(101))
            lab.lamp.send(frame(mac(100), LAMP), mac(100))
            assert await ann.receive() == frame(mac(100), LAMP)
            assert [await lab.outcomes.get(), await lab.outcomes.get()] == [False, True]


async def test_an_address_moves_to_the_program_that_spoke_from_it_last() -> None:
    async with _open() as lab:
        with lab.radio() as before, lab.radio() as after:
            await lab.register(before, ANN)
            await lab.register(after, ANN)
            lab.lamp.send(frame(ANN, LAMP), ANN)
            assert await after.receive() == frame(ANN, LAMP)
            assert lab.hub.registered == ("radio:2",)
            words = [type(lab.events.get_nowait()).__name__ for _ in range(3)]
            assert words == ["RadioRegistered", "RadioForgotten", "RadioRegistered"]


async def test_nobody_speaks_for_an_emulated_accessory() -> None:
    async with _open() as lab:
        with lab.radio() as eve:
            eve.send(frame(BROADCAST, LAMP, b"I am the lamp"))
            event = await lab.next_event()
            assert isinstance(event, FrameIgnored)
            assert event.reason == "air: address 02:00:00:00:00:01 of radio:1 belongs to lamp"
            assert (lab.hub.registered, lab.hub.refused, lab.heard.qsize()) == ((), {"taken-address": 1}, 0)


@pytest.mark.parametrize("word", [b"", b"monitor", b"monitor\n", b"\n"])
async def test_a_monitor_hears_the_frames_of_others_once(word: bytes) -> None:
    async with _open() as lab:
        with lab.radio() as watch, lab.radio() as ann:
            await lab.watch(watch, word)
            await lab.register(ann, ANN)
            lab.lamp.send(frame(ANN, LAMP, b"secret"), ANN)
            lab.lamp.send(frame(NOBODY, LAMP), NOBODY)
            ann.send(frame(BROADCAST, ANN))
            assert [await watch.receive() for _ in range(4)] == [
                frame(LAMP, ANN, b"hello"),
                frame(ANN, LAMP, b"secret"),
                frame(NOBODY, LAMP),
                frame(BROADCAST, ANN),
            ]


async def test_a_program_may_be_monitor_and_radio_and_hears_each_frame_once_and_not_its_own() -> None:
    async with _open() as lab:
        with lab.radio() as ann:
            await lab.watch(ann)
            await lab.register(ann, ANN)
            lab.lamp.send(frame(ANN, LAMP, b"one"), ANN)
            lab.lamp.send(frame(BROADCAST, LAMP, b"two"), BROADCAST)
            lab.lamp.send(frame(NOBODY, LAMP, b"three"), NOBODY)
            assert [(await ann.receive())[24:] for _ in range(3)] == [b"one", b"two", b"three"]
            assert await lab.outcomes.get() is True


async def test_a_radio_becomes_a_monitor_by_the_word_alone() -> None:
    async with _open() as lab:
        with lab.radio() as ann:
            await lab.register(ann, ANN)
            assert isinstance(await lab.next_event(), RadioRegistered)
            ann.send(b"")  # a sign of life, no more
            await lab.register(ann, ANN)
            lab.lamp.send(frame(NOBODY, LAMP), NOBODY)
            await lab.watch(ann)
            lab.lamp.send(frame(NOBODY, LAMP, b"seen"), NOBODY)
            assert await ann.receive() == frame(NOBODY, LAMP, b"seen")
            assert lab.hub.registered == ("radio:1",)


async def test_a_program_is_forgotten_after_a_minute_of_silence() -> None:
    async with _open() as lab:
        with lab.radio() as ann, lab.radio() as watch:
            await lab.register(ann, ANN)
            await lab.next_event()
            await lab.watch(watch)
            lab.clock.advance(SILENCE + 1_000_000)
            assert lab.events.get_nowait() == RadioForgotten(reason="silent for 60 s")
            assert (lab.hub.registered, [port.actor for port in lab.air.ports]) == ((), ["lamp"])
            lab.lamp.send(frame(ANN, LAMP), ANN)
            assert await lab.outcomes.get() is False


@pytest.mark.parametrize("sign_of_life", [b"", frame(NOBODY, ANN)], ids=["empty", "frame"])
async def test_a_program_that_speaks_within_a_minute_stays(sign_of_life: bytes) -> None:
    async with _open() as lab:
        with lab.radio() as ann, lab.radio() as ben:
            await lab.register(ann, ANN)
            for _ in range(3):
                lab.clock.advance(SILENCE * 3 // 4)
                ann.send(sign_of_life)
                await lab.register(ben, BEN)  # once this is heard, the sign of life has been too
            assert lab.hub.registered == ("radio:1", "radio:2")


async def test_close_frees_the_port_and_the_air_and_ends_quietly() -> None:
    async with _open() as lab:
        address = lab.hub.address
        with lab.radio() as ann:
            await lab.register(ann, ANN)
            await lab.hub.close()
            await lab.hub.close()
            assert [port.actor for port in lab.air.ports] == ["lamp"]
            assert asyncio.all_tasks() == {asyncio.current_task()}
            again = await AirHub.open(lab.air, *address)
            await again.close()


async def test_a_port_that_is_taken_is_named() -> None:
    async with _open() as lab:
        _, port = lab.hub.address
        with pytest.raises(TransportUnavailableError, match=f"air hub: UDP port {port} on 127.0.0.1 is taken"):
            await AirHub.open(lab.air, "127.0.0.1", port)


async def test_more_programs_than_there_is_room_for_are_refused_and_the_others_stay() -> None:
    async with _open() as lab:
        with _many(lab, MAX_CLIENTS) as radios, lab.radio() as late:
            for number, radio in enumerate(radios):
                await lab.register(radio, mac(1_000 + number))
                await lab.next_event()
            late.send(frame(LAMP, mac(5_000)))
            event = await lab.next_event()
            assert isinstance(event, FrameIgnored)
            assert event.reason.startswith("256 programs are registered; one is forgotten after a minute")
            await lab.register(radios[0], mac(1_000))
            assert (len(lab.hub.registered), lab.hub.refused) == (MAX_CLIENTS, {"full": 1})


async def test_more_monitors_than_there_is_room_for_are_refused() -> None:
    async with _open() as lab:
        with _many(lab, MAX_MONITORS) as watchers, lab.radio() as late:
            for watcher in watchers:
                await lab.watch(watcher)
            late.send(b"monitor")
            event = await lab.next_event()
            assert isinstance(event, FrameIgnored)
            assert event.reason == "16 monitors are registered"


# Radiotap.


async def test_with_radiotap_a_frame_comes_with_time_channel_and_signal() -> None:
    async with _open("radiotap") as lab:
        with lab.radio() as ann:
            await lab.register(ann, ANN)
            lab.air.set_rssi("lamp", "radio:1", -71)
            acknowledgement, _ = Radiotap.decode(await ann.receive())
            before = lab.air.tsf()
            lab.lamp.send(frame(ANN, LAMP, b"body"), ANN)
            header, payload = Radiotap.decode(await ann.receive())
            assert payload == frame(ANN, LAMP, b"body")
            assert (header.frequency_mhz, header.signal_dbm, header.tx_flags) == (2437, -71, None)
            assert header.tsft is not None
            assert before <= header.tsft <= lab.air.tsf()
            assert acknowledgement.tx_flags == 0


async def test_with_radiotap_a_unicast_frame_comes_back_with_its_acknowledgement() -> None:
    async with _open("radiotap") as lab:
        with lab.radio() as ann:
            ann.send(frame(LAMP, ANN, b"there"))
            ann.send(frame(BROADCAST, ANN, b"all"))
            ann.send(frame(NOBODY, ANN, b"gone"))
            back = [Radiotap.decode(await ann.receive()) for _ in range(2)]
            assert [payload for _, payload in back] == [frame(LAMP, ANN, b"there"), frame(NOBODY, ANN, b"gone")]
            assert [(header.tx_flags, header.signal_dbm) for header, _ in back] == [(0, None), (1, None)]


async def test_a_frame_that_a_fault_drops_comes_back_as_failed() -> None:
    class _DropAll:
        def apply(self, flight: Flight) -> tuple[Flight, ...]:
            return tuple(Drop().apply(flight, FaultContext(Chance(1).stream("test"))))

    async with _open("radiotap") as lab:
        with lab.radio() as ann:
            lab.air.rules.append(_DropAll())
            ann.send(frame(LAMP, ANN))
            header, payload = Radiotap.decode(await ann.receive())
            assert (payload, header.tx_flags, lab.heard.qsize()) == (frame(LAMP, ANN), 1, 0)


@pytest.mark.parametrize("header", ["none", "radiotap"])
async def test_a_radio_may_put_a_radiotap_header_before_its_frames(header: Header) -> None:
    async with _open(header) as lab:
        with lab.radio() as ann:
            ann.send(Radiotap(frequency_mhz=2437, tx_flags=8).encode() + frame(LAMP, ANN, b"injected"))
            assert await lab.next_heard() == frame(LAMP, ANN, b"injected")
            with_fcs = frame(LAMP, ANN, b"checked")
            with_fcs += zlib.crc32(with_fcs).to_bytes(4, "little")
            ann.send(Radiotap(flags=0x10).encode() + with_fcs)
            assert await lab.next_heard() == frame(LAMP, ANN, b"checked")


# Hostile datagrams.


def _hostile(chance: random.Random) -> bytes:
    """Random bytes, valid frames bent at random, cut off, or with random radiotap headers."""
    valid = sdf(mac(chance.randrange(1 << 39)), descriptor(PUBLISH, service(chance.randrange(5))))
    bent = bytearray(valid)
    for _ in range(chance.randrange(1, 6)):
        bent[chance.randrange(len(bent))] = chance.randrange(256)
    match chance.randrange(6):
        case 0:
            return chance.randbytes(chance.randrange(600))
        case 1:
            return bytes(bent)
        case 2:
            return valid[: chance.randrange(len(valid))]
        case 3:
            return b"\0\0" + chance.randbytes(chance.randrange(80))
        case 4:
            return Radiotap(tsft=1, flags=16, signal_dbm=-1).encode()[: chance.randrange(40)] + valid
        case _:
            return chance.choice((b"", b"monitor", b"monitors", b"MONITOR", bytes(24), b"\xff" * 24, bytes(20_000)))


async def test_five_thousand_hostile_datagrams_leave_the_hub_running_and_small() -> None:
    chance = random.Random(8710)
    async with _open("radiotap") as lab:
        with lab.radio() as good, _many(lab, 8) as evil:
            for _ in range(250):
                for _ in range(20):
                    chance.choice(evil).send(_hostile(chance))
                # What comes after them is heard: all of them have been read.
                good.send(frame(LAMP, ANN, b"still here"))
                while await lab.next_heard() != frame(LAMP, ANN, b"still here"):
                    pass
            assert len(lab.hub.registered) <= 9
            assert sum(len(port.addresses) for port in lab.air.ports) <= 1 + 9 * MAX_ADDRESSES
            assert lab.hub.refused["malformed"] > 1_000
            ignored = [event for event in _drain(lab.events) if isinstance(event, FrameIgnored)]
            assert 1 <= len(ignored) <= 20


def _drain(events: "asyncio.Queue[Event]") -> list[Event]:
    return [events.get_nowait() for _ in range(events.qsize())]


async def test_a_refusal_is_told_the_first_tenth_and_hundredth_time() -> None:
    async with _open() as lab:
        with lab.radio() as eve:
            for _ in range(100):
                eve.send(b"no frame at all")
            events = [await lab.next_event() for _ in range(3)]
            assert [event.reason.rpartition(": ")[2] for event in events if isinstance(event, FrameIgnored)] == [
                "a frame of 15 octets, expected 24 to 11454 (at offset 0)",
                "a frame of 15 octets, expected 24 to 11454 (at offset 0) (10 datagrams refused so)",
                "a frame of 15 octets, expected 24 to 11454 (at offset 0) (100 datagrams refused so)",
            ]


# Independent ends.

C_RADIO = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    unsigned char hello[26] = {0xd0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 11,
                               0x50, 0x6f, 0x9a, 1, 0x25, 0, 0, 0, 4, 9};
    unsigned char frame[2346];
    struct sockaddr_in hub = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    hub.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sendto(s, hello, sizeof hello, 0, (struct sockaddr *)&hub, sizeof hub);
    for (;;) {
        ssize_t n = recv(s, frame, sizeof frame, 0);
        if (n < 24) return 1;
        if (!(frame[4] & 1)) continue; /* not for all */
        for (ssize_t i = 0; i < n; i++) printf("%02x", frame[i]);
        return 0;
    }
}
"""


async def test_a_program_in_c_hears_a_group_frame(tmp_path: Path) -> None:
    requires_tools("cc")
    source, program = tmp_path / "radio.c", tmp_path / "radio"
    source.write_text(C_RADIO)
    compiler = await asyncio.create_subprocess_exec("cc", "-Wall", "-Werror", "-o", str(program), str(source))
    assert await compiler.wait() == 0
    async with _open() as lab:
        radio = await asyncio.create_subprocess_exec(
            str(program), str(lab.hub.address[1]), stdout=asyncio.subprocess.PIPE
        )
        assert await lab.next_heard() == frame(LAMP, ANN, b"\x04\x09")
        lab.lamp.send(frame(ANN, LAMP), ANN)
        lab.lamp.send(sdf(LAMP, descriptor(PUBLISH, service(1))), BROADCAST)
        async with asyncio.timeout(GUARD_S):
            output, _ = await radio.communicate()
    assert (radio.returncode, bytes.fromhex(output.decode())) == (0, sdf(LAMP, descriptor(PUBLISH, service(1))))


async def test_virtual_time_is_refused_by_name() -> None:
    async def story(clock: Clock) -> None:
        with pytest.raises(ClockError, match="start the home in real time"):
            await AirHub.open(Air(clock), "127.0.0.1", 0)

    await asyncio.get_running_loop().run_in_executor(None, _virtually, story)


def _virtually(story: Callable[[Clock], object]) -> None:
    virtually(story)  # type: ignore[arg-type]  # any coroutine function
