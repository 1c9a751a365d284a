"""Known mistakes in the form of a PASN frame: byte orders, lengths, formats, and what does not go together.

Keys are not needed: the octets alone show them. Proofs are the business of `mistakes`.
Source: IEEE 802.11az-2022, 12.13, and what implementers of NAN pairing are known to trip over.
"""

from collections.abc import Iterator

from pairing.crypto.curves import CURVES
from pairing.errors import DecodeError
from pairing.ieee80211.elements import Akm, CipherSuite, ElementId, PasnParameters, Rsne, WrappedDataFormat
from pairing.ieee80211.frames import AuthenticationAlgorithm, AuthenticationBody, StatusCode
from pairing.pasn.key_schedule import SUITES
from pairing.pasn.messages import COMPRESSED_EVEN, COMPRESSED_ODD, UNCOMPRESSED, PasnFrame
from pairing.sae.messages import COMMIT_TRANSACTION, split_bodies

_HEAD = 6
_ALGORITHMS = (AuthenticationAlgorithm.SAE, AuthenticationAlgorithm.PASN)


def known_form_mistake(body: bytes) -> str | None:
    """The mistake in an Authentication body that a receiver refused or ignored, in words, or None."""
    return next(_mistakes(body), None)


def _mistakes(body: bytes) -> Iterator[str]:
    if len(body) < _HEAD:
        return
    yield from _head(body)
    try:
        frame = PasnFrame.decode(body)
    except DecodeError:
        return
    if frame.status not in (StatusCode.SUCCESS, StatusCode.REJECTED_TEMPORARILY):
        return
    if frame.nan is None:
        yield "the NAN element is missing"
    yield from _wrapped(frame)
    yield from _rsne(frame)
    yield from _parameters(frame)


def _head(body: bytes) -> Iterator[str]:
    """Algorithm, transaction and status with their octets exchanged."""
    algorithm, transaction, status = (int.from_bytes(body[at : at + 2], "big") for at in (0, 2, 4))
    if algorithm == AuthenticationAlgorithm.PASN:
        yield "the authentication algorithm is big endian"
    if 1 <= transaction <= 3:
        yield "the transaction sequence number is big endian"
    if status and status in StatusCode.__members__.values():
        yield "the status code is big endian"


# SAE in Wrapped Data


def _wrapped(frame: PasnFrame) -> Iterator[str]:
    data = frame.wrapped
    if data is None:
        return
    if frame.transaction == 2:
        yield from _wrapped_pair(data)
    elif len(data) > 2 and _is_sae(data[2:]):
        for order, hint in (("little", ""), ("big", ", and that big endian")):
            if int.from_bytes(data[:2], order) == len(data) - 2:  # type: ignore[arg-type]  # one of the two
                yield f"the SAE data of frame {frame.transaction} have a length before them{hint}; only frame 2 has one"
    elif frame.transaction == 1:
        yield from _commit(data)


def _wrapped_pair(data: bytes) -> Iterator[str]:
    if _is_sae(data):
        yield "the SAE data of frame 2 have no length before each body"
    first = int.from_bytes(data[:2], "big")
    if 2 + first < len(data) and _is_sae(data[2:]) and _is_sae(data[4 + first :]):
        yield "the lengths in the SAE data of frame 2 are big endian"
    try:
        commit, _ = split_bodies(data)
    except DecodeError:
        return
    if len(commit) > 4 and int.from_bytes(commit[2:4], "little") != COMMIT_TRANSACTION:
        yield "the SAE data of frame 2 have the Confirm before the Commit"
    yield from _commit(commit)


def _is_sae(data: bytes) -> bool:
    """Whether an SAE body begins here."""
    return data[:2] == b"\x03\x00" and data[2:4] in (b"\x01\x00", b"\x02\x00")


def _commit(data: bytes) -> Iterator[str]:
    if data[:2] == b"\x00\x03":
        yield "the authentication algorithm of the SAE Commit is big endian"
    try:
        body = AuthenticationBody.decode(data)
    except DecodeError:
        return
    if body.algorithm == AuthenticationAlgorithm.SAE and body.status == StatusCode.SUCCESS:
        yield "SAE by hunting and pecking (status 0), expected hash-to-element (status 126)"
    if int.from_bytes(body.content[:2], "big") in CURVES:
        yield "the group in the SAE Commit is big endian"


# RSNE and PASN Parameters


def _rsne(frame: PasnFrame) -> Iterator[str]:
    element = frame.find(ElementId.RSN)
    if element is None:
        if frame.transaction < 3:
            yield "the RSNE is missing"
        return
    body = element.body
    if body[:2] == b"\x00\x01":
        yield "the version of the RSNE is big endian"
    if body[2:6] == CipherSuite.GROUP_ADDRESSED_NOT_ALLOWED.to_bytes(4, "little"):
        yield "the suite selectors of the RSNE are little endian; the OUI comes first"
    if body[6:8] == b"\x00\x01":
        yield "the counts in the RSNE are big endian"
    try:
        rsne = Rsne.decode(element)
    except DecodeError:
        return
    if not rsne.capabilities & Rsne.MFP_REQUIRED and rsne.capabilities & Rsne.MFP_CAPABLE:
        yield "management frame protection is capable (MFPC) but not required (MFPR)"
    elif not rsne.capabilities & Rsne.MFP_CAPABLE:
        yield "management frame protection is neither capable nor required (MFPC, MFPR)"
    if CipherSuite.GROUP_ADDRESSED_NOT_ALLOWED not in (rsne.group, rsne.group_management):
        yield "the RSNE names group ciphers, PASN has none (00-0f-ac:7)"
    if tuple(rsne.akms) == (Akm.PASN,) and frame.wrapped is not None:
        yield "AKM PASN with an SAE Commit; a pairing with a password has AKM SAE"


def _parameters(frame: PasnFrame) -> Iterator[str]:
    try:
        parameters = frame.parameters
    except DecodeError:
        if frame.transaction < 3:
            yield "the PASN Parameters are missing or cut"
        return
    if parameters.group is None:
        return
    if int.from_bytes(parameters.group.to_bytes(2, "little"), "big") in CURVES:
        yield "the group in the PASN Parameters is big endian"
    if parameters.wrapped_format == WrappedDataFormat.NONE and frame.wrapped is not None:
        yield "wrapped data format 0 with Wrapped Data, expected 3 (SAE)"
    yield from _public_key(parameters)
    yield from _suite(frame, parameters)


def _public_key(parameters: PasnParameters) -> Iterator[str]:
    curve, key = CURVES.get(parameters.group or 0), parameters.public_key
    if curve is None:
        return
    form = key[0] if key else None
    if len(key) == curve.size:
        yield "the public key is x alone, without 02 before it"
    elif len(key) == 2 * curve.size:
        yield "the public key is x and y without 04 before them"
    elif form not in (COMPRESSED_EVEN, COMPRESSED_ODD, UNCOMPRESSED):
        yield f"the public key begins with {key[:1].hex() or 'nothing'}, expected 02"


def _suite(frame: PasnFrame, parameters: PasnParameters) -> Iterator[str]:
    try:
        ciphers = frame.rsne.pairwise
    except DecodeError:
        return
    suite = next((each for each in SUITES.values() if ciphers and each.cipher == ciphers[0]), None)
    if suite is not None and parameters.group in CURVES and parameters.group != suite.group:
        yield f"group {parameters.group} with {suite.cipher.name}, which goes with group {suite.group}"
