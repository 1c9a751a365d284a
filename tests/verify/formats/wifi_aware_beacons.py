"""NAN beacons built from named fields: each is encoded from them and decoded back, its rank read from either form."""

from typing import Any

from pairing.nan.attributes import Cluster, MasterIndication
from pairing.nan.beacons import Beacon, rank_octets
from tests.verify.mismatch import compare, compare_members


def recognises(document: object) -> bool:
    """Whether this is a list of beacons."""
    beacons = document.get("beacons") if isinstance(document, dict) else None
    return isinstance(beacons, list) and any(isinstance(each, dict) and "beacon_interval" in each for each in beacons)


def check(document: dict[str, Any]) -> None:
    """Encode and decode every beacon; raises Mismatch."""
    for index, vector in enumerate(document["beacons"]):
        member = f"beacons[{index}]"
        compare(f"{member}.anchor_master_rank_wire", vector["anchor_master_rank_wire"], _wire(vector))
        rank = int.from_bytes(bytes.fromhex(vector["anchor_master_rank_wire"]), "little")
        compare(f"{member}.anchor_master_rank", vector["anchor_master_rank"], rank)
        compare(f"{member}.hex", vector["hex"], _encoded(vector))
        decoded = _decoded(vector["name"], Beacon.decode(bytes.fromhex(vector["hex"])), vector["hex"])
        compare_members(member, vector, decoded)


def _wire(vector: dict[str, Any]) -> str:
    return rank_octets(vector["anchor_master_rank"]).hex()


def _encoded(vector: dict[str, Any]) -> str:
    indication = MasterIndication(vector["master_preference"], vector["random_factor"])
    beacon = Beacon(
        source=bytes.fromhex(vector["nmi"]),
        cluster_id=bytes.fromhex(vector["cluster_id"]),
        tsf=vector["tsf"],
        interval=vector["beacon_interval"],
        attributes=(indication, Cluster(vector["anchor_master_rank"], vector["hop_count"], vector["ambtt"])),
    )
    return beacon.encode().hex()


def _decoded(name: str, beacon: Beacon, octets: str) -> dict[str, Any]:
    indication, cluster = beacon.find(MasterIndication), beacon.find(Cluster)
    if indication is None or cluster is None:
        return {"name": name, "hex": octets}
    return {
        "name": name,
        "nmi": beacon.source.hex(),
        "cluster_id": beacon.cluster_id.hex(),
        "tsf": beacon.tsf,
        "beacon_interval": beacon.interval,
        "master_preference": indication.preference,
        "random_factor": indication.random_factor,
        "anchor_master_rank_wire": rank_octets(cluster.anchor_master_rank).hex(),
        "anchor_master_rank": cluster.anchor_master_rank,
        "hop_count": cluster.hop_count,
        "ambtt": cluster.ambtt,
        "hex": octets,
    }
