"""The `/node…` routes, as old as the border router itself.

Each handler reads the engine, changes it through the node, and returns an answer or raises RefusedError. Accept and
Content-Type count for datasets only. Measured from ot-br-posix, REST API 0.5.0.
"""

from collections.abc import Callable

from devices.errors import TransportUnavailableError
from devices.otbr import dataset_json
from devices.otbr.address import ipv6_text
from devices.otbr.json_text import (
    BadJsonError,
    Json,
    c_double,
    c_uint,
    is_number,
    parse_object,
    parse_string,
    print_json,
)
from devices.otbr.member_case import from_pascal, to_pascal
from devices.otbr.messages import TEXT, Answer, RefusedError, Request, json_answer
from devices.otbr.node import OtbrNode
from devices.otbr.node_json import leader_data_json, node_json
from devices.otbr.profile import OtbrProfile
from pairing.engine import MILLISECOND, SECOND, Micros, Outputs
from pairing.errors import DecodeError, EncodeError, LocalProtocolError
from pairing.thread.commissioning import CommissionerState
from pairing.thread.dataset import Dataset, DatasetKind
from pairing.thread.dataset_generator import generate
from pairing.thread.ephemeral_key import DEFAULT_LIFETIME, MAX_LIFETIME
from pairing.thread.joiner_table import JoinerEntry, JoinerId
from pairing.thread.network import Network
from pairing.thread.network_events import EphemeralKeyActivated

Handler = Callable[[Request], Answer]
Routes = dict[str, dict[str, Handler]]

DONE = Answer(200)
DEFAULT_JOINER_TIMEOUT_S = 60


