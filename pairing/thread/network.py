"""One node's view of one Thread network: identity, role, datasets, commissioning, ephemeral key, attached devices.

The single source that the REST API reads and drives, that the Bonjour record follows, and that the border agent's
MeshCoP drives. There is no radio: a node that is alone becomes leader after the configured time to attach; one that
shares a mesh asks then who is there (`ParentRequested`), and the mesh answers with an intent. Not here: wire formats,
JSON, DTLS, ports. The table of roles is `node.ROLE_TABLE`. Thread specification, chapters 4 (roles), 5 (partitions)
and 8 (datasets, commissioning); times and habits as measured from OpenThread.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from pairing.engine import MILLISECOND, Address, Entropy, Micros, Output, Outputs
from pairing.errors import DecodeError, EncodeError, LocalProtocolError
from pairing.thread.dataset import Dataset, DatasetKind, bytes_from_hex
from pairing.thread.dataset_rules import openthread_verdict
from pairing.thread.diagnostics import MacCounters, MleCounters, ThreadChild
from pairing.thread.ephemeral_key import DEFAULT_LIFETIME, EphemeralKey, generate_code
from pairing.thread.network_events import (
    BackboneRouterChanged,
    ChildAttached,
    ChildDetached,
    DatasetChanged,
    IdentityChanged,
    ParentRequested,
    PartitionChanged,
    PetitionRejected,
    RoleChanged,
)
from pairing.thread.network_view import NetworkView
from pairing.thread.node import (
    INVALID_RLOC16,
    LEADER_WEIGHT,
    MAX_DELAY,
    MAX_ROUTER_ID,
    ROLE_TABLE,
    LeaderData,
    NetworkConfig,
    NodeIdentity,
    Role,
    RoleInput,
)
from pairing.thread.partition import Partition
from pairing.thread.tlvs import MeshCopTlvType

StateValue: TypeAlias = str | int | bool | None


class Network(NetworkView):
    """The node. Each intent takes the time last and returns events in order; `deadline` drives the rest."""

    # Time

    @property
    def deadline(self) -> Micros | None:
        """When something is due next."""
        return min((at for at, _ in self._timers()), default=None)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """Nothing reaches the model as bytes; MeshCoP decodes them elsewhere and calls intents."""
        return ()

    def handle_timeout(self, now: Micros) -> Outputs:
        """Do everything that is due, each at its own time and the earliest first."""
        outputs: list[Output] = []
        while due := [timer for timer in self._timers() if timer[0] <= now]:
            at, action = min(due, key=lambda timer: timer[0])
            outputs += action(at)
        return outputs

    def _timers(self) -> list[tuple[Micros, Callable[[Micros], Outputs]]]:
        timers: list[tuple[Micros | None, Callable[[Micros], Outputs]]] = [
            (self._pending_at, self._on_delay_timer),
            (self._attach_at, self._on_attached),
            *self._commissioning.timers(),
            (self._ephemeral_key.deadline, self._ephemeral_key.handle_timeout),
        ]
        return [(at, action) for at, action in timers if at is not None]

    # Role

    def enable(self, now: Micros) -> Outputs:
        """Switch Thread on. Without a dataset the node stays detached; one that is on already attaches afresh."""
        outputs = self._move(RoleInput.ENABLE, now)
        self._attach_at = None if self._active is None else now + self.config.attach
        return outputs

    def disable(self, now: Micros) -> Outputs:
        """Switch Thread off."""
        return self._move(RoleInput.DISABLE, now)

    def share_mesh(self) -> None:
        """From now on the node asks who is there before it leads."""
        self._shares_mesh = True

    def lead(self, now: Micros) -> Outputs:
        """Become leader of a partition of its own without waiting."""
        self._require(RoleInput.LEAD)
        router_id = self._own_router_id()
        partition: Partition[NetworkView] = Partition(
            self._drawn_leader_data(router_id),
            leader=self.ext_address,
            register=self._commissioning.own_register,
        )
        return self._enter(RoleInput.LEAD, partition, router_id << 10, now)

    def split(self, now: Micros) -> Outputs:
        """Lose sight of the rest of the mesh and go on as leader of another partition."""
        if not self.attached:
            raise LocalProtocolError(f"cannot split off while {self._role}: not part of a partition")
        return self.lead(now)

    def merge(
        self,
        partition: "Partition[NetworkView]",
        now: Micros,
        *,
        role: Role = Role.ROUTER,
        rloc16: int | None = None,
    ) -> Outputs:
        """Join the partition of another leader as router, or as child with the short address that its parent gave."""
        if role is Role.ROUTER:
            self._require(RoleInput.JOIN_AS_ROUTER)
            router_id = partition.give_router_id(self.ext_address, self._own_router_id())
            return self._enter(RoleInput.JOIN_AS_ROUTER, partition, router_id << 10, now)
        if role is Role.CHILD:
            below_leader = partition.leader_data.leader_router_id << 10 | 1
            return self._enter(RoleInput.JOIN_AS_CHILD, partition, below_leader if rloc16 is None else rloc16, now)
        raise LocalProtocolError(f"one joins a partition as router or child, not as {role}")

    def resume(self, partition: "Partition[NetworkView]", now: Micros) -> Outputs:
        """Lead on, after a restart, the partition that has not given this Leader up."""
        if partition.leader != self.ext_address:
            raise LocalProtocolError("only its own Leader goes on leading a partition")
        lost = self._commissioning.take_over(partition.register)
        rloc16 = partition.leader_data.leader_router_id << 10
        return [*lost, *self._enter(RoleInput.LEAD, partition, rloc16, now)]

    def lose_partition(self, now: Micros) -> Outputs:
        """Everything is out of reach: detached, and attaching again."""
        outputs = self._move(RoleInput.LOSE, now)
        self._attach_at = None if self._active is None else now + self.config.attach
        return outputs

    def set_backbone_router(self, enabled: bool, now: Micros) -> Outputs:
        """Switch the backbone router function."""
        if enabled is self._backbone_router:
            return ()
        self._backbone_router = enabled
        self._backbone_sequence = (self._backbone_sequence + 1) & 0xFF
        return (BackboneRouterChanged(enabled=enabled, sequence_number=self._backbone_sequence),)

    # Datasets

    def set_active_dataset(self, dataset: Dataset | None, now: Micros) -> Outputs:
        """The operator's write (None deletes): only while Thread is disabled."""
        if self.enabled:
            raise LocalProtocolError(f"the active dataset can be set only while Thread is disabled, not {self._role}")
        _check(dataset, "active")
        return self._store_active(dataset, "operator", now)

    def set_pending_dataset(self, dataset: Dataset | None, now: Micros, *, cause: str = "operator") -> Outputs:
        """Store a pending dataset (None deletes it) in any role; its delay timer starts now."""
        _check(dataset, "pending")
        if dataset is None and self._pending is None:
            return ()
        self._pending, self._pending_at = dataset, None
        if dataset is not None and dataset.delay_timer_ms is not None:
            self._pending_at = now + min(dataset.delay_timer_ms * MILLISECOND, MAX_DELAY)
        return (_dataset_changed("pending", dataset, cause),)

    def adopt_active_dataset(self, dataset: Dataset, now: Micros, *, cause: str = "leader") -> Outputs:
        """What the Leader decided, in any role; an enabled node that had none starts attaching."""
        return self._store_active(dataset, cause, now)

    def factory_reset(self, now: Micros) -> Outputs:
        """Erase everything and draw a new identity."""
        old = self._identity
        outputs: list[Output] = [*self._move(RoleInput.DISABLE, now, "factory-reset")]
        outputs += self._ephemeral_key.deactivate(now, "factory reset")
        outputs += self._ephemeral_key.switch(self.config.ephemeral_key, now)
        self._identity = NodeIdentity.draw(self._entropy)
        self._rloc16, self._router_count = INVALID_RLOC16, 0
        self._mac_counters, self._mle_counters = MacCounters(), MleCounters()
        outputs += self.set_backbone_router(self.config.backbone_router, now)
        for child in self.children:
            outputs += self.detach_child(child.ext_address, now)
        outputs += self.set_pending_dataset(None, now, cause="factory-reset")
        outputs += self._store_active(None, "factory-reset", now)
        outputs.append(
            IdentityChanged(
                border_agent_id=self.border_agent_id,
                ext_address=self.ext_address,
                was_border_agent_id=old.border_agent_id,
                was_ext_address=old.ext_address,
            )
        )
        return outputs

    # Ephemeral key

    def switch_ephemeral_key(self, enabled: bool, now: Micros) -> Outputs:
        """Allow or forbid the feature as a whole."""
        return self._ephemeral_key.switch(enabled, now)

    def activate_ephemeral_key(
        self, port: int, now: Micros, *, lifetime: Micros = DEFAULT_LIFETIME, code: str | None = None
    ) -> Outputs:
        """Open a key on a UDP port that the caller has; the code is drawn unless given, and is in the event."""
        return self._ephemeral_key.activate(code or generate_code(self._entropy), port, now, lifetime)

    def deactivate_ephemeral_key(self, now: Micros) -> Outputs:
        """Withdraw the open key, if one is."""
        return self._ephemeral_key.deactivate(now)

    # Commissioners

    def petition(self, commissioner_id: str, now: Micros, *, peer: str | None = None) -> Outputs:
        """A Commissioner asks the Leader to be the active one; the event says what came of it."""
        if not self.attached:
            reason = f"the border agent is {self._role}"
            return (PetitionRejected(commissioner_id=commissioner_id, holder=None, reason=reason, peer=peer),)
        return self._commissioning.petition(commissioner_id, now, peer=peer, locator=self._rloc16)

    def start_commissioner(self, now: Micros) -> Outputs:
        """Start the built-in commissioner; it petitions for a moment. One that runs goes on running."""
        if not self.attached:
            raise LocalProtocolError(f"a commissioner needs a partition, the node is {self._role}")
        return self._commissioning.start(now, locator=self._rloc16)

    # Devices and counters

    def attach_child(self, child: ThreadChild, now: Micros) -> Outputs:
        """A Thread device attaches to this router, or comes back."""
        placed = self._place(child)
        return (ChildAttached(ext_address=placed.ext_address, rloc16=self.child_rloc16(placed)),)

    def detach_child(self, ext_address: bytes, now: Micros) -> Outputs:
        """A device has left; one that was not here is no error."""
        if self._children.pop(ext_address, None) is None:
            return ()
        return (ChildDetached(ext_address=ext_address),)

    def reset_counters(self, now: Micros, *, mac: bool, mle: bool) -> Outputs:
        """Start counting afresh."""
        if mac:
            self._mac_counters = MacCounters()
        if mle:
            self._mle_counters = MleCounters()
        return ()

    # What outlives a restart

    def to_state(self, now: Micros) -> dict[str, StateValue]:
        """Everything that a real node keeps in flash, keys included, as plain JSON values; `from_state` reads it."""
        return {
            "border_agent_id": self.border_agent_id.hex(),
            "ext_address": self.ext_address.hex(),
            "mesh_local_iid": self.identity.mesh_local_iid.hex(),
            "omr_prefix": self.omr_prefix.hex(),
            "enabled": self.enabled,
            "rloc16": self.rloc16,
            "active_dataset": self._active.hex() if self._active else None,
            "pending_dataset": self._pending.hex() if self._pending else None,
            "pending_left_us": None if self._pending_at is None else max(0, self._pending_at - now),
            "backbone_router": self._backbone_router,
            "backbone_router_sequence": self._backbone_sequence,
            "ephemeral_key_enabled": self._ephemeral_key.enabled,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, object], config: NetworkConfig, entropy: Entropy, now: Micros) -> "Network":
        """The node after a restart: attaching again if it was enabled, its delay timer going on where it stopped.

        An open ephemeral key, Joiners and Commissioners do not outlive a restart. DecodeError if this is no such state.
        """
        stored = _StoredState(state)
        identity = NodeIdentity(
            stored.octets("border_agent_id", 16), stored.octets("ext_address", 8), stored.octets("mesh_local_iid", 8)
        )
        network = cls(config, entropy, identity=identity, active_dataset=stored.dataset("active_dataset"))
        network._omr_prefix = stored.octets("omr_prefix", 8)
        network._rloc16 = stored.number("rloc16")
        network._pending = stored.dataset("pending_dataset")
        if state.get("pending_left_us") is not None:
            network._pending_at = now + stored.number("pending_left_us")
        network._backbone_router = stored.flag("backbone_router")
        network._backbone_sequence = stored.number("backbone_router_sequence")
        network._ephemeral_key = EphemeralKey(enabled=stored.flag("ephemeral_key_enabled"))
        if stored.flag("enabled"):
            network._role = Role.DETACHED
            network._attach_at = None if network._active is None else now + config.attach
        return network

    # Inside

    def _move(self, by: RoleInput, now: Micros, reason: str = "detached") -> Outputs:
        """Change the role and what hangs on it; entering a partition is `_enter`'s business."""
        was = self._role
        role = self._require(by)
        self._role = role
        self._attach_at = None
        outputs: list[Output] = []
        if not role.is_attached:
            self._leave_partition()
            outputs += self._commissioning.leave_partition(now, reason)
        if role is not was:
            self._mle_counters = self._mle_counters.count(f"{role}_role")
            outputs.append(
                RoleChanged(
                    role=role,
                    was=was,
                    partition_id=self.partition_id,
                    rloc16=self._rloc16 if role.is_attached else None,
                )
            )
        return outputs

    def _require(self, by: RoleInput) -> Role:
        """The role that follows; LocalProtocolError if the table has none."""
        try:
            return ROLE_TABLE[self._role, by]
        except KeyError:
            raise LocalProtocolError(f"cannot {by.value} while {self._role}") from None

    def _enter(self, by: RoleInput, partition: "Partition[NetworkView]", rloc16: int, now: Micros) -> Outputs:
        before = self.partition_id
        self._require(by)
        if self._partition is not partition:
            self._leave_partition()
        self._partition, self._rloc16, self._attempts = partition, rloc16, 0
        partition.enter(self)
        outputs = [*self._move(by, now)]
        outputs += self._commissioning.follow(partition.register, now, reason="detached")
        partition_id = partition.leader_data.partition_id
        if before is not None and before != partition_id:
            self._mle_counters = self._mle_counters.count("partition_id_changes")
            outputs.append(PartitionChanged(partition_id=partition_id, was=before))
        return outputs

    def _leave_partition(self) -> None:
        if self._partition is not None:
            self._router_count = len(self._partition.routers)
            self._partition.leave(self.ext_address)
            self._partition = None

    def _drawn_leader_data(self, router_id: int) -> LeaderData:
        drawn = self._entropy(6)
        # Zero would read as "none" in every report.
        partition_id = int.from_bytes(drawn[:4], "big") or 1
        return LeaderData(partition_id, LEADER_WEIGHT, drawn[4], drawn[5], router_id)

    def _own_router_id(self) -> int:
        """A router keeps its id as long as it can."""
        known = self.router_id
        return self._entropy(1)[0] % (MAX_ROUTER_ID + 1) if known is None else known

    def _on_attached(self, at: Micros) -> Outputs:
        self._mle_counters = self._mle_counters.count("attach_attempts")
        if not self._shares_mesh:
            return self.lead(at)
        self._attempts += 1
        self._attach_at = at + self.config.attach
        return (ParentRequested(attempt=self._attempts),)

    def _on_delay_timer(self, at: Micros) -> Outputs:
        pending, self._pending, self._pending_at = self._pending, None, None
        if pending is None:
            return ()
        active = pending.without(MeshCopTlvType.PENDING_TIMESTAMP, MeshCopTlvType.DELAY_TIMER)
        return (
            _dataset_changed("pending", None, "delay-timer"),
            *self._store_active(active, "delay-timer", at),
        )

    def _store_active(self, dataset: Dataset | None, cause: str, now: Micros) -> Outputs:
        if dataset is None and self._active is None:
            return ()
        self._active = dataset
        if self._role is Role.DETACHED:
            self._attach_at = None if dataset is None else now + self.config.attach
        return (_dataset_changed("active", dataset, cause),)


