"""Management frames, elements, key data and the frame protection of `pairing.ieee80211`."""

from collections.abc import Iterable

from pairing.errors import AuthenticationError, DecodeError, RemoteProtocolError
from pairing.ieee80211 import elements as ie
from pairing.ieee80211.elements import CipherSuite, Element, ElementId, ExtensionId, PasnParameters, Rsne
from pairing.ieee80211.frames import ActionBody, AuthenticationBody, ManagementFrame, Subtype
from pairing.ieee80211.key_data import (
    BIGTK_TYPE,
    GTK_TYPE,
    IGTK_TYPE,
    LIFETIME_TYPE,
    NIK_TYPE,
    GtkKde,
    Kde,
    KeyDataElement,
    KeyLifetimeKde,
    ManagementGroupKeyKde,
    NikKde,
    find_kde,
    join_key_data,
    pad_key_data,
    split_key_data,
    unwrap_key_data,
    wrap_key_data,
)
from pairing.ieee80211.protection import CipherHeader, Protection
from tests.fuzz import corpus
from tests.fuzz.target import decoder

KEK = bytes(range(16))
KEYS = {CipherSuite.CCMP_128: bytes(16), CipherSuite.GCMP_256: bytes(32)}
SENDER, RECEIVER, BSSID = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02", b"\x50\x6f\x9a\x01\0\x07"


def frames() -> Iterable[bytes]:
    """Recorded frames, plain and protected."""
    return corpus.octets("wifi-aware/*", "hex", "protected_hex")


def bodies(subtype: Subtype) -> Iterable[bytes]:
    """The bodies of the recorded frames of one subtype."""
    for frame in corpus.octets("wifi-aware/*", "hex"):
        if frame[0] == subtype << 4:
            yield frame[24:]


def element_lists() -> Iterable[bytes]:
    """What follows the fixed fields of recorded Authentication frames."""
    return (body[6:] for body in bodies(Subtype.AUTHENTICATION))


def values(number: int, extension: int | None = None) -> Iterable[bytes]:
    """The recorded bodies of one kind of element."""
    found = (ie.find_element(ie.split_elements(data), number, extension) for data in element_lists())
    return dict.fromkeys(each.body for each in found if each is not None)


def read_key_data(data: bytes) -> tuple[Kde | KeyDataElement, ...]:
    """Split key data and read every KDE that has a meaning."""
    parts = split_key_data(data)
    for part in parts:
        match part:
            case Kde(type=kind) if kind == GTK_TYPE:
                GtkKde.decode(part)
            case Kde(type=kind) if kind in (IGTK_TYPE, BIGTK_TYPE):
                ManagementGroupKeyKde.decode(part)
            case Kde(type=kind) if kind == NIK_TYPE:
                NikKde.decode(part)
            case Kde(type=kind) if kind == LIFETIME_TYPE:
                KeyLifetimeKde.decode(part)
    find_kde(parts, b"\x50\x6f\x9a", NIK_TYPE)
    return parts


def key_data() -> Iterable[bytes]:
    """Key data with every KDE."""
    kdes = (
        NikKde(bytes(16)).encode(),
        KeyLifetimeKde(86400).encode(),
        GtkKde(1, bytes(16)).encode(),
        ManagementGroupKeyKde(IGTK_TYPE, 4, 1, bytes(16)).encode(),
        ManagementGroupKeyKde(BIGTK_TYPE, 6, 1, bytes(32)).encode(),
    )
    yield join_key_data(kdes)
    yield from (pad_key_data(kde.encode()) for kde in kdes)


def unprotected(cipher: CipherSuite, data: bytes) -> ManagementFrame:
    """What a receiver makes of a frame while a key is in use."""
    return Protection(cipher, KEYS[cipher]).unprotect(ManagementFrame.decode(data))


def protected(cipher: CipherSuite) -> Iterable[bytes]:
    """A frame under the key that `unprotected` has, and recorded ones under others."""
    plain = ManagementFrame(Subtype.ACTION, RECEIVER, SENDER, BSSID, b"\x09\x09\x50\x6f\x9a\x13")
    yield Protection(cipher, KEYS[cipher]).protect(plain).encode()
    yield from corpus.octets("wifi-aware/*", "protected_hex")


PROTECTION_ERRORS = (DecodeError, AuthenticationError, RemoteProtocolError)
TARGETS = (
    decoder("ieee80211-frame", ManagementFrame.decode, frames, encode=ManagementFrame.encode),
    decoder(
        "ieee80211-authentication",
        AuthenticationBody.decode,
        lambda: bodies(Subtype.AUTHENTICATION),
        encode=AuthenticationBody.encode,
    ),
    decoder("ieee80211-action", ActionBody.decode, lambda: bodies(Subtype.ACTION), encode=ActionBody.encode),
    decoder("ieee80211-elements", ie.split_elements, element_lists, encode=ie.join_elements, is_exact=False),
    decoder(
        "ieee80211-rsne",
        lambda data: Rsne.decode(Element(ElementId.RSN, data)),
        lambda: values(ElementId.RSN),
        encode=lambda rsne: rsne.encode().body,
    ),
    *(
        decoder(
            f"ieee80211-pasn-parameters-{sender}",
            lambda data, is_responder=is_responder: PasnParameters.decode(  # type: ignore[misc]
                Element(ElementId.EXTENSION, data, ExtensionId.PASN_PARAMETERS), from_responder=is_responder
            ),
            lambda: values(ElementId.EXTENSION, ExtensionId.PASN_PARAMETERS),
            encode=lambda parameters: parameters.encode().body,
        )
        for sender, is_responder in (("initiator", False), ("responder", True))
    ),
    decoder(
        "ieee80211-supported-groups",
        lambda data: ie.decode_supported_groups(Element(ElementId.EXTENSION, data, ExtensionId.SUPPORTED_GROUPS)),
        lambda: values(ElementId.EXTENSION, ExtensionId.SUPPORTED_GROUPS),
        encode=lambda groups: ie.supported_groups(groups).body,
    ),
    decoder("ieee80211-key-data", read_key_data, key_data, encode=join_key_data, is_exact=False),
    decoder(
        "ieee80211-wrapped-key-data",
        lambda data: split_key_data(unwrap_key_data(KEK, data)),
        lambda: [wrap_key_data(KEK, each) for each in key_data()],
        errors=(DecodeError, AuthenticationError),
    ),
    decoder("ieee80211-cipher-header", CipherHeader.decode, lambda: [CipherHeader(1).encode()]),
    *(
        decoder(
            f"ieee80211-unprotect-{cipher.name.lower().replace('_', '-')}",
            lambda data, cipher=cipher: unprotected(cipher, data),  # type: ignore[misc]
            lambda cipher=cipher: protected(cipher),  # type: ignore[misc]
            errors=PROTECTION_ERRORS,
        )
        for cipher in KEYS
    ),
)
