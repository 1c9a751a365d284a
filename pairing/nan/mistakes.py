"""Known mistakes in the identities and names of Wi-Fi Aware: service IDs, NIRA and NPKID, the NIK exchange, NPBAs.

Each function answers with the one mistake that gives exactly what came, or None. Proofs of PASN are `pairing.pasn`'s,
those of data paths `data_path_mistakes`'.
Source: what implementers of NAN are known to trip over.
"""

import hashlib
from collections.abc import Iterable, Iterator

from pairing.crypto.kdf import Hash, hmac_digest, is_equal, kdf
from pairing.errors import AuthenticationError, DecodeError
from pairing.ieee80211.key_data import (
    LIFETIME_TYPE,
    NIK_TYPE,
    WFA_OUI,
    Kde,
    KeyDataElement,
    find_kde,
    split_key_data,
    unwrap_key_data,
)
from pairing.keys import NanPairingKeys
from pairing.nan.attributes import (
    BootstrappingMethods,
    IdentityResolution,
    KeyDescriptor,
    KeyInfo,
    NpbaStatus,
    NpbaType,
    PairingBootstrapping,
    SharedKeyDescriptor,
)
from pairing.nan.attributes.synchronization import SERVICE_ID_LENGTH
from pairing.nan.bootstrapping_rules import complement
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.key_schedule import TAG_LENGTH, nira_tag, suite_hash
from pairing.nan.pairing_credentials import NAN_SSID
from pairing.nan.service_id import service_id, service_id_as_spelled

NIK_DESCRIPTOR_MIC = 0
_KEK_LABEL = "NAN Management KEK Derivation"


# Service IDs


def known_service_id_mistake(name: str, came: bytes) -> str | None:
    """How a peer got this service ID from this name, if not in the right way."""
    if service_id(name) == came:
        return None
    return next((mistake for mistake, value in _service_ids(name) if value == came), None)


def _service_ids(name: str) -> Iterator[tuple[str, bytes]]:
    yield "the name is hashed without lower-casing", service_id_as_spelled(name)
    for spelled in _spellings(name):
        yield f"the name is hashed as {spelled!r}, without lower-casing", service_id_as_spelled(spelled)
    yield "letters beyond ASCII are lower-cased, too", service_id_as_spelled(name.lower())
    for suffix, mistake in ((".", "a dot"), (".local", "'.local'"), (".local.", "'.local.'"), ("\0", "a zero octet")):
        yield f"the name is hashed with {mistake} after it", service_id(name + suffix)
    service, dot, transport = name.rpartition(".")
    if dot and transport.lower() in ("_udp", "_tcp"):
        yield f"the name is hashed without its '.{transport}'", service_id(service)
        yield "the name is hashed without underscores", service_id(name.replace("_", ""))
    digest = hashlib.sha256(name.encode()).digest()
    lowered = hashlib.sha256(name.encode("ascii", "ignore").lower()).digest() if name.isascii() else digest
    yield "the last octets of the hash, expected the first", lowered[-SERVICE_ID_LENGTH:]
    yield "the octets of the service ID are reversed", service_id(name)[::-1]
    if name.isascii():
        weak = hashlib.sha1(name.lower().encode(), usedforsecurity=False).digest()
        yield "SHA-1 of the name, expected SHA-256", weak[:SERVICE_ID_LENGTH]


def _spellings(name: str) -> Iterable[str]:
    """How somebody may write a name who does not know that letters are folded."""
    titled = name.title()
    service, dot, transport = titled.rpartition(".")
    letters = name.lstrip("_")
    first = "_" * (len(name) - len(letters)) + letters[:1].upper() + letters[1:]
    return dict.fromkeys((name.upper(), titled, f"{service}{dot}{transport.lower()}", first))


# Identities


def known_identity_mistake(
    identity: IdentityResolution, niks: Iterable[bytes], sender: bytes, receiver: bytes, own_nik: bytes = b""
) -> str | None:
    """How a peer got this NIRA, or NPKID, from one of these NIKs. `own_nik` and `receiver` are ours."""
    tag, nonce = identity.tag, identity.nonce
    if own_nik and is_equal(tag, nira_tag(own_nik, sender, nonce)):
        return "the tag is made with the receiver's NIK, expected the sender's own"
    for nik in niks:
        for mistake, value in _tags(nik, sender, receiver, nonce):
            if is_equal(tag, value):
                return mistake
        if is_equal(nonce, nira_tag(nik, sender, tag)):
            return "the tag stands before the nonce"
        if identity.cipher_version and is_equal(tag, nira_tag(nik, sender, nonce)):
            return f"cipher version {identity.cipher_version}, expected 0"
    return None