class ClassicRoutes:
    """Handlers over one node. `refuse_pending` is asked before a good pending dataset is stored."""

    def __init__(self, node: OtbrNode, profile: OtbrProfile, refuse_pending: Callable[[], None]) -> None:
        self._node = node
        self._profile = profile
        self._refuse_pending = refuse_pending

    @property
    def _network(self) -> Network:
        return self._node.engine.network

    def routes(self) -> Routes:
        """Path -> method -> handler, as this generation of agent has them."""
        profile = self._profile
        routes: Routes = {
            "/node": {"GET": self.get_node, "DELETE": self.factory_reset},
            "/node/state": {"GET": self.get_state, "PUT": self.put_state, "OPTIONS": _done},
            "/node/ext-address": {"GET": self._value(lambda: self._network.ext_address.hex())},
            "/node/network-name": {"GET": self._value(lambda: self._network.network_name)},
            "/node/ext-panid": {"GET": self._value(lambda: self._network.ext_pan_id.hex())},
            "/node/rloc": {"GET": self._value(lambda: ipv6_text(self._network.rloc_address()))},
            "/node/rloc16": {"GET": self._value(lambda: self._network.rloc16)},
            "/node/num-of-router": {"GET": self._value(lambda: self._network.router_count)},
            "/node/leader-data": {"GET": self.get_leader_data},
            "/node/coprocessor/version": {"GET": self._value(lambda: self._network.config.coprocessor_version)},
            "/node/commissioner/state": {
                "GET": self._value(lambda: self._network.commissioning.state),
                "PUT": self.put_commissioner_state,
                "OPTIONS": _done,
            },
            "/node/commissioner/joiner": {
                "GET": self.get_joiners,
                "POST": self.add_joiner,
                "DELETE": self.remove_joiner,
                "OPTIONS": _done,
            },
        }
        if profile.border_agent_id:
            routes["/node/ba-id"] = {"GET": self._value(lambda: self._network.border_agent_id.hex())}
        if profile.datasets:
            routes |= self._dataset_routes()
        if profile.ephemeral_key:
            routes["/node/ba-epskc/state"] = {
                "GET": self._value(lambda: "enabled" if self._network.ephemeral_key.enabled else "disabled"),
                "PUT": self.put_ephemeral_key_state,
                "OPTIONS": _done,
            }
            routes["/node/ba-epskc/key"] = {
                "GET": self.get_ephemeral_key,
                "POST": self.activate_ephemeral_key,
                "DELETE": self.deactivate_ephemeral_key,
                "OPTIONS": _done,
            }
        return routes

    def _dataset_routes(self) -> Routes:
        routes: Routes = {
            "/node/dataset/active": {
                "GET": lambda request: self._get_dataset(request, "active"),
                "PUT": self.put_active_dataset,
                "OPTIONS": _done,
            },
            "/node/dataset/pending": {
                "GET": lambda request: self._get_dataset(request, "pending"),
                "PUT": self.put_pending_dataset,
                "OPTIONS": _done,
            },
        }
        if self._profile.dataset_delete:
            routes["/node/dataset/active"]["DELETE"] = self.delete_active_dataset
            routes["/node/dataset/pending"]["DELETE"] = self.delete_pending_dataset
        return routes

    # Node

    def get_node(self, request: Request) -> Answer:
        """All of it in one object."""
        return self._answer(node_json(self._network))

    def factory_reset(self, request: Request) -> Answer:
        """Erase everything; the server keeps answering."""
        if not self._profile.factory_reset:
            raise RefusedError(405)
        return self._do(self._network.factory_reset)

    def get_state(self, request: Request) -> Answer:
        """The role."""
        return self._answer(self._network.role)

    def put_state(self, request: Request) -> Answer:
        """Switch Thread on or off."""
        return self._do(self._network.enable if _enables(request) else self._network.disable)

    def get_leader_data(self, request: Request) -> Answer:
        """Of the partition; without one the agent has an internal error."""
        if not self._network.attached:
            raise RefusedError(500)
        return self._answer(leader_data_json(self._network.leader_data))

    # Datasets

    def put_active_dataset(self, request: Request) -> Answer:
        """Create or change the active dataset, while Thread is disabled; that is checked before the body is read."""
        network = self._network
        if network.enabled:
            raise RefusedError(409)
        stored = network.active_dataset
        dataset = self._changed(request, stored, "active")
        self._do(lambda now: network.set_active_dataset(dataset, now))
        return Answer(201 if stored is None else 200)

    def put_pending_dataset(self, request: Request) -> Answer:
        """Create or change the pending dataset, in any role. The base of a first one is a random network."""
        network = self._network
        stored = network.pending_dataset(self._node.now())
        if stored is not None and request.header("if-none-match") == "*":
            raise RefusedError(412)
        dataset = self._changed(request, stored, "pending")
        self._refuse_pending()
        self._do(lambda now: network.set_pending_dataset(dataset, now))
        return Answer(201 if stored is None else 200)

    def delete_active_dataset(self, request: Request) -> Answer:
        """Forget the active dataset, while Thread is disabled."""
        return self._do(lambda now: self._network.set_active_dataset(None, now))

    def delete_pending_dataset(self, request: Request) -> Answer:
        """Forget the pending dataset."""
        return self._do(lambda now: self._network.set_pending_dataset(None, now))

    def _get_dataset(self, request: Request, kind: DatasetKind) -> Answer:
        active = kind == "active"
        dataset = self._network.active_dataset if active else self._network.pending_dataset(self._node.now())
        if dataset is None:
            return Answer(204)
        if request.header("accept") == TEXT:
            return Answer(200, dataset.hex().upper().encode(), TEXT)
        as_json = dataset_json.active_dataset_json if active else dataset_json.pending_dataset_json
        return self._answer(as_json(dataset))

    def _changed(self, request: Request, stored: Dataset | None, kind: DatasetKind) -> Dataset:
        """The stored dataset, or a random network, with the change that the body asks for."""
        if request.header("content-type") != TEXT:
            return dataset_json.changed(self._body(request), kind, stored, self._node.entropy)
        change = dataset_json.change_from_text(request.body)
        return dataset_json.merge(generate(self._node.entropy) if stored is None else stored, change)

    # Commissioner

    def put_commissioner_state(self, request: Request) -> Answer:
        """Start or stop the built-in commissioner."""
        if _enables(request):
            return self._do(self._network.start_commissioner)
        return self._do(self._network.commissioning.stop)

    def get_joiners(self, request: Request) -> Answer:
        """The joiner table; `timeout` is what is left, in milliseconds."""
        now = self._node.now()
        return self._answer([_joiner_json(entry, now) for entry in self._network.commissioning.joiners])

    def add_joiner(self, request: Request) -> Answer:
        """Let a Joiner in; the commissioner is looked at before the body is."""
        commissioning = self._network.commissioning
        if commissioning.state is not CommissionerState.ACTIVE:
            raise RefusedError(409)
        try:
            members = parse_object(request.body)
        except BadJsonError:
            raise RefusedError(400) from None
        joiner, pskd, timeout = _joiner(members), members.get("pskd"), members.get("timeout")
        if not isinstance(pskd, str):
            raise RefusedError(400)
        seconds = c_uint(timeout, 32) if is_number(timeout) else DEFAULT_JOINER_TIMEOUT_S
        if not commissioning.has_place_for(joiner):
            raise RefusedError(507)
        return self._do(lambda now: commissioning.add_joiner(joiner, pskd, seconds * SECOND, now))

    def remove_joiner(self, request: Request) -> Answer:
        """Take one entry out; `*` is the entry for anybody, not all entries."""
        try:
            joiner = JoinerId.parse(parse_string(request.body))
        except (BadJsonError, DecodeError):
            raise RefusedError(400) from None
        return self._do(lambda now: self._network.commissioning.remove_joiner(joiner, now))

    # Ephemeral key

    def put_ephemeral_key_state(self, request: Request) -> Answer:
        """Switch the feature."""
        enabled = _enables(request)
        return self._do(lambda now: self._network.switch_ephemeral_key(enabled, now))

    def get_ephemeral_key(self, request: Request) -> Answer:
        """State and port."""
        key = self._network.ephemeral_key
        return self._answer({"state": key.state, "port": key.port})

    def activate_ephemeral_key(self, request: Request) -> Answer:
        """Open a key: its nine digits and its port."""
        lifetime, port = _key_parameters(request.body)
        network = self._network
        if not network.ephemeral_key.is_stopped:
            raise RefusedError(409)
        try:
            port = self._node.reserve_udp_port(port)
        except TransportUnavailableError:
            raise RefusedError(500) from None
        outputs = self._node.perform(lambda now: network.activate_ephemeral_key(port, now, lifetime=lifetime))
        code = next(output.code for output in outputs if isinstance(output, EphemeralKeyActivated))
        return self._answer({"tap": code, "port": port})

    def deactivate_ephemeral_key(self, request: Request) -> Answer:
        """Withdraw the key, if there is one."""
        return self._do(self._network.deactivate_ephemeral_key)

    # Inside

    def _do(self, intent: Callable[[Micros], Outputs]) -> Answer:
        """Perform an intent; what its state does not allow is 409, what has no form is 400."""
        try:
            self._node.perform(intent)
        except LocalProtocolError:
            raise RefusedError(409) from None
        except EncodeError:
            raise RefusedError(400) from None
        return DONE

    def _value(self, read: Callable[[], Json]) -> Handler:
        return lambda request: self._answer(read())

    def _answer(self, value: Json) -> Answer:
        return json_answer(to_pascal(value) if self._profile.pascal_case else value)

    def _body(self, request: Request) -> bytes:
        """The JSON body in the member names of today."""
        if not self._profile.pascal_case:
            return request.body
        try:
            return print_json(from_pascal(parse_object(request.body)))
        except BadJsonError:
            raise RefusedError(400) from None


