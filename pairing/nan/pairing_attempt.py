"""What the two sides of a pairing attempt share: keys taken into use and given back, identities, endings.

One attempt with one peer: pairing setup, or verification of an earlier pairing. How it goes is the business of
`pairing_initiator` and `pairing_responder`.
Source: Wi-Fi Aware specification 4.0, section 7.6.
"""

from dataclasses import dataclass, field, replace
from typing import TypedDict

from pairing.engine import Event, FrameIgnored, Micros, Transmit
from pairing.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from pairing.ieee80211.elements import Akm
from pairing.keys import NanPairingKeys, PairedPeer
from pairing.nan.attributes import Attribute, DeviceCapabilityExtension, SharedKeyDescriptor, decode_attributes, find
from pairing.nan.bootstrapping_exchange import Partner
from pairing.nan.identity import PairedPeers
from pairing.nan.key_schedule import nd_pmk, nm_kek, npk_opportunistic
from pairing.nan.mistakes import known_nik_mistake
from pairing.nan.nik_exchange import PeerIdentity, identity_descriptor, own_key_data, read_identity
from pairing.nan.pairing_events import PairingCause, PairingCompleted, PairingFailed, PairingVerified
from pairing.nan.pairing_failures import Failure
from pairing.nan.pairing_rules import PairingLies, PairingProfile
from pairing.nan.protection import FrameProtection
from pairing.nan.service_frames import follow_up_frame
from pairing.pasn.events import PasnIntermediates, PasnKeys, PasnMode

PROTOCOL = "nan-pairing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingContext:
    """What every attempt of a device works with."""

    protection: FrameProtection
    peers: PairedPeers
    profile: PairingProfile
    lies: PairingLies
    own_nik: bytes = field(repr=False)


class About(TypedDict):
    """What every event of an attempt says."""

    peer: str
    service: str
    mode: str
    is_initiator: bool


def derive_keys(pasn: PasnKeys, remembered: PairedPeer | None = None) -> NanPairingKeys:
    """The keys of Wi-Fi Aware from those of PASN; in verification the NPK stays as it is remembered."""
    suite, kdk, addresses = pasn.suite.number, pasn.ptk.kdk, (pasn.initiator, pasn.responder)
    npk = pasn.pmk
    if remembered is None and pasn.akm is Akm.PASN:
        npk = npk_opportunistic(suite, kdk, *addresses)
    return NanPairingKeys(
        suite=suite,
        is_authenticated=pasn.akm is Akm.SAE,
        nm_kck=pasn.ptk.kck,
        nm_tk=pasn.ptk.tk,
        nm_kdk=kdk,
        nm_kek=nm_kek(suite, kdk, *addresses),
        nd_pmk=nd_pmk(suite, kdk, *addresses),
        npk=npk,
    )


def read_attributes(nan: bytes) -> tuple[Attribute, ...]:
    """The attributes in a peer's NAN element; none if they do not parse."""
    try:
        return decode_attributes(nan)
    except DecodeError:
        return ()


