"""The engines of a Wi-Fi Aware device put together: which frame is for which, and what passes the frame protection.

What the owner may ask for is in `device`. Sub-engines speak plain frames; here they are sealed on the way out, opened
on the way in, and the medium's reports brought back to whom they concern.
Source: Wi-Fi Aware specification 4.0.
"""

from dataclasses import replace
from typing import TypeVar

from pairing.engine import Address, Entropy, Event, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import DecodeError, RemoteProtocolError
from pairing.ieee80211.frames import ManagementFrame, Subtype
from pairing.keys import PairedPeer
from pairing.nan.attributes import IdentityResolution
from pairing.nan.bootstrapping import Bootstrapping
from pairing.nan.cluster import ClusterEngine
from pairing.nan.data_path import DataPaths
from pairing.nan.device_sessions import DeviceSessions
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.discovery import Discovery
from pairing.nan.events import SessionTerminated
from pairing.nan.frames import ServiceDiscoveryFrame, is_nan_frame, read_group_frame, read_nan_frame
from pairing.nan.identifiers import address_text
from pairing.nan.identity import PairedPeers, bare, draw_nik
from pairing.nan.lost_keys import LostKeys
from pairing.nan.pairing import Pairing
from pairing.nan.pairing_events import PairingCompleted, PairingVerified, PeerRecognised, PeerRemoved
from pairing.nan.protection import FrameProtection
from pairing.nan.timing import Tsf

PROTOCOL = "nan"
_T = TypeVar("_T")
MAX_SEALED = 256
"""Protected frames whose fate is not known yet."""
MAX_RECOGNISED = 1024
"""Addresses of which it is noted whether a paired peer is behind them."""


