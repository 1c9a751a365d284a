"""A recorded commissioning session: the messages inside its records, and what they give to a replay as inputs."""

from dataclasses import dataclass
from typing import Any

from pairing.coap.message import CoapMessage
from pairing.dtls.key_schedule import DtlsKeys
from pairing.dtls.record import ContentType
from pairing.engine import Entropy, Micros
from pairing.thread.leader import find_tlv
from pairing.thread.tlvs import MeshCopTlvType, Tlv, split_tlvs
from pairing.thread.udp_proxy import ProxiedDatagram
from tests.support.recorded_entropy import RecordedEntropy, seeded
from tests.verify.dtls_capture import Capture, opened
from tests.verify.mismatch import Mismatch


class RecordedDraws:
    """Recorded draws by their length, each in order; lengths and draws beyond them are seeded."""

    def __init__(self, draws: dict[int, list[bytes]]) -> None:
        self._recorded = {length: RecordedEntropy(found) for length, found in draws.items()}
        self._more: Entropy = seeded("beyond the recording")

    def __call__(self, length: int) -> bytes:
        recorded = self._recorded.get(length)
        return recorded(length) if recorded is not None and recorded.draws else self._more(length)


@dataclass(frozen=True)
class Said:
    """One protected record: an alert, or a CoAP message."""

    datagram: int
    direction: str
    now: Micros
    content_type: int
    plaintext: bytes

    @property
    def message(self) -> CoapMessage | None:
        """The message, unless this is an alert."""
        return CoapMessage.decode(self.plaintext) if self.content_type == ContentType.APPLICATION_DATA else None


def tlvs_of(message: CoapMessage) -> tuple[Tlv, ...]:
    """The message's TLVs."""
    return split_tlvs(message.payload, extended=True)


def inner_of(message: CoapMessage) -> CoapMessage | None:
    """The message that one through the UDP proxy carries."""
    if message.path not in ("c/ut", "c/ur"):
        return None
    return CoapMessage.decode(ProxiedDatagram.decode(message.payload).payload)


def said_in(capture: Capture, keys: DtlsKeys) -> list[Said]:
    """Every protected record but Finished, in order."""
    found = []
    for datagram in capture.datagrams:
        for record in datagram.records:
            if not record.epoch or record.content_type == ContentType.HANDSHAKE:
                continue
            plaintext = opened(record, datagram.direction, keys)
            if plaintext is None:
                raise Mismatch(capture.path(f"datagrams[{datagram.index}].hex"), "a record that decrypts", None)
            found.append(Said(datagram.index, datagram.direction, datagram.now, record.content_type, plaintext))
    return found


def tokens_of(said: list[Said], direction: str) -> list[bytes]:
    """Tokens of the requests that one side starts, in the order in which it draws them: an inner one first."""
    tokens = []
    for each in said:
        message = each.message if each.direction == direction else None
        if message is None or not message.is_request:
            continue
        inner = inner_of(message)
        if inner is not None and inner.is_request:
            tokens.append(inner.token)
        tokens.append(message.token)
    return tokens


def first_own_id(said: list[Said], direction: str) -> bytes:
    """The message ID that one side begins with: that of its first message that is no ACK or RST."""
    for each in said:
        message = each.message if each.direction == direction else None
        if message is not None and message.message_type <= 1:
            return message.message_id.to_bytes(2, "big")
    return bytes(2)


def value_of(message: CoapMessage, tlv_type: int) -> bytes | None:
    """The value of a message's TLV."""
    return find_tlv(tlvs_of(message), tlv_type)


def get_types(message: CoapMessage) -> bytes:
    """What a read asks for."""
    return value_of(message, MeshCopTlvType.GET) or b""


def outer_times(document: dict[str, Any], inner: Capture, outer: Capture) -> dict[int, Micros]:
    """When each datagram of a relayed connection passed."""
    given = document["inner_joiner_dtls"]["datagrams"]
    return {each.index: outer.datagrams[given[each.index]["outer_datagram"]].now for each in inner.datagrams}
