"""A Wi-Fi Aware device: what an accessory or a phone holds to publish, subscribe, pair and open data paths.

For any number of peers and services under one management address. Peers are named by their NMI; who is behind it, a
paired peer's ID says. How the parts work together is in `device_core`.
Source: Wi-Fi Aware specification 4.0.
"""

from collections.abc import Mapping
from dataclasses import replace

from pairing.engine import Address, Entropy, Micros, Output, Outputs
from pairing.errors import KeyStoreError, LocalProtocolError
from pairing.ieee80211.frames import StatusCode
from pairing.keys import NanPairingKeys, PairedPeer
from pairing.nan.attributes import Availability, BootstrappingMethods, DeviceCapability, ReasonCode
from pairing.nan.cluster import GOOD_RSSI, ClusterEngine
from pairing.nan.cluster_states import ClusterState
from pairing.nan.data_path import Path
from pairing.nan.device_core import DeviceCore
from pairing.nan.device_settings import NanDeviceSettings, NanLies
from pairing.nan.discovery import PeerKey
from pairing.nan.identifiers import address_text, check_address
from pairing.nan.pairing import Side
from pairing.nan.pairing_events import PeerRemoved
from pairing.nan.pairing_partners import discovered_service
from pairing.nan.sessions import DiscoveredService, LocalDevice, Publish, Session, Subscribe


