"""Attaching, roles and datasets of a home's Thread nodes: one partition for all that hear each other.

It reacts to what the nodes' models report, a moment later and through the nodes' own `perform`, so that everything that
happens to a model is in the log. Which partition goes on is `partition.Rank`'s to say, whose dataset is believed
`dataset_sync`'s. Times are the standard's where it has them. Thread specification, chapters 4, 5 and 8.4.3.
"""

from collections.abc import Callable, Iterator

from devices.media.medium import Receive
from devices.media.mesh import Mesh, MeshNode, MeshPlace, joiner_endpoint
from devices.sim.clock import Clock
from pairing.engine import MILLISECOND, Event, Micros, Outputs
from pairing.thread.dataset import Dataset
from pairing.thread.dataset_sync import Agreement, active_time, agreement, is_behind, lacks_pending
from pairing.thread.diagnostics import DeviceMode, ThreadChild
from pairing.thread.network_events import (
    BackboneRouterChanged,
    DatasetChanged,
    IdentityChanged,
    ParentRequested,
    PartitionChanged,
    RoleChanged,
)
from pairing.thread.network_view import NetworkView
from pairing.thread.node import Role
from pairing.thread.partition import CHILD_TIMEOUT, NETWORK_ID_TIMEOUT, ROUTER_UPGRADE_THRESHOLD, Partition
from pairing.thread.udp_proxy import locator_address

PROPAGATION: Micros = 100 * MILLISECOND
"""From a change of a dataset to its arrival at the others (on the air: the next advertisement, and a question)."""
LEARNT = "mesh"
"""Cause of a changed dataset that a node has from its neighbours."""


