"""SAE Commit and Confirm with hash-to-element, as bodies of Authentication frames.

PASN wraps them: frames 1 and 3 hold one body, frame 2 holds both with a length before each.
Source: IEEE 802.11-2020, 12.4.7.4 (encoding), 9.3.3.11; the wrapping as NAN pairing devices send it.
"""

from dataclasses import dataclass, field

from pairing.crypto.curves import CURVES, Curve
from pairing.errors import DecodeError, RemoteProtocolError
from pairing.ieee80211.frames import AuthenticationAlgorithm, AuthenticationBody, StatusCode
from pairing.wire import Reader, Writer

COMMIT_TRANSACTION, CONFIRM_TRANSACTION = 1, 2


@dataclass(frozen=True, slots=True)
class SaeCommit:
    """`group(2) scalar element`, then elements (tokens, identifiers), which are kept but not acted on."""

    group: int
    scalar: bytes
    element: bytes
    status: int = StatusCode.SAE_HASH_TO_ELEMENT
    rest: bytes = b""

    def encode(self) -> bytes:
        """The Authentication body."""
        content = Writer().u16le(self.group).raw(self.scalar).raw(self.element).raw(self.rest).getvalue()
        return AuthenticationBody(AuthenticationAlgorithm.SAE, COMMIT_TRANSACTION, self.status, content).encode()

    @classmethod
    def decode(cls, data: bytes) -> "SaeCommit":
        """Read an Authentication body with a Commit in one of our groups."""
        body = _decode_body(data, COMMIT_TRANSACTION)
        reader = Reader(body.content, base=6)
        group = reader.u16le("group")
        curve = _curve_of(group)
        scalar, element = reader.take(curve.size, "scalar"), reader.take(2 * curve.size, "element")
        return cls(group, scalar, element, body.status, reader.rest())


@dataclass(frozen=True, slots=True)
class SaeConfirm:
    """`send-confirm(2) confirm`."""

    send_confirm: int
    confirm: bytes = field(repr=False)
    status: int = StatusCode.SUCCESS

    def encode(self) -> bytes:
        """The Authentication body."""
        content = Writer().u16le(self.send_confirm).raw(self.confirm).getvalue()
        return AuthenticationBody(AuthenticationAlgorithm.SAE, CONFIRM_TRANSACTION, self.status, content).encode()

    @classmethod
    def decode(cls, data: bytes) -> "SaeConfirm":
        """Read an Authentication body with a Confirm."""
        body = _decode_body(data, CONFIRM_TRANSACTION)
        reader = Reader(body.content, base=6)
        return cls(reader.u16le("send-confirm"), reader.rest(), body.status)


def join_bodies(commit: bytes, confirm: bytes) -> bytes:
    """The Wrapped Data of PASN frame 2: each body with its length before it."""
    return Writer().u16le(len(commit)).raw(commit).u16le(len(confirm)).raw(confirm).getvalue()


def split_bodies(data: bytes) -> tuple[bytes, bytes]:
    """Commit and Confirm bodies from the Wrapped Data of PASN frame 2."""
    reader = Reader(data)
    commit = reader.take(reader.u16le("commit length"), "commit")
    confirm = reader.take(reader.u16le("confirm length"), "confirm")
    reader.expect_end("wrapped SAE data")
    return commit, confirm


def _decode_body(data: bytes, transaction: int) -> AuthenticationBody:
    body = AuthenticationBody.decode(data)
    if (body.algorithm, body.transaction) != (AuthenticationAlgorithm.SAE, transaction):
        came = f"algorithm {body.algorithm}, transaction {body.transaction}"
        raise DecodeError(0, f"{came}, expected SAE (3), transaction {transaction}")
    return body


def _curve_of(group: int) -> Curve:
    curve = CURVES.get(group)
    if curve is None:
        raise DecodeError(6, f"SAE group {group}, expected one of {', '.join(map(str, CURVES))}")
    return curve


def require_hash_to_element(commit: SaeCommit) -> None:
    """Refuse a Commit that was not made by hash-to-element: its status says so."""
    if commit.status != StatusCode.SAE_HASH_TO_ELEMENT:
        raise RemoteProtocolError(
            f"SAE Commit has status {commit.status}, expected 126 (hash-to-element)",
            StatusCode.UNSPECIFIED_FAILURE,
        )
