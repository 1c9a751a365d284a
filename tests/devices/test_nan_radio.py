"""NAN devices on a home's air: found and paired, in strict discovery windows too, and gone when they leave."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from devices.actor import Site
from devices.home import HomeOptions, LiveHome
from devices.nan_radio import NanRadio, air_windows, draw_mac
from devices.sim.chance import Chance
from devices.sim.loop import VirtualTimeLoop
from devices.spec import read_home
from pairing.engine import Event, PeerDiscovered
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.events import BootstrappingCompleted
from pairing.nan.pairing_events import PairingCompleted, PairingRequested
from tests.support.nan_air import CAPABILITY, camera_service, phone_service

OPPORTUNISTIC = camera_service().methods.OPPORTUNISTIC


class _Party:
    """A radio that says yes to everybody."""

    def __init__(self, site: Site, name: str) -> None:
        chance = site.chance.stream(f"test/{name}")
        self.events: list[Event] = []
        settings = NanDeviceSettings(
            nmi=draw_mac(chance),
            ndi=draw_mac(chance),
            cluster_id=site.cluster_id,
            device_capability=CAPABILITY,
            windows=air_windows(site),
        )
        self.radio = NanRadio(site, name, settings, chance.randbytes, self._on_event)
        self.radio.join()

    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, PairingRequested) and event.peer is not None:
            peer = bytes.fromhex(event.peer.replace(":", ""))
            self.radio.do(lambda device, now: device.accept_pairing(peer, now))

    def of(self, kind: type[Event]) -> list[Event]:
        return [each for each in self.events if isinstance(each, kind)]


def _run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story)


def _home(windows: str = "off") -> LiveHome:
    return LiveHome(read_home({"air": {"discovery_windows": windows}}), HomeOptions(virtual=True, seed=1))


@pytest.mark.parametrize("windows", ["off", "strict"])
def test_two_radios_find_each_other_and_pair(windows: str) -> None:
    async def story() -> None:
        live = _home(windows)
        camera, phone = _Party(live.site, "camera"), _Party(live.site, "phone")
        camera.radio.do(lambda device, now: device.publish(camera_service(is_unsolicited=True), now))
        phone.radio.do(lambda device, now: device.subscribe(phone_service(), now))
        await live.clock.sleep(3_000_000)
        assert len(phone.of(PeerDiscovered)) == 1
        peer = camera.radio.addresses[0]
        phone.radio.do(lambda device, now: device.bootstrap(peer, OPPORTUNISTIC, now))
        await live.clock.sleep(3_000_000)
        assert phone.of(BootstrappingCompleted)
        phone.radio.do(lambda device, now: device.pair(peer, now))
        await live.clock.sleep(10_000_000)
        assert len(phone.of(PairingCompleted)) == len(camera.of(PairingCompleted)) == 1
        assert live.air.ignored == {}
        await live.stop()

    _run(story())


def test_a_radio_hears_only_what_its_sessions_are_about() -> None:
    async def story() -> None:
        live = _home()
        camera, phone = _Party(live.site, "camera"), _Party(live.site, "phone")
        camera.radio.do(lambda device, now: device.publish(camera_service(is_unsolicited=True), now))
        phone.radio.do(lambda device, now: device.subscribe(phone_service(name="_other._udp"), now))
        await live.clock.sleep(3_000_000)
        # A foreign service is reported once a peer, if its frame reaches the engine at all.
        assert [type(each).__name__ for each in phone.events] == ["SubscribeStarted"]
        await live.stop()

    _run(story())


def test_a_radio_that_left_is_silent_and_its_address_is_free() -> None:
    async def story() -> None:
        live = _home()
        camera = _Party(live.site, "camera")
        nmi = camera.radio.addresses[0]
        assert live.air.actor_at(nmi) == "camera"
        camera.radio.do(lambda device, now: device.publish(camera_service(is_unsolicited=True), now))
        heard: list[bytes] = []
        live.air.attach_monitor("monitor", lambda flight: heard.append(flight.payload))
        await live.clock.sleep(2_000_000)
        before = len(heard)
        camera.radio.leave()
        await live.clock.sleep(2_000_000)
        assert before > 0
        assert len(heard) == before
        assert live.air.actor_at(nmi) is None
        await live.stop()

    _run(story())


def test_drawn_addresses_are_local_and_individual() -> None:
    chance = Chance(5).stream("macs")
    for _ in range(50):
        assert draw_mac(chance)[0] & 3 == 2
