"""What the sample radios share: a radio on the home's air over UDP, and the frames of a pairing without a PIN.

A firmware of its own: it composes and judges frames with `pairing`'s parts, and decides by itself what follows.
"""

import secrets
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from home import control

from pairing.engine import Transmit
from pairing.errors import PairingError
from pairing.ieee80211 import elements as ie
from pairing.ieee80211.frames import ManagementFrame, StatusCode, Subtype
from pairing.nan.attributes import (
    CipherSuiteInfo,
    DeviceCapabilityExtension,
    PairingCapabilities,
    SharedKeyDescriptor,
    encode_attributes,
)
from pairing.nan.frames import ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.nik_exchange import identity_descriptor, own_key_data, read_identity
from pairing.nan.pairing_attempt import derive_keys
from pairing.nan.protection import FrameProtection
from pairing.nan.service_frames import follow_up_frame
from pairing.nan.sessions import LocalDevice, Subscribe
from pairing.pasn import checks
from pairing.pasn.exchange import Exchange
from pairing.pasn.key_schedule import NCS_PK_PASN_128
from pairing.pasn.messages import PasnFrame, compose, nan_element
from pairing.pasn.settings import Opportunistic

SERVICE = "_pairlab-camera._tcp"
LIFETIME_SECONDS = 43_200
TX_FLAGS = 1 << 15
FoundT = TypeVar("FoundT")


def octets(address: str) -> bytes:
    """An address from its text."""
    return bytes.fromhex(address.replace(":", ""))


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame from the air; one of our own has come back, and says whether it was acknowledged."""

    frame: bytes
    is_acknowledged: bool | None = None


class Radio:
    """One radio of the home's cluster, with an address of its own. The home's air has `header = "radiotap"`."""

    def __init__(self, address: str) -> None:
        air = control("GET", "air/tsf")
        host, _, port = air["udp"].rpartition(":")
        self.address, self.cluster = octets(address), octets(air["cluster_id"])
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((host, int(port)))
        self._kept: deque[Heard] = deque(maxlen=16)

    def send(self, frame: bytes) -> None:
        """On the air."""
        self._socket.send(frame)

    def hear(self, within: float, wanted: Callable[[Heard], FoundT | None]) -> FoundT | None:
        """What `wanted` makes of the first frame that it makes anything of; None after so many seconds.

        Others are kept for the next question.
        """
        for each in tuple(self._kept):
            found = wanted(each)
            if found is not None:
                self._kept.remove(each)
                return found
        end = time.monotonic() + within
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                datagram = self._socket.recv(65_536)
            except TimeoutError:
                return None
            heard = _read(datagram)
            found = wanted(heard)
            if found is not None:
                return found
            self._kept.append(heard)
        return None

    def deliver(self, frame: bytes, within: float) -> bool:
        """On the air; whether it was acknowledged."""
        self.send(frame)
        return bool(self.hear(within, lambda heard: heard.is_acknowledged if heard.frame == frame else None))


def _read(datagram: bytes) -> Heard:
    length, present = (int.from_bytes(datagram[at : at + size], "little") for at, size in ((2, 2), (4, 4)))
    frame = datagram[length:]
    if not present & TX_FLAGS:
        return Heard(frame)
    return Heard(frame, is_acknowledged=not datagram[length - 2] & 1)


class Attempt:
    """One pairing that we begin: our keys, the frames that we send, and what we read in the peer's."""

    def __init__(self, radio: Radio, peer: bytes) -> None:
        self.radio, self.peer = radio, peer
        self.exchange = Exchange(
            Opportunistic(), NCS_PK_PASN_128, radio.address, peer, secrets.token_bytes, initiates=True
        )
        able = PairingCapabilities.PAIRING_SETUP | PairingCapabilities.NPK_NIK_CACHING
        self.capability = DeviceCapabilityExtension(pairing=able)
        self.nan = encode_attributes((CipherSuiteInfo.of(1, NCS_PK_PASN_128.number), self.capability))
        self.body_1 = b""
        self.protection = FrameProtection()

    def frame_1(self, cookie: bytes | None = None) -> bytes:
        """The frame that begins it, or with a cookie the one that comes back."""
        exchange = self.exchange
        back = None if cookie is None else ie.Comeback(cookie)
        parts = (exchange.rsne(()), exchange.parameters(back), nan_element(self.nan))
        self.body_1 = compose(1, parts).encode()
        return self._authentication(self.body_1)

    def frame_2(self, heard: Heard) -> PasnFrame | None:
        """The peer's answer, if this is one."""
        try:
            header = ManagementFrame.decode(heard.frame)
            if header.subtype != Subtype.AUTHENTICATION or header.transmitter != self.peer:
                return None
            frame = PasnFrame.decode(header.body)
        except PairingError:
            return None
        return frame if frame.transaction == 2 else None

    def take_keys(self, answer: PasnFrame, *, is_mic_checked: bool = True) -> bool:
        """Whether the answer is a good one: then its keys are in use."""
        if answer.status != StatusCode.SUCCESS:
            return False
        try:
            key = checks.check_public_key(answer, checks.check_parameters(answer), self.exchange.suite)
            self.exchange.derive(key)
            if is_mic_checked:
                self.exchange.check_mic_2(self.body_1, answer)
        except PairingError as problem:
            print(f"frame 2: {problem}")
            return False
        self.keys = derive_keys(self.exchange.keys)
        self.protection.install(self.radio.address, self.peer, self.keys)
        return True

    def frame_3(self) -> bytes:
        """The frame that proves our keys."""
        exchange = self.exchange
        parameters = ie.PasnParameters(exchange.wrapped_format).encode()
        frame = compose(3, (parameters, nan_element(self.nan), ie.mic(bytes(exchange.suite.mic_length(exchange.akm)))))
        return self._authentication(frame.with_mic(exchange.mic_3(self.body_1, frame)).encode())

    def identity(self, nik: bytes, *, is_sealed: bool = True) -> bytes:
        """The follow-up that carries our NIK, under the keys of the pairing."""
        device = LocalDevice(nmi=self.radio.address, cluster_id=self.radio.cluster)
        session = Subscribe(name=SERVICE, instance_id=1, device_capability_extension=self.capability)
        carried = identity_descriptor(1, self.keys, own_key_data(nik, LIFETIME_SECONDS))
        frame = follow_up_frame(device, session, self.peer, 1, carried=(carried,), is_protected=is_sealed)
        if not is_sealed:
            return frame.encode()
        return self.protection.seal(Transmit(frame.encode(), self.peer)).payload

    def peer_identity(self, heard: Heard) -> bytes | None:
        """The peer's NIK, if this frame brings it."""
        try:
            plain = self.protection.open(ManagementFrame.decode(heard.frame))
            frame = decode_nan_frame(plain.encode())
            carried = frame.find(SharedKeyDescriptor) if isinstance(frame, ServiceDiscoveryFrame) else None
            if carried is None or frame.source != self.peer:
                return None
            return read_identity(carried, self.keys, is_strict=True).nik
        except PairingError:
            return None

    def _authentication(self, body: bytes) -> bytes:
        radio = self.radio
        return ManagementFrame(Subtype.AUTHENTICATION, self.peer, radio.address, radio.cluster, body).encode()
