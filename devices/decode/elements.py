"""IEEE 802.11 elements: each under its name, and those that PASN and NAN use field by field.

An element that goes on in Fragment elements is shown as octets, since its parts do not lie together.
"""

from collections.abc import Callable

from devices.decode.fields import TracedReader
from devices.decode.layers import layer
from devices.decode.nan import read_attributes
from devices.decode.words import named
from pairing.errors import DecodeError
from pairing.ieee80211.elements import (
    MAX_BODY,
    RSNXE_H2E,
    Akm,
    CipherSuite,
    ElementId,
    ExtensionId,
    PasnParameters,
    Rsne,
    WrappedDataFormat,
)
from pairing.pasn.messages import COMPRESSED_EVEN, COMPRESSED_ODD, NAN_ELEMENT, UNCOMPRESSED

_NAMES = {
    0: "SSID",
    1: "supported rates",
    3: "DSSS parameter set",
    ElementId.RSN: "RSNE",
    ElementId.MIC: "MIC",
    ElementId.VENDOR_SPECIFIC: "vendor specific element",
    ElementId.FRAGMENT: "fragment",
    ElementId.RSNXE: "RSNXE",
}
_EXTENSION_NAMES = {
    ExtensionId.WRAPPED_DATA: "Wrapped Data",
    ExtensionId.PASN_PARAMETERS: "PASN Parameters",
    ExtensionId.SUPPORTED_GROUPS: "Supported Groups",
}
_CURVES = {19: "P-256", 20: "P-384"}
_KEY_FORMS = {
    COMPRESSED_EVEN: "x with y even",
    COMPRESSED_ODD: "x with y odd",
    UNCOMPRESSED: "x and y",
}


def _guess(data: bytes) -> int:
    """Elements one after the other that end where the bytes end; the ids that PASN frames begin with say more."""
    if len(data) < 2:
        return 0
    if data[0] == ElementId.VENDOR_SPECIFIC and data[2:6] == NAN_ELEMENT:
        return 80
    if data[0] == ElementId.RSN and data[2:4] == b"\x01\x00":
        return 75
    at = 0
    while at + 1 < len(data):
        at += 2 + data[at + 1]
    return 12 if at == len(data) and data[0] in _NAMES else 0


Inner = Callable[[TracedReader], None]


@layer("elements", "IEEE 802.11 elements", guess=_guess)
def read_layer(reader: TracedReader) -> None:
    """Elements up to the end."""
    read_elements(reader)


def read_elements(reader: TracedReader, *, transaction: int = 0, wrapped: Inner | None = None) -> None:
    """Elements up to the end. `transaction` is that of a PASN frame, `wrapped` reads its Wrapped Data."""
    while reader.remaining:
        head = reader.peek(3)
        number = head[0]
        extension = head[2] if number == ElementId.EXTENSION and len(head) == 3 and head[1] else None
        name = _EXTENSION_NAMES.get(extension, f"extension element {extension}") if extension is not None else None  # type: ignore[call-overload]  # any int may come
        with reader.group(name or _NAMES.get(number, f"element {number}")) as group:
            reader.u8("element id")
            length = reader.u8("element length")
            if number == ElementId.EXTENSION:
                if not length:
                    raise DecodeError(group.offset, "element 255 has no extension id")
                reader.u8("element id extension")
                length -= 1
            body = reader.sub(length, "body")
            group.fields.pop()  # the fields of the body stand beside its header
            body_fields = body.fields
            try:
                if length + (extension is not None) == MAX_BODY and reader.peek(1) == bytes((ElementId.FRAGMENT,)):
                    body.take(body.remaining, "value, continued in a fragment")
                else:
                    _read_body(body, number, extension, transaction, wrapped)
                    body.rest()
            finally:
                group.fields += body_fields


def _read_body(body: TracedReader, number: int, extension: int | None, transaction: int, wrapped: Inner | None) -> None:
    match number, extension:
        case ElementId.RSN, None:
            _read_rsne(body)
        case ElementId.RSNXE, None:
            _read_rsnxe(body)
        case ElementId.MIC, None:
            body.take(body.remaining, "MIC")
        case ElementId.VENDOR_SPECIFIC, None if body.peek(4) == NAN_ELEMENT:
            body.take(3, "OUI")
            body.mean("Wi-Fi Alliance")
            body.u8("OUI type")
            body.mean("NAN")
            read_attributes(body)
        case ElementId.EXTENSION, ExtensionId.PASN_PARAMETERS:
            _read_parameters(body, transaction)
        case ElementId.EXTENSION, ExtensionId.SUPPORTED_GROUPS:
            while body.remaining:
                mean_group(body)
        case ElementId.EXTENSION, ExtensionId.WRAPPED_DATA if wrapped is not None:
            wrapped(body)
        case _:
            body.take(body.remaining, "value")


def mean_group(body: TracedReader) -> int:
    """Read a group number and say which curve it is."""
    group = body.u16le("group")
    body.mean(_CURVES.get(group, ""))
    return group


def _read_rsne(body: TracedReader) -> None:
    rsne = Rsne.read(body)
    names = {
        "group cipher": CipherSuite,
        "pairwise cipher": CipherSuite,
        "AKM": Akm,
        "group management cipher": CipherSuite,
    }
    for each in body.fields:
        if each.name in names and each.number is not None:
            selector = f"{each.octets[:3].hex('-')}:{each.octets[3]}"
            each.meaning = f"{selector}, {named(names[each.name], each.number)}"
        elif each.name == "RSN capabilities":
            required, capable = rsne.capabilities & Rsne.MFP_REQUIRED, rsne.capabilities & Rsne.MFP_CAPABLE
            words = [word for word, is_set in (("MFPR", required), ("MFPC", capable)) if is_set]
            each.meaning = ", ".join(words) or "no management frame protection"


def _read_rsnxe(body: TracedReader) -> None:
    first = body.u8("extended RSN capabilities")
    body.mean("SAE hash-to-element" if first & RSNXE_H2E else "")
    body.rest()


def _read_parameters(body: TracedReader, transaction: int) -> None:
    is_from_responder = transaction == 2
    if not transaction and body.peek(1)[:1] and body.peek(1)[0] & PasnParameters.HAS_COMEBACK:
        # Alone, nothing says who sent it: try the responder's form, whose comeback begins with a time.
        is_from_responder = _fits(body.peek(body.remaining))
    parameters = PasnParameters.read(body, from_responder=is_from_responder)
    for each in body.fields:
        match each.name:
            case "PASN Parameters control":
                flags = (
                    ("comeback", parameters.comeback is not None),
                    ("group and public key", parameters.group is not None),
                )
                each.meaning = ", ".join(word for word, is_there in flags if is_there) or "nothing more"
            case "wrapped data format":
                each.meaning = named(WrappedDataFormat, parameters.wrapped_format)
            case "comeback after":
                each.meaning = f"{each.number} TU"
            case "group":
                each.meaning = _CURVES.get(parameters.group or 0, "")
            case "public key":
                each.meaning = _KEY_FORMS.get(each.octets[0], "unknown form") if each.octets else "missing"


def _fits(data: bytes) -> bool:
    try:
        PasnParameters.read(TracedReader(data), from_responder=True)
    except DecodeError:
        return False
    return True
