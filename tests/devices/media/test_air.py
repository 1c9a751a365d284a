"""The air: who hears a frame, what its sender learns of it, when it arrives, and what faults make of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import MediumError
from devices.faults.base import FaultContext, make_fault
from devices.media.air import ACK_US, Acknowledgement, Air, AirPort
from devices.media.interest import Interest, topics_of
from devices.media.medium import Flight, MediumPort
from devices.sim.chance import Chance
from devices.sim.clock import Clock
from pairing.nan.timing import DW_DURATION, DW_PERIOD, Tsf
from tests.support.frames import (
    BROADCAST,
    CLUSTER,
    FOLLOW_UP,
    NETWORK_ID,
    OTHER_CLUSTER,
    PUBLISH,
    SUBSCRIBE,
    beacon,
    descriptor,
    frame,
    mac,
    sdf,
    service,
)
from tests.support.media import KeepingTap, virtually

NAMES = ("ann", "ben", "cas", "dan")
ANN, BEN, CAS, DAN = (mac(number) for number in range(1, 5))
UNICAST = frame(BEN, ANN)


class _Scene:
    """Four radios on one air, and everything they hear and learn."""

    def __init__(self, clock: Clock, **options: Any) -> None:
        self.clock = clock
        self.tap = KeepingTap()
        self.notices: list[tuple[str, str]] = []
        self.air = Air(clock, (self.tap,), on_ignored=lambda actor, why: self.notices.append((actor, why)), **options)
        self.heard: list[tuple[str, bytes]] = []
        self.flights: list[tuple[int, Flight]] = []
        self.outcomes: list[tuple[str, Acknowledgement]] = []
        self.ports = {name: self.attach(name, mac(number)) for number, name in enumerate(NAMES, 1)}

    def attach(self, name: str, *addresses: bytes, interest: Interest | None = None) -> AirPort:
        return self.air.attach(
            name,
            addresses,
            self.ear(name),
            interest=interest or Interest(),
            on_acknowledged=lambda outcome: self.outcomes.append((name, outcome)),
        )

    def ear(self, name: str) -> Callable[[Flight], None]:
        def hear(flight: Flight) -> None:
            self.heard.append((name, flight.payload))
            self.flights.append((self.clock.now(), flight))

        return hear

    def send(self, name: str, payload: bytes) -> None:
        self.ports[name].send(payload, b"ignored")

    @property
    def hearers(self) -> list[str]:
        return [name for name, _ in self.heard]

    @property
    def acknowledged(self) -> list[bool]:
        return [outcome.acknowledged for _, outcome in self.outcomes]


def _play(story: Callable[[_Scene], Awaitable[None] | None], *, us: int = 1_000_000, **options: Any) -> _Scene:
    async def run(clock: Clock) -> _Scene:
        scene = _Scene(clock, **options)
        under_way = story(scene)
        if under_way is not None:
            await under_way
        await clock.sleep(us)
        return scene

    return virtually(run)


def _hearers_of(payload: bytes, **interests: Interest) -> list[str]:
    def story(scene: _Scene) -> None:
        for name, interest in interests.items():
            scene.ports[name].listen(interest)
        scene.send("ann", payload)

    return _play(story).hearers


def test_the_receiver_address_in_the_frame_decides_who_hears_it_and_not_the_one_given_beside() -> None:
    scene = _play(lambda scene: scene.ports["ann"].send(frame(CAS, ANN), BEN))
    assert scene.heard == [("cas", frame(CAS, ANN))]


def test_a_group_addressed_frame_reaches_all_others_in_the_order_in_which_they_joined() -> None:
    assert _hearers_of(frame(BROADCAST, ANN)) == ["ben", "cas", "dan"]


def test_a_change_of_interest_does_not_change_the_order() -> None:
    assert _hearers_of(frame(BROADCAST, ANN), ben=Interest(groups=frozenset((BROADCAST,)))) == ["ben", "cas", "dan"]


def test_a_radio_hears_each_of_its_addresses() -> None:
    def story(scene: _Scene) -> None:
        scene.ports["ben"].add_address(mac(77))
        scene.send("ann", frame(mac(77), ANN))
        scene.send("ann", frame(BEN, ANN))

    assert _play(story).hearers == ["ben", "ben"]


def test_an_address_that_is_given_up_reaches_nobody_and_is_free_again() -> None:
    def story(scene: _Scene) -> None:
        scene.ports["ben"].remove_address(BEN)
        scene.send("ann", frame(BEN, ANN))
        scene.ports["cas"].add_address(BEN)
        scene.send("ann", frame(BEN, ANN))

    scene = _play(story)
    assert (scene.hearers, scene.acknowledged) == (["cas"], [False, True])


def test_nobody_gives_up_the_address_of_another() -> None:
    def story(scene: _Scene) -> None:
        scene.ports["cas"].remove_address(BEN)
        scene.send("ann", UNICAST)

    assert _play(story).hearers == ["ben"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (BEN, "air: address 02:00:00:00:00:02 of eve belongs to ben"),
        (NETWORK_ID, "individual addresses of six octets"),
        (b"\x02\x00", "individual addresses of six octets"),
        ("02:00:00:00:00:09", "individual addresses of six octets"),
    ],
)
def test_an_address_that_is_taken_or_none_is_refused_and_nobody_joins(address: Any, reason: str) -> None:
    def story(scene: _Scene) -> None:
        with pytest.raises(MediumError, match=reason):
            scene.attach("eve", mac(50), address)
        scene.attach("fay", mac(50))

    assert [port.actor for port in _play(story).air.ports] == [*NAMES, "fay"]


def test_a_port_that_is_closed_gives_its_addresses_back_and_is_not_heard() -> None:
    def story(scene: _Scene) -> None:
        scene.ports["ben"].close()
        scene.ports["ben"].close()
        scene.ports["ben"].send(frame(BROADCAST, BEN), b"")
        scene.attach("eve", BEN)
        scene.send("ann", UNICAST)

    assert _play(story).hearers == ["eve"]


def test_a_port_of_another_medium_is_refused() -> None:
    def story(scene: _Scene) -> None:
        stranger = MediumPort(scene.air, "stranger", (b"S",), lambda _: None)
        with pytest.raises(MediumError, match="stranger sends from a port of another medium"):
            stranger.send(UNICAST, BEN)

    assert _play(story).heard == []


def test_taps_see_the_addresses_of_the_frame_once() -> None:
    scene = _play(lambda scene: scene.send("ann", frame(BROADCAST, mac(9))))
    assert scene.tap.frames == [("air", "ann", mac(9), BROADCAST, frame(BROADCAST, mac(9)))]


# What a port accepts of what is meant for all.


def test_a_publish_is_heard_by_those_who_subscribe_to_that_service() -> None:
    assert _hearers_of(
        sdf(ANN, descriptor(PUBLISH, service(1))),
        ben=Interest(subscribes=frozenset((service(1), service(3)))),
        cas=Interest(publishes=frozenset((service(1),))),
        dan=Interest(subscribes=frozenset((service(2),))),
    ) == ["ben"]


def test_a_subscribe_is_heard_by_those_who_publish_that_service() -> None:
    assert _hearers_of(
        sdf(ANN, descriptor(SUBSCRIBE, service(1))),
        ben=Interest(subscribes=frozenset((service(1),))),
        cas=Interest(publishes=frozenset((service(1),))),
        dan=Interest(publishes=frozenset((service(2),)), subscribes=frozenset()),
    ) == ["cas"]


def test_a_multicast_follow_up_is_heard_on_both_sides_of_a_service() -> None:
    assert _hearers_of(
        sdf(ANN, descriptor(FOLLOW_UP, service(1))),
        ben=Interest(subscribes=frozenset((service(1),))),
        cas=Interest(publishes=frozenset((service(1),))),
        dan=Interest(publishes=frozenset()),
    ) == ["ben", "cas"]


def test_a_frame_with_several_services_is_heard_once() -> None:
    both = Interest(subscribes=frozenset((service(1), service(2))))
    payload = sdf(ANN, descriptor(PUBLISH, service(1)), descriptor(PUBLISH, service(2)))
    assert _hearers_of(payload, ben=both, cas=both, dan=Interest(subscribes=frozenset((service(2),)))) == [
        "ben",
        "cas",
        "dan",
    ]


def test_a_port_without_services_in_its_interest_hears_every_one() -> None:
    payload = sdf(ANN, b"\x2a\x02\0\0\x03", descriptor(PUBLISH, service(1)))
    assert _hearers_of(payload, ben=Interest(publishes=frozenset())) == ["cas", "dan"]


def test_groups_and_clusters_narrow_what_is_heard() -> None:
    assert _hearers_of(
        frame(BROADCAST, ANN),
        ben=Interest(groups=frozenset((NETWORK_ID,))),
        cas=Interest(clusters=frozenset((OTHER_CLUSTER, NETWORK_ID))),
        dan=Interest(groups=frozenset((NETWORK_ID, BROADCAST)), clusters=frozenset((CLUSTER,))),
    ) == ["dan"]


def test_services_do_not_narrow_what_is_no_service_discovery() -> None:
    choosy = Interest(publishes=frozenset())
    assert _hearers_of(beacon(ANN, 512), ben=choosy, cas=choosy, dan=choosy) == ["ben", "cas", "dan"]


@pytest.mark.parametrize(
    "payload",
    [
        sdf(ANN, descriptor(PUBLISH, service(1)), b"\x2a\xff\xff\x03"),
        sdf(ANN, descriptor(PUBLISH, service(1)), b"\x2a"),
        sdf(ANN, b"\x2a\x02\0\0\x03"),
        sdf(ANN, descriptor(PUBLISH, service(1)), control=b"\xd0\x40"),
    ],
    ids=["length beyond the end", "no length", "no service descriptor", "encrypted"],
)
def test_service_discovery_whose_services_cannot_be_read_is_heard_by_all(payload: bytes) -> None:
    choosy = Interest(publishes=frozenset())
    assert _hearers_of(payload, ben=choosy, cas=choosy) == ["ben", "cas", "dan"]


def test_a_unicast_frame_needs_no_interest() -> None:
    nothing = Interest(groups=frozenset(), clusters=frozenset(), publishes=frozenset())
    assert _hearers_of(frame(BEN, ANN, bssid=OTHER_CLUSTER), ben=nothing) == ["ben"]


@given(st.binary(max_size=60))
def test_any_body_has_topics_or_none(body: bytes) -> None:
    assert all(len(service_id) == 6 for _, service_id in topics_of(sdf(ANN, body)))


def test_a_frame_touches_only_those_who_accept_it() -> None:
    def story(scene: _Scene) -> None:
        for number in range(1_000):
            interest = Interest(publishes=frozenset((service(number),)))
            scene.attach(f"publisher-{number}", mac(1_000 + number), interest=interest)
        for name in NAMES:
            scene.ports[name].listen(Interest(publishes=frozenset()))
        scene.air.rules.append(counter)
        scene.send("ann", sdf(ANN, descriptor(SUBSCRIBE, service(500))))
        scene.send("ann", frame(mac(1_007), ANN))

    counter = _Counter()
    assert _play(story).hearers == ["publisher-500", "publisher-7"]
    assert counter.flights == 2


class _Counter:
    """A rule that counts the flights there are."""

    def __init__(self) -> None:
        self.flights = 0

    def apply(self, flight: Flight) -> Sequence[Flight]:
        self.flights += 1
        return (flight,)


# Acknowledgements.


def test_a_sender_learns_that_its_unicast_frame_was_acknowledged_after_it_arrived() -> None:
    scene = _play(lambda scene: scene.send("ann", UNICAST))
    ((arrival, flight),) = scene.flights
    assert scene.outcomes == [
        ("ann", Acknowledgement(to=BEN, payload=UNICAST, acknowledged=True, at_us=arrival + ACK_US))
    ]
    assert flight.arrives_us == arrival


def test_a_group_addressed_frame_is_not_acknowledged() -> None:
    assert _play(lambda scene: scene.send("ann", frame(BROADCAST, ANN))).outcomes == []


@pytest.mark.parametrize(
    "hindrance",
    [
        lambda scene: scene.ports["ben"].close(),
        lambda scene: scene.air.radio_off("ben"),
        lambda scene: scene.air.separate("ben", "ann"),
        lambda scene: scene.air.rules.append(_wire_fault("drop")),
        lambda scene: scene.ports["ben"].remove_address(BEN),
        lambda scene: scene.clock.call_at(10, lambda: scene.air.radio_off("ben")),
    ],
    ids=["closed", "off", "out of range", "dropped", "no such address", "off while it is under way"],
)
def test_a_frame_that_reaches_nobody_is_not_acknowledged(hindrance: Callable[[_Scene], None]) -> None:
    def story(scene: _Scene) -> None:
        hindrance(scene)
        scene.send("ann", UNICAST)

    scene = _play(story)
    assert (scene.heard, scene.acknowledged) == ([], [False])
    assert scene.outcomes[0][1].at_us == scene.air.airtime_us(len(UNICAST)) + ACK_US


def test_a_frame_to_its_own_sender_is_not_acknowledged() -> None:
    scene = _play(lambda scene: scene.send("ann", frame(ANN, ANN)))
    assert (scene.heard, scene.acknowledged) == ([], [False])


def test_a_sender_that_left_in_the_meantime_learns_nothing() -> None:
    def story(scene: _Scene) -> None:
        scene.send("ann", UNICAST)
        scene.ports["ann"].close()

    scene = _play(story)
    assert (scene.hearers, scene.outcomes) == (["ben"], [])


def test_a_receiver_that_leaves_because_of_a_frame_has_acknowledged_it() -> None:
    async def run(clock: Clock) -> list[bool]:
        air, outcomes = Air(clock), list[bool]()
        sender = air.attach(
            "a", (ANN,), lambda _: None, on_acknowledged=lambda each: outcomes.append(each.acknowledged)
        )
        receiver = air.attach("b", (BEN,), lambda _: receiver.close())
        sender.send(UNICAST, BEN)
        await clock.sleep(10_000)
        return outcomes

    assert virtually(run) == [True]


# Time.


def test_a_longer_frame_takes_longer() -> None:
    def story(scene: _Scene) -> None:
        for name, size in (("ann", 0), ("ben", 100), ("cas", 1_000)):
            scene.send(name, frame(BROADCAST, ANN, bytes(size)))

    # 20 us, and 24 octets of header, the body and four of FCS at 6 Mbit/s.
    assert [at for at, flight in _play(story).flights if flight.receiver == "dan"] == [58, 191, 1_391]


def test_frames_of_one_radio_follow_each_other_whatever_their_length() -> None:
    def story(scene: _Scene) -> None:
        scene.send("ann", frame(BEN, ANN, bytes(1_000)))
        scene.send("ann", frame(BEN, ANN))

    scene = _play(story)
    assert [len(payload) for _, payload in scene.heard] == [1_024, 30]
    assert [at for at, _ in scene.flights] == [1_391, 1_391 + 66]


def test_the_tsf_counts_microseconds_from_its_offset() -> None:
    scene = _play(lambda _: None, us=1_234, cluster_time=Tsf(5_000_000))
    assert (scene.air.tsf(), scene.air.tsf_at(0)) == (5_001_234, 5_000_000)


STRICT: dict[str, Any] = {"discovery_windows": "strict"}


def _at(us: int, payload: bytes, **options: Any) -> _Scene:
    async def story(scene: _Scene) -> None:
        await scene.clock.sleep(us)
        scene.send("ann", payload)

    return _play(story, **options)


WINDOWED = [sdf(ANN, descriptor(PUBLISH, service(1))), beacon(ANN, 512)]
ALWAYS = [beacon(ANN, 100), frame(BROADCAST, ANN), UNICAST, sdf(ANN, descriptor(FOLLOW_UP, service(1)), to=BEN)]


@pytest.mark.parametrize("payload", WINDOWED)
@pytest.mark.parametrize("us", [0, DW_DURATION - 1_000, DW_PERIOD, 7 * DW_PERIOD + 5_000])
def test_multicast_discovery_is_heard_in_a_window(us: int, payload: bytes) -> None:
    assert _at(us, payload, **STRICT).hearers == ["ben", "cas", "dan"]


@pytest.mark.parametrize("payload", WINDOWED)
@pytest.mark.parametrize("us", [DW_DURATION, DW_PERIOD - 1_000])
def test_multicast_discovery_outside_a_window_is_heard_by_nobody_and_the_sender_is_told_why(
    us: int, payload: bytes
) -> None:
    scene = _at(us, payload, **STRICT)
    tsf = us + scene.air.airtime_us(len(payload))
    assert scene.heard == []
    assert scene.notices == [("ann", f"outside a discovery window: TSF {tsf}, the next begins at {DW_PERIOD}")]


@pytest.mark.parametrize("payload", ALWAYS)
def test_other_frames_are_heard_at_any_time(payload: bytes) -> None:
    assert "ben" in _at(DW_PERIOD // 2, payload, **STRICT).hearers


@pytest.mark.parametrize("payload", WINDOWED + ALWAYS)
def test_windows_are_off_unless_asked_for(payload: bytes) -> None:
    assert "ben" in _at(DW_PERIOD // 2, payload).hearers


def test_a_frame_that_a_fault_delays_beyond_the_window_is_missed() -> None:
    def story(scene: _Scene) -> None:
        scene.air.rules.append(_wire_fault("delay", delay="20ms"))
        scene.send("ann", WINDOWED[0])

    scene = _play(story, **STRICT)
    assert (scene.heard, scene.notices) == ([], [])


def test_windows_follow_the_tsf_and_not_the_clock() -> None:
    assert _at(0, WINDOWED[0], cluster_time=Tsf(DW_PERIOD // 2), **STRICT).heard == []
    assert _at(DW_PERIOD // 2, WINDOWED[0], cluster_time=Tsf(DW_PERIOD // 2), **STRICT).hearers == ["ben", "cas", "dan"]


# Range, signal, and radios that are off.


def test_who_is_out_of_range_hears_nothing_until_they_meet_again() -> None:
    def story(scene: _Scene) -> None:
        scene.air.separate("ann", "ben")
        scene.send("ann", frame(BROADCAST, ANN))
        scene.send("ben", frame(BROADCAST, BEN))
        scene.air.reunite("ben", "ann")
        scene.send("ann", UNICAST)

    assert _play(story).hearers == ["cas", "dan", "cas", "dan", "ben"]


def test_a_radio_that_is_off_neither_hears_nor_is_heard_until_it_is_on() -> None:
    def story(scene: _Scene) -> None:
        scene.air.radio_off("ben")
        scene.send("ann", UNICAST)
        scene.send("ben", frame(ANN, BEN))
        scene.air.radio_on("ben")
        scene.send("ben", frame(CAS, BEN))

    assert _play(story).hearers == ["cas"]


def test_a_radio_that_joins_while_its_actor_is_off_is_off() -> None:
    def story(scene: _Scene) -> None:
        scene.air.radio_off("eve")
        scene.attach("eve", mac(50))
        scene.send("ann", frame(mac(50), ANN))
        scene.air.radio_on("eve")
        scene.send("ann", frame(mac(50), ANN))

    scene = _play(story)
    assert (scene.hearers, scene.acknowledged) == (["eve"], [False, True])


def test_signal_strength_is_a_constant_unless_set_for_a_pair() -> None:
    def story(scene: _Scene) -> None:
        scene.air.set_rssi("ben", "ann", -80)
        scene.send("ann", frame(BROADCAST, ANN))
        scene.send("ben", frame(ANN, BEN))

    scene = _play(story)
    heard_at = [(flight.receiver, flight.rssi_dbm) for _, flight in scene.flights]
    assert heard_at == [("ben", -80), ("cas", -45), ("dan", -45), ("ann", -80)]


# Monitors.


def test_a_monitor_hears_everything_once_as_it_was_sent() -> None:
    def story(scene: _Scene) -> None:
        scene.air.attach_monitor("watch", scene.ear("watch"))
        scene.air.rules.append(_wire_fault("drop"))
        scene.air.separate("watch", "ann")
        scene.send("ann", UNICAST)
        scene.send("ann", frame(BROADCAST, ANN))
        scene.send("ann", frame(mac(99), ANN))

    scene = _play(story)
    assert scene.heard == [
        ("watch", UNICAST),
        ("watch", frame(BROADCAST, ANN)),
        ("watch", frame(mac(99), ANN)),
    ]
    assert scene.acknowledged == [False, False]


def test_a_monitor_does_not_shift_the_chance_of_a_fault() -> None:
    def fates(monitors: int) -> list[str]:
        def story(scene: _Scene) -> None:
            for _ in range(monitors):
                scene.air.attach_monitor("watch", lambda _flight: None)
            scene.air.rules.append(_wire_fault("delay", delay="1ms", jitter="100ms"))
            for _ in range(20):
                scene.send("ann", frame(BROADCAST, ANN))

        return _play(story).hearers

    assert fates(0) == fates(3)


def test_a_monitor_hears_what_is_sent_outside_a_window_and_not_its_own() -> None:
    async def story(scene: _Scene) -> None:
        monitor = scene.air.attach_monitor("watch", scene.ear("watch"))
        await scene.clock.sleep(DW_PERIOD // 2)
        scene.send("ann", WINDOWED[0])
        monitor.send(frame(BEN, mac(9)), BEN)
        await scene.clock.sleep(1_000)
        monitor.close()
        scene.send("ann", frame(CAS, ANN))

    assert sorted(_play(story, **STRICT).hearers) == ["ben", "cas", "watch"]


def test_a_monitor_has_no_interest_to_change() -> None:
    def story(scene: _Scene) -> None:
        with pytest.raises(MediumError, match="watch is a monitor and hears everything"):
            scene.air.attach_monitor("watch", lambda _: None).listen(Interest())

    _play(story)


# Faults and hostile frames.


def _wire_fault(kind: str, **parameters: Any) -> "_Everywhere":
    return _Everywhere(kind, parameters)


class _Everywhere:
    """A wire fault that hits every flight."""

    def __init__(self, kind: str, parameters: dict[str, Any]) -> None:
        self.fault = make_fault(kind, parameters)
        self.context = FaultContext(Chance(1).stream("fault/test"))

    def apply(self, flight: Flight) -> Sequence[Flight]:
        return self.fault.apply(flight, self.context)


def test_a_duplicate_arrives_twice_and_is_acknowledged_once() -> None:
    def story(scene: _Scene) -> None:
        scene.air.rules.append(_wire_fault("duplicate"))
        scene.send("ann", UNICAST)

    scene = _play(story)
    assert (scene.hearers, scene.acknowledged) == (["ben", "ben"], [True])


def test_the_acknowledgement_of_a_delayed_frame_comes_with_it() -> None:
    def story(scene: _Scene) -> None:
        scene.air.rules.append(_wire_fault("delay", delay="200ms"))
        scene.send("ann", UNICAST)

    scene = _play(story)
    assert [outcome.at_us for _, outcome in scene.outcomes] == [200_000 + 66 + ACK_US]


def test_a_corrupted_frame_reaches_whom_it_was_sent_to_and_is_not_acknowledged() -> None:
    def story(scene: _Scene) -> None:
        scene.air.rules.append(_wire_fault("corrupt", bits=40))
        scene.send("ann", UNICAST)

    scene = _play(story)
    assert scene.hearers == ["ben"]
    assert scene.heard[0][1] != UNICAST
    assert scene.outcomes[0][1].payload == UNICAST
    assert scene.acknowledged == [False]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "a frame of 0 octets, expected 24 to 11454"),
        (UNICAST[:23], "a frame of 23 octets, expected 24 to 11454"),
        (UNICAST + bytes(12_000), "a frame of 12030 octets"),
        (b"\xd1" + UNICAST[1:], "protocol version 1, expected 0"),
        (b"\xd4" + UNICAST[1:], "frame type 1, expected management"),
        (frame(BEN, NETWORK_ID), "transmitter address (A2) is a group address"),
    ],
)
def test_what_is_no_frame_is_dropped_with_a_notice_that_says_why(payload: bytes, reason: str) -> None:
    scene = _play(lambda scene: scene.send("ann", payload))
    assert (scene.heard, scene.outcomes, scene.air.ignored) == ([], [], {"ann": 1})
    ((actor, why),) = scene.notices
    assert (actor, reason in why) == ("ann", True)
    assert [sent[1] for sent in scene.tap.frames] == ["ann"]


@given(st.binary(max_size=80))
def test_any_bytes_are_heard_or_ignored(payload: bytes) -> None:
    scene = _play(lambda scene: scene.send("ann", payload))
    assert len(scene.tap.frames) == 1
    assert len(scene.notices) == scene.air.ignored.total()
    assert not (scene.heard and scene.notices)


def test_a_data_frame_is_a_frame() -> None:
    payload = frame(BEN, ANN, b"\xaa\xaa\x03", control=b"\x08\0")
    assert _play(lambda scene: scene.send("ann", payload)).heard == [("ben", payload)]


def test_in_real_time_a_frame_takes_no_time() -> None:
    async def run() -> tuple[list[bytes], int]:
        clock = Clock(asyncio.get_running_loop(), virtual=False)
        air, outcomes = Air(clock), asyncio.Queue[Acknowledgement]()
        heard: list[bytes] = []
        sender = air.attach("a", (ANN,), lambda _: None, on_acknowledged=outcomes.put_nowait)
        air.attach("b", (BEN,), lambda flight: heard.append(flight.payload))
        sender.send(UNICAST, BEN)
        assert (await outcomes.get()).acknowledged
        clock.close()
        return heard, air.airtime_us(1_000)

    assert asyncio.run(run()) == ([UNICAST], 0)
