"""AES key wrap with the default initial value, as EAPOL-Key data use it. Source: RFC 3394."""

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from pairing.errors import AuthenticationError, EncodeError


def wrap(kek: bytes, plain: bytes) -> bytes:
    """The wrapped form, eight octets longer. `plain` is a multiple of 8 octets, at least 16."""
    try:
        return aes_key_wrap(kek, plain)
    except ValueError as error:
        raise EncodeError(f"AES key wrap of {len(plain)} octets with a KEK of {len(kek)}: {error}") from None


def unwrap(kek: bytes, wrapped: bytes) -> bytes:
    """The plain form; raises AuthenticationError for another KEK or altered octets."""
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise AuthenticationError(f"AES key unwrap of {len(wrapped)} octets failed its integrity check") from None
