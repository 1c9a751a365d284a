"""The network diagnostic TLVs that a device tells a commissioner: what there is of what was asked for, in that order.

Only what the node model knows is told: types beyond that are left out, as devices leave out those that they do not
support. Source: Thread specification, chapter 10; which of them a device tells over TCAT as measured from OpenThread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pairing.thread.diagnostics import DiagnosticTlvType, MleCounters
from pairing.thread.node import LEADER_ALOC
from pairing.wire import Writer

VENDOR_APP_URL = 35
_LINK_LOCAL = bytes.fromhex("fe80000000000000")
_LOCATOR = bytes.fromhex("000000fffe00")
_NO_TIMES = bytes(6 * 8)
_SELF_ROUTE = 0x01


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderView:
    """What a router tells of its partition while it is the Leader."""

    partition_id: int
    weighting: int
    data_version: int
    stable_data_version: int
    leader_router_id: int
    router_id_sequence: int = 0
    active_routers: int = 1
    sed_buffer_bytes: int = 1280
    sed_datagrams: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """The node as its diagnostics show it; None where it has no such thing now."""

    eui64: bytes
    ext_address: bytes | None = None
    mode: int | None = None
    rloc16: int | None = None
    mesh_local_prefix: bytes | None = None
    mesh_local_iid: bytes | None = None
    channel_pages: bytes | None = None
    vendor_name: str | None = None
    vendor_model: str | None = None
    vendor_sw_version: str | None = None
    vendor_app_url: str | None = None
    leader: LeaderView | None = None
    counters: MleCounters = field(default_factory=MleCounters)


def diagnostic_tlvs(view: NodeView, types: bytes) -> bytes:
    """The TLVs that were asked for by type, one byte each."""
    writer = Writer()
    for tlv_type in types:
        value = _VALUES[tlv_type](view) if tlv_type in _VALUES else None
        if value is not None:
            writer.u8(tlv_type).block8(value)
    return writer.getvalue()


def _rloc16(view: NodeView) -> bytes | None:
    return None if view.rloc16 is None else view.rloc16.to_bytes(2, "big")


def _mode(view: NodeView) -> bytes | None:
    return None if view.mode is None else bytes((view.mode,))


def _connectivity(view: NodeView) -> bytes | None:
    leader = view.leader
    if leader is None:
        return None
    writer = Writer().raw(bytes(5)).u8(leader.router_id_sequence).u8(leader.active_routers)
    return writer.u16be(leader.sed_buffer_bytes).u8(leader.sed_datagrams).getvalue()


def _route(view: NodeView) -> bytes | None:
    leader = view.leader
    if leader is None:
        return None
    mask = 1 << 63 - leader.leader_router_id
    return Writer().u8(leader.router_id_sequence).u64be(mask).u8(_SELF_ROUTE).getvalue()


def _leader_data(view: NodeView) -> bytes | None:
    leader = view.leader
    if leader is None:
        return None
    writer = Writer().u32be(leader.partition_id).u8(leader.weighting).u8(leader.data_version)
    return writer.u8(leader.stable_data_version).u8(leader.leader_router_id).getvalue()


def _addresses(view: NodeView) -> bytes | None:
    prefix, found = view.mesh_local_prefix, []
    if prefix is not None and view.leader is not None:
        found.append(prefix + _LOCATOR + LEADER_ALOC.to_bytes(2, "big"))
    if prefix is not None and view.rloc16 is not None:
        found.append(prefix + _LOCATOR + view.rloc16.to_bytes(2, "big"))
    if prefix is not None and view.mesh_local_iid is not None:
        found.append(prefix + view.mesh_local_iid)
    if view.ext_address is not None:
        found.append(_LINK_LOCAL + bytes((view.ext_address[0] ^ 0x02,)) + view.ext_address[1:])
    return b"".join(found) or None


def _counters(view: NodeView) -> bytes:
    counters, writer = view.counters, Writer()
    for count in (
        counters.disabled_role,
        counters.detached_role,
        counters.child_role,
        counters.router_role,
        counters.leader_role,
        counters.attach_attempts,
        counters.partition_id_changes,
        counters.better_partition_attach_attempts,
        counters.parent_changes,
    ):
        writer.u16be(min(count, 0xFFFF))
    return writer.raw(_NO_TIMES).getvalue()


def _text(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


_VALUES: Mapping[int, Callable[[NodeView], bytes | None]] = MappingProxyType(
    {
        DiagnosticTlvType.EXT_ADDRESS: lambda view: view.ext_address,
        DiagnosticTlvType.RLOC16: _rloc16,
        DiagnosticTlvType.MODE: _mode,
        DiagnosticTlvType.CONNECTIVITY: _connectivity,
        DiagnosticTlvType.ROUTE: _route,
        DiagnosticTlvType.LEADER_DATA: _leader_data,
        DiagnosticTlvType.IPV6_ADDRESSES: _addresses,
        DiagnosticTlvType.CHILD_TABLE: lambda view: b"",
        DiagnosticTlvType.CHANNEL_PAGES: lambda view: view.channel_pages,
        DiagnosticTlvType.EUI64: lambda view: view.eui64,
        DiagnosticTlvType.VENDOR_NAME: lambda view: _text(view.vendor_name),
        DiagnosticTlvType.VENDOR_MODEL: lambda view: _text(view.vendor_model),
        DiagnosticTlvType.VENDOR_SW_VERSION: lambda view: _text(view.vendor_sw_version),
        VENDOR_APP_URL: lambda view: _text(view.vendor_app_url),
        DiagnosticTlvType.MLE_COUNTERS: _counters,
    }
)
