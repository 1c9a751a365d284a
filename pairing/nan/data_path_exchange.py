"""The keys of one data path and the proofs in its four messages, for either side.

It decides nothing: it raises what is wrong with a peer's message, and the side turns that into events.
Source: Wi-Fi Aware specification 4.0, section 7.1.3 (the handshake), IEEE 802.11-2020, 12.7.2 (descriptors).
"""

from pairing.crypto.intermediates import Intermediates
from pairing.crypto.kdf import is_equal
from pairing.errors import AuthenticationError, DecodeError, LocalProtocolError, RemoteProtocolError
from pairing.ieee80211.key_data import wrap_key_data
from pairing.nan.attributes import (
    CipherSuiteInfo,
    KeyDescriptor,
    KeyInfo,
    SecurityContextInfo,
    SharedKeyDescriptor,
)
from pairing.nan.data_path_events import DataPathKeys, GroupKeys
from pairing.nan.data_path_keys import Wanted, body_of, group_key_data, read_group_keys, with_mic
from pairing.nan.data_path_mistakes import MicFacts, PmkidFacts, known_mic_mistake, known_pmkid_mistake
from pairing.nan.data_path_terms import DataPathTerms
from pairing.nan.frames import NanActionFrame
from pairing.nan.key_schedule import (
    NdPtk,
    authentication_token,
    data_path_mic,
    data_path_mic_length,
    nd_pmkid,
    nd_pmkid_input,
    nd_ptk,
)
from pairing.nan.pmk_mistakes import NO_SOURCE, PmkSource

_INFO = {
    1: KeyInfo.PAIRWISE | KeyInfo.ACK,
    2: KeyInfo.PAIRWISE | KeyInfo.MIC,
    3: KeyInfo.PAIRWISE | KeyInfo.INSTALL | KeyInfo.ACK | KeyInfo.MIC | KeyInfo.SECURE,
    4: KeyInfo.PAIRWISE | KeyInfo.INSTALL | KeyInfo.MIC | KeyInfo.SECURE,
}
_COUNTER = {1: 1, 2: 1, 3: 2, 4: 2}
_INITIATOR_SAYS = (1, 3)


