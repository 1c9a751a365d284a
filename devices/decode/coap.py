"""CoAP messages, and the MeshCoP TLVs in those of a border agent."""

from devices.decode.fields import Meanings, TracedReader
from devices.decode.layers import layer
from devices.decode.thread import read_tlvs
from devices.decode.words import named
from pairing.coap.message import CoapCode, CoapMessage, OptionNumber, code_text
from pairing.errors import DecodeError
from pairing.thread.tlvs import split_tlvs

_PORTS = (5683, 61631)
"""CoAP's own, and Thread's management framework."""
_MESHCOP = ("c/", "d/")


def _guess(data: bytes) -> int:
    try:
        message = CoapMessage.decode(data)
    except DecodeError:
        return 0
    if message.is_empty:
        return 45
    if message.is_request and message.path and message.path.isascii() and message.path.isprintable():
        return 78
    return 62 if message.code in CoapCode.__members__.values() and message.token else 12


@layer("coap", "CoAP message", guess=_guess, ports=_PORTS)
def read_message(reader: TracedReader) -> None:
    """Header, token, options, payload."""
    with reader.group("CoAP") as group:
        message = CoapMessage.read(reader)
        group.meaning = str(message)
        fields = Meanings(group.fields)
        fields.mean("CoAP header", f"{message.message_type.name}, token of {len(message.token)} octets")
        fields.mean("code", f"{code_text(message.code)} {named(CoapCode, message.code)}")
        for option in message.options:
            fields.mean("option value", f"{_option(option.number)} {option.value.decode('utf-8', 'replace')}".rstrip())
        if message.payload:
            payload = fields.inside("remaining octets", called="payload")
            if _holds_tlvs(message):
                read_tlvs(payload)


def _option(number: int) -> str:
    try:
        return "-".join(word.capitalize() for word in OptionNumber(number).name.split("_"))
    except ValueError:
        return f"option {number}"


def _holds_tlvs(message: CoapMessage) -> bool:
    """Requests of MeshCoP say so by their path; answers have none, so the payload has to look like TLVs."""
    if message.is_request and not message.path.startswith(_MESHCOP):
        return False
    try:
        return bool(split_tlvs(message.payload, extended=True))
    except DecodeError:
        return False