def _tags(nik: bytes, sender: bytes, receiver: bytes, nonce: bytes) -> Iterator[tuple[str, bytes]]:
    yield "the tag covers the receiver's NMI, expected the sender's", nira_tag(nik, receiver, nonce)
    yield "the tag covers the nonce before the NMI", _tag(Hash.SHA256, nik, b"NIR" + nonce + sender)
    yield 'the tag does not cover "NIR"', _tag(Hash.SHA256, nik, sender + nonce)
    yield 'the tag covers "NIRA", expected "NIR"', _tag(Hash.SHA256, nik, b"NIRA" + sender + nonce)
    yield 'the tag covers "NIR" with a zero octet after it', _tag(Hash.SHA256, nik, b"NIR\0" + sender + nonce)
    yield (
        "the tag is made with SHA-384, expected SHA-256 for every suite",
        _tag(Hash.SHA384, nik, b"NIR" + sender + nonce),
    )
    whole = hmac_digest(Hash.SHA256, nik, b"NIR" + sender + nonce)
    yield "the tag is the last octets of the HMAC, expected the first", whole[-TAG_LENGTH:]
    yield "the tag covers the nonce in reverse", nira_tag(nik, sender, nonce[::-1])
    yield "the tag covers the NMI in reverse", nira_tag(nik, sender[::-1], nonce)
    yield "the tag does not cover the NMI", _tag(Hash.SHA256, nik, b"NIR" + nonce)


def _tag(algorithm: Hash, nik: bytes, covered: bytes) -> bytes:
    return hmac_digest(algorithm, nik, covered)[:TAG_LENGTH]


# Passwords


def known_seed_mistake(seed: bytes, password: str) -> str | None:
    """How somebody got this pwd-seed of SAE from this password, if not in the right way."""
    hash_ = Hash.SHA384 if len(seed) == Hash.SHA384.size else Hash.SHA256
    secret = password.encode()
    for mistake, ssid, used in _seeds(secret):
        if is_equal(seed, hmac_digest(hash_, ssid, used)):
            return mistake
    if is_equal(seed, hmac_digest(hash_, secret, NAN_SSID)):
        return "the password is the salt of HKDF-Extract and the SSID the secret, expected the other way round"
    return None


