"""Picks a border router among the services that Bonjour shows, and takes its record."""

from collections.abc import Sequence
from dataclasses import replace

from devices.clone.portrait import Portrait
from devices.errors import EmulatorError, UsageError
from pairing.dnssd.service import ResolvedService
from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError


def portrait_of(name: str, services: Sequence[ResolvedService]) -> Portrait:
    """The border router of that instance name, network name or extended address.

    Raises EmulatorError where none is seen, UsageError where several are meant.
    """
    found = [service for service in services if service.instance == name] or [
        service for service in services if name.lower() in _names(service)
    ]
    if not found:
        seen = ", ".join(repr(service.instance) for service in services) or "no border router at all"
        raise EmulatorError(f"no border router {name!r} in view; seen: {seen}")
    if len(found) > 1:
        names = ", ".join(repr(service.instance) for service in found)
        raise UsageError(f"{name!r} means {len(found)} border routers, {names}; give the instance name or `xa` of one")
    record = txt_of(found[0])
    if record is None:
        raise EmulatorError(f"{found[0].instance!r} was seen, but its TXT record did not come or cannot be read")
    return Portrait(name=found[0].instance, txt=record)


def completed(portrait: Portrait, services: Sequence[ResolvedService]) -> Portrait:
    """The portrait with the record of the service that has its extended address, if one is there."""
    for service in services:
        record = txt_of(service)
        if record is not None and portrait.ext_address and record.get("xa") == portrait.ext_address:
            return replace(portrait, name=service.instance, txt=record)
    return portrait


def txt_of(service: ResolvedService) -> TxtRecord | None:
    """The TXT record, None if none came or it does not parse."""
    try:
        return TxtRecord.decode(service.txt) if service.txt is not None else None
    except DecodeError:
        return None


def _names(service: ResolvedService) -> set[str]:
    record = txt_of(service)
    names = {service.instance.lower()}
    if record is not None:
        names.add((record.get("nn") or b"").decode("utf-8", "replace").lower())
        names.add((record.get("xa") or b"").hex())
    return names
