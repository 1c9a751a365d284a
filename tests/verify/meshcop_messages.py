"""CoAP messages of Thread commissioning in the words of recorded files: TLVs by name, and what is inside them."""

from typing import Any

from pairing.coap.message import CoapMessage
from pairing.thread.tlv_values import UdpEncapsulation
from pairing.thread.tlvs import EXTENDED, MeshCopTlvType, Tlv, join_tlvs, split_tlvs, tlv_name
from tests.verify.formats.thread_dtls import coap_parts
from tests.verify.mismatch import compare, compare_members


def check_described(record: dict[str, Any], member: str) -> None:
    """The file's description of a message is what we make of its octets, and its TLVs give the octets again."""
    message = CoapMessage.decode(bytes.fromhex(record["plaintext"]))
    compare_members(f"{member}.coap", record["coap"], described(message))
    _check_encoding(record["coap"], f"{member}.coap")


def described(message: CoapMessage) -> dict[str, Any]:
    """A message as the files describe it."""
    parts = coap_parts(message)
    if message.payload:
        parts["tlvs"] = [_tlv(tlv, is_extended) for tlv, is_extended in _split(message.payload)]
    return parts


def _split(payload: bytes) -> list[tuple[Tlv, bool]]:
    """The TLVs, and whether each came in the extended form."""
    found = []
    at = 0
    for tlv in split_tlvs(payload, extended=True):
        is_extended = payload[at + 1] == EXTENDED
        found.append((tlv, is_extended))
        at += len(tlv.value) + (4 if is_extended else 2)
    return found


def _tlv(tlv: Tlv, is_extended: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"type": tlv.type, "name": tlv_name(tlv.type), "value": tlv.value.hex()}
    if is_extended:
        said["extended_length"] = True
    if tlv.type == MeshCopTlvType.UDP_ENCAPSULATION:
        udp = UdpEncapsulation.decode(tlv.value)
        said |= {"source_port": udp.source_port, "destination_port": udp.destination_port}
        said["inner_coap"] = described(CoapMessage.decode(udp.payload))
    return said


def _check_encoding(coap: dict[str, Any], member: str) -> None:
    """TLVs back to octets; those in the extended form are the ones that we extend as well."""
    tlvs = [Tlv(each["type"], bytes.fromhex(each["value"])) for each in coap.get("tlvs", ())]
    if all(each.get("extended_length", False) == (each["type"] in (17, 48)) for each in coap.get("tlvs", ())):
        compare(f"{member}.payload_hex", coap["payload_hex"], join_tlvs(tlvs, extended=True).hex())
    for number, each in enumerate(coap.get("tlvs", ())):
        if "inner_coap" in each:
            inner = bytes.fromhex(each["value"])[4:]
            compare(f"{member}.tlvs[{number}].value", inner.hex(), CoapMessage.decode(inner).encode().hex())
            _check_encoding(each["inner_coap"], f"{member}.tlvs[{number}].inner_coap")