class NanDevice:
    """The engine of one device. Every intent returns what it puts out, in order."""

    def __init__(self, settings: NanDeviceSettings, entropy: Entropy, now: Micros = 0) -> None:
        self._core = DeviceCore(settings, entropy, now)

    # The cluster and the device.

    def start_cluster(self, now: Micros) -> Outputs:
        """Look for a cluster, and join it or begin one; only for a device that takes part in one by beacons."""
        return self._core.out(self._cluster.start(now))

    def stop_cluster(self, now: Micros) -> Outputs:
        """Leave the cluster without a word."""
        return self._core.out(self._cluster.stop(now))

    def change_address(self, nmi: bytes, now: Micros) -> Outputs:
        """Go on under another management address: keys in use are dropped, pairings stay, the NIRA is a new one."""
        check_address(nmi, "NMI")
        if self._core.cluster is not None:
            raise LocalProtocolError("a device that sends beacons keeps its address")
        return self._core.change_address(nmi, now)

    @property
    def cluster_state(self) -> ClusterState | None:
        """The role in the cluster; None for a device without beacons."""
        return None if self._core.cluster is None else self._core.cluster.state

    @property
    def _cluster(self) -> ClusterEngine:
        if self._core.cluster is None:
            raise LocalProtocolError("this device takes part in no cluster by beacons")
        return self._core.cluster

    # Services.

    def publish(
        self, publish: Publish, now: Micros, *, is_pairing_open: bool = True, passphrase: str | None = None
    ) -> Outputs:
        """Begin to publish; with a passphrase, the service's data paths use it."""
        self._require_free(publish.instance_id)
        core = self._core
        shown = core.sessions.add(publish, is_open=is_pairing_open, passphrase=passphrase)
        return core.out(core.discovery.publish(shown, now)) if isinstance(shown, Publish) else []

    def subscribe(self, subscribe: Subscribe, now: Micros, *, is_pairing_open: bool = True) -> Outputs:
        """Begin to subscribe."""
        self._require_free(subscribe.instance_id)
        core = self._core
        shown = core.sessions.add(subscribe, is_open=is_pairing_open, passphrase=None)
        return core.out(core.discovery.subscribe(shown, now)) if isinstance(shown, Subscribe) else []

    def update(self, session: Session, now: Micros) -> Outputs:
        """Go on with another configuration under the same instance ID."""
        return self._core.out(self._core.discovery.update(self._core.sessions.change(session), now))

    def terminate(self, instance_id: int, now: Micros) -> Outputs:
        """End a session."""
        return self._core.out(self._core.discovery.terminate(instance_id, now))

    def follow_up(self, instance_id: int, peer: bytes, peer_instance_id: int, data: bytes, now: Micros) -> Outputs:
        """Send the application's octets to one instance of a peer."""
        return self._core.out(self._core.discovery.follow_up(instance_id, peer, peer_instance_id, data, now))

    def configure(
        self,
        *,
        device_capability: DeviceCapability | None = None,
        availability: tuple[Availability, ...] | None = None,
    ) -> None:
        """Say something else of the device from now on; None leaves a part as it is."""
        device = self.device
        capability = device.device_capability if device_capability is None else device_capability
        schedule = device.availability if availability is None else availability
        self._core.discovery.set_device(replace(device, device_capability=capability, availability=schedule))

    # Pairing.

    def open_pairing(self, now: Micros, instance_id: int | None = None, *, does_forgive: bool = True) -> Outputs:
        """Let peers pair with a session, or with all; wrong passwords of before are forgiven, unless told otherwise."""
        if does_forgive:
            self._core.pairing.allow_again()
        return self._set_open(instance_id, now, is_open=True)

    def close_pairing(self, now: Micros, instance_id: int | None = None) -> Outputs:
        """Let no new peer pair; paired ones are recognised and verified as before."""
        return self._set_open(instance_id, now, is_open=False)

    def bootstrap(
        self,
        peer: bytes,
        method: BootstrappingMethods,
        now: Micros,
        *,
        instance_id: int | None = None,
        peer_instance_id: int | None = None,
        dialog_token: int | None = None,
    ) -> Outputs:
        """Ask a peer for a method, given from our point of view."""
        core, found = self._core, discovered_service(self._core.discovery, peer)
        if found is not None:
            instance_id = found.subscribe_id if instance_id is None else instance_id
            peer_instance_id = found.publish_id if peer_instance_id is None else peer_instance_id
        if instance_id is None or peer_instance_id is None:
            raise LocalProtocolError(f"no service of {address_text(peer)} is in view")
        offered = BootstrappingMethods.NONE if found is None else found.methods
        outputs = core.bootstrapping.request(
            instance_id, peer, peer_instance_id, method, now, offered=offered, dialog_token=dialog_token
        )
        return core.out(outputs)

    def accept_bootstrapping(self, peer: bytes, now: Micros) -> Outputs:
        """Allow the method that a peer has asked for."""
        return self._core.out(self._core.bootstrapping.accept(peer, now))

    def reject_bootstrapping(self, peer: bytes, now: Micros, reason: int | None = None) -> Outputs:
        """Refuse the method that a peer has asked for."""
        return self._core.out(self._core.bootstrapping.reject(peer, now, reason))

    def pair(self, peer: bytes, now: Micros, *, password: str | None = None, suite: int | None = None) -> Outputs:
        """Begin pairing setup with a peer; without a password nothing is authenticated."""
        return self._core.out(self._core.pairing.pair(peer, now, password=password, suite=suite))

    def accept_pairing(self, peer: bytes, now: Micros, *, password: str | None = None) -> Outputs:
        """Grant a peer's request, with the password if it asks for one."""
        return self._core.out(self._core.pairing.accept(peer, now, password=password))

    def reject_pairing(self, peer: bytes, now: Micros, status: int = StatusCode.UNSPECIFIED_FAILURE) -> Outputs:
        """Refuse a peer's request."""
        return self._core.out(self._core.pairing.reject(peer, now, status))

    def cancel(self, peer: bytes, now: Micros) -> Outputs:
        """Give up whatever goes on with a peer before it is paired."""
        core = self._core
        if core.pairing.is_in_progress(peer):
            return core.out(core.pairing.cancel(peer, now))
        if peer in core.bootstrapping.waiting_for_user:
            return core.out(core.bootstrapping.reject(peer, now))
        return core.out(core.bootstrapping.cancel(peer, now))

    def verify(self, peer: bytes, now: Micros) -> Outputs:
        """Bring an earlier pairing into force again, under fresh keys.

        Whose it is, the peer's NIRA says; if that is nobody's (it may be forged), the keys that are in use with it.
        """
        core = self._core
        in_use = None if core.pairing.recognise(peer) is not None else self.keyed_peer(peer)
        peer_id = None if in_use is None else in_use.peer_id
        return core.out(core.pairing.verify(peer, now, peer_id=peer_id))

    # Data paths.

    def open_data_path(
        self,
        peer: bytes,
        now: Micros,
        *,
        passphrase: str | None = None,
        pmk: bytes | None = None,
        suite: int | None = None,
        service_info: bytes = b"",
        dialog_token: int | None = None,
        ndp_id: int | None = None,
    ) -> Outputs:
        """Ask a publisher in view for a data path; with a paired peer, the keys are those of the pairing."""
        if self._core.pairing.is_in_progress(peer):
            raise LocalProtocolError(f"pairing with {address_text(peer)} is in progress")
        opened = self._core.data_paths.open(
            peer,
            now,
            passphrase=passphrase,
            pmk=pmk,
            suite=suite,
            service_info=service_info,
            dialog_token=dialog_token,
            ndp_id=ndp_id,
        )
        return self._core.out(opened)

    def accept_data_path(
        self,
        number: int,
        now: Micros,
        *,
        passphrase: str | None = None,
        pmk: bytes | None = None,
        service_info: bytes = b"",
    ) -> Outputs:
        """Grant a request; a passphrase or PMK is needed only where the service has no passphrase."""
        paths = self._core.data_paths
        return self._core.out(paths.accept(number, now, passphrase=passphrase, pmk=pmk, service_info=service_info))

    def reject_data_path(self, number: int, now: Micros, reason: int = ReasonCode.NDP_REJECTED) -> Outputs:
        """Refuse a request."""
        return self._core.out(self._core.data_paths.reject(number, now, reason))

    def close_data_path(self, number: int, now: Micros, reason: int = ReasonCode.UNSPECIFIED) -> Outputs:
        """End a data path, open or on its way."""
        return self._core.out(self._core.data_paths.close(number, now, reason))

    def data_path(self, number: int) -> Path | None:
        """A data path that is open or on its way."""
        return self._core.data_paths.path(number)

    @property
    def open_data_paths(self) -> tuple[int, ...]:
        """The numbers of the data paths that are open."""
        return self._core.data_paths.open_paths

    # Paired peers.

    def part(self, peer: bytes, now: Micros) -> Outputs:
        """Use no keys with an address any more: who is behind it has none. What is remembered stays."""
        return self._core.drop_keys(peer, now)

    def remove_peer(self, peer_id: int, now: Micros, reason: str = "removed") -> Outputs:
        """Forget a pairing; keys in use with that peer go with it."""
        core, addresses = self._core, self._core.addresses_of(peer_id)
        removed = core.peers.forget(peer_id)
        parted: list[Output] = []
        for nmi in addresses:
            parted += core.part(nmi, now)
        return [*parted, PeerRemoved(peer_id=peer_id, name=removed.name, reason=reason)]

    def forget(self, now: Micros) -> Outputs:
        """Forget every pairing."""
        removed: list[Output] = []
        for peer in self._core.peers.all:
            removed += self.remove_peer(peer.peer_id, now, "all forgotten")
        return removed

    @property
    def paired_peers(self) -> tuple[PairedPeer, ...]:
        """The pairings that are remembered, the oldest first."""
        return self._core.peers.all

    def paired_peer(self, nmi: bytes) -> PairedPeer | None:
        """The pairing with the device that was heard under that address."""
        return self._core.pairing.recognise(nmi)

    def keyed_peer(self, nmi: bytes) -> PairedPeer | None:
        """The pairing whose keys are in use with that address, whatever NIRA was heard from it last."""
        return self._core.keyed_peer(nmi)

    def snapshot(self) -> dict[str, object]:
        """Identity and paired peers as a JSON object, with every secret."""
        return {"nik": self._core.nik.hex(), "paired": [each.to_json() for each in self._core.peers.all]}

    # What others may ask.

    @property
    def nik(self) -> bytes:
        """Our identity key: a secret between us and those that we are paired with."""
        return self._core.nik

    @property
    def device(self) -> LocalDevice:
        """What the frames of this device carry."""
        return self._core.discovery.device

    @property
    def sessions(self) -> Mapping[int, Session]:
        """The sessions that run, as they are on the air."""
        return self._core.discovery.sessions

    @property
    def discovered(self) -> Mapping[PeerKey, DiscoveredService]:
        """The publishers in view."""
        return self._core.discovery.discovered

    @property
    def waiting_for_user(self) -> tuple[bytes, ...]:
        """The peers that ask for something and have no answer yet."""
        return (*self._core.bootstrapping.waiting_for_user, *self._core.pairing.waiting_for_user)

    def is_pairing_open(self, instance_id: int) -> bool:
        """Whether peers may pair with that session."""
        return self._core.sessions.is_open(instance_id)

    def setup_info(self, peer: bytes) -> bytes | None:
        """What a peer said of itself while it was open for pairing."""
        return self._core.pairing.setup_info(peer)

    def keys(self, peer: bytes) -> NanPairingKeys | None:
        """The keys of the pairing in force with a peer."""
        return self._core.protection.keys(self.device.nmi, peer)

    def has_lost_keys(self, peer: bytes) -> bool:
        """Whether a peer that we share keys with seems to have started again without them: verify it, or pair anew."""
        return peer in self._core.lost_keys

    def attempt(self, peer: bytes) -> Side | None:
        """The pairing attempt with a peer, for who wants every intermediate value."""
        return self._core.pairing.side(peer)

    def tell_lies(self, lies: NanLies) -> None:
        """Deviate from now on; the default lies are none."""
        self._core.pairing.lies, self._core.data_paths.lies = lies.pairing, lies.data_path

    # What time and the air bring.

    @property
    def deadline(self) -> Micros | None:
        """The one next moment."""
        return self._core.deadline

    def receive(self, payload: bytes, sender: Address, now: Micros, rssi: int = GOOD_RSSI) -> Outputs:
        """A frame has arrived, with its strength in dBm where the medium knows it; only beacons are judged by that."""
        return self._core.receive(payload, sender, now, rssi)

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        """The medium tells whether a unicast frame of ours arrived; without such news, frames count as arrived."""
        return self._core.acknowledged(payload, is_acknowledged, now)

    def handle_timeout(self, now: Micros) -> Outputs:
        """The deadline has passed."""
        return self._core.handle_timeout(now)

    # Parts.

    def _set_open(self, instance_id: int | None, now: Micros, *, is_open: bool) -> Outputs:
        core = self._core
        chosen = core.sessions.pairing_ids if instance_id is None else (instance_id,)
        outputs: list[Output] = []
        for each in chosen:
            outputs += core.discovery.update(core.sessions.set_open(each, is_open=is_open), now)
        return core.out(outputs)

    def _require_free(self, instance_id: int) -> None:
        if instance_id in self.sessions:
            raise LocalProtocolError(f"instance ID {instance_id} is in use")


def restored(snapshot: Mapping[str, object]) -> tuple[bytes, tuple[PairedPeer, ...]]:
    """NIK and paired peers of a snapshot, for the settings of the next device; KeyStoreError if it is damaged."""
    nik, paired = snapshot.get("nik"), snapshot.get("paired")
    if not isinstance(nik, str) or not isinstance(paired, list):
        raise KeyStoreError("snapshot: nik or paired is missing")
    try:
        return bytes.fromhex(nik), tuple(PairedPeer.from_json(each) for each in paired)
    except (ValueError, AttributeError):
        raise KeyStoreError("snapshot: nik is not hexadecimal, or a paired peer is no object") from None
