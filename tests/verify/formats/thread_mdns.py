"""Multicast DNS records of a border router: TXT bytes to entries and back, the state bitmap, names and numbers."""

from typing import Any

from pairing.dnssd.messages import RESPONSE, Message, Record, RecordType, decode
from pairing.dnssd.names import host_name, instance_name, labels, type_name
from pairing.dnssd.records import SrvFields, pointed, pointer_record
from pairing.dnssd.txt import TxtRecord
from pairing.thread.state_bitmap import StateBitmap
from tests.verify.mismatch import Mismatch, compare, compare_members


def recognises(document: object) -> bool:
    """Whether this is a list of multicast DNS records."""
    records = document.get("records") if isinstance(document, dict) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, dict) and {"type", "name", "ttl"} <= record.keys() for record in records)
    )


def check(document: dict[str, Any]) -> None:
    """Build each record, send and read it, and compare what it says; raises Mismatch."""
    instances = {record["target"] for record in document["records"] if record["type"] == "PTR"}
    services = {record["name"] for record in document["records"] if record["type"] == "PTR"}
    for index, given in enumerate(document["records"]):
        member = f"records[{index}]"
        record = _sent_and_read(_build(given, member))
        got = _said(record, given, member)
        compare_members(member, given, got)
        _check_place(given, member, instances, services)
    _check_hosts(document["records"])


def _check_hosts(records: list[dict[str, Any]]) -> None:
    """All services of one name are on one host."""
    hosts: dict[str, str] = {}
    for index, given in enumerate(records):
        if given["type"] == "SRV":
            instance = given["name"].rsplit(".", 3)[0]
            compare(f"records[{index}].target", hosts.setdefault(instance, given["target"]), given["target"])


def _check_place(given: dict[str, Any], member: str, instances: set[str], services: set[str]) -> None:
    """An instance whose type is announced is one that its PTR names."""
    service = given["name"].rpartition("._udp.")[0].rpartition(".")[2] + "._udp.local"
    if given["type"] != "PTR" and service in services and given["name"] not in instances:
        raise Mismatch(f"{member}.name", f"one of {sorted(instances)}", given["name"])
    if given["type"] == "PTR" and not given["target"].endswith(f".{given['name']}"):
        raise Mismatch(f"{member}.target", f"an instance of {given['name']}", given["target"])


def _build(given: dict[str, Any], member: str) -> Record:
    match given["type"]:
        case "PTR":
            return pointer_record(_type_name(given["name"]), _instance_name(given["target"]), given["ttl"])
        case "SRV":
            numbers = b"".join(number.to_bytes(2, "big") for number in given["priority_weight_port"])
            rdata = numbers + host_name(given["target"].removesuffix(".local"))
            return Record(_instance_name(given["name"]), RecordType.SRV, given["ttl"], rdata, cache_flush=True)
        case "TXT":
            rdata = bytes.fromhex(given["rdata_hex"])
            return Record(_instance_name(given["name"]), RecordType.TXT, given["ttl"], rdata, cache_flush=True)
    raise Mismatch(f"{member}.type", "PTR, SRV or TXT", given["type"])


def _sent_and_read(record: Record) -> Record:
    """The record after a journey in a message."""
    return decode(Message(flags=RESPONSE, answers=(record,)).encode()).answers[0]


def _said(record: Record, given: dict[str, Any], member: str) -> dict[str, object]:
    """The record in the file's words."""
    said: dict[str, object] = {"type": RecordType(record.type).name, "name": _text(record.name), "ttl": record.ttl}
    if record.type == RecordType.PTR:
        return said | {"target": _text(pointed(record) or b"\0")}
    if record.type == RecordType.SRV:
        fields = SrvFields.of(record)
        if fields is None:
            raise Mismatch(member, "an SRV record", given)
        numbers = [fields.priority, fields.weight, fields.port]
        return said | {"priority_weight_port": numbers, "target": _text(fields.target)}
    txt = TxtRecord.decode(record.rdata)
    entries = [[key.decode("latin-1"), "" if value is None else value.hex()] for key, value in txt.entries]
    rebuilt = tuple((key.encode("latin-1"), bytes.fromhex(value)) for key, value in given["entries_key_valuehex"])
    compare(f"{member}.rdata_hex", given["rdata_hex"], (TxtRecord(rebuilt).encode() or b"\0").hex())
    said |= {"rdata_hex": record.rdata.hex(), "entries_key_valuehex": entries}
    bitmap = txt.get("sb")
    return said if bitmap is None else said | {"state_bitmap": _bitmap(StateBitmap.decode(bitmap))}


def _bitmap(bitmap: StateBitmap) -> dict[str, object]:
    return {
        "hex": bitmap.encode().hex(),
        "connection_mode": int(bitmap.connection_mode),
        "thread_interface": int(bitmap.interface_status),
        "availability": int(bitmap.availability),
        "bbr_active": int(bitmap.bbr_active),
        "bbr_primary": int(bitmap.bbr_primary),
        "thread_role": int(bitmap.role),
        "epskc_supported": int(bitmap.ephemeral_key_supported),
    }


def _type_name(text: str) -> bytes:
    return type_name(text.removesuffix(".local"))


def _instance_name(text: str) -> bytes:
    """The file writes the instance label as it is: dots in it are not escaped."""
    instance, service, transport = text.removesuffix(".local").rsplit(".", 2)
    return instance_name(instance, f"{service}.{transport}")


def _text(name: bytes) -> str:
    return ".".join(label.decode() for label in labels(name))
