"""What a Commissioner asks of a node beside datasets: commands (c/ab c/pq c/es) and diagnostics (d/dg d/dq).

There is no radio: announcements go nowhere, no other network is found, every channel is quiet; an energy scan reports
(c/er) when its time is over. The node says of itself what it knows, other types are left out. Thread specification,
chapters 8.7 and 10.11; what is refused, the delays and the order of addresses as measured from OpenThread.
"""

import dataclasses
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pairing.coap.message import CoapCode
from pairing.engine import MILLISECOND, SECOND, Micros
from pairing.errors import DecodeError
from pairing.thread.diagnostics import DeviceMode, DiagnosticTlvType, ThreadChild
from pairing.thread.fields import ChannelMask
from pairing.thread.network_view import NetworkView
from pairing.thread.node import LEADER_ALOC, Role, commissioner_aloc
from pairing.thread.steering import joiner_iid
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs

_T = MeshCopTlvType
_D = DiagnosticTlvType
COMMANDS: Mapping[str, tuple[int, ...]] = {
    "c/ab": (_T.CHANNEL_MASK, _T.COUNT, _T.PERIOD),
    "c/pq": (_T.CHANNEL_MASK, _T.PAN_ID),
    "c/es": (_T.CHANNEL_MASK, _T.COUNT, _T.PERIOD, _T.SCAN_DURATION),
}
"""Command -> the TLVs that it needs. The session id is not looked at."""
ENERGY_SCAN, ENERGY_REPORT = "c/es", "c/er"
DIAGNOSTIC_GET, DIAGNOSTIC_QUERY, DIAGNOSTIC_ANSWER = "d/dg", "d/dq", "d/da"
SCAN_DELAY: Micros = SECOND
REPORT_DELAY: Micros = 500 * MILLISECOND
MOST_ROUNDS = 3
QUIET = bytes((0x9E,))
"""-98 dBm, what a radio hears where nobody speaks."""
_TYPE_LIST, _ANSWER = 18, 32
_LAST_ANSWER = Tlv(_ANSWER, b"\x80\0")
_LINK_LOCAL = bytes.fromhex("fe80000000000000")
_VERSIONS = {"1.1": 2, "1.2": 3, "1.3": 4, "1.4": 5}
_LINK_QUALITY = 3


@dataclass(frozen=True, slots=True)
class Report:
    """A request of the node's own to the Commissioner, some time after its answer."""

    path: str
    payload: bytes = field(repr=False)
    delay: Micros


def command(path: str, payload: bytes) -> tuple[int, Report | None]:
    """The answer to a command, and what is reported once it is carried out."""
    try:
        values = {tlv.type: tlv.value for tlv in split_tlvs(payload, extended=True)}
        mask = ChannelMask.decode(values.get(_T.CHANNEL_MASK, b""))
    except DecodeError:
        return CoapCode.BAD_REQUEST, None
    if any(tlv_type not in values for tlv_type in COMMANDS[path]):
        return CoapCode.BAD_REQUEST, None
    if path != ENERGY_SCAN:
        return CoapCode.CHANGED, None
    number = mask.openthread_mask
    count, period, duration = (int.from_bytes(values[each], "big") for each in (_T.COUNT, _T.PERIOD, _T.SCAN_DURATION))
    if not number:
        return CoapCode.BAD_REQUEST, None
    scans = number.bit_count() * min(max(count, 1), MOST_ROUNDS)
    tlvs = (
        Tlv(_T.CHANNEL_MASK, ChannelMask.from_openthread(number).encode()),
        Tlv(_T.ENERGY_LIST, QUIET * scans),
    )
    delay = SCAN_DELAY + (scans * duration + (scans - 1) * period) * MILLISECOND + REPORT_DELAY
    return CoapCode.CHANGED, Report(ENERGY_REPORT, join_tlvs(tlvs), delay)


def diagnostics(network: NetworkView, payload: bytes) -> bytes | None:
    """What the node says of itself, in the order asked for; None for a request without a Type List."""
    try:
        asked = next((tlv.value for tlv in split_tlvs(payload, extended=True) if tlv.type == _TYPE_LIST), None)
    except DecodeError:
        return None
    if asked is None:
        return None
    return join_tlvs(Tlv(each, _DIAGNOSTICS[each](network)) for each in dict.fromkeys(asked) if each in _DIAGNOSTICS)


def diagnostic_answer(told: bytes) -> Report:
    """DIAG_GET.ans, which follows a query: one message, the last."""
    return Report(DIAGNOSTIC_ANSWER, told + _LAST_ANSWER.encode(), 0)


def _mode(mode: DeviceMode) -> int:
    return 8 * mode.rx_on_when_idle + 4 + 2 * mode.full_thread_device + mode.full_network_data


def _leader_data(network: NetworkView) -> bytes:
    data = network.leader_data
    return struct.pack(
        "!I4B",
        data.partition_id,
        data.weighting,
        data.data_version,
        data.stable_data_version,
        data.leader_router_id,
    )


def _addresses(network: NetworkView) -> bytes:
    """Anycast locators first, the link-local address last."""
    locators = [network.rloc16]
    if network.role is Role.LEADER:
        locators.insert(0, LEADER_ALOC)
    active = network.commissioning.active
    if active is not None:
        locators.insert(0, commissioner_aloc(active.session_id))
    addresses = [network.rloc_address(locator) for locator in locators]
    addresses.append(network.mesh_local_prefix + network.identity.mesh_local_iid)
    addresses.append(_LINK_LOCAL + joiner_iid(network.ext_address))
    return b"".join(addresses)


def _child(child: ThreadChild) -> bytes:
    """One entry of the Child Table: timeout as a power of two, link quality, child id, mode."""
    exponent = (child.timeout_s - 1).bit_length() + 4
    return struct.pack("!HB", exponent << 11 | _LINK_QUALITY << 9 | child.child_id, _mode(child.mode))


_DIAGNOSTICS: Mapping[int, Callable[[NetworkView], bytes]] = {
    _D.EXT_ADDRESS: lambda network: network.ext_address,
    _D.RLOC16: lambda network: network.rloc16.to_bytes(2, "big"),
    _D.MODE: lambda network: bytes((_mode(DeviceMode()),)),
    _D.LEADER_DATA: _leader_data,
    _D.IPV6_ADDRESSES: _addresses,
    _D.MAC_COUNTERS: lambda network: struct.pack("!9I", *dataclasses.astuple(network.mac_counters)),
    _D.CHILD_TABLE: lambda network: b"".join(_child(each) for each in network.children),
    _D.CHANNEL_PAGES: lambda network: b"\0",
    _D.VERSION: lambda network: _VERSIONS.get(network.config.thread_version[:3], 5).to_bytes(2, "big"),
    _D.VENDOR_NAME: lambda network: network.config.vendor_name.encode(),
    _D.VENDOR_MODEL: lambda network: network.config.vendor_model.encode(),
    _D.VENDOR_SW_VERSION: lambda network: network.config.vendor_sw_version.encode(),
    _D.THREAD_STACK_VERSION: lambda network: network.config.stack_version.encode(),
}
