"""What the two sides of a bootstrapping exchange share: whom it is with, and how its messages are wrapped.

Source: Wi-Fi Aware specification 4.0, section 7.6.2; every message is a follow-up of one service to one instance.
"""

from dataclasses import dataclass
from typing import TypedDict

from pairing.engine import Transmit
from pairing.nan.attributes import (
    Attribute,
    BootstrappingMethods,
    PairingBootstrapping,
    PairingBootstrappingExtension,
)
from pairing.nan.identifiers import address_text
from pairing.nan.service_frames import follow_up_frame
from pairing.nan.sessions import LocalDevice, Session

PROTOCOL = "nan-bootstrapping"


class About(TypedDict):
    """What every event of an exchange says."""

    peer: str
    service: str
    instance_id: int
    peer_instance_id: int
    dialog_token: int
    method: BootstrappingMethods


@dataclass(frozen=True, slots=True)
class Partner:
    """One instance of a peer, and the session of ours that deals with it."""

    device: LocalDevice
    session: Session
    nmi: bytes
    instance_id: int
    is_protected: bool = False
    """Keys are shared with the peer already."""

    @property
    def name(self) -> str:
        """The peer's address as text."""
        return address_text(self.nmi)

    def about(self, dialog_token: int, method: BootstrappingMethods) -> About:
        """The common fields of an event."""
        return About(
            peer=self.name,
            service=self.session.name,
            instance_id=self.session.instance_id,
            peer_instance_id=self.instance_id,
            dialog_token=dialog_token,
            method=method,
        )

    def wrap(self, message: PairingBootstrapping) -> Transmit:
        """The follow-up that carries a message, and our setup info where we have any."""
        carried: list[Attribute] = [message]
        if self.session.setup_info is not None:
            carried.append(PairingBootstrappingExtension(setup_info=self.session.setup_info))
        frame = follow_up_frame(
            self.device, self.session, self.nmi, self.instance_id, carried=carried, is_protected=self.is_protected
        )
        return Transmit(frame.encode(), self.nmi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a completed exchange leaves for pairing."""

    partner: Partner
    is_initiator: bool
    method: BootstrappingMethods
    """From our point of view."""
    npba: PairingBootstrapping
    """What PASN frames copy: an initiator its first request, a responder the last request that it received."""