class PairingAttempt:
    """The state that both roles share; it decides nothing."""

    def __init__(
        self,
        context: PairingContext,
        partner: Partner,
        mode: PasnMode,
        *,
        is_initiator: bool,
        remembered: PairedPeer | None = None,
    ) -> None:
        self.context = context
        self.partner = partner
        self.mode = mode
        self.is_initiator = is_initiator
        self.remembered = remembered
        """In verification, the pairing that is verified."""
        self.setup_info: bytes | None = None
        """What the peer said of itself while it was open for pairing."""
        self.wrong_attempts = 0
        """Wrong passwords before this attempt, for its events."""
        self.keys: NanPairingKeys | None = None
        self.peer_identity: PeerIdentity | None = None
        self.identity_trouble = ""
        """Why the peer's last NIK was not taken."""
        self.identity_mistake = ""
        """The known mistake behind that, if there is one."""
        self._pasn: PasnKeys | None = None
        self._before = context.protection.in_use(partner.device.nmi, partner.nmi)

    @property
    def about(self) -> About:
        """The common fields of events."""
        return About(
            peer=self.partner.name,
            service=self.partner.session.name,
            mode=self.mode.value,
            is_initiator=self.is_initiator,
        )

    # Keys and identities.

    def take_keys(self, pasn: PasnKeys) -> None:
        """Derive the keys and use them from now on."""
        self._pasn = pasn
        self.keys = derive_keys(pasn, self.remembered)
        self.context.protection.install(self.partner.device.nmi, self.partner.nmi, self.keys)

    def give_back_keys(self) -> None:
        """A pairing that failed leaves in force what was so before."""
        if self.keys is not None:
            self.context.protection.put_back(self.partner.device.nmi, self.partner.nmi, self._before)
            self.keys = None

    def exchanges_identities(self, peer_nan: bytes) -> bool:
        """Whether both sides said that they cache identities; verification exchanges none."""
        if self.mode is PasnMode.CACHED:
            return False
        own = self.partner.session.device_capability_extension
        peer = find(read_attributes(peer_nan), DeviceCapabilityExtension)
        return own is not None and own.is_caching_enabled and peer is not None and peer.is_caching_enabled

    @property
    def own_key_data(self) -> bytes:
        """What our NIK exchange says, plain and without padding."""
        return own_key_data(self.context.own_nik, self.context.profile.lifetime_s)

    def identity_frame(self) -> Transmit:
        """The follow-up with our NIK."""
        keys = self._keys()
        if self.context.lies.wrong_nik_key:
            keys = replace(keys, nm_kek=bytes(len(keys.nm_kek)))
        partner = self.partner
        carried = identity_descriptor(partner.session.instance_id, keys, self.own_key_data)
        frame = follow_up_frame(
            partner.device, partner.session, partner.nmi, partner.instance_id, carried=(carried,), is_protected=True
        )
        return Transmit(frame.encode(), partner.nmi)

    def read_identity(self, received: SharedKeyDescriptor) -> None:
        """Take the peer's NIK; raises RemoteProtocolError."""
        is_strict, keys = self.context.profile.is_nik_exchange_strict, self._keys()
        try:
            self.peer_identity = read_identity(received, keys, is_strict=is_strict)
        except RemoteProtocolError:
            if self._pasn is not None:
                addresses = (self._pasn.initiator, self._pasn.responder)
                self.identity_mistake = known_nik_mistake(received, keys, *addresses) or ""
            raise

    # Endings.

    def completed(self, now: Micros) -> Event:
        """The event of success; remembers the peer if its identity is known."""
        keys = self._keys()
        if self.remembered is not None:
            return PairingVerified(**self.about, suite=keys.suite, peer_id=self.remembered.peer_id, keys=keys)
        peer = self._to_remember(keys)
        if peer is not None:
            self.context.peers.remember(peer, now)
        peer_id = None if peer is None else peer.peer_id
        return PairingCompleted(**self.about, suite=keys.suite, peer_id=peer_id, keys=keys, remembered=peer)

    def failed(self, failure: Failure, intermediates: PasnIntermediates | None = None) -> PairingFailed:
        """The event of failure; the keys are given back."""
        self.give_back_keys()
        return PairingFailed(
            **self.about,
            error=failure.error,
            cause=failure.cause,
            rule=failure.rule,
            expected=failure.expected,
            came=failure.came,
            frame=failure.frame,
            status=failure.status,
            mistake=failure.mistake,
            wrong_attempts=self.wrong_attempts + failure.is_wrong_password,
            intermediates=intermediates or PasnIntermediates(),
        )

    def identity_timeout(self, waited: str) -> Failure:
        """The NIKs did not get across in time."""
        came = self.identity_trouble or "none"
        mistake = self.identity_mistake
        return Failure("ExchangeTimeoutError", PairingCause.IDENTITY, "NIK exchange", waited, came, mistake=mistake)

    def ignored(self, reason: str) -> FrameIgnored:
        """The event of a frame that changes nothing."""
        return FrameIgnored(peer=self.partner.name, reason=reason, protocol=PROTOCOL)

    def _to_remember(self, keys: NanPairingKeys) -> PairedPeer | None:
        identity = self.peer_identity
        if identity is None or self._pasn is None:
            return None
        return PairedPeer(
            own_nik=self.context.own_nik,
            peer_nik=identity.nik,
            npk=keys.npk,
            akm=self._pasn.akm,
            suite=keys.suite,
            lifetime_s=identity.lifetime_s,
            cipher_version=identity.cipher_version,
            setup_info=self.setup_info,
        )

    def _keys(self) -> NanPairingKeys:
        if self.keys is None:
            raise LocalProtocolError("no pairing keys before PASN is over")
        return self.keys
