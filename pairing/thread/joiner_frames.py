"""What a joiner and a Joiner Router say to each other beside DTLS, on the UDP port that stands in for the radio.

There is no 802.15.4 here, so three things travel as UDP datagrams, told apart by their first octet or their length:

- registration, joiner to router: the eight octets of the EUI-64 (on the air: MLE Discovery Request);
- its answer: MeshCoP TLVs, those of an MLE Discovery Response: Extended PAN ID, Network Name, Steering Data,
  Joiner UDP Port, Joiner Router Locator;
- a frame secured with the KEK, both ways: security control 05 (ENC-MIC-32, key id mode 0), frame counter(4, little
  endian), source extended address(8), then the CoAP message under AES-CCM* with a tag of four octets. Nonce: source
  address, frame counter(4, big endian), security level (IEEE 802.15.4-2015, 9.3.2); the 13 octets of header are
  authenticated.

Everything else is a DTLS record. Thread specification, chapter 8.4.4; the UDP form is ours (`specs/protocols/meshcop`).
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from pairing.errors import AuthenticationError, DecodeError
from pairing.thread.steering import EUI64_LENGTH, SteeringData
from pairing.thread.tlv_values import tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs, tlv_name

_T = MeshCopTlvType
SECURITY_CONTROL = 0x05
_SECURITY_LEVEL = 5
_HEADER_LENGTH = 13
_TAG_LENGTH = 4
_DISCOVERY = (
    _T.EXTENDED_PAN_ID,
    _T.NETWORK_NAME,
    _T.STEERING_DATA,
    _T.JOINER_UDP_PORT,
    _T.JOINER_ROUTER_LOCATOR,
)


def is_registration(datagram: bytes) -> bool:
    """Whether a datagram is nothing but an EUI-64; no DTLS record and no secured frame is so short."""
    return len(datagram) == EUI64_LENGTH


def is_dtls_record(datagram: bytes) -> bool:
    """Whether a datagram begins like a DTLS record: content types 20 to 23."""
    return bool(datagram) and 20 <= datagram[0] <= 23


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryAnswer:
    """What a Joiner Router says of its network to whoever may want to join."""

    ext_pan_id: bytes
    network_name: str
    steering_data: SteeringData
    joiner_udp_port: int
    router_locator: int

    def encode(self) -> bytes:
        """As TLVs."""
        return join_tlvs(
            (
                tlv_of(_T.EXTENDED_PAN_ID, self.ext_pan_id),
                tlv_of(_T.NETWORK_NAME, self.network_name),
                Tlv(_T.STEERING_DATA, self.steering_data.filter),
                tlv_of(_T.JOINER_UDP_PORT, self.joiner_udp_port),
                tlv_of(_T.JOINER_ROUTER_LOCATOR, self.router_locator),
            )
        )

    @classmethod
    def decode(cls, payload: bytes) -> "DiscoveryAnswer":
        """From TLVs of any order."""
        values = {tlv.type: tlv.value for tlv in split_tlvs(payload)}
        missing = [tlv_type for tlv_type in _DISCOVERY if tlv_type not in values]
        if missing:
            raise DecodeError(0, f"discovery answer without {tlv_name(missing[0])}")
        return cls(
            ext_pan_id=values[_T.EXTENDED_PAN_ID],
            network_name=values[_T.NETWORK_NAME].decode(errors="replace"),
            steering_data=SteeringData(values[_T.STEERING_DATA]),
            joiner_udp_port=int.from_bytes(values[_T.JOINER_UDP_PORT], "big"),
            router_locator=int.from_bytes(values[_T.JOINER_ROUTER_LOCATOR], "big"),
        )


@dataclass(frozen=True, slots=True)
class SecuredFrame:
    """A CoAP message in a frame that only holders of the KEK can make or read."""

    source: bytes
    counter: int
    payload: bytes = field(repr=False)

    def seal(self, kek: bytes) -> bytes:
        """The datagram."""
        header = _header(self.source, self.counter)
        sealed = AESCCM(kek, tag_length=_TAG_LENGTH).encrypt(_nonce(self.source, self.counter), self.payload, header)
        return header + sealed

    @classmethod
    def open(cls, datagram: bytes, kek: bytes) -> "SecuredFrame":
        """The frame, if it was made with this KEK."""
        if len(datagram) < _HEADER_LENGTH + _TAG_LENGTH or datagram[0] != SECURITY_CONTROL:
            raise DecodeError(
                0, f"secured frame of {len(datagram)} octets, expected security control 05 and 17 or more"
            )
        counter, source = int.from_bytes(datagram[1:5], "little"), datagram[5:_HEADER_LENGTH]
        sealed, header = datagram[_HEADER_LENGTH:], datagram[:_HEADER_LENGTH]
        try:
            payload = AESCCM(kek, tag_length=_TAG_LENGTH).decrypt(_nonce(source, counter), sealed, header)
        except InvalidTag:
            raise AuthenticationError("frame secured with another KEK, or changed on its way") from None
        return cls(source, counter, payload)


def _header(source: bytes, counter: int) -> bytes:
    return bytes((SECURITY_CONTROL,)) + counter.to_bytes(4, "little") + source


def _nonce(source: bytes, counter: int) -> bytes:
    return source + counter.to_bytes(4, "big") + bytes((_SECURITY_LEVEL,))
