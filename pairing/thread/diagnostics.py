"""What a Thread node can be asked about itself: counters, its mode, and the devices attached to it.

Records only; who asks, and how the answer is written, is REST's or CoAP's business. Thread specification, chapter 10
(network diagnostics); names of counters as in OpenThread.
"""

import dataclasses
import enum
from dataclasses import dataclass


class DiagnosticTlvType(enum.IntEnum):
    """Network Diagnostic TLV types that a node may be asked for."""

    EXT_ADDRESS = 0
    RLOC16 = 1
    MODE = 2
    TIMEOUT = 3
    CONNECTIVITY = 4
    ROUTE = 5
    LEADER_DATA = 6
    NETWORK_DATA = 7
    IPV6_ADDRESSES = 8
    MAC_COUNTERS = 9
    BATTERY_LEVEL = 14
    SUPPLY_VOLTAGE = 15
    CHILD_TABLE = 16
    CHANNEL_PAGES = 17
    MAX_CHILD_TIMEOUT = 19
    LDEVID_SUBJECT = 20
    IDEVID_CERT = 21
    EUI64 = 23
    VERSION = 24
    VENDOR_NAME = 25
    VENDOR_MODEL = 26
    VENDOR_SW_VERSION = 27
    THREAD_STACK_VERSION = 28
    CHILD = 29
    CHILD_IPV6_ADDRESSES = 30
    ROUTER_NEIGHBOR = 31
    MLE_COUNTERS = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class MacCounters:
    """Packets since the last reset, as the link layer counts them."""

    if_in_unknown_protos: int = 0
    if_in_errors: int = 0
    if_out_errors: int = 0
    if_in_ucast_pkts: int = 0
    if_in_broadcast_pkts: int = 0
    if_in_discards: int = 0
    if_out_ucast_pkts: int = 0
    if_out_broadcast_pkts: int = 0
    if_out_discards: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MleCounters:
    """How often the node entered each role, and how often it tried, since the last reset."""

    disabled_role: int = 0
    detached_role: int = 0
    child_role: int = 0
    router_role: int = 0
    leader_role: int = 0
    attach_attempts: int = 0
    partition_id_changes: int = 0
    better_partition_attach_attempts: int = 0
    parent_changes: int = 0

    def count(self, name: str) -> "MleCounters":
        """The same with one counter gone on by one."""
        return dataclasses.replace(self, **{name: getattr(self, name) + 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMode:
    """How a device takes part in the mesh."""

    full_thread_device: bool = True
    rx_on_when_idle: bool = True
    full_network_data: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadChild:
    """A Thread device attached to this router. `child_id` is drawn when it attaches if it is 0."""

    ext_address: bytes
    mesh_local_iid: bytes
    hostname: str = ""
    mode: DeviceMode = DeviceMode(full_thread_device=False, rx_on_when_idle=False, full_network_data=False)
    timeout_s: int = 240
    child_id: int = 0
