"""PASN bodies in and out of Authentication frames between the two addresses of one pairing."""

from pairing.engine import FrameIgnored, Transmit
from pairing.errors import DecodeError
from pairing.ieee80211.frames import HEADER_LENGTH, ManagementFrame, Subtype
from pairing.pasn.messages import PasnFrame
from pairing.pasn.settings import PasnSettings

PROTOCOL = "pasn"


def address_text(address: bytes) -> str:
    """An address as people write it, `02:00:…`."""
    return address.hex(":")


def transmit(settings: PasnSettings, body: bytes) -> Transmit:
    """A body on its way to the peer."""
    frame = ManagementFrame(Subtype.AUTHENTICATION, settings.peer, settings.own, settings.bssid, body)
    return Transmit(frame.encode(), settings.peer)


def read_frame(settings: PasnSettings, payload: bytes, *transactions: int) -> PasnFrame | FrameIgnored:
    """One of the peer's frames that this role takes, or why not. Frames without a NAN element are nobody's."""
    try:
        header = ManagementFrame.decode(payload)
        if header.subtype != Subtype.AUTHENTICATION or header.is_protected:
            return ignored(settings, f"subtype {header.subtype}, expected a plain Authentication frame")
        if (header.receiver, header.transmitter) != (settings.own, settings.peer):
            return ignored(settings, "frame is not between the two addresses of this pairing")
        frame = PasnFrame.decode(header.body, HEADER_LENGTH)
    except DecodeError as error:
        return ignored(settings, str(error))
    if frame.transaction not in transactions:
        return ignored(settings, f"PASN frame {frame.transaction}, expected {' or '.join(map(str, transactions))}")
    if frame.nan is None:
        return ignored(settings, f"PASN frame {frame.transaction} has no NAN element")
    return frame


def ignored(settings: PasnSettings, reason: str) -> FrameIgnored:
    """The event of a frame that changes nothing."""
    return FrameIgnored(peer=address_text(settings.peer), reason=reason, protocol=PROTOCOL)
