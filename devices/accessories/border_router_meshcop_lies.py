"""What a border router can be made to do wrongly towards Commissioners and joiners. Fields are the lies' parameters.

The engines deviate and report it; `told_settings` turns the lies that are being told into their settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from devices.accessories.base import Lie
from pairing.dtls.settings import FOREVER, DtlsLies
from pairing.thread.border_agent import BorderAgentSettings
from pairing.thread.border_agent_resources import ResourceLies
from pairing.thread.joiner_sessions import JoinerLies
from pairing.thread.leader import LeaderLies

_SMALLEST_MTU, _LARGEST_MTU = 64, 1280


@dataclass(frozen=True, slots=True)
class SilentOnWrongKey(Lie):
    """A wrong PSKc or code is met with silence instead of the alert bad_record_mac."""


@dataclass(frozen=True, slots=True)
class HelloVerifyStorm(Lie):
    """Each ClientHello is answered with HelloVerifyRequest, `requests` times in all; 0 = for ever."""

    requests: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.requests <= 1_000:
            raise ValueError(f"requests is 0 (for ever) to 1000, not {self.requests}")


@dataclass(frozen=True, slots=True)
class LostFragment(Lie):
    """Handshakes go out in fragments of at most `mtu` octets, and datagram `number` of each is never sent."""

    number: int = 2
    mtu: int = 256

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"number counts from 1, not {self.number}")
        if not _SMALLEST_MTU <= self.mtu <= _LARGEST_MTU:
            raise ValueError(f"mtu is {_SMALLEST_MTU} to {_LARGEST_MTU}, not {self.mtu}")


@dataclass(frozen=True, slots=True)
class IgnoreHello(Lie):
    """A ClientHello whose cookie is right is never answered."""


@dataclass(frozen=True, slots=True)
class WrongProof(Lie):
    """The first Schnorr proof of each handshake does not hold."""


@dataclass(frozen=True, slots=True)
class WrongFinished(Lie):
    """The Finished of each handshake does not hold."""


@dataclass(frozen=True, slots=True)
class NoCloseNotify(Lie):
    """Connections end without a word."""


@dataclass(frozen=True, slots=True)
class RejectPetitions(Lie):
    """Every petition is refused, as if a Commissioner called `holder` were active."""

    holder: str = "another commissioner"

    def __post_init__(self) -> None:
        if not 1 <= len(self.holder.encode()) <= 64:
            raise ValueError(f"holder has 1 to 64 bytes, not {len(self.holder.encode())}")


@dataclass(frozen=True, slots=True)
class RefusePending(Lie):
    """The Leader answers every MGMT_PENDING_SET with State reject."""


@dataclass(frozen=True, slots=True)
class IgnoreKeepAlives(Lie):
    """Keep-alives are lost: no answer, and after 50 s the Commissioner is dropped."""


@dataclass(frozen=True, slots=True)
class StealSession(Lie):
    """Before the first keep-alive of a connection somebody else takes over under the same id."""


@dataclass(frozen=True, slots=True)
class ChangeDataset(Lie):
    """Each time the Active Dataset was read by MeshCoP, a Thread device changes it."""


@dataclass(frozen=True, slots=True)
class ExpireCode(Lie):
    """A sharing code ends at the moment at which the dataset is asked for."""


@dataclass(frozen=True, slots=True)
class RejectJoiners(Lie):
    """The built-in commissioner answers JOIN_FIN with State reject; with `entrust` the joiner gets the keys anyway."""

    entrust: bool = False


MESHCOP_LIES: Mapping[str, type[Lie]] = MappingProxyType(
    {
        "change-dataset": ChangeDataset,
        "expire-code": ExpireCode,
        "hello-verify-storm": HelloVerifyStorm,
        "ignore-hello": IgnoreHello,
        "ignore-keep-alives": IgnoreKeepAlives,
        "lost-fragment": LostFragment,
        "no-close-notify": NoCloseNotify,
        "refuse-pending": RefusePending,
        "reject-joiners": RejectJoiners,
        "reject-petitions": RejectPetitions,
        "silent-on-wrong-key": SilentOnWrongKey,
        "steal-session": StealSession,
        "wrong-finished": WrongFinished,
        "wrong-proof": WrongProof,
    }
)
_OTHERWISE_CALLED = {"hello-verify-requests": "hello-verify-storm", "lost-datagrams": "lost-fragment"}


def kind_of(lie: str) -> str:
    """The lie that an engine reports by its own word for it."""
    return _OTHERWISE_CALLED.get(lie, lie)


def told_settings(truth: BorderAgentSettings, told: Mapping[str, Lie]) -> BorderAgentSettings:
    """How the Border Agent behaves while these lies are told."""
    lost, storm = told.get("lost-fragment"), told.get("hello-verify-storm")
    rejecting, holding = told.get("reject-joiners"), told.get("reject-petitions")
    dtls = DtlsLies(
        silent_on_wrong_key="silent-on-wrong-key" in told,
        hello_verify_requests=storm.requests or FOREVER if isinstance(storm, HelloVerifyStorm) else 0,
        ignore_hello="ignore-hello" in told,
        lost_datagrams=(lost.number,) if isinstance(lost, LostFragment) else (),
        wrong_proof="wrong-proof" in told,
        wrong_finished="wrong-finished" in told,
        no_close_notify="no-close-notify" in told,
    )
    mtu = lost.mtu if isinstance(lost, LostFragment) else truth.dtls.mtu
    joiners = JoinerLies(
        reject_joiners=isinstance(rejecting, RejectJoiners),
        kek_on_reject=isinstance(rejecting, RejectJoiners) and rejecting.entrust,
    )
    return replace(
        truth,
        dtls=replace(truth.dtls, lies=dtls, mtu=mtu),
        leader_lies=LeaderLies(
            reject_petitions=isinstance(holding, RejectPetitions),
            holder=holding.holder if isinstance(holding, RejectPetitions) else LeaderLies().holder,
            refuse_pending="refuse-pending" in told,
        ),
        lies=ResourceLies(
            ignore_keep_alives="ignore-keep-alives" in told,
            steal_session="steal-session" in told,
            change_dataset="change-dataset" in told,
            expire_code="expire-code" in told,
        ),
        joiners=replace(truth.joiners, lies=joiners),
    )
