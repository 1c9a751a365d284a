"""The key data of data paths: group keys made, sent and read; and MICs over whole action frames.

Source: Wi-Fi Aware specification 4.0, section 7.1.3.5; IEEE 802.11-2020, 12.7.2 (KDEs).
"""

from dataclasses import dataclass, replace

from pairing.engine import Entropy
from pairing.errors import AuthenticationError, DecodeError, RemoteProtocolError
from pairing.ieee80211.frames import HEADER_LENGTH
from pairing.ieee80211.key_data import (
    BIGTK_TYPE,
    GTK_TYPE,
    IEEE_OUI,
    IGTK_TYPE,
    GtkKde,
    Kde,
    KeyDataElement,
    ManagementGroupKeyKde,
    find_kde,
    join_key_data,
    split_key_data,
    unwrap_key_data,
)
from pairing.nan.attributes import Attribute, CipherSuite, CipherSuiteInfo, KeyDescriptor, SharedKeyDescriptor
from pairing.nan.data_path_events import GroupKeys
from pairing.nan.frames import NanActionFrame

IGTK_ID, BIGTK_ID, GTK_ID = 4, 6, 1
IGTK_IDS, BIGTK_IDS, GTK_IDS = (4, 5), (6, 7), (1, 2)
BIP_GMAC_256 = 1 << 4


def gtk_suite(suite: int) -> CipherSuite:
    """The GTK suite that goes with a pairwise suite."""
    return CipherSuite.NCS_GTK_GCMP_256 if suite in (2, 8) else CipherSuite.NCS_GTK_CCMP_128


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which group keys the two CSIAs call for."""

    igtk: bool
    bigtk: bool
    gtk: bool

    @classmethod
    def by(cls, own: CipherSuiteInfo, peer: CipherSuiteInfo, suite: int) -> "Wanted":
        """What both sides offer."""
        least = min(own.group_key_support, peer.group_key_support)
        both = [{offer.suite for offer in each.suites} for each in (own, peer)]
        return cls(least >= 1, least == 2, gtk_suite(suite) in both[0] & both[1])


class OwnGroupKeys:
    """The group keys of a device, drawn when they are first needed: IGTK, BIGTK, GTK."""

    def __init__(self, capabilities: int, entropy: Entropy) -> None:
        self._length = 32 if capabilities & BIP_GMAC_256 else 16
        self._support = CipherSuiteInfo((), capabilities).group_key_support
        self._entropy = entropy
        self._igtk = self._bigtk = b""
        self._gtks: dict[int, bytes] = {}

    def draw(self, suite: int, *, with_gtk: bool) -> GroupKeys:
        """The keys that a path with that suite may need."""
        if self._support and not self._igtk:
            self._igtk = self._entropy(self._length)
        if self._support == 2 and not self._bigtk:
            self._bigtk = self._entropy(self._length)
        length = 32 if gtk_suite(suite) is CipherSuite.NCS_GTK_GCMP_256 else 16
        if with_gtk and length not in self._gtks:
            self._gtks[length] = self._entropy(length)
        return GroupKeys(self._igtk or None, self._bigtk or None, self._gtks.get(length) if with_gtk else None)


def group_key_data(keys: GroupKeys, wanted: Wanted) -> tuple[GroupKeys, bytes]:
    """The keys that are sent, and the plain key data with them."""
    sent = GroupKeys(
        keys.igtk if wanted.igtk else None, keys.bigtk if wanted.bigtk else None, keys.gtk if wanted.gtk else None
    )
    parts: list[Kde] = []
    if sent.igtk is not None:
        parts.append(ManagementGroupKeyKde(IGTK_TYPE, IGTK_ID, 0, sent.igtk).encode())
    if sent.bigtk is not None:
        parts.append(ManagementGroupKeyKde(BIGTK_TYPE, BIGTK_ID, 0, sent.bigtk).encode())
    if sent.gtk is not None:
        parts.append(GtkKde(GTK_ID, sent.gtk).encode())
    return sent, join_key_data(parts)


def read_group_keys(kek: bytes, wrapped: bytes) -> tuple[GroupKeys, bytes]:
    """The peer's keys, and the plain key data with its padding."""
    if not wrapped:
        return GroupKeys(), b""
    try:
        plain = unwrap_key_data(kek, wrapped)
        parts = split_key_data(plain)
        igtk = _management_key(parts, IGTK_TYPE, IGTK_IDS)
        bigtk = _management_key(parts, BIGTK_TYPE, BIGTK_IDS)
        gtk = find_kde(parts, IEEE_OUI, GTK_TYPE)
        group = None if gtk is None else GtkKde.decode(gtk)
    except DecodeError as error:
        raise RemoteProtocolError(f"key data: {error.reason}") from None
    except AuthenticationError as error:
        raise AuthenticationError(f"key data does not open with ND-KEK: {error}") from None
    if group is not None and group.key_id not in GTK_IDS:
        raise RemoteProtocolError(f"key data: GTK id {group.key_id}, expected 1 or 2")
    return GroupKeys(igtk, bigtk, None if group is None else group.key), plain


def _management_key(parts: tuple[Kde | KeyDataElement, ...], kind: int, ids: tuple[int, int]) -> bytes | None:
    kde = find_kde(parts, IEEE_OUI, kind)
    if kde is None:
        return None
    key = ManagementGroupKeyKde.decode(kde)
    if key.key_id not in ids:
        raise RemoteProtocolError(f"key data: key id {key.key_id}, expected {ids[0]} or {ids[1]}")
    return key.key


def body_of(frame: NanActionFrame) -> bytes:
    """What MICs cover: everything from the category octet on, attributes after the key descriptor too."""
    return frame.encode()[HEADER_LENGTH:]


def with_mic(frame: NanActionFrame, descriptor: KeyDescriptor, mic: bytes) -> NanActionFrame:
    """The frame with this MIC in its key descriptor."""
    attributes: tuple[Attribute, ...] = tuple(
        SharedKeyDescriptor(each.publish_id, descriptor.with_mic(mic).encode())
        if isinstance(each, SharedKeyDescriptor)
        else each
        for each in frame.attributes
    )
    return replace(frame, attributes=attributes)