class DataPathExchange:
    """One secure handshake. `terms` are replaced as more becomes known."""

    def __init__(self, terms: DataPathTerms, pmk: bytes, group_keys: GroupKeys, source: PmkSource = NO_SOURCE) -> None:
        self.terms = terms
        self.mistake = ""
        """The known mistake behind the last proof that did not fit, if there is one."""
        self._pmk = pmk
        self._source = source
        self._group_keys = group_keys
        self._wanted = Wanted(igtk=False, bigtk=False, gtk=False)
        self._sent_groups = self._peer_groups = GroupKeys()
        self._nonces = {True: b"", False: b""}
        self._ptk: NdPtk | None = None
        self._token = b""
        self._counter = 0
        addresses = (terms.initiator_nmi, terms.responder_nmi, terms.service_id)
        self.pmkid = nd_pmkid(terms.suite, pmk, *addresses)
        self._values = {"nd_pmkid_input": nd_pmkid_input(*addresses), "nd_pmkid": self.pmkid}

    # What others may ask.

    @property
    def intermediates(self) -> Intermediates:
        """Every value known so far, by name."""
        return Intermediates(self._values)

    @property
    def ptk(self) -> NdPtk:
        """The pairwise keys."""
        if self._ptk is None:
            raise LocalProtocolError("no ND-PTK before both nonces are known")
        return self._ptk

    @property
    def keys(self) -> DataPathKeys:
        """The outcome."""
        return DataPathKeys(self.ptk, self._sent_groups, self._peer_groups)

    # Ours

    def set_own_nonce(self, nonce: bytes) -> None:
        """The nonce that we drew."""
        self._nonces[self.terms.is_initiator] = nonce

    def message(self, number: int) -> NanActionFrame:
        """One of our messages with its proof."""
        key_data = b""
        if number in (3, 4):
            self._sent_groups, plain = group_key_data(self._group_keys, self._wanted)
            if plain:
                self._values["own_key_data"] = plain
                key_data = wrap_key_data(self.ptk.kek, plain)
        terms = self.terms
        descriptor = KeyDescriptor(
            key_info=_INFO[number] | (KeyInfo.ENCRYPTED_KEY_DATA if key_data else KeyInfo(0)),
            nonce=self._nonces[terms.is_initiator],
            replay_counter=_COUNTER[number],
            mic=bytes(data_path_mic_length(terms.suite)),
            key_data=key_data,
        )
        carried = SharedKeyDescriptor(terms.publish_id, descriptor.encode())
        match number:
            case 1:
                frame = terms.request(self.pmkid, carried)
                self._note_request(frame)
                return frame
            case 2:
                frame = terms.response(self.pmkid, carried)
            case 3:
                frame = terms.confirm(carried)
            case _:
                frame = terms.install(carried)
        mic = self._mic(number, body_of(frame))
        if terms.lies.wrong_mic_at == number:
            mic = mic[:-1] + bytes((mic[-1] ^ 1,))
        return with_mic(frame, descriptor, mic)

    # The peer's

    def take_request(self, frame: NanActionFrame) -> None:
        """M1: its token and nonce."""
        descriptor = self._descriptor(frame, 1)
        self._nonces[True] = descriptor.nonce
        self._note_request(frame)

    def check_pmkid(self, frame: NanActionFrame) -> None:
        """Raise AuthenticationError unless M1 or M2 names our PMK."""
        contexts = frame.find(SecurityContextInfo)
        named = () if contexts is None else contexts.pmkids(self.terms.publish_id)
        if self.pmkid in named:
            return
        came = named[0] if named else b""
        self.mistake = known_pmkid_mistake(PmkidFacts(self.terms, self._pmk, self._source), contexts) or ""
        told = came.hex() or "none"
        cause = self.mistake or "another passphrase or key"
        raise AuthenticationError(f"ND-PMKID {told}, expected {self.pmkid.hex()}: {cause}")

    def agree_groups(self, peer: CipherSuiteInfo) -> None:
        """Which group keys are sent, by both CSIAs."""
        self._wanted = Wanted.by(self.terms.suites, peer, self.terms.suite)

    def derive(self) -> None:
        """ND-PTK, once both nonces and interfaces are known."""
        terms = self.terms
        ndis, nonces = (terms.initiator_ndi, terms.responder_ndi), (self._nonces[True], self._nonces[False])
        self._ptk = ptk = nd_ptk(terms.suite, self._pmk, *ndis, *nonces)
        names = ("initiator_ndi", "responder_ndi", "initiator_nonce", "responder_nonce")
        self._values |= {"nd_pmk": self._pmk, **dict(zip(names, (*ndis, *nonces), strict=True))}
        self._values |= {"ptk": ptk.kck + ptk.kek + ptk.tk, "kck": ptk.kck, "kek": ptk.kek, "tk": ptk.tk}

    def take(self, frame: NanActionFrame, number: int) -> None:
        """M2 to M4: raise AuthenticationError unless it proves the same PMK; its nonce and key data are ours then."""
        descriptor = self._descriptor(frame, number)
        if number == 2:
            self._nonces[False] = descriptor.nonce
            self.derive()
        elif descriptor.nonce != self._nonces[number in _INITIATOR_SAYS]:
            raise RemoteProtocolError(f"M{number}: another nonce than before")
        length = data_path_mic_length(self.terms.suite)
        body = body_of(with_mic(frame, descriptor, bytes(length)))
        expected = self._mic(number, body)
        if not is_equal(descriptor.mic, expected):
            facts = MicFacts(self.terms, self._pmk, self.ptk, self._values, frame, descriptor, number)
            self.mistake = known_mic_mistake(facts) or ""
            raise AuthenticationError(f"M{number}: MIC does not fit: {self.mistake or 'another key'}")
        self._counter = descriptor.replay_counter
        self._peer_groups, plain = read_group_keys(self.ptk.kek, descriptor.key_data)
        if plain:
            self._values["peer_key_data_padded"] = plain

    # Parts

    def _note_request(self, frame: NanActionFrame) -> None:
        body = body_of(frame)
        self._token = authentication_token(self.terms.suite, body)
        self._values |= {"auth_token_input": body, "auth_token": self._token}

    def _mic(self, number: int, body: bytes) -> bytes:
        covered = self._token + body if number == 3 else body
        mic = data_path_mic(self.terms.suite, self.ptk.kck, covered)
        self._values |= {f"m{number}_mic_input": covered, f"m{number}_mic": mic}
        return mic

    def _descriptor(self, frame: NanActionFrame, number: int) -> KeyDescriptor:
        carried = frame.find(SharedKeyDescriptor)
        if carried is None:
            raise RemoteProtocolError(f"M{number}: no key descriptor")
        try:
            descriptor = carried.key_descriptor(data_path_mic_length(self.terms.suite))
        except DecodeError as error:
            raise RemoteProtocolError(f"M{number}: key descriptor: {error.reason}") from None
        wanted, ignored = _INFO[number], KeyInfo.ENCRYPTED_KEY_DATA
        if descriptor.key_info & ~ignored != wanted:
            raise RemoteProtocolError(f"M{number}: key info {descriptor.key_info:#06x}, expected {wanted:#06x}")
        if descriptor.replay_counter < self._counter:
            came = f"replay counter {descriptor.replay_counter}"
            raise RemoteProtocolError(f"M{number}: {came}, expected {self._counter} at least")
        return descriptor
