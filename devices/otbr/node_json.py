"""The node, its devices and its diagnostics as JSON members."""

from devices.otbr.address import ipv6_text, rloc16_text
from devices.otbr.json_text import Json
from devices.otbr.task import DIAGNOSTIC_NAMES
from pairing.thread.diagnostics import DeviceMode, DiagnosticTlvType, MacCounters, MleCounters, ThreadChild
from pairing.thread.network_view import NetworkView
from pairing.thread.node import LeaderData, Role

_THREAD_VERSIONS = {"1.1": 2, "1.2": 3, "1.3": 4, "1.4": 5}
_LINK_QUALITY = 3
_LINK_MARGIN = 60
_RSSI = -40


def leader_data_json(data: LeaderData) -> Json:
    """Five numbers."""
    return {
        "partitionId": data.partition_id,
        "weighting": data.weighting,
        "dataVersion": data.data_version,
        "stableDataVersion": data.stable_data_version,
        "leaderRouterId": data.leader_router_id,
    }


def node_json(network: NetworkView, border_agent_state: str = "") -> dict[str, Json]:
    """The members of `/node`; the classic route leaves `baState` empty."""
    node: dict[str, Json] = {
        "baId": network.border_agent_id.hex(),
        "baState": border_agent_state,
        "state": network.role,
        "routerCount": network.router_count,
        "rlocAddress": ipv6_text(network.rloc_address()),
        "extAddress": network.ext_address.hex(),
        "networkName": network.network_name,
        "rloc16": rloc16_text(network.rloc16),
    }
    if network.router_id is not None:
        node["routerId"] = network.router_id
    return {**node, "leaderData": leader_data_json(network.leader_data), "extPanId": network.ext_pan_id.hex()}


def own_device_json(network: NetworkView) -> dict[str, Json]:
    """This border router in the collection of devices."""
    state = "active" if network.attached else "enabled" if network.enabled else "disabled"
    return {
        "extAddress": network.ext_address.hex(),
        "mlEidIid": network.identity.mesh_local_iid.hex(),
        "omrIpv6Address": ipv6_text(network.omr_prefix + network.identity.mesh_local_iid),
        "hostname": f"ot{network.ext_address.hex()}",
        "role": network.role,
        "mode": _mode_json(DeviceMode()),
        **node_json(network, state),
    }


def member_device_json(network: NetworkView) -> dict[str, Json]:
    """Another node of the partition in the collection of devices."""
    return {
        "extAddress": network.ext_address.hex(),
        "mlEidIid": network.identity.mesh_local_iid.hex(),
        "omrIpv6Address": ipv6_text(network.omr_prefix + network.identity.mesh_local_iid),
        "hostname": f"ot{network.ext_address.hex()}",
        "role": network.role,
        "mode": _mode_json(device_mode(network)),
    }


def device_mode(network: NetworkView) -> DeviceMode:
    """How a node takes part in the mesh: an end device sleeps."""
    full = network.config.router_eligible
    return DeviceMode(full_thread_device=full, rx_on_when_idle=full, full_network_data=full)


def child_device_json(network: NetworkView, child: ThreadChild) -> dict[str, Json]:
    """An attached device in the collection of devices."""
    return {
        "extAddress": child.ext_address.hex(),
        "mlEidIid": child.mesh_local_iid.hex(),
        "omrIpv6Address": ipv6_text(network.omr_prefix + child.mesh_local_iid),
        "hostname": child.hostname,
        "role": Role.CHILD,
        "mode": _mode_json(child.mode),
    }


def own_diagnostics_json(network: NetworkView, types: tuple[str, ...]) -> dict[str, Json]:
    """What this node says when asked for diagnostics; the last members come unasked."""
    answers = member_diagnostics_json(network, types)
    border_router_counters: dict[str, Json] = dict.fromkeys(_BORDER_ROUTER_COUNTERS, 0)
    return {
        **answers,
        "brCounters": border_router_counters,
        "isLeader": network.role is Role.LEADER,
        "hostsService": network.backbone_router,
        "isPrimaryBBR": network.is_primary_backbone_router,
        "isBorderRouter": True,
    }


def member_diagnostics_json(network: NetworkView, types: tuple[str, ...]) -> dict[str, Json]:
    """What a member of the partition says when asked for diagnostics; a child knows nothing that routers know."""
    answers: dict[str, Json] = {}
    for name in types:
        if network.role is not Role.CHILD or DIAGNOSTIC_NAMES[name] not in _OF_ROUTERS:
            answers.update(_own_diagnostic(network, name))
    return answers


