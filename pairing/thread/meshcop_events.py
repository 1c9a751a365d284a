"""Facts of commissioning on the wire: what the Border Agent, Commissioner, Joiner and Joiner Router report.

Connections that come about, fail or end are reported by `dtls.events`, which those engines pass on; facts that the
`Network` model reports as well are in `network_events`. Datasets and keys are secret fields.
"""

from dataclasses import dataclass, field

from pairing.coap.message import CoapCode, CoapMessage, code_text
from pairing.engine import Event
from pairing.errors import PairingError

_SECRET = {"secret": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnswered(Event):
    """A request came in at one of our resources: the journal. `status` is the code of the answer, empty for none.

    `via` is `dtls`, `proxy` (for the Leader, through the Border Agent) or `joiner`.
    """

    via: str
    method: str
    path: str
    status: str


def request_answered(via: str, request: CoapMessage, code: int | None, peer: str | None) -> RequestAnswered:
    """The journal's line about a request and the code of its answer, None if there is none."""
    try:
        method = CoapCode(request.code).name
    except ValueError:
        method = code_text(request.code)
    status = "" if code is None else code_text(code)
    return RequestAnswered(via=via, method=method, path=request.path, status=status, peer=peer)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSetRefused(Event):
    """The Leader answered a MGMT_SET with State reject: the rule, what was expected, what came."""

    request: str
    rule: str
    expected: str
    came: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionerDatasetChanged(Event):
    """The commissioner dataset says otherwise who may join, and where joiners are served."""

    steering_data: bytes | None = None
    joiner_udp_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReceived(Event):
    """A Commissioner asked a device to announce, to look for a PAN ID, or to scan; only a scan is reported on."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAliveAnswered(Event):
    """The Leader answered our keep-alive; a reject means that another has taken over."""

    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReceived(Event):
    """A dataset was read: `active` or `pending`, whole or in part; empty if there is none."""

    kind: str
    tlvs: bytes = field(repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionerDatasetReceived(Event):
    """The commissioner dataset was read."""

    session_id: int | None = None
    border_agent_locator: int | None = None
    steering_data: bytes | None = None
    joiner_udp_port: int | None = None
    tlvs: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAnswered(Event):
    """The Leader's State for a set that we sent: `MGMT_ACTIVE_SET`, …"""

    request: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailed(Event):
    """A request of ours got no usable answer."""

    path: str
    error: PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsFetched(Event):
    """A code was worth what it promised: the network's datasets. `pending` is empty if there is none."""

    active: bytes = field(repr=False, metadata=_SECRET)
    pending: bytes = field(default=b"", repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed(Event):
    """A code brought nothing: it was wrong, or over, or the Border Agent fell silent."""

    error: PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetChangeNotified(Event):
    """The Leader told the Commissioner that somebody else changed a dataset (MGMT_DATASET_CHANGED)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerDiscovered(Event):
    """A Joiner asked which routers would let it in; `admitted`: the steering data may mean it."""

    joiner: str
    admitted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerRouterFound(Event):
    """A device that joins has found the network that expects it, and the router that will relay for it."""

    joiner: str
    network_name: str
    ext_pan_id: bytes
    joiner_udp_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFinReceived(Event):
    """A Joiner that proved its PSKd says who made it."""

    joiner: str
    vendor_name: str = ""
    vendor_model: str = ""
    vendor_sw_version: str = ""
    vendor_data: bytes = b""
    provisioning_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerEntrusted(Event):
    """A Joiner has got the network's credentials: reported by the Joiner Router, and by the Joiner with them.

    `tlvs` is the dataset that came in JOIN_ENT; empty on the router's side.
    """

    joiner: str
    tlvs: bytes = field(default=b"", repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningFailed(Event):
    """A Joiner has given up, or was refused."""

    joiner: str
    error: PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class LieTold(Event):
    """A deviation that was asked for has changed, or kept back, an answer."""

    lie: str
