"""What a hello must hold to be taken: each rule raises the error that names it, with the alert that answers it.

Alerts as Mbed TLS sends them, which Thread stacks build on. Source: RFC 5246, section 7.4.1; RFC 6066, section 4
(max_fragment_length); RFC 7627; draft-cragie-tls-ecjpake-01.
"""

from dataclasses import dataclass

from pairing.dtls.alerts import AlertDescription
from pairing.dtls.messages import (
    SECP256R1,
    CipherSuite,
    ClientHello,
    Extension,
    ExtensionType,
    ServerHello,
    decode_key_pairs,
    encode_key_pairs,
)
from pairing.dtls.record import LARGEST_PLAINTEXT
from pairing.dtls.settings import ServerHelloShape
from pairing.ecjpake.proof import KeyKp
from pairing.errors import AuthenticationError, DecodeError, NegotiationError, RemoteProtocolError
from pairing.wire import Reader

SUITE = CipherSuite.ECJPAKE_WITH_AES_128_CCM_8
FRAGMENT_LENGTHS = {b"\x01": 512, b"\x02": 1024, b"\x03": 2048, b"\x04": 4096}
NULL_COMPRESSION = 0


@dataclass(frozen=True, slots=True)
class Agreed:
    """What two hellos agree on: the peer's key pairs, the largest plaintext of a record, the kind of master secret."""

    key_pairs: tuple[KeyKp, KeyKp]
    largest_record: int
    extended_master_secret: bool


def is_dtls(version: int) -> bool:
    """Whether a version number is one of DTLS."""
    return version >> 8 == 0xFE


def check_client_hello(hello: ClientHello, shape: ServerHelloShape) -> Agreed:
    """What a server takes from a ClientHello."""
    # DTLS counts downwards: a client that also knows DTLS 1.3 still writes 1.2 here.
    if not is_dtls(hello.version) or hello.version > shape.version:
        raise _failure(
            f"version {hello.version:#06x}, expected {shape.version:#06x}", AlertDescription.PROTOCOL_VERSION
        )
    if SUITE not in hello.cipher_suites:
        suites = ", ".join(f"{suite:04x}" for suite in hello.cipher_suites)
        raise _failure(f"cipher suites {suites}, expected {SUITE:04x} among them")
    if NULL_COMPRESSION not in hello.compression_methods:
        raise _failure("no null compression", AlertDescription.ILLEGAL_PARAMETER)
    _check_groups(hello.extension(ExtensionType.SUPPORTED_GROUPS))
    key_pairs = hello.extension(ExtensionType.ECJPAKE_KEY_KP_PAIR)
    if key_pairs is None:
        raise _failure("no ecjpake_key_kp_pair")
    largest = _fragment_length(hello.extension(ExtensionType.MAX_FRAGMENT_LENGTH), "ClientHello")
    answers = {each.extension_type for each in shape.extensions}
    if ExtensionType.MAX_FRAGMENT_LENGTH not in answers:
        largest = LARGEST_PLAINTEXT
    ems = ExtensionType.EXTENDED_MASTER_SECRET
    is_extended = ems in answers and hello.extension(ems) is not None
    return Agreed(_key_pairs(key_pairs, "ClientHello", AlertDescription.ILLEGAL_PARAMETER), largest, is_extended)


def answer_extensions(
    shape: ServerHelloShape, hello: ClientHello, key_pairs: tuple[KeyKp, KeyKp]
) -> tuple[Extension, ...]:
    """The extensions of our ServerHello: of those in the shape, the ones that the client offered."""
    answers = []
    for each in shape.extensions:
        kind, offered = each.extension_type, hello.extension(each.extension_type)
        knows_renegotiation = CipherSuite.EMPTY_RENEGOTIATION_INFO_SCSV in hello.cipher_suites
        if offered is None and not (kind == ExtensionType.RENEGOTIATION_INFO and knows_renegotiation):
            continue
        body = each.body
        if kind == ExtensionType.ECJPAKE_KEY_KP_PAIR:
            body = encode_key_pairs(key_pairs)
        elif kind == ExtensionType.MAX_FRAGMENT_LENGTH:
            body = offered or b""
        answers.append(Extension(kind, body))
    return tuple(answers)