_OF_ROUTERS = frozenset(
    {
        DiagnosticTlvType.CONNECTIVITY,
        DiagnosticTlvType.ROUTE,
        DiagnosticTlvType.CHILD_TABLE,
        DiagnosticTlvType.MAX_CHILD_TIMEOUT,
        DiagnosticTlvType.CHILD,
        DiagnosticTlvType.CHILD_IPV6_ADDRESSES,
        DiagnosticTlvType.ROUTER_NEIGHBOR,
    }
)


def child_diagnostics_json(network: NetworkView, child: ThreadChild, types: tuple[str, ...]) -> dict[str, Json]:
    """What a child says when asked for diagnostics: only what an end device has."""
    has: dict[str, Json] = {
        "extAddress": child.ext_address.hex(),
        "rloc16": rloc16_text(network.child_rloc16(child)),
        "mode": _mode_json(child.mode),
        "timeout": child.timeout_s,
        "leaderData": leader_data_json(network.leader_data),
        "ipv6Addresses": _child_addresses(network, child),
        "macCounters": _mac_counters_json(MacCounters()),
        "channelPages": "00",
        "eui": child.ext_address.hex(),
        "threadVersion": _version_number(network),
    }
    return {name: has[name] for name in types if name in has}


_BORDER_ROUTER_COUNTERS = (
    "ifInUcastPkts",
    "ifInBroadcastPkts",
    "ifOutUcastPkts",
    "ifOutBroadcastPkts",
    "raRx",
    "raTxSuccess",
    "raTxFailed",
    "rsRx",
    "rsTxSuccess",
    "rsTxFailed",
)


def _own_diagnostic(network: NetworkView, name: str) -> dict[str, Json]:
    """One diagnostic of this node by its name; empty for those that a border router does not have."""
    config = network.config
    match DIAGNOSTIC_NAMES[name]:
        case DiagnosticTlvType.EXT_ADDRESS | DiagnosticTlvType.EUI64:
            return {name: network.ext_address.hex()}
        case DiagnosticTlvType.RLOC16:
            router = {} if network.router_id is None else {"routerId": network.router_id}
            return {name: rloc16_text(network.rloc16), **router}
        case DiagnosticTlvType.MODE:
            return {name: _mode_json(device_mode(network))}
        case DiagnosticTlvType.CONNECTIVITY:
            return {name: _connectivity_json(network)}
        case DiagnosticTlvType.ROUTE:
            return {name: _route_json(network)}
        case DiagnosticTlvType.LEADER_DATA:
            return {name: leader_data_json(network.leader_data)}
        case DiagnosticTlvType.NETWORK_DATA:
            return {name: ""}
        case DiagnosticTlvType.IPV6_ADDRESSES:
            return {name: _own_addresses(network)}
        case DiagnosticTlvType.MAC_COUNTERS:
            return {name: _mac_counters_json(network.mac_counters)}
        case DiagnosticTlvType.CHILD_TABLE:
            return {name: [_child_table_json(child) for child in network.children]}
        case DiagnosticTlvType.CHANNEL_PAGES:
            return {name: "00"}
        case DiagnosticTlvType.MAX_CHILD_TIMEOUT:
            return {name: max((child.timeout_s for child in network.children), default=0)}
        case DiagnosticTlvType.VERSION:
            return {name: _version_number(network)}
        case DiagnosticTlvType.VENDOR_NAME:
            return {name: config.vendor_name}
        case DiagnosticTlvType.VENDOR_MODEL:
            return {name: config.vendor_model}
        case DiagnosticTlvType.VENDOR_SW_VERSION:
            return {name: config.vendor_sw_version}
        case DiagnosticTlvType.THREAD_STACK_VERSION:
            return {name: config.stack_version}
        case DiagnosticTlvType.CHILD:
            return {name: [_child_entry_json(network, child) for child in network.children]}
        case DiagnosticTlvType.CHILD_IPV6_ADDRESSES:
            return {
                name: [
                    {
                        "rloc16": rloc16_text(network.child_rloc16(child)),
                        "ipv6Addresses": _child_addresses(network, child),
                    }
                    for child in network.children
                ]
            }
        case DiagnosticTlvType.ROUTER_NEIGHBOR:
            return {name: [_router_neighbor_json(each) for each in network.other_members if each.router_id is not None]}
        case DiagnosticTlvType.MLE_COUNTERS:
            return {name: _mle_counters_json(network.mle_counters)}
        case _:
            # A border router is fed from the mains, has no parent and no certificates of its own.
            return {}


def _mode_json(mode: DeviceMode) -> Json:
    return {
        "rxOnWhenIdle": mode.rx_on_when_idle,
        "fullThreadDevice": mode.full_thread_device,
        "fullNetworkData": mode.full_network_data,
    }