def _check(dataset: Dataset | None, kind: DatasetKind) -> None:
    """EncodeError for what OpenThread would not store."""
    if dataset is None:
        return
    verdict = openthread_verdict(dataset.encode(), kind)
    if not verdict.accepted:
        raise EncodeError(f"{kind} dataset, {verdict.rule}: expected {verdict.expected}, came {verdict.came}")


def _dataset_changed(kind: DatasetKind, dataset: Dataset | None, cause: str) -> DatasetChanged:
    if dataset is None:
        return DatasetChanged(kind=kind, cause=cause)
    timestamp = dataset.active_timestamp if kind == "active" else dataset.pending_timestamp
    return DatasetChanged(
        kind=kind,
        cause=cause,
        network_name=dataset.network_name,
        ext_pan_id=dataset.ext_pan_id,
        channel=dataset.channel.channel if dataset.channel else None,
        seconds=timestamp.seconds if timestamp else None,
        delay_ms=dataset.delay_timer_ms if kind == "pending" else None,
        tlvs=dataset.encode(),
    )


class _StoredState:
    """Reads the members of a stored state; whatever is missing or of another type is a DecodeError."""

    def __init__(self, members: Mapping[str, object]) -> None:
        self._members = members

    def octets(self, name: str, length: int) -> bytes:
        octets = bytes_from_hex(self._text(name))
        if len(octets) != length:
            raise DecodeError(0, f"stored node: {name} has {len(octets)} bytes, expected {length}")
        return octets

    def dataset(self, name: str) -> Dataset | None:
        return None if self._members.get(name) is None else Dataset.from_hex(self._text(name))

    def number(self, name: str) -> int:
        value = self._members.get(name)
        if not isinstance(value, int) or value < 0:
            raise DecodeError(0, f"stored node: {name} is not a number")
        return value

    def flag(self, name: str) -> bool:
        value = self._members.get(name)
        if not isinstance(value, bool):
            raise DecodeError(0, f"stored node: {name} is neither true nor false")
        return value

    def _text(self, name: str) -> str:
        value = self._members.get(name)
        if not isinstance(value, str):
            raise DecodeError(0, f"stored node: {name} is not text")
        return value
