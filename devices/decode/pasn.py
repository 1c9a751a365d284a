"""Authentication frame bodies: PASN with its elements, SAE Commit and Confirm, also as PASN wraps them."""

from collections.abc import Callable

from devices.decode.elements import mean_group, read_elements
from devices.decode.fields import TracedReader
from devices.decode.layers import layer
from devices.decode.words import named
from pairing.crypto.curves import CURVES
from pairing.ieee80211.frames import AuthenticationAlgorithm, StatusCode

COMMIT, CONFIRM = 1, 2


def _guess(data: bytes) -> int:
    if len(data) < 6:
        return 0
    algorithm, transaction = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")
    if algorithm == AuthenticationAlgorithm.PASN and 1 <= transaction <= 3:
        return 90
    return 70 if algorithm == AuthenticationAlgorithm.SAE and transaction in (COMMIT, CONFIRM) else 0


@layer("pasn", "Authentication frame body (PASN, SAE)", guess=_guess)
def read_authentication(reader: TracedReader) -> None:
    """Algorithm, transaction, status, then what they define."""
    algorithm, transaction, status = _read_head(reader)
    match algorithm:
        case AuthenticationAlgorithm.PASN:
            read_elements(reader, transaction=transaction, wrapped=_wrapped(transaction))
        case AuthenticationAlgorithm.SAE:
            _read_sae(reader, transaction, status)
        case _:
            reader.rest()


def _read_head(reader: TracedReader) -> tuple[int, int, int]:
    algorithm = reader.u16le("authentication algorithm")
    reader.mean(named(AuthenticationAlgorithm, algorithm))
    transaction = reader.u16le("transaction sequence number")
    status = reader.u16le("status code")
    reader.mean(named(StatusCode, status))
    return algorithm, transaction, status


def _wrapped(transaction: int) -> Callable[[TracedReader], None]:
    """What reads Wrapped Data: that of frame 2 has a length before each of its two bodies, the others none."""
    return _read_both if transaction == 2 else _read_one


def _read_both(body: TracedReader) -> None:
    for name in ("commit", "confirm"):
        _read_one(body.sub(body.u16le(f"{name} length"), f"SAE {name}"))


def _read_one(body: TracedReader) -> None:
    algorithm, transaction, status = _read_head(body)
    if algorithm == AuthenticationAlgorithm.SAE:
        _read_sae(body, transaction, status)
    else:
        body.rest()


def _read_sae(reader: TracedReader, transaction: int, status: int) -> None:
    if transaction == COMMIT and status in (StatusCode.SUCCESS, StatusCode.SAE_HASH_TO_ELEMENT):
        curve = CURVES.get(mean_group(reader))
        if curve is not None:
            reader.take(curve.size, "scalar")
            reader.take(curve.size, "element x")
            reader.take(curve.size, "element y")
    elif transaction == CONFIRM:
        reader.u16le("send-confirm")
        reader.take(reader.remaining, "confirm")
    reader.rest()
