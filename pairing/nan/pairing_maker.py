"""Makes pairing attempts: finds whom they are between, draws identities, composes the NAN elements of their frames.

Source: Wi-Fi Aware specification 4.0, section 7.6.
"""

from pairing.engine import Entropy
from pairing.errors import DecodeError
from pairing.ieee80211.frames import HEADER_LENGTH, ManagementFrame
from pairing.keys import PairedPeer
from pairing.nan.attributes import CipherSuiteInfo, PairingBootstrapping, find
from pairing.nan.bootstrapping import Bootstrapping
from pairing.nan.bootstrapping_exchange import Partner
from pairing.nan.discovery import Discovery
from pairing.nan.identity import PairedPeers, draw_identity
from pairing.nan.pairing_attempt import PairingAttempt, PairingContext, read_attributes
from pairing.nan.pairing_credentials import PasswordTokens, remembered_credential
from pairing.nan.pairing_elements import refusal_attributes, setup_attributes, verification_attributes
from pairing.nan.pairing_initiator import PairingInitiator
from pairing.nan.pairing_notes import SetupInfos, WrongPasswords
from pairing.nan.pairing_partners import find_asked_session, find_partner, offered_suites
from pairing.nan.pairing_responder import PairingResponder
from pairing.nan.pairing_rules import PairingLies, PairingProfile
from pairing.nan.protection import FrameProtection
from pairing.pasn.events import PasnMode
from pairing.pasn.messages import PasnFrame
from pairing.pasn.settings import CachedKey, Credential


class AttemptMaker:
    """One device's way to begin attempts."""

    def __init__(
        self,
        discovery: Discovery,
        bootstrapping: Bootstrapping,
        protection: FrameProtection,
        peers: PairedPeers,
        own_nik: bytes,
        entropy: Entropy,
        profile: PairingProfile,
    ) -> None:
        self.lies = PairingLies()
        self.wrong_passwords = WrongPasswords(profile.max_wrong_attempts)
        self.setup_infos = SetupInfos()
        self._discovery = discovery
        self._bootstrapping = bootstrapping
        self._protection = protection
        self._peers = peers
        self._own_nik = own_nik
        self._entropy = entropy
        self._profile = profile
        self._tokens = PasswordTokens()

    def setup(
        self,
        peer: bytes,
        password: str | None,
        instance_id: int | None,
        peer_instance_id: int | None,
        suite: int | None,
    ) -> PairingInitiator:
        """A pairing setup of ours."""
        partner = find_partner(self._discovery, self._bootstrapping, peer, instance_id, peer_instance_id)
        if suite is None:
            offered = offered_suites(self._discovery, peer)
            suite = next((each for each in self._profile.suites if each in offered), self._profile.suites[0])
        credential = self.credential(password, suite)
        attempt = self._attempt(partner, credential.mode, is_initiator=True)
        nan = setup_attributes(partner, suite, self._bootstrapping_request(peer))
        return PairingInitiator(attempt, credential, suite, nan, self._entropy)

    def verification(
        self, peer: bytes, remembered: PairedPeer, instance_id: int | None, peer_instance_id: int | None
    ) -> PairingInitiator:
        """A verification of ours."""
        partner = find_partner(self._discovery, self._bootstrapping, peer, instance_id, peer_instance_id)
        credential, nan = self.remembered(partner, remembered)
        attempt = self._attempt(partner, PasnMode.CACHED, is_initiator=True, remembered=remembered)
        return PairingInitiator(attempt, credential, remembered.suite, nan, self._entropy)

    def responder(self, header: ManagementFrame) -> PairingResponder | None:
        """An attempt for a peer's frame 1; None if no session of ours takes part in pairing."""
        try:
            nan = PasnFrame.decode(header.body, HEADER_LENGTH).nan or b""
        except DecodeError:
            nan = b""
        attributes, peer = read_attributes(nan), header.transmitter
        partner = find_asked_session(self._discovery, self._bootstrapping, peer, attributes)
        if partner is None:
            return None
        suites = find(attributes, CipherSuiteInfo)
        asked = suites.suites[0].suite if suites is not None and suites.suites else self._profile.suites[0]
        is_anonymous = self._profile.is_refusal_anonymous
        request = self._bootstrapping_request(peer)
        refusal = refusal_attributes(partner, asked, request, is_anonymous=is_anonymous)
        attempt = self._attempt(partner, PasnMode.OPPORTUNISTIC, is_initiator=False)
        return PairingResponder(attempt, refusal, self._entropy)

    def credential(self, password: str | None, suite: int) -> Credential:
        """What PASN pairs with."""
        return self._tokens.credential(password, suite)

    def remembered(self, partner: Partner, peer: PairedPeer) -> tuple[CachedKey, bytes]:
        """What PASN verifies with, and the attributes that say who we are."""
        identity = draw_identity(peer.own_nik, partner.device.nmi, self._entropy)
        return remembered_credential(peer, identity), verification_attributes(partner, peer.suite, identity)

    def setup_answer(self, responder: PairingResponder, suite: int) -> bytes:
        """The attributes of a frame 2 that accepts pairing setup."""
        partner = responder.attempt.partner
        return setup_attributes(partner, suite, self._bootstrapping_request(partner.nmi))

    def _attempt(
        self, partner: Partner, mode: PasnMode, *, is_initiator: bool, remembered: PairedPeer | None = None
    ) -> PairingAttempt:
        context = PairingContext(
            protection=self._protection,
            peers=self._peers,
            profile=self._profile,
            lies=self.lies,
            own_nik=self._own_nik,
        )
        attempt = PairingAttempt(context, partner, mode, is_initiator=is_initiator, remembered=remembered)
        attempt.wrong_attempts = self.wrong_passwords.of(partner.nmi)
        attempt.setup_info = self.setup_infos.of(partner.nmi)
        return attempt

    def _bootstrapping_request(self, peer: bytes) -> PairingBootstrapping | None:
        agreement = self._bootstrapping.agreement(peer)
        return None if agreement is None else agreement.npba
