"""A camera on a radio of its own, with the engines of `pairing`: publishes, pairs whoever asks, grants paired paths.

A pairing is written to its flash when it is complete. Its power fails once, and it starts again from the flash.
"""

import json
import secrets
import time
from collections.abc import Iterable

from home import chosen_bug
from radio import SERVICE, Heard, Radio, octets

from pairing.engine import Event, Output, Transmit
from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.attributes import (
    BootstrappingMethods,
    CipherSuiteInfo,
    DeviceCapabilityExtension,
    PairingCapabilities,
    SdeaControl,
)
from pairing.nan.data_path_events import DataPathOpened, DataPathRequested
from pairing.nan.device import NanDevice, restored
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.pairing_events import PairingCompleted, PairingRequested
from pairing.nan.pairing_rules import PairingProfile
from pairing.nan.sessions import Publish

SCENARIO = "clients/foreign-camera-loses-power.toml"
BUGS = {
    "answers-frame-1-twice": "expect PairingCompleted (phone)",
    "writes-before-the-confirmation": "do open (phone)",
    "forgets-at-power-off": "expect PeerRecognised (phone)",
}
ADDRESS, INTERFACE = "02:00:00:00:00:0c", "02:00:00:00:00:0d"
TICK_SECONDS = 0.05
LIFE_SECONDS = 6.0


def publish() -> Publish:
    """What the camera offers."""
    able = PairingCapabilities.PAIRING_SETUP | PairingCapabilities.NPK_NIK_CACHING
    return Publish(
        name=SERVICE,
        instance_id=1,
        methods=BootstrappingMethods.OPPORTUNISTIC,
        device_capability_extension=DeviceCapabilityExtension(pairing=able),
        cipher_suites=CipherSuiteInfo.of(1, 7),
        sdea_control=SdeaControl.DATA_PATH_REQUIRED | SdeaControl.SECURITY_REQUIRED,
    )


class Camera:
    """The device from power-on to power-off, and the flash that outlives it."""

    def __init__(self, bug: str | None) -> None:
        self.bug = bug
        self.radio = Radio(ADDRESS)
        self.flash = ""
        self.is_over = False
        self.power_on()

    def power_on(self) -> None:
        """Start from the flash."""
        nik, paired = restored(json.loads(self.flash)) if self.flash else (None, ())
        settings = NanDeviceSettings(
            nmi=octets(ADDRESS),
            ndi=octets(INTERFACE),
            cluster_id=self.radio.cluster,
            pairing=PairingProfile(is_frame_1_answered_anew=self.bug == "answers-frame-1-twice"),
            nik=nik,
            paired=paired,
        )
        self.device = NanDevice(settings, secrets.token_bytes, now())
        self.perform(self.device.publish(publish(), now()))

    def write(self) -> None:
        """What the camera remembers goes to the flash."""
        self.flash = json.dumps(self.device.snapshot())

    def perform(self, outputs: Iterable[Output]) -> None:
        """Send what is to be sent, and answer what is asked."""
        for each in outputs:
            if isinstance(each, Transmit):
                self.radio.send(each.payload)
            else:
                self.on_event(each)

    def on_event(self, event: Event) -> None:
        """The engine reports."""
        match event:
            case PairingRequested(peer=str(peer)):
                if self.bug == "writes-before-the-confirmation":
                    self.write()
                self.perform(self.device.accept_pairing(octets(peer), now()))
            case PairingCompleted():
                if self.bug not in ("writes-before-the-confirmation", "forgets-at-power-off"):
                    self.write()
                self.power_on()
            case DataPathRequested():
                self.perform(self.device.accept_data_path(event.data_path, now()))
            case DataPathOpened():
                self.is_over = True

    def run(self) -> None:
        """Until a data path has opened, or the story is over."""
        end = time.monotonic() + LIFE_SECONDS
        while not self.is_over and time.monotonic() < end:
            self.radio.hear(TICK_SECONDS, self.take)
            self.perform(self.device.handle_timeout(now()))

    def take(self, heard: Heard) -> bool:
        """A frame for the engine, or news of one of its own."""
        if heard.is_acknowledged is not None:
            self.perform(self.device.acknowledged(heard.frame, heard.is_acknowledged, now()))
        else:
            sender = ManagementFrame.decode(heard.frame).transmitter
            self.perform(self.device.receive(heard.frame, sender, now()))
        return True


def now() -> int:
    """Microseconds of a clock of our own."""
    return time.monotonic_ns() // 1_000


def main() -> None:
    """Be a camera."""
    Camera(chosen_bug(BUGS)).run()


if __name__ == "__main__":
    main()
