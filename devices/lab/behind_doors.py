"""A program behind doors: kept from the local network when a fault says so, and how a user asks for it.

The doors are there only where somebody may shut them: a home or scenario with the fault `local-network-denied` for
`client`, or `--local-network`.
"""

import contextlib
import logging
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from devices.errors import TransportUnavailableError, UsageError
from devices.faults.local_network_denied import CLIENT, KIND
from devices.home import LiveHome
from devices.home.denials import ProgramNetwork
from devices.spec import FaultSpec, Gate, HomeSpec, ScenarioSpec, duration_us
from devices.transports.local_network import LocalNetwork
from devices.transports.network_preload import NetworkPreload

VARIABLE = "PAIRLAB_GATE"
_LOG = logging.getLogger("pairlab.lab")
_REJECTS = {"denied": "no-route", "refused": "refused"}
_FORMS = "granted, denied or refused, the latter two also with a time after which it is granted: denied:5s"


@dataclass(frozen=True, slots=True)
class LocalNetworkOption:
    """What `--local-network` says."""

    reject: str | None = None
    """None: granted, until a fault denies it."""
    duration: str | None = None
    """How long it is denied; None: until the end."""

    @classmethod
    def parse(cls, text: str) -> "LocalNetworkOption":
        """`granted`, `denied`, `refused`, `denied:5s`. Raises UsageError."""
        word, colon, duration = text.partition(":")
        if text == "granted":
            return cls()
        if word not in _REJECTS or (colon and not duration):
            raise UsageError(f"--local-network is {_FORMS}; not {text!r}")
        if colon:
            try:
                duration_us(duration)
            except ValueError as problem:
                raise UsageError(f"--local-network {text}: {problem}") from None
        return cls(_REJECTS[word], duration or None)

    def install(self, live: LiveHome) -> None:
        """Put the denial in force, if there is one."""
        if self.reject is not None:
            extra = {} if self.duration is None else {"duration": self.duration}
            spec = {"kind": KIND, "target": CLIENT, "optional": True, "reject": self.reject, **extra}
            live.install_fault(FaultSpec.model_validate(spec))


def wants_doors(spec: HomeSpec) -> bool:
    """Whether a fault of the file keeps the program from the local network at some time."""
    tables: list[Mapping[str, object]] = [{"kind": each.kind, "target": each.target} for each in spec.fault]
    if isinstance(spec, ScenarioSpec):
        tables += [each.with_ for each in spec.step if each.do == "start-fault"]
    return any((each.get("kind"), each.get("target")) == (KIND, CLIENT) for each in tables)


@contextlib.asynccontextmanager
async def doors(wanted: bool, *, or_preload: bool = False) -> AsyncIterator[ProgramNetwork | None]:
    """The doors while the block runs, if they are wanted; the home opens and closes within it.

    `or_preload`: less will do where the host does not let us have them. A scenario wants one verdict on every host.
    """
    if not wanted:
        yield None
        return
    network = await (open_network() if or_preload else LocalNetwork.open())
    try:
        yield network
    finally:
        await network.close()


async def open_network(apart: Callable[[], Awaitable[ProgramNetwork]] = LocalNetwork.open) -> ProgramNetwork:
    """A network apart or, where the host has none for us, the library. Raises TransportUnavailableError."""
    try:
        return await apart()
    except TransportUnavailableError as problem:
        if sys.platform != "linux":
            raise
        try:
            preload = await NetworkPreload.open()
        except TransportUnavailableError as other:
            raise TransportUnavailableError(f"{problem}; nor is there another way: {other}") from None
        _LOG.warning(
            "the program is told by a preloaded library: open connections are not reset, Go programs not met, since %s",
            problem,
        )
        return preload


def admit_bluetooth(network: ProgramNetwork | None, live: LiveHome) -> None:
    """Bluetooth is not the local network: a controller over TCP can be reached from inside, always."""
    if network is not None and live.hci is not None:
        host, _, port = live.hci.place.rpartition(":")
        network.admit(host, int(port))


def entered(
    network: ProgramNetwork | None, gate: Gate, command: Sequence[str], env: Mapping[str, str]
) -> tuple[Sequence[str], Mapping[str, str]]:
    """The command and environment with which a program runs behind the doors, or could send others there.

    Raises FileNotFoundError where the words that make it enter would hide that there is no such program.
    """
    if network is None:
        return command, env
    entry = network.entry()
    env = {**env, VARIABLE: shlex.join(entry)}
    if gate == "prefix":
        return command, env
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(command[0])
    return (*entry, *command), env