def _version_number(network: NetworkView) -> int:
    return _THREAD_VERSIONS.get(network.config.thread_version[:3], max(_THREAD_VERSIONS.values()))


def _own_addresses(network: NetworkView) -> list[Json]:
    iid = network.identity.mesh_local_iid
    link_local = (
        bytes.fromhex("fe80000000000000") + network.ext_address[:1].translate(_FLIPPED) + network.ext_address[1:]
    )
    addresses = (network.omr_prefix + iid, network.mesh_local_prefix + iid, network.rloc_address(), link_local)
    return [ipv6_text(address) for address in addresses]


_FLIPPED = bytes(octet ^ 0x02 for octet in range(256))
"""The universal/local bit of an interface identifier is the other way round than in the extended address."""


def _child_addresses(network: NetworkView, child: ThreadChild) -> list[Json]:
    return [ipv6_text(prefix + child.mesh_local_iid) for prefix in (network.mesh_local_prefix, network.omr_prefix)]


def _connectivity_json(network: NetworkView) -> Json:
    return {
        "parentPriority": 0,
        "linkQuality3": max(0, network.router_count - 1),
        "linkQuality2": 0,
        "linkQuality1": 0,
        "leaderCost": 0 if network.role is Role.LEADER else 1,
        "idSequence": network.leader_data.data_version,
        "activeRouters": network.router_count,
        "sedBufferSize": 1280,
        "sedDatagramCount": 1,
    }


def _route_json(network: NetworkView) -> Json:
    partition = network.partition
    routers = [] if partition is None else sorted(partition.routers)
    route: list[Json] = [
        {
            "routeId": router_id,
            "linkQualityOut": 0 if router_id == network.router_id else _LINK_QUALITY,
            "linkQualityIn": 0 if router_id == network.router_id else _LINK_QUALITY,
            "routeCost": 1,
        }
        for router_id in routers
    ]
    return {"idSequence": network.leader_data.data_version, "routeData": route if network.router_id is not None else []}


def _router_neighbor_json(router: NetworkView) -> Json:
    return {
        "supportsErrorRate": False,
        "rloc16": rloc16_text(router.rloc16),
        "extAddress": router.ext_address.hex(),
        "threadVersion": _version_number(router),
        "connectionTime": 0,
        "linkMargin": _LINK_MARGIN,
        "averageRssi": _RSSI,
        "lastRssi": _RSSI,
    }


def _child_table_json(child: ThreadChild) -> Json:
    mode = _mode_json(child.mode)
    return {"childId": child.child_id, "timeout": child.timeout_s, "linkQuality": _LINK_QUALITY, "mode": mode}


def _child_entry_json(network: NetworkView, child: ThreadChild) -> Json:
    return {
        "rxOnWhenIdle": child.mode.rx_on_when_idle,
        "fullThreadDevice": child.mode.full_thread_device,
        "fullNetworkData": child.mode.full_network_data,
        "cslSynchronized": False,
        "supportsErrorRate": False,
        "rloc16": rloc16_text(network.child_rloc16(child)),
        "childId": child.child_id,
        "extAddress": child.ext_address.hex(),
        "threadVersion": _version_number(network),
        "timeout": child.timeout_s,
        "age": 0,
        "linkAge": 0,
        "linkMargin": _LINK_MARGIN,
        "averageRssi": _RSSI,
        "lastRssi": _RSSI,
        "queuedMessageCount": 0,
    }


def _mac_counters_json(counters: MacCounters) -> Json:
    return {
        "ifInUnknownProtos": counters.if_in_unknown_protos,
        "ifInErrors": counters.if_in_errors,
        "ifOutErrors": counters.if_out_errors,
        "ifInUcastPkts": counters.if_in_ucast_pkts,
        "ifInBroadcastPkts": counters.if_in_broadcast_pkts,
        "ifInDiscards": counters.if_in_discards,
        "ifOutUcastPkts": counters.if_out_ucast_pkts,
        "ifOutBroadcastPkts": counters.if_out_broadcast_pkts,
        "ifOutDiscards": counters.if_out_discards,
    }


def _mle_counters_json(counters: MleCounters) -> Json:
    return {
        "radioDisabledCount": counters.disabled_role,
        "detachedRoleCount": counters.detached_role,
        "childRoleCount": counters.child_role,
        "routerRoleCount": counters.router_role,
        "leaderRoleCount": counters.leader_role,
        "attachAttemptsCount": counters.attach_attempts,
        "partIdChangesCount": counters.partition_id_changes,
        "betterPartIdAttachAttemptsCount": counters.better_partition_attach_attempts,
        "newParentCount": counters.parent_changes,
    }