class MeshRoles:
    """Everybody's place, by network key and by address."""

    def __init__(self, clock: Clock, mesh: Mesh) -> None:
        self.mesh = mesh
        self._clock = clock
        self._places: dict[str, MeshPlace] = {}
        self._by_address: dict[bytes, MeshPlace] = {}
        self._partitions: dict[bytes, list[Partition[NetworkView]]] = {}
        self._listening: set[bytes] = set()
        self._syncing: set[Partition[NetworkView]] = set()
        self._touching: set[Partition[NetworkView]] = set()
        self._left: dict[str, MeshPlace] = {}
        self._islands = 0

    # Coming and going

    def join(self, node: MeshNode, receive: Receive) -> MeshPlace:
        """A node has power from now on. Its model asks the mesh before it leads."""
        network = node.network
        network.share_mesh()
        port = self.mesh.attach(node.id, (joiner_endpoint(network.ext_address),), receive)
        place = MeshPlace(node, port, self._on_event, self.mesh.island_of(node.id), ext_address=network.ext_address)
        place.read_dataset()
        if network.config.border_router:
            self.mesh.serve_group(port)
        self._places[node.id] = place
        self._by_address[network.ext_address] = place
        return place

    def leave(self, place: MeshPlace) -> None:
        """A node has no power any more; the others notice when their time is up."""
        place.is_gone = True
        place.port.close()
        self._places.pop(place.node.id, None)
        if self._by_address.get(place.ext_address) is place:
            del self._by_address[place.ext_address]
        network, partition = place.network, place.partition
        if partition is not None and partition.member(network.ext_address) is network:
            after = CHILD_TIMEOUT if place.parent is not None else NETWORK_ID_TIMEOUT
            self._later(after, lambda: self._silent(place, network, partition))
        if place.children:
            self._left[place.node.id] = place
            self._later(NETWORK_ID_TIMEOUT, lambda: self._orphan(place))

    def split(self, place: MeshPlace) -> None:
        """The node and its children lose sight of the rest, and both sides have noticed."""
        partition, led = place.network.partition, place.network.role is Role.LEADER
        place.perform(place.network.split)
        left, self._islands = place.island, self._islands + 1
        for each in (place, *place.children):
            each.island = self._islands
            self.mesh.set_island(each.node.id, self._islands)
        if not any(each.island == left and each.network.is_border_router for each in self._places.values()):
            self._dissolve(left)  # nobody would be left there who can be told to merge
        if led and partition is not None:
            self._soon(lambda: self._leader_lost(partition))

    def merge(self, place: MeshPlace) -> None:
        """All of the node's island see the rest again; the lesser partition goes over when it has attached."""
        self._dissolve(place.island)
        self._listen(place)

    def _dissolve(self, island: int) -> None:
        self.mesh.dissolve(island)
        for each in self._places.values():
            if each.island == island:
                each.island = 0
                self._listen(each)

    def lead(self, place: MeshPlace) -> None:
        """The node leads a partition of its own; the one it was in yields, and its members go over."""
        before = place.network.partition
        self._lead(place)
        if before is not None:
            before.leader = b""
        self._listen(place)

    # What nodes report

    def _on_event(self, place: MeshPlace, event: Event) -> None:
        match event:
            case ParentRequested():
                self._soon(lambda: self._attach(place))
            case RoleChanged() | PartitionChanged():
                self._soon(lambda: self._settle(place))
            case DatasetChanged():
                if event.kind == "active":
                    place.read_dataset()
                    self._soon(lambda: self._settle(place))
                    self._later(PROPAGATION, lambda: self._part(place))
                if event.cause != LEARNT:
                    self._sync_soon(place.partition)
            case IdentityChanged():
                self._readdress(place)
            case BackboneRouterChanged():
                self._soon(lambda: self._touch(place))

    def _readdress(self, place: MeshPlace) -> None:
        self._by_address.pop(place.ext_address, None)
        place.ext_address = place.network.ext_address
        self._by_address[place.ext_address] = place
        self.mesh.set_addresses(place.port, (joiner_endpoint(place.ext_address),))

    def _settle(self, place: MeshPlace) -> None:
        """A node's role or partition is another one: who hangs on it follows, who may be outranked listens."""
        if place.is_gone:
            return
        network, before = place.network, place.partition
        place.partition = network.partition
        self.mesh.set_locator(place.port, _locator(network))
        if before is not place.partition and before is not None and not before.has_leader:
            self._later(NETWORK_ID_TIMEOUT, lambda: self._leader_lost(before))
        if place.parent is not None and network.role is not Role.CHILD:
            self._unhang(place)
        if place.partition is None:
            if place.children:
                self._later(NETWORK_ID_TIMEOUT, lambda: self._orphan(place))
            return
        self._note(place, place.partition)
        for child in (*place.children, *self._children_left_by(place)):
            self._hang(child, place)
        if before is not place.partition:
            self._sync_soon(place.partition)
            self._touch(place)
            if before is not None or network.role is Role.LEADER:
                self._listen(place)

    def _children_left_by(self, place: MeshPlace) -> tuple[MeshPlace, ...]:
        """Children of this node from before its restart that still wait for it."""
        left = self._left.pop(place.node.id, None)
        return () if left is None else tuple(each for each in left.children if each.parent is left)

    # Attaching

    def _attach(self, place: MeshPlace) -> None:
        """A node looks for its network."""
        network = place.network
        if place.is_gone or network.role is not Role.DETACHED or network.active_dataset is None:
            return
        if self._enter_best(place):
            return
        announced = self._announced(place)
        if announced is not None:
            self._take_announced(place, announced)
        elif network.config.router_eligible and not network.active_dataset.missing("active"):
            self._lead(place)

    def _lead(self, place: MeshPlace) -> None:
        """A node leads; who asks in the same moment finds it."""
        place.perform(place.network.lead)
        if place.network.partition is not None:
            self._note(place, place.network.partition)

    def _enter_best(self, place: MeshPlace) -> bool:
        best = self._best_for(place)
        return best is not None and self._enter(place, best)

    def _enter(self, place: MeshPlace, partition: Partition[NetworkView]) -> bool:
        """Let a node in as Leader that is back, as router or as child; whether there was a place."""
        network = place.network
        if partition.leader == place.ext_address:
            place.perform(lambda now: network.resume(partition, now))
            return True
        if network.config.border_router and len(partition.routers) < ROUTER_UPGRADE_THRESHOLD:
            self._unhang(place)
            place.perform(lambda now: network.merge(partition, now))
            return True
        routers = [each for each in self._routers_of(partition) if each is not place and each.hears(place)]
        if not routers:
            return False
        self._hang(place, min(routers, key=lambda each: (len(each.children), each.network.rloc16)))
        return True

    def _announced(self, place: MeshPlace) -> Dataset | None:
        """A newer dataset with the same key that is in force on another channel (on the air: by MLE Announce)."""
        own = place.network.active_dataset
        for partition in self._partitions.get(place.network_key or b"", ()):
            other = self._speaker(partition)
            if own is None or other is None or other.island != place.island or other.identity == place.identity:
                continue
            its = other.network.active_dataset
            if its is not None and (own.missing("active") or active_time(its) > active_time(own)):
                return its
        return None

    def _take_announced(self, place: MeshPlace, announced: Dataset) -> None:
        place.perform(lambda now: place.network.adopt_active_dataset(announced, now, cause=LEARNT))
        if place.network.attached:
            self._listen(place)
        else:
            self._enter_best(place)

    # Children

    def _hang(self, child: MeshPlace, parent: MeshPlace) -> None:
        """Make a node the child of another, or tell it where its parent is now."""
        partition = parent.network.partition
        if partition is None or child.is_gone or not child.network.enabled or not child.hears(parent):
            return
        if child.parent is not parent:
            self._unhang(child)
            child.parent = parent
            parent.children.append(child)
            parent.perform(lambda now: parent.network.attach_child(_as_child(child), now))
        entry = next((each for each in parent.network.children if each.ext_address == child.ext_address), None)
        if entry is None:
            return
        rloc16 = parent.network.child_rloc16(entry)
        network = child.network
        if network.partition is not partition or network.rloc16 != rloc16 or network.role is not Role.CHILD:
            child.perform(lambda now: network.merge(partition, now, role=Role.CHILD, rloc16=rloc16))

    def _unhang(self, child: MeshPlace) -> None:
        """A child's parent is its parent no longer, and knows."""
        parent, child.parent = child.parent, None
        if parent is None:
            return
        parent.children.remove(child)
        if not parent.is_gone:
            parent.perform(lambda now: _detach_strangers(parent, now))

    def _part(self, place: MeshPlace) -> None:
        """Parent and child that do not hear each other any more know it."""
        pairs = [(child, place) for child in place.children]
        if place.parent is not None:
            pairs.append((place, place.parent))
        for child, parent in pairs:
            if not child.hears(parent):
                self._unhang(child)
                if not child.is_gone and child.network.attached:
                    child.perform(child.network.lose_partition)

    def _orphan(self, parent: MeshPlace) -> None:
        """Children whose parent stayed away look for another."""
        if not parent.is_gone and parent.network.attached:
            return
        for child in tuple(parent.children):
            self._unhang(child)
            if not child.is_gone and child.network.attached:
                child.perform(child.network.lose_partition)
        self._left.pop(parent.node.id, None)

    # Losing one another

    def _silent(self, place: MeshPlace, network: NetworkView, partition: Partition[NetworkView]) -> None:
        """A node that lost power is given up, unless it is back."""
        self._unhang(place)
        if partition.member(network.ext_address) is not network:
            return
        partition.leave(network.ext_address)
        if network.ext_address == partition.leader:
            self._leader_lost(partition)
        else:
            self._touch_members(partition)

    def _leader_lost(self, partition: Partition[NetworkView]) -> None:
        """The router with the lowest id leads a new partition; the others will hear it."""
        if not partition.has_leader:
            routers = self._routers_of(partition)
            if routers:
                self._lead(routers[0])

    # Several partitions of one network

    def _listen(self, place: MeshPlace) -> None:
        key = place.network_key
        if key is not None and key not in self._listening:
            self._listening.add(key)
            self._soon(lambda: self._hear(key))

    def _hear(self, key: bytes) -> None:
        """Whoever hears a partition that outranks its own goes over when it has attached there."""
        self._listening.discard(key)
        for partition in self._alive(key):
            speaker = self._speaker(partition)
            if speaker is None or (self._best_for(speaker) is partition and self._announced(speaker) is None):
                continue
            for place in self._places_of(partition):
                self._move_later(place)

    def _move_later(self, place: MeshPlace) -> None:
        if place.parent is None and not place.is_moving:
            place.is_moving = True
            self._later(place.network.config.attach, lambda: self._move(place))

    def _move(self, place: MeshPlace) -> None:
        place.is_moving = False
        if place.is_gone or not place.network.attached or place.parent is not None:
            return
        best, announced = self._best_for(place), self._announced(place)
        if announced is not None:
            self._take_announced(place, announced)
        elif best is not None and best is not place.network.partition:
            self._enter(place, best)
        else:
            self._listen(place)  # the ranks have changed since: now it is perhaps the others who have to move

    def _best_for(self, place: MeshPlace) -> Partition[NetworkView] | None:
        return max(self._within_reach(place), key=lambda each: each.rank, default=None)

    def _within_reach(self, place: MeshPlace) -> Iterator[Partition[NetworkView]]:
        """Partitions of which the node hears a member."""
        for partition in self._alive(place.network_key or b""):
            speaker = self._speaker(partition)
            if speaker is not None and speaker.hears(place):
                yield partition

    # Datasets

    def _sync_soon(self, partition: Partition[NetworkView] | None) -> None:
        if partition is not None and partition not in self._syncing:
            self._syncing.add(partition)
            self._later(PROPAGATION, lambda: self._sync(partition))

    def _sync(self, partition: Partition[NetworkView]) -> None:
        """Who has left the network is out; the others take what is newer than theirs."""
        self._syncing.discard(partition)
        speaker = self._speaker(partition)
        if speaker is None:
            return
        places = list(self._places_of(partition))
        for place in [each for each in places if not each.hears(speaker)]:
            places.remove(place)
            place.perform(place.network.lose_partition)
        agreed = agreement((each.network for each in places), self._clock.now())
        for place in places:
            self._take(place, agreed)

    def _take(self, place: MeshPlace, agreed: Agreement) -> None:
        network, active = place.network, agreed.active
        if active is not None and is_behind(network, agreed):
            place.perform(lambda now: network.adopt_active_dataset(active, now, cause=LEARNT))
        if lacks_pending(network, agreed, self._clock.now()):
            place.perform(lambda now: network.set_pending_dataset(agreed.pending, now, cause=LEARNT))

    # Looking around

    def _note(self, place: MeshPlace, partition: Partition[NetworkView]) -> None:
        """Remember the partition under the node's key."""
        if place.network_key is not None:
            known = self._partitions.setdefault(place.network_key, [])
            if partition not in known:
                known.append(partition)

    def _alive(self, key: bytes) -> tuple[Partition[NetworkView], ...]:
        """Partitions of this key that somebody is part of, in the order they came about."""
        known = self._partitions.get(key)
        if known is None:
            return ()
        known[:] = [each for each in known if self._is_of(each, key)]
        return tuple(known)

    def _is_of(self, partition: Partition[NetworkView], key: bytes) -> bool:
        speaker = self._speaker(partition)
        return speaker is not None and speaker.network_key == key

    def _speaker(self, partition: Partition[NetworkView]) -> MeshPlace | None:
        """Who speaks for a partition: its Leader, else the first of its members that has power."""
        leader = self._by_address.get(partition.leader)
        if leader is not None and leader.network.partition is partition:
            return leader
        return next(self._places_of(partition), None)

    def _places_of(self, partition: Partition[NetworkView]) -> Iterator[MeshPlace]:
        for member in partition.members:
            place = self._by_address.get(member.ext_address)
            if place is not None and place.network is member:
                yield place

    def _routers_of(self, partition: Partition[NetworkView]) -> list[MeshPlace]:
        """Routers that have power, by router id."""
        places = [self._by_address.get(address) for _, address in sorted(partition.routers.items())]
        return [each for each in places if each is not None and each.network.partition is partition]

    def _touch(self, place: MeshPlace) -> None:
        """Border routers look again at what their records say of the partition."""
        if place.partition is not None and place.network.is_border_router:
            self._touch_members(place.partition)

    def _touch_members(self, partition: Partition[NetworkView]) -> None:
        if partition not in self._touching:
            self._touching.add(partition)
            self._soon(lambda: self._look_again(partition))

    def _look_again(self, partition: Partition[NetworkView]) -> None:
        self._touching.discard(partition)
        for place in self._places_of(partition):
            if place.network.is_border_router:
                place.perform(lambda now: ())

    # Time

    def _soon(self, action: Callable[[], None]) -> None:
        self._clock.call_later(0, action)

    def _later(self, delay: Micros, action: Callable[[], None]) -> None:
        self._clock.call_later(delay, action)


def _locator(network: NetworkView) -> str | None:
    """The routing locator address, as text."""
    return str(locator_address(network.mesh_local_prefix, network.rloc16)) if network.attached else None


def _detach_strangers(parent: MeshPlace, now: Micros) -> Outputs:
    """Take out of a router's table whoever is no child of it any more."""
    known = {each.ext_address for each in parent.children}
    strangers = [each.ext_address for each in parent.network.children if each.ext_address not in known]
    return [output for address in strangers for output in parent.network.detach_child(address, now)]


def _as_child(place: MeshPlace) -> ThreadChild:
    """What a parent's table says of a child."""
    network = place.network
    listens = network.config.router_eligible
    return ThreadChild(
        ext_address=network.ext_address,
        mesh_local_iid=network.identity.mesh_local_iid,
        hostname=f"ot{network.ext_address.hex()}",
        mode=DeviceMode(full_thread_device=listens, rx_on_when_idle=listens, full_network_data=listens),
        timeout_s=CHILD_TIMEOUT // 1_000_000,
    )