def check_server_hello(answer: ServerHello, hello: ClientHello) -> Agreed:
    """What a client takes from a ServerHello."""
    if answer.version != hello.version:
        raise _refusal(
            f"version {answer.version:#06x}, expected {hello.version:#06x}", AlertDescription.PROTOCOL_VERSION
        )
    if answer.cipher_suite != SUITE or answer.cipher_suite not in hello.cipher_suites:
        raise _refusal(f"cipher suite {answer.cipher_suite:04x}, expected {SUITE:04x}")
    if answer.compression_method != NULL_COMPRESSION:
        raise _refusal(f"compression method {answer.compression_method}, expected null")
    for each in answer.extensions or ():
        is_expected = hello.extension(each.extension_type) is not None
        if not is_expected and each.extension_type != ExtensionType.RENEGOTIATION_INFO:
            raise _refusal(
                f"extension {each.extension_type:04x}, which we did not offer", AlertDescription.UNSUPPORTED_EXTENSION
            )
    key_pairs = answer.extension(ExtensionType.ECJPAKE_KEY_KP_PAIR)
    if key_pairs is None:
        raise _refusal("no ecjpake_key_kp_pair", AlertDescription.HANDSHAKE_FAILURE)
    echoed = answer.extension(ExtensionType.MAX_FRAGMENT_LENGTH)
    if echoed is not None and echoed != hello.extension(ExtensionType.MAX_FRAGMENT_LENGTH):
        raise _refusal("another max_fragment_length than we asked for")
    return Agreed(
        _key_pairs(key_pairs, "ServerHello", AlertDescription.HANDSHAKE_FAILURE),
        _fragment_length(echoed, "ServerHello"),
        answer.extension(ExtensionType.EXTENDED_MASTER_SECRET) is not None,
    )


def _check_groups(body: bytes | None) -> None:
    if body is None:
        raise _failure("no supported_groups, expected secp256r1 (23) among them")
    reader = Reader(body)
    try:
        groups = reader.take(reader.u16be("length of supported_groups"), "supported_groups")
        reader.expect_end("supported_groups")
    except DecodeError as error:
        raise RemoteProtocolError(f"DTLS ClientHello: {error.reason}", AlertDescription.DECODE_ERROR) from None
    numbers = [int.from_bytes(groups[at : at + 2], "big") for at in range(0, len(groups), 2)]
    if SECP256R1 not in numbers:
        raise _failure(f"supported_groups {numbers}, expected secp256r1 (23) among them")


def _fragment_length(body: bytes | None, where: str) -> int:
    if body is None:
        return LARGEST_PLAINTEXT
    if body not in FRAGMENT_LENGTHS:
        message = f"DTLS {where}: max_fragment_length {body.hex() or 'empty'}, expected 01 to 04"
        raise RemoteProtocolError(message, AlertDescription.ILLEGAL_PARAMETER)
    return FRAGMENT_LENGTHS[body]


def _key_pairs(body: bytes, where: str, alert: AlertDescription) -> tuple[KeyKp, KeyKp]:
    try:
        return decode_key_pairs(body)
    except DecodeError as error:
        raise AuthenticationError(f"DTLS {where}: ecjpake_key_kp_pair: {error.reason}", alert) from None


def _failure(reason: str, alert: AlertDescription = AlertDescription.HANDSHAKE_FAILURE) -> NegotiationError:
    return NegotiationError(f"DTLS ClientHello: {reason}", alert)


def _refusal(reason: str, alert: AlertDescription = AlertDescription.ILLEGAL_PARAMETER) -> NegotiationError:
    return NegotiationError(f"DTLS ServerHello: {reason}", alert)
