"""What two devices say in the open although they share keys: one of them may have started again without them.

It then asks in the open, and shows another NIRA; it understands nothing that is said under the keys. So that it can be
verified or paired again, it is heard and answered in what everybody may know: what is published, and bootstrapping.
Nothing that anybody could forge takes the keys away; only a pairing that succeeds replaces them.
Source: Wi-Fi Aware specification 4.0, section 7.4; the reference peer drops all of it (read), and stays out of reach.
"""

from pairing.errors import DecodeError
from pairing.ieee80211.frames import Category, ManagementFrame
from pairing.nan.attributes import (
    IdentityResolution,
    NpbaType,
    PairingBootstrapping,
    ServiceControlType,
    ServiceDescriptor,
)
from pairing.nan.frames import ServiceDiscoveryFrame, read_nan_frame
from pairing.nan.identity import bare
from pairing.nan.protection import KeyInUse


class LostKeys:
    """The peers that seem to have lost the keys that we share with them, and which keys those are."""

    def __init__(self) -> None:
        self._peers: dict[bytes, KeyInUse] = {}
        self._before: dict[bytes, IdentityResolution | None] = {}

    def __contains__(self, peer: bytes) -> bool:
        return peer in self._peers

    def suspect(self, peer: bytes, key: KeyInUse, before: IdentityResolution) -> None:
        """It shows another NIRA than before."""
        if peer not in self._peers:
            self._peers[peer], self._before[peer] = key, before

    def disprove(self, peer: bytes, key: KeyInUse | None) -> None:
        """It has said something under that key."""
        if self._peers.get(peer) is key:
            self.clear(peer)

    def calm(self, peer: bytes, identity: IdentityResolution) -> None:
        """It shows the NIRA of before again: the other one was forged. Unless it spoke in the open as well."""
        if self._before.get(peer) == identity:
            self.clear(peer)

    def clear(self, peer: bytes) -> bool:
        """There are new keys, or none; whether it was suspected."""
        self._before.pop(peer, None)
        return self._peers.pop(peer, None) is not None

    def hears(self, frame: ManagementFrame, key: KeyInUse | None, known: IdentityResolution | None) -> bool:
        """Whether an unprotected frame of a peer that we share a key with is heard. `known` is its NIRA so far."""
        read = _open_frame(frame)
        if read is None or key is None:
            return False
        identity, peer = read.find(IdentityResolution), frame.transmitter
        is_request = any(each.type == NpbaType.REQUEST for each in read.find_all(PairingBootstrapping))
        is_another = identity is not None and bare(identity) != known and _is_of(read, ServiceControlType.PUBLISH)
        # To us alone, whoever has keys speaks under them: the reference peer drops them with its last data path.
        is_answer = not frame.is_group_addressed and _is_of(read, ServiceControlType.PUBLISH)
        if is_request or is_answer:
            self._peers[peer], self._before[peer] = key, None
        elif is_another:
            self._peers[peer] = key
            self._before.setdefault(peer, known)
        return peer in self._peers and is_for_anybody(read)

    def is_answered_in_the_open(self, payload: bytes) -> bool:
        """Whether a frame of ours goes out in the open, although keys are in use."""
        if payload[4:10] not in self._peers:
            return False
        read = _open_frame(ManagementFrame.decode(payload))
        return read is not None and is_for_anybody(read)


def is_for_anybody(frame: ServiceDiscoveryFrame) -> bool:
    """Whether all of it is publishing or bootstrapping."""
    return _is_of(frame, ServiceControlType.PUBLISH) or bool(
        [each for each in frame.find_all(PairingBootstrapping) if each.type in (NpbaType.REQUEST, NpbaType.RESPONSE)]
    )


def _is_of(frame: ServiceDiscoveryFrame, kind: ServiceControlType) -> bool:
    descriptors = frame.find_all(ServiceDescriptor)
    return bool(descriptors) and all(each.type is kind for each in descriptors)


def _open_frame(frame: ManagementFrame) -> ServiceDiscoveryFrame | None:
    try:
        read = read_nan_frame(frame)
    except DecodeError:
        return None
    return read if isinstance(read, ServiceDiscoveryFrame) and read.category == Category.PUBLIC else None
