"""A device for the TCAT vectors: our agent made from the member `device`, and a commissioner's connection with it."""

from collections.abc import Mapping
from typing import Any

from pairing.engine import Outputs, Transmit
from pairing.thread.dataset import Dataset
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.diagnostics import LeaderView, NodeView
from pairing.thread.tcat.events import TcatSessionOpened
from pairing.thread.tcat.profile import ApplicationAnswer, ApplicationLayer, TcatNode, TcatProfile
from tests.verify.mismatch import Mismatch, compare
from tests.verify.tcat_words import certificate

PEER = "commissioner"
_NUMBERS = {
    "partitionId": "partition_id",
    "weighting": "weighting",
    "dataVersion": "data_version",
    "stableDataVersion": "stable_data_version",
    "leaderRouterId": "leader_router_id",
    "routerIdSequence": "router_id_sequence",
    "activeRouters": "active_routers",
    "sedBufferBytes": "sed_buffer_bytes",
    "sedDatagrams": "sed_datagrams",
}


class Draws:
    """The random values of a recorded connection, in their order."""

    def __init__(self, draws: list[str]) -> None:
        self._left = [bytes.fromhex(each) for each in draws]

    def __call__(self, length: int) -> bytes:
        if not self._left or len(self._left[0]) != length:
            raise Mismatch("device.draws", f"a draw of {length} bytes", self._left[:1])
        return self._left.pop(0)

    def check_used(self) -> None:
        """Every recorded value was drawn."""
        compare("device.draws", [], [each.hex() for each in self._left])


class Connection:
    """A fresh device and the commissioner that has connected, if TLS lets it."""

    def __init__(self, device: Mapping[str, Any], rows: dict[str, dict[str, Any]], commissioner: str) -> None:
        self.draws = Draws(device["draws"])
        identity = certificate(rows, commissioner)
        of = device["commissionerOfDataset"]
        node = TcatNode(
            dataset=None if device["activeDataset"] is None else Dataset.from_hex(device["activeDataset"]),
            commissioner_certificate=None if of is None else certificate(rows, of).der,
            attached=device["attached"],
        )
        _check_role(device)
        self._agent = TcatAgent(_profile(device, certificate(rows, device["certificate"])), self.draws, node)
        view = _view(device, node.dataset)
        self._agent.view = lambda: view
        self._agent.start(0)
        if node.attached:
            self._agent.activate(0)
        self.is_open = False
        if rows[commissioner]["issuedBy"] == device["trustedCa"]:
            outputs = self._agent.connected(PEER, identity, 0)
            self.is_open = any(isinstance(each, TcatSessionOpened) for each in outputs)

    def send(self, request: bytes) -> list[bytes]:
        """What comes back for it, a TLV each."""
        outputs: Outputs = self._agent.receive(request, PEER, 0) if self.is_open else ()
        return [each.payload for each in outputs if isinstance(each, Transmit)]


def _check_role(device: Mapping[str, Any]) -> None:
    is_attached = device["role"] in ("child", "router", "leader")
    compare("device.attached", device["attached"], is_attached)
    if not is_attached and device["role"] not in ("disabled", "detached"):
        raise Mismatch("device.role", "a role", device["role"])


def _profile(device: Mapping[str, Any], own: ThreadCertificate) -> TcatProfile:
    return TcatProfile(
        certificate=own,
        device_id=bytes.fromhex(device["deviceId"]),
        pskd=device["pskd"],
        install_code=device["installCode"],
        provisioning_url=device["provisioningUrl"],
        applications=tuple(ApplicationLayer(**each) for each in device["applications"]),
        application_data={
            int(tlv_type, 16): ApplicationAnswer(habit) for tlv_type, habit in device["applicationData"].items()
        },
    )


def _view(device: Mapping[str, Any], dataset: Dataset | None) -> NodeView:
    leader = device.get("leader")
    octets = {name: bytes.fromhex(device[name]) for name in _OCTETS if name in device}
    return NodeView(
        eui64=bytes.fromhex(device["deviceId"]),
        ext_address=octets.get("extendedAddress"),
        mode=octets["mode"][0] if "mode" in octets else None,
        rloc16=int(device["rloc16"], 16) if "rloc16" in device else None,
        mesh_local_prefix=None if dataset is None else dataset.mesh_local_prefix,
        mesh_local_iid=octets.get("meshLocalIid"),
        channel_pages=octets.get("channelPages"),
        vendor_name=device.get("vendorName"),
        vendor_model=device.get("vendorModel"),
        vendor_sw_version=device.get("vendorSwVersion"),
        vendor_app_url=device.get("vendorAppUrl"),
        leader=None if leader is None else _leader(leader),
    )


def _leader(leader: Mapping[str, Any]) -> LeaderView:
    numbers = {field: leader[word] for word, field in _NUMBERS.items() if word != "partitionId"}
    return LeaderView(partition_id=int(leader["partitionId"], 16), **numbers)


_OCTETS = ("extendedAddress", "mode", "meshLocalIid", "channelPages")
