"""The life of tasks: pending, active, then completed, stopped (its time ran out) or failed.

Pure: driven by `now`, acting on a `Network` and two collections. One scan and one diagnostic or discovery runs at a
time. The built-in commissioner is started for the tasks that need it and stopped afterwards. Measured from
ot-br-posix, REST API 0.5.0; the times a scan or a question takes are ours.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from devices.otbr.address import AddressType, Destination
from devices.otbr.json_text import Json
from devices.otbr.node_json import (
    child_device_json,
    child_diagnostics_json,
    member_device_json,
    member_diagnostics_json,
    own_device_json,
    own_diagnostics_json,
)
from devices.otbr.resource import Collection, StoredItem
from devices.otbr.task import (
    DIAGNOSTIC_NAMES,
    AddThreadDevice,
    GetEnergyScan,
    GetNetworkDiagnostic,
    ResetNetworkDiagCounter,
    Task,
    UpdateDeviceCollection,
)
from pairing.engine import MILLISECOND, SECOND, Entropy, Micros, Output, Outputs
from pairing.thread.commissioning import CommissionerState
from pairing.thread.diagnostics import DiagnosticTlvType, ThreadChild
from pairing.thread.joiner_table import JoinerId, JoinerProgress, is_valid_pskd
from pairing.thread.network import Network
from pairing.thread.network_view import NetworkView

ANSWER_TIME: Micros = 50 * MILLISECOND
"""What a node takes to answer a question about itself."""
COMMISSIONER_RETRY: Micros = SECOND


class ActionStatus(enum.StrEnum):
    """Where a task is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


class ActionInput(enum.Enum):
    """What happens to a task."""

    START = "start"
    RETRY = "retry"
    FINISH = "finish"
    FAIL = "fail"
    TIME_OUT = "time out"


_S, _I = ActionStatus, ActionInput
ACTION_TABLE: Mapping[tuple[ActionStatus, ActionInput], ActionStatus] = {
    (_S.PENDING, _I.START): _S.ACTIVE,
    (_S.PENDING, _I.FINISH): _S.COMPLETED,
    (_S.PENDING, _I.FAIL): _S.FAILED,
    (_S.PENDING, _I.TIME_OUT): _S.STOPPED,
    (_S.ACTIVE, _I.RETRY): _S.PENDING,
    (_S.ACTIVE, _I.FINISH): _S.COMPLETED,
    (_S.ACTIVE, _I.FAIL): _S.FAILED,
    (_S.ACTIVE, _I.TIME_OUT): _S.STOPPED,
}
"""Every move; completed, stopped and failed are final."""


class Action:
    """One posted task and how far it has come."""

    def __init__(self, action_id: str, task: Task, created: Micros) -> None:
        self.id = action_id
        self.task = task
        self.created = created
        self.status = ActionStatus.PENDING
        self.due: Micros | None = None
        self.tries = 0
        self.result_id: str | None = None

    @property
    def type(self) -> str:
        """The task's word."""
        return self.task.type

    @property
    def updated(self) -> Micros:
        """Actions are never shown as updated."""
        return self.created

    @property
    def is_unfinished(self) -> bool:
        """Whether it is pending or active."""
        return self.status in (ActionStatus.PENDING, ActionStatus.ACTIVE)

    @property
    def ends(self) -> Micros:
        """When its time runs out."""
        return self.created + max(0, self.task.timeout_s) * SECOND

    def move(self, by: ActionInput, due: Micros | None = None) -> bool:
        """Take the move that the table has; True, for callers that count changes."""
        self.status = ACTION_TABLE[self.status, by]
        self.due = due
        return True


@dataclass(frozen=True, slots=True)
class _Seen:
    """What of the network lets a task go on; a change of it is a reason to look again."""

    attached: bool
    commissioner: CommissionerState
    progress: tuple[JoinerProgress | None, ...]