def _done(request: Request) -> Answer:
    return DONE


def _enables(request: Request) -> bool:
    """Whether the body says `"enable"`; other than that and `"disable"` is 400."""
    try:
        word = parse_string(request.body)
    except BadJsonError:
        raise RefusedError(400) from None
    if word not in ("enable", "disable"):
        raise RefusedError(400)
    return word == "enable"


def _joiner(members: dict[str, Json]) -> JoinerId:
    """Whom a joiner entry is for. Members that are not text say nothing, two that do are 400."""
    found = JoinerId()
    for name in ("joinerId", "discerner", "eui"):
        text = members.get(name)
        if not isinstance(text, str):
            continue
        if not found.is_any:
            raise RefusedError(400)
        if text.startswith("*"):
            continue
        try:
            found = JoinerId.parse(text)
        except DecodeError:
            raise RefusedError(400) from None
        if (name == "eui" and found.eui64 is None) or (name == "discerner" and found.discerner is None):
            raise RefusedError(400)
    # An EUI-64 of zeros is how the stack says anybody.
    return JoinerId() if found.eui64 == bytes(8) else found


def _joiner_json(entry: JoinerEntry, now: Micros) -> Json:
    joiner = entry.joiner
    who: dict[str, Json] = {"joinerId": "*"}
    if joiner.eui64 is not None:
        who = {"eui": joiner.eui64.hex()}
    elif joiner.discerner is not None:
        who = {"discerner": str(joiner)}
    return {"pskd": entry.pskd, **who, "timeout": max(0, entry.expires_at - now) // MILLISECOND}


def _key_parameters(body: bytes) -> tuple[Micros, int]:
    """Lifetime and port that a body asks for. A lifetime of 0 is the default, a port of 0 any."""
    if not body:
        return DEFAULT_LIFETIME, 0
    try:
        members = parse_object(body)
    except BadJsonError:
        raise RefusedError(400) from None
    numbers = []
    for name, most in (("lifetime", MAX_LIFETIME // MILLISECOND), ("port", 0xFFFF)):
        value = members.get(name, 0)
        if not is_number(value) or not 0 <= value <= most:
            raise RefusedError(400)
        numbers.append(c_double(value, 0, most))
    lifetime, port = numbers
    return lifetime * MILLISECOND or DEFAULT_LIFETIME, port
