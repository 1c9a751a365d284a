"""What a TCAT agent can be told to do wrong. Each deviation reports itself by `LieTold`, under the name given here.

How the stream is cut, and which certificate is shown, is outside the agent and so is what goes wrong there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pairing.thread.tcat.adverts import AdvertTlv
from pairing.thread.tcat.tlvs import TcatStatus

EVERY_COMMAND = 0
"""In place of a command's type."""
REFUSE_COMMAND = "refuse-command"
NO_ANSWER = "no-answer"
REFUSE_COMMISSIONERS = "refuse-commissioners"
WRONG_PSKD_PROOF = "wrong-pskd-proof"
STALE_ADVERT = "stale-advert"
WRONG_DEVICE_ID = "wrong-device-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatDeviations:
    """None: a well-behaved agent."""

    refused: Mapping[int, TcatStatus] = field(default_factory=lambda: MappingProxyType({}))
    """Commands that are not carried out, and the status that they are answered with."""
    unanswered: Mapping[int, bool] = field(default_factory=lambda: MappingProxyType({}))
    """Commands that get no answer, and whether they are carried out all the same."""
    refuses_commissioners: bool = False
    """Closes as soon as TLS has come about, whoever it is."""
    wrong_pskd_proof: bool = False
    """Its proof that it knows its PSKd does not hold."""
    keeps_advert: bool = False
    """What it advertises stays what it was when this began."""
    device_ids: tuple[AdvertTlv, ...] | None = None
    """Ids that it advertises instead of its own."""

    def status_for(self, command: int) -> TcatStatus | None:
        """What a command is refused with, whatever it asks for."""
        return self.refused.get(command, self.refused.get(EVERY_COMMAND))

    def swallows(self, command: int) -> bool | None:
        """Whether a command is carried out in silence; None where it is answered."""
        return self.unanswered.get(command, self.unanswered.get(EVERY_COMMAND))