class ActionQueue:
    """The collection of actions and what drives them."""

    def __init__(
        self,
        network: Network,
        entropy: Entropy,
        devices: Collection[StoredItem],
        diagnostics: Collection[StoredItem],
    ) -> None:
        self.items: Collection[Action] = Collection()
        self._network = network
        self._entropy = entropy
        self._devices = devices
        self._diagnostics = diagnostics
        self._registered: dict[JoinerId, tuple[str, Micros]] = {}
        self._started_commissioner = False
        self._start_not_before: Micros = 0
        self._looked_at: Micros = 0
        self._seen = self._look()

    @property
    def unfinished(self) -> int:
        """How many are pending or active."""
        return sum(action.is_unfinished for action in self.items)

    @property
    def deadline(self) -> Micros | None:
        """When to look again: at once if the network has changed under a task."""
        times: list[Micros] = []
        for action in self.items:
            if action.is_unfinished:
                times.append(action.ends)
                if action.due is not None:
                    times.append(action.due)
        if not times and not self._registered and not self._started_commissioner:
            return None
        if self._look() != self._seen or not times:
            return self._looked_at
        if self._needs_commissioner() and self._can_start_commissioner():
            times.append(self._start_not_before)
        return min(times)

    def create(self, tasks: Iterable[Task], now: Micros) -> tuple[Action, ...]:
        """Enter tasks, oldest out beyond the limit. They start at the next `advance`, Joiners' tasks at once."""
        created = []
        for task in tasks:
            action = Action(self._draw_id(), task, now)
            self.items.put(action)
            if isinstance(task, AddThreadDevice):
                self._step_joiner(action, task)
            created.append(action)
        return tuple(created)

    def advance(self, now: Micros) -> Outputs:
        """Let every task go as far as it can by now."""
        outputs: list[Output] = []
        # A task that ends can let another begin, which can need the commissioner, and so on.
        changed = True
        while changed:
            changed = False
            for action in self.items:
                if action.is_unfinished:
                    changed |= self._step(action, now, outputs)
            changed |= self._reconcile(now, outputs)
        self._seen, self._looked_at = self._look(), now
        return outputs

    def attributes(self, action: Action, now: Micros) -> dict[str, Json]:
        """The attributes of an action as they are shown: those given, the whole seconds left, the status."""
        shown = action.task.echo()
        if action.is_unfinished:
            shown["timeout"] = max(0, action.ends - now) // SECOND
        status: str = action.status
        if isinstance(action.task, AddThreadDevice) and action.status is ActionStatus.ACTIVE:
            status = self._progress(action.task.joiner) or JoinerProgress.UNDISCOVERED
        return {**shown, "status": status}

    def _step(self, action: Action, now: Micros, outputs: list[Output]) -> bool:
        """One move of one unfinished action; whether there was one."""
        match action.task:
            case AddThreadDevice() as task:
                moved = self._step_joiner(action, task)
            case GetEnergyScan() as task:
                moved = self._step_scan(action, task, now)
            case GetNetworkDiagnostic() as task:
                moved = self._step_diagnostic(action, task, now)
            case ResetNetworkDiagCounter() as task:
                moved = self._step_reset(action, task, now, outputs)
            case UpdateDeviceCollection() as task:
                moved = self._step_update(action, task, now)
        if not moved and action.is_unfinished and now >= action.ends:
            return action.move(ActionInput.TIME_OUT)
        return moved

    def _step_joiner(self, action: Action, task: AddThreadDevice) -> bool:
        if action.status is ActionStatus.PENDING:
            taken = any(task.joiner == other for other in self._wanted_joiners())
            return not taken and task.joiner is not None and action.move(ActionInput.START)
        progress = self._progress(task.joiner)
        if progress is JoinerProgress.JOINED:
            return action.move(ActionInput.FINISH)
        return progress is JoinerProgress.REJECTED and action.move(ActionInput.FAIL)

    def _step_scan(self, action: Action, task: GetEnergyScan, now: Micros) -> bool:
        if action.status is ActionStatus.PENDING:
            free = not self._is_active(GetEnergyScan)
            return free and bool(task.channels) and self._is_known(task.destination) and action.move(ActionInput.START)
        if action.due is None:
            if self._network.commissioning.state is not CommissionerState.ACTIVE or not self._find(task.destination):
                return False
            scan = task.count * (len(task.channels) * task.scan_duration_ms + task.period_ms)
            action.due = now + scan * MILLISECOND
            return True
        if now < action.due:
            return False
        report: list[Json] = [
            {"channel": channel, "maxRssi": [-60 - drawn % 40 for drawn in self._entropy(task.count)]}
            for channel in task.channels
        ]
        self._store(action, "energyScanReport", {"origin": self._origin(task.destination), "report": report}, now)
        return action.move(ActionInput.FINISH)

    def _step_diagnostic(self, action: Action, task: GetNetworkDiagnostic, now: Micros) -> bool:
        node = self._find(task.destination)
        if action.status is ActionStatus.PENDING:
            if not self._can_ask() or not self._is_known(task.destination):
                return False
            return action.move(ActionInput.START, None if node is None else now + ANSWER_TIME)
        if action.due is None or now < action.due or node is None:
            return False
        if isinstance(node, ThreadChild):
            answer = child_diagnostics_json(self._network, node, task.types)
        elif node is not self._network:
            answer = member_diagnostics_json(node, task.types)
        else:
            answer = own_diagnostics_json(self._network, task.types)
        self._store(action, "networkDiagnostics", answer, now)
        return action.move(ActionInput.FINISH)

    def _step_reset(self, action: Action, task: ResetNetworkDiagCounter, now: Micros, outputs: list[Output]) -> bool:
        if task.destination is not None and not self._is_known(task.destination):
            return False
        if not self._network.attached:
            return action.move(ActionInput.FAIL)
        if task.destination is None or self._find(task.destination) is self._network:
            types = {DIAGNOSTIC_NAMES[name] for name in task.types}
            outputs += self._network.reset_counters(
                now, mac=DiagnosticTlvType.MAC_COUNTERS in types, mle=DiagnosticTlvType.MLE_COUNTERS in types
            )
        return action.move(ActionInput.FINISH)

    def _step_update(self, action: Action, task: UpdateDeviceCollection, now: Micros) -> bool:
        if action.status is ActionStatus.PENDING:
            return self._can_ask() and action.move(ActionInput.START, now + ANSWER_TIME)
        if action.due is None or now < action.due:
            return False
        self.update_devices(now)
        if self._devices_in_reach() < task.device_count and action.tries <= task.max_retries:
            action.tries += 1
            return action.move(ActionInput.RETRY)
        return action.move(ActionInput.FINISH)

    def update_devices(self, now: Micros) -> None:
        """Enter this node, its children and the rest of the partition in the collection of devices as they are now."""
        network = self._network
        self._enter(network.ext_address.hex(), "threadBorderRouter", own_device_json(network), now)
        for child in network.children:
            self._enter(child.ext_address.hex(), "threadDevice", child_device_json(network, child), now)
        for member in self._others():
            self._enter(member.ext_address.hex(), "threadDevice", member_device_json(member), now)

    def _others(self) -> tuple[NetworkView, ...]:
        """Members of the partition that are neither this node nor children of it."""
        own = {child.ext_address for child in self._network.children}
        return tuple(each for each in self._network.other_members if each.ext_address not in own)

    def _devices_in_reach(self) -> int:
        return 1 + len(self._network.children) + len(self._others())

    def _enter(self, item_id: str, kind: str, attributes: dict[str, Json], now: Micros) -> None:
        known = self._devices.get(item_id)
        created = now if known is None else known.created
        self._devices.put(StoredItem(id=item_id, type=kind, attributes=attributes, created=created, updated=now))

    def _store(self, action: Action, kind: str, attributes: dict[str, Json], now: Micros) -> None:
        action.result_id = self._draw_id()
        item = StoredItem(id=action.result_id, type=kind, attributes=attributes, created=now, updated=now)
        self._diagnostics.put(item)

    def _reconcile(self, now: Micros, outputs: list[Output]) -> bool:
        """Make the commissioner and its table what the tasks need; whether anything changed."""
        commissioning = self._network.commissioning
        wanted = self._wanted_joiners()
        active = commissioning.state is CommissionerState.ACTIVE
        before = len(outputs)
        if not active:
            self._registered.clear()
        for joiner in tuple(self._registered):
            # Another task may have taken over the same Joiner, with its own word and time.
            if self._registered[joiner] != wanted.get(joiner):
                del self._registered[joiner]
                outputs += commissioning.remove_joiner(joiner, now)
        for joiner, (pskd, ends) in wanted.items():
            usable = is_valid_pskd(pskd) and commissioning.has_place_for(joiner)
            if active and usable and joiner not in self._registered:
                self._registered[joiner] = pskd, ends
                outputs += commissioning.add_joiner(joiner, pskd, max(0, ends - now), now)
        return self._reconcile_commissioner(now, outputs) or len(outputs) > before

    def _reconcile_commissioner(self, now: Micros, outputs: list[Output]) -> bool:
        if self._needs_commissioner():
            if self._can_start_commissioner() and now >= self._start_not_before:
                self._started_commissioner = True
                self._start_not_before = now + COMMISSIONER_RETRY
                outputs += self._network.start_commissioner(now)
            return False
        if not self._started_commissioner:
            return False
        self._started_commissioner = False
        self._start_not_before = now
        outputs += self._network.commissioning.stop(now)
        return True

    def _needs_commissioner(self) -> bool:
        return bool(self._wanted_joiners()) or self._is_active(GetEnergyScan)

    def _can_start_commissioner(self) -> bool:
        return self._network.attached and self._network.commissioning.state is CommissionerState.DISABLED

    def _wanted_joiners(self) -> dict[JoinerId, tuple[str, Micros]]:
        """PSKd and end of every Joiner that an active task lets in."""
        return {
            action.task.joiner: (action.task.pskd, action.ends)
            for action in self.items
            if isinstance(action.task, AddThreadDevice)
            and action.task.joiner is not None
            and action.status is ActionStatus.ACTIVE
        }

    def _is_active(self, *kinds: type[Task]) -> bool:
        return any(isinstance(each.task, kinds) and each.status is ActionStatus.ACTIVE for each in self.items)

    def _can_ask(self) -> bool:
        return self._network.attached and not self._is_active(GetNetworkDiagnostic, UpdateDeviceCollection)

    def _is_known(self, destination: Destination) -> bool:
        """Whether the question can be sent: extended addresses are looked up in the collection of devices."""
        return destination.type is not AddressType.EXTENDED or self._devices.get(destination.text) is not None

    def _find(self, destination: Destination) -> NetworkView | ThreadChild | None:
        """The node that would answer: this one, a child of it, or another of the partition."""
        network = self._network
        for node in (network, *self._others()):
            its = {
                AddressType.EXTENDED: node.ext_address.hex(),
                AddressType.MLEID: node.identity.mesh_local_iid.hex(),
                AddressType.RLOC: f"0x{node.rloc16:04x}",
            }
            if destination.text.lower() == its[destination.type]:
                return node
        for child in network.children:
            its = {
                AddressType.EXTENDED: child.ext_address.hex(),
                AddressType.MLEID: child.mesh_local_iid.hex(),
                AddressType.RLOC: f"0x{network.child_rloc16(child):04x}",
            }
            if destination.text.lower() == its[destination.type]:
                return child
        return None

    def _origin(self, destination: Destination) -> str:
        """The interface identifier that the scan was sent to."""
        node = self._find(destination)
        if destination.type is AddressType.RLOC or node is None:
            return f"000000fffe00{destination.text[2:].lower()}"
        return (node.mesh_local_iid if isinstance(node, ThreadChild) else node.identity.mesh_local_iid).hex()

    def _progress(self, joiner: JoinerId | None) -> JoinerProgress | None:
        entry = None if joiner is None else self._network.commissioning.joiner(joiner)
        return None if entry is None else entry.progress

    def _look(self) -> _Seen:
        progress = tuple(self._progress(joiner) for joiner in self._registered)
        return _Seen(self._network.attached, self._network.commissioning.state, progress)

    def _draw_id(self) -> str:
        return str(UUID(bytes=self._entropy(16), version=4))