def _seeds(secret: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Mistake, the SSID and the password that go with it."""
    network = NAN_NETWORK_ID
    yield "the SSID for PT is six octets, expected the text 516F9A010000", network, secret
    yield "the SSID for PT is in small letters, expected 516F9A010000", network.hex().encode(), secret
    yield "the SSID for PT has separators, expected 516F9A010000", network.hex(":").upper().encode(), secret
    yield "the SSID for PT has separators and small letters", network.hex(":").encode(), secret
    yield "the SSID for PT is empty, expected 516F9A010000", b"", secret
    for suffix, what in ((b"\0", "a zero octet"), (b"\n", "a line end"), (b"\r\n", "a line end")):
        yield f"the password has {what} after it", NAN_SSID, secret + suffix
    if secret.isascii():
        yield "the password is in UTF-16", NAN_SSID, secret.decode().encode("utf-16-le")


# The NIK exchange


def known_nik_mistake(
    received: SharedKeyDescriptor, keys: NanPairingKeys, initiator: bytes, responder: bytes
) -> str | None:
    """What is wrong with the key descriptor of a NIK exchange; the addresses are those of the pairing."""
    return next(_nik_mistakes(received, keys, initiator, responder), None)


def _nik_mistakes(
    received: SharedKeyDescriptor, keys: NanPairingKeys, initiator: bytes, responder: bytes
) -> Iterator[str]:
    for length in (16, 24):
        inner = _descriptor(received, length)
        if inner is not None and not inner.surplus and inner.key_data:
            yield f"a MIC field of {length} octets; the descriptor of the NIK exchange has none"
    descriptor = _descriptor(received, NIK_DESCRIPTOR_MIC)
    if descriptor is None:
        return
    data = descriptor.key_data
    if data[2:6] == WFA_OUI + bytes((NIK_TYPE,)):
        yield "the key data are in clear, expected wrapped with NM-KEK"
    swapped = int.from_bytes(descriptor.key_info.to_bytes(2, "little"), "big")
    wanted = KeyInfo.ENCRYPTED_KEY_DATA | KeyInfo.PAIRWISE
    if swapped & wanted == wanted and descriptor.key_info & wanted != wanted:
        yield "the key information is little endian"
    for mistake, kek in _keks(keys, initiator, responder):
        if _opens(kek, data):
            yield mistake
    parts = _parts(keys.nm_kek, data)
    if parts is not None:
        yield from _key_data_mistakes(parts, descriptor.key_info)


def _descriptor(received: SharedKeyDescriptor, mic_length: int) -> KeyDescriptor | None:
    try:
        return received.key_descriptor(mic_length)
    except DecodeError:
        return None


def _keks(keys: NanPairingKeys, initiator: bytes, responder: bytes) -> Iterator[tuple[str, bytes]]:
    """Mistake -> the KEK that it gives."""
    right, length = suite_hash(keys.suite), len(keys.nm_kek)
    other = Hash.SHA256 if right is Hash.SHA384 else Hash.SHA384
    ordered, turned = initiator + responder, responder + initiator
    bits = 8 * length
    yield (
        f"{other.name} for NM-KEK, expected {right.name}: the cipher suite decides",
        kdf(other, keys.nm_kdk, _KEK_LABEL, ordered, bits),
    )
    yield "NM-KEK from responder || initiator", kdf(right, keys.nm_kdk, _KEK_LABEL, turned, bits)
    for wrong in {16, 32} - {length}:
        yield f"NM-KEK of {wrong} octets, expected {length}", kdf(right, keys.nm_kdk, _KEK_LABEL, ordered, 8 * wrong)
    yield "NM-KEK derived without the addresses", kdf(right, keys.nm_kdk, _KEK_LABEL, b"", bits)
    yield "KDF with its counter and length big endian", kdf(right, keys.nm_kdk, _KEK_LABEL, ordered, bits, order="big")
    yield "key data wrapped with NM-TK, expected NM-KEK", keys.nm_tk
    yield "key data wrapped with NM-KCK, expected NM-KEK", keys.nm_kck
    yield "key data wrapped with NM-KDK itself, expected NM-KEK", keys.nm_kdk


def _opens(kek: bytes, data: bytes) -> bool:
    try:
        unwrap_key_data(kek, data)
    except AuthenticationError:
        return False
    return True


def _parts(kek: bytes, data: bytes) -> tuple[Kde | KeyDataElement, ...] | None:
    try:
        return split_key_data(unwrap_key_data(kek, data))
    except (AuthenticationError, DecodeError):
        return None


def _key_data_mistakes(parts: tuple[Kde | KeyDataElement, ...], info: int) -> Iterator[str]:
    """Key data that opened, but were not taken."""
    if not info & KeyInfo.PAIRWISE:
        yield f"key information {info:#06x} without the pairwise bit (0x0008), as one vendor sends it"
    if not info & KeyInfo.ENCRYPTED_KEY_DATA:
        yield f"key information {info:#06x} does not say that the key data are encrypted (0x1000)"
    nik, lifetime = find_kde(parts, WFA_OUI, NIK_TYPE), find_kde(parts, WFA_OUI, LIFETIME_TYPE)
    if nik is None:
        yield "the key data hold no NIK KDE (50-6f-9a, type 36)"
    elif len(nik.data) == 17 and nik.data[0]:
        yield f"cipher version {nik.data[0]} in the NIK KDE, expected 0; one vendor puts the suite there"
    elif len(nik.data) == 16:
        yield "the NIK KDE has no cipher version before the NIK"
    if lifetime is None:
        yield "the key data hold no lifetime KDE (50-6f-9a, type 37)"
    elif lifetime.data[:2] == b"\x00\x08":
        yield "the bitmap of the lifetime KDE is big endian"


# Bootstrapping


def known_answer_mistake(requested: BootstrappingMethods, answered: BootstrappingMethods) -> str | None:
    """How an accepting answer came by its bit, if it is not the counterpart of the requested one."""
    wanted = complement(requested)
    if answered == wanted:
        return None
    if answered == requested:
        return "the answer repeats the bit of the request; a responder names its own role, the complement"
    if int.from_bytes(answered.value.to_bytes(2, "little"), "big") in (wanted.value, requested.value):
        return "the bitmap of methods is big endian"
    if not answered:
        return "the answer accepts and names no method"
    return "the answer names every method, not the one agreed on" if answered & wanted == wanted else None


def known_bootstrapping_mistake(message: PairingBootstrapping, offered: BootstrappingMethods) -> str | None:
    """What is odd about an NPBA as such; what the peer's methods make of it is `bootstrapping_rules`' business."""
    if message.type == NpbaType.ADVERTISE and message.status in (NpbaType.REQUEST, NpbaType.RESPONSE):
        return "type and status of the NPBA are exchanged: the type is the low four bits"
    if message.type != NpbaType.REQUEST or message.status not in (NpbaStatus.ACCEPTED, NpbaStatus.COMEBACK):
        return None
    count = message.methods.value.bit_count()
    if count != 1:
        return f"a request names one method, this one names {count}"
    methods = message.methods
    swapped = BootstrappingMethods(int.from_bytes(methods.value.to_bytes(2, "little"), "big"))
    wanted = offered or BootstrappingMethods(sum(BootstrappingMethods))
    if (swapped | complement(swapped)) & wanted and not (methods | complement(methods)) & wanted:
        return "the bitmap of methods is big endian"
    if not message.dialog_token:
        return "the dialog token is 0; a request has another"
    return None
