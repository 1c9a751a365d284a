"""PASN Authentication frames as lists of elements, in the order in which NAN devices send them.

Reading an element's value is separate from splitting the frame, since each has its own status to be refused with.
Source: IEEE 802.11az-2022, 12.13; the NAN element as Wi-Fi Aware adds it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pairing.errors import DecodeError
from pairing.ieee80211 import elements as ie
from pairing.ieee80211.elements import Element, ElementId, ExtensionId, PasnParameters, Rsne
from pairing.ieee80211.frames import AuthenticationAlgorithm, AuthenticationBody, StatusCode

NAN_ELEMENT = b"\x50\x6f\x9a\x13"
"""OUI and type of the NAN element."""
COMPRESSED_EVEN, COMPRESSED_ODD, UNCOMPRESSED = 0x02, 0x03, 0x04


@dataclass(frozen=True, slots=True)
class PasnFrame:
    """The body of one of the three frames: transaction 1 to 3, status, elements."""

    transaction: int
    elements: tuple[Element, ...]
    status: int = StatusCode.SUCCESS

    def encode(self) -> bytes:
        """The Authentication body."""
        content = ie.join_elements(self.elements)
        return AuthenticationBody(AuthenticationAlgorithm.PASN, self.transaction, self.status, content).encode()

    @classmethod
    def decode(cls, data: bytes, base: int = 0) -> "PasnFrame":
        """Split an Authentication body; refuses other algorithms and transactions."""
        body = AuthenticationBody.decode(data, base)
        if body.algorithm != AuthenticationAlgorithm.PASN:
            raise DecodeError(base, f"authentication algorithm {body.algorithm}, expected PASN (7)")
        if not 1 <= body.transaction <= 3:
            raise DecodeError(base + 2, f"PASN transaction {body.transaction}, expected 1 to 3")
        return cls(body.transaction, ie.split_elements(body.content, base + 6), body.status)

    def find(self, number: int, extension: int | None = None) -> Element | None:
        """The first element with this id."""
        return ie.find_element(self.elements, number, extension)

    @property
    def rsne(self) -> Rsne:
        """The RSNE; DecodeError if there is none."""
        return Rsne.decode(self._required(self.find(ElementId.RSN), "RSNE"))

    @property
    def parameters(self) -> PasnParameters:
        """The PASN Parameters; DecodeError if there are none."""
        element = self.find(ElementId.EXTENSION, ExtensionId.PASN_PARAMETERS)
        return PasnParameters.decode(self._required(element, "PASN Parameters"), from_responder=self.transaction == 2)

    @property
    def wrapped(self) -> bytes | None:
        """What the Wrapped Data element holds."""
        element = self.find(ElementId.EXTENSION, ExtensionId.WRAPPED_DATA)
        return None if element is None else element.body

    @property
    def nan(self) -> bytes | None:
        """The attributes in the NAN element."""
        return ie.vendor_content(self.elements, NAN_ELEMENT)

    @property
    def mic(self) -> bytes | None:
        """The MIC."""
        element = self.find(ElementId.MIC)
        return None if element is None else element.body

    @property
    def covered_elements(self) -> bytes:
        """RSNE and RSNXE with their headers: what the MIC of frame 2 covers beside the body."""
        covered = (self.find(ElementId.RSN), self.find(ElementId.RSNXE))
        return ie.join_elements(each for each in covered if each is not None)

    def with_mic(self, value: bytes) -> "PasnFrame":
        """The frame with this MIC in place of the one it has."""
        return replace(
            self, elements=tuple(ie.mic(value) if each.id == ElementId.MIC else each for each in self.elements)
        )

    def with_zero_mic(self) -> bytes:
        """The body as MICs cover it."""
        return self.with_mic(bytes(len(self.mic or b""))).encode()

    def _required(self, element: Element | None, what: str) -> Element:
        if element is None:
            raise DecodeError(0, f"PASN frame {self.transaction} has no {what}")
        return element


def nan_element(content: bytes) -> Element:
    """The NAN element with these attributes."""
    return ie.vendor_specific(NAN_ELEMENT, content)


def compose(transaction: int, parts: Iterable[Element | None], status: int = StatusCode.SUCCESS) -> PasnFrame:
    """A frame of those parts that are there."""
    return PasnFrame(transaction, tuple(part for part in parts if part is not None), status)


def public_key(x: bytes) -> bytes:
    """An ephemeral key as NAN devices send it: always marked as even, since only x coordinates are used."""
    return bytes((COMPRESSED_EVEN,)) + x


def flip_last(data: bytes) -> bytes:
    """The octets with the last bit inverted: what a lie makes of a proof."""
    return data[:-1] + bytes((data[-1] ^ 1,))