class DeviceCore:
    """One device's engines, its paired peers and the keys in use."""

    def __init__(self, settings: NanDeviceSettings, entropy: Entropy, now: Micros) -> None:
        self.settings = settings
        self.nik = draw_nik(entropy) if settings.nik is None else settings.nik
        self.peers = PairedPeers(settings.paired, now, does_expire=settings.does_forget_expired)
        self.protection = FrameProtection(is_encrypting=settings.is_encrypting)
        self.sessions = DeviceSessions(self.nik, settings.nmi, entropy)
        self.discovery = Discovery(settings.local, windows=settings.windows)
        self.bootstrapping = Bootstrapping(self.discovery, entropy, settings.bootstrapping, windows=settings.windows)
        self.pairing = Pairing(
            self.discovery,
            self.bootstrapping,
            self.protection,
            self.peers,
            self.nik,
            entropy,
            settings.pairing,
        )
        self.data_paths = DataPaths(
            self.discovery, self.protection, self.sessions, settings.ndi, entropy, settings.data_path
        )
        self.cluster = None if settings.cluster is None else ClusterEngine(settings.cluster, entropy)
        self._sealed: dict[bytes, bytes] = {}
        self._recognised: dict[bytes, tuple[IdentityResolution, int]] = {}
        self._strangers: dict[bytes, IdentityResolution] = {}
        self._keyed: dict[bytes, int] = {}
        self.lost_keys = LostKeys()
        self._left: list[bytes] = []
        self._emptied: list[bytes] = []
        self._tsf = Tsf()

    # Out.

    def out(self, outputs: Outputs) -> list[Output]:
        """What leaves the device: frames sealed where keys are in use, consequences of events drawn."""
        passed: list[Output] = []
        for output in outputs:
            if isinstance(output, Transmit):
                passed.append(self._seal(output))
            else:
                passed.append(output)
                self._note(output)
        return passed

    def part(self, peer: bytes, now: Micros) -> list[Output]:
        """End what goes on with an address, use no key with it any more, and do not know who is behind it."""
        ended = self.drop_keys(peer, now)
        self._recognised.pop(peer, None)
        self._strangers.pop(peer, None)
        return ended

    def drop_keys(self, peer: bytes, now: Micros) -> list[Output]:
        """End what goes on with an address, and use no key with it any more."""
        interfaces = self.data_paths.interfaces_with(peer)
        ended = self.out(self.data_paths.drop(peer, now))
        for own, other in ((self.discovery.device.nmi, peer), *interfaces):
            self.protection.remove(own, other)
        self.pairing.forget(peer)
        self.bootstrapping.forget(peer)
        self._keyed.pop(peer, None)
        self.lost_keys.clear(peer)
        return ended

    def change_address(self, nmi: bytes, now: Micros) -> list[Output]:
        """Go on under another management address; what went on under the old one ends."""
        device, ended = self.discovery.device, []
        for own, peer in self.protection.pairs:
            if own == device.nmi:
                ended += self.part(peer, now)
        self.discovery.set_device(replace(device, nmi=nmi))
        self.sessions.change_address(nmi)
        for instance_id in list(self.discovery.sessions):
            ended += self.out(self.discovery.update(self.sessions.on_air(instance_id), now))
        return ended

    def addresses_of(self, peer_id: int) -> tuple[bytes, ...]:
        """Where a paired peer was recognised last, or shares keys with us, whatever its NIRA says by now."""
        recognised = [nmi for nmi, (_, known) in self._recognised.items() if known == peer_id]
        return tuple(dict.fromkeys((*recognised, *(nmi for nmi, known in self._keyed.items() if known == peer_id))))

    def keyed_peer(self, nmi: bytes) -> PairedPeer | None:
        """The remembered peer that we share keys with at an address."""
        peer_id = self._keyed.get(nmi)
        return None if peer_id is None else self.peers.get(peer_id)

    def _seal(self, output: Transmit) -> Transmit:
        if self.lost_keys.is_answered_in_the_open(output.payload):
            return output
        sealed = self.protection.seal(output)
        if sealed is not output:
            self._sealed[sealed.payload] = output.payload
            if len(self._sealed) > MAX_SEALED:
                del self._sealed[next(iter(self._sealed))]
        return sealed

    def _note(self, event: Event) -> None:
        if isinstance(event, SessionTerminated):
            self.sessions.remove(event.instance_id)
        elif isinstance(event, (PairingCompleted, PairingVerified)) and event.peer is not None:
            nmi, peer_id = bytes.fromhex(event.peer.replace(":", "")), event.peer_id
            if self.lost_keys.clear(nmi):
                self._emptied.append(nmi)
            if peer_id is None:
                return
            self._left += [each for each, known in self._keyed.items() if known == peer_id and each != nmi]
            self._keyed[nmi] = peer_id
            heard = self.discovery.peer_device(nmi)
            if heard is not None and heard.identity is not None:
                self._recognised[nmi] = (bare(heard.identity), peer_id)

    def _settled(self, outputs: list[Output], now: Micros) -> list[Output]:
        """What a peer has left behind, who proved that he started again: his old address, his old data paths."""
        emptied, self._emptied = self._emptied, []
        for peer in emptied:
            outputs += self.out(self.data_paths.close_all(peer, now))
        left, self._left = self._left, []
        for peer in left:
            outputs += self.part(peer, now)
        return outputs

    # In.

    def receive(self, payload: bytes, sender: Address, now: Micros, rssi: int) -> list[Output]:
        """A frame from the air."""
        return self._settled(self._receive(payload, sender, now, rssi), now)

    def _receive(self, payload: bytes, sender: Address, now: Micros, rssi: int) -> list[Output]:
        try:
            frame = ManagementFrame.decode(payload)
            if frame.subtype == Subtype.BEACON:
                return self._receive_beacon(payload, sender, now, rssi)
            if frame.subtype == Subtype.AUTHENTICATION:
                return self.out(self.pairing.receive(payload, sender, now))
            if not is_nan_frame(frame) or not self._is_ours(frame):
                return []
            plain = self._open(frame)
            decoded = read_group_frame(plain) if plain.is_group_addressed else read_nan_frame(plain)
        except (DecodeError, RemoteProtocolError) as error:
            peer = address_text(sender) if isinstance(sender, bytes) else None
            return [FrameIgnored(peer=peer, reason=str(error), protocol=PROTOCOL)]
        if isinstance(decoded, ServiceDiscoveryFrame):
            return self.out(self._receive_discovery(decoded, now))
        confirmed = self.pairing.confirm(decoded.source, now) if decoded.is_protected_dual else []
        return self.out([*confirmed, *self.data_paths.receive_frame(decoded, now)])

    def _open(self, frame: ManagementFrame) -> ManagementFrame:
        key = self.protection.in_use(frame.receiver, frame.transmitter)
        try:
            plain = self.protection.open(frame)
        except RemoteProtocolError:
            known = self._recognised.get(frame.transmitter)
            if frame.is_protected or not self.lost_keys.hears(frame, key, None if known is None else known[0]):
                raise
            return frame
        if frame.is_protected:
            self.lost_keys.disprove(frame.transmitter, key)
        return plain

    def _receive_beacon(self, payload: bytes, sender: Address, now: Micros, rssi: int) -> list[Output]:
        if self.cluster is None:
            return []
        outputs = self.out(self.cluster.receive(payload, sender, now, rssi))
        self._follow_cluster(now)
        return outputs

    def _follow_cluster(self, now: Micros) -> None:
        """Speak in the cluster that was found, and by its clock."""
        cluster, device = self.cluster, self.discovery.device
        if cluster is None or not cluster.cluster_id:
            return
        if device.cluster_id != cluster.cluster_id:
            self.discovery.set_device(replace(device, cluster_id=cluster.cluster_id))
        if self._tsf != cluster.tsf:
            self._tsf = cluster.tsf
            self.discovery.synchronise(cluster.tsf, now)
            self.bootstrapping.synchronise(cluster.tsf, now)

    def _is_ours(self, frame: ManagementFrame) -> bool:
        return frame.is_group_addressed or frame.receiver in (self.discovery.device.nmi, self.settings.ndi)

    def _receive_discovery(self, frame: ServiceDiscoveryFrame, now: Micros) -> Outputs:
        return [
            *self.discovery.receive_frame(frame, now),
            *self._recognise(frame),
            *self.bootstrapping.receive_frame(frame, now),
            *self.pairing.receive_frame(frame, now),
        ]

    def _recognise(self, frame: ServiceDiscoveryFrame) -> Outputs:
        """Say once when a paired peer is in view under another address or NIRA. A NIRA of nobody replaces none."""
        shown, peer = frame.find(IdentityResolution), frame.source
        if shown is None or peer == self.discovery.device.nmi:
            return []
        identity = bare(shown)
        known = self._recognised.get(peer)
        self.lost_keys.calm(peer, identity)
        if known is not None and known[0] == identity:
            return []
        key = self.protection.in_use(self.discovery.device.nmi, peer)
        if known is not None and key is not None and not frame.is_protected_dual:
            self.lost_keys.suspect(peer, key, known[0])
        if self._strangers.get(peer) == identity:
            return []
        found = self.peers.find(identity, peer)
        if found is None:
            _note_in(self._strangers, peer, identity)
            return []
        _note_in(self._recognised, peer, (identity, found.peer_id))
        return [PeerRecognised(peer=address_text(peer), peer_id=found.peer_id, name=found.name)]

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> list[Output]:
        """The medium tells whether a unicast frame that left here arrived."""
        plain = self._sealed.pop(payload, payload)
        told = (plain, is_acknowledged, now)
        return self._settled(self.out([*self.pairing.acknowledged(*told), *self.data_paths.acknowledged(*told)]), now)

    # Time.

    @property
    def deadline(self) -> Micros | None:
        """The earliest of all parts."""
        parts = (self.discovery, self.bootstrapping, self.pairing, self.data_paths, self.peers)
        times = [part.deadline for part in parts]
        times += [] if self.cluster is None else [self.cluster.deadline]
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> list[Output]:
        """Everything that is due."""
        outputs: list[Output] = []
        if self.cluster is not None:
            outputs += self.cluster.handle_timeout(now)
            self._follow_cluster(now)
        outputs += [
            *self.discovery.handle_timeout(now),
            *self.bootstrapping.handle_timeout(now),
            *self.pairing.handle_timeout(now),
            *self.data_paths.handle_timeout(now),
        ]
        passed = self._settled(self.out(outputs), now)
        for peer in self.peers.expire(now):
            for nmi in self.addresses_of(peer.peer_id):
                passed += self.part(nmi, now)
            passed.append(PeerRemoved(peer_id=peer.peer_id, name=peer.name, reason="its lifetime is over"))
        return passed


def _note_in(notes: dict[bytes, _T], peer: bytes, what: _T) -> None:
    """Note it, the oldest of too many goes."""
    notes.pop(peer, None)
    notes[peer] = what
    if len(notes) > MAX_RECOGNISED:
        del notes[next(iter(notes))]
