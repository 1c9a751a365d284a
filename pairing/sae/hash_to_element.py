"""From a password to SAE's password element by hash-to-element: PT once per password, PWE per pair of addresses.

PT is the costly part and depends on network and password only: owners keep a `PasswordToken` and hand it to each
exchange. Source: IEEE 802.11-2020, 12.4.4.2.3 (hash to curve); the Simplified SWU method of RFC 9380 with other names.
"""

from dataclasses import dataclass, field

from pairing.crypto.curves import CURVES, Curve, Point
from pairing.crypto.kdf import hkdf_expand, hkdf_extract, hmac_digest
from pairing.errors import EncodeError

_Z = {19: -10, 20: -12}


@dataclass(frozen=True, slots=True, eq=False)
class PasswordToken:
    """PT for one group, SSID and password, with the values on the way to it."""

    curve: Curve
    pt: Point = field(repr=False)
    steps: dict[str, bytes] = field(repr=False)

    def multiplier(self, one: bytes, other: bytes) -> tuple[bytes, int]:
        """val for two addresses: the hash, and the number by which PT is multiplied to give PWE."""
        addresses = max(one, other) + min(one, other)
        val_hash = hmac_digest(self.curve.hash, bytes(self.curve.hash.size), addresses)
        return val_hash, int.from_bytes(val_hash, "big") % (self.curve.q - 1) + 1

    def pwe(self, one: bytes, other: bytes) -> Point:
        """The password element for two addresses, whichever comes first."""
        return self.pt * self.multiplier(one, other)[1]


def derive_password_token(group: int, ssid: bytes, password: bytes, identifier: bytes = b"") -> PasswordToken:
    """Derive PT. The SSID of NAN is the text of its network id, see `pairing.nan`."""
    curve = CURVES.get(group)
    if curve is None:
        raise EncodeError(f"group {group}: hash-to-element is here for groups {', '.join(map(str, CURVES))}")
    seed = hkdf_extract(curve.hash, ssid, password + identifier)
    length = curve.size + (curve.size + 1) // 2
    value_1 = hkdf_expand(curve.hash, seed, b"SAE Hash to Element u1 P1", length)
    value_2 = hkdf_expand(curve.hash, seed, b"SAE Hash to Element u2 P2", length)
    u1, u2 = (int.from_bytes(value, "big") % curve.p for value in (value_1, value_2))
    p1, p2 = simplified_swu(curve, u1), simplified_swu(curve, u2)
    pt = p1 + p2
    steps = {
        "pwd_seed": seed,
        "pwd_value_1": value_1,
        "u1": curve.encode_number(u1),
        "pwd_value_2": value_2,
        "u2": curve.encode_number(u2),
        "p1": curve.encode_point(p1),
        "p2": curve.encode_point(p2),
        "pt": curve.encode_point(pt),
    }
    return PasswordToken(curve, pt, steps)


def simplified_swu(curve: Curve, u: int) -> Point:
    """Map a field element to a point of the curve."""
    p, a, b = curve.p, curve.a, curve.b
    zu2 = _Z[curve.group] * u * u % p
    m = (zu2 * zu2 + zu2) % p
    # With m = 0 the standard takes b / (z·a); no hash will ever give it.
    x = b * pow(_Z[curve.group] * a, -1, p) % p if m == 0 else -b * (1 + pow(m, -1, p)) * pow(a, -1, p) % p
    for candidate in (x, zu2 * x % p):
        y = curve.sqrt(curve.right_side(candidate))
        if y is not None:
            return curve.point(candidate, y if y % 2 == u % 2 else p - y)
    raise ArithmeticError("one of the two is a square, since their quotient is not")
