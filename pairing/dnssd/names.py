"""Domain names of DNS-SD as their uncompressed wire bytes, how they are built from labels, and how they are renamed.

A `Name` is length-prefixed labels closed by a zero byte. Length bytes stay below 64, so `name.lower()` touches letters
only and is the case-insensitive key that RFC 6762 section 16 asks for (ASCII letters, nothing else). A dot inside an
instance label is an ordinary byte. Messages and their name compression are left to `messages`.
Source: RFC 1035 section 3.1, RFC 6763 sections 4 and 7, RFC 6335 section 5.1 (service names).
"""

import re
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from pairing.errors import EncodeError

Name: TypeAlias = bytes
IpAddress: TypeAlias = IPv4Address | IPv6Address

MAX_LABEL = 63
MAX_NAME = 255
LOCAL: Name = b"\x05local\x00"
SERVICES: Name = b"\x09_services\x07_dns-sd\x04_udp" + LOCAL
"""The name whose PTR records enumerate the service types on the link (RFC 6763 section 9)."""

_SERVICE_NAME = re.compile(r"(?=[^a-z]*[a-z])[a-z0-9]+(-[a-z0-9]+)*", re.IGNORECASE)
_TRANSPORTS = (b"_udp", b"_tcp")


def encode_label(text: str, what: str = "label") -> bytes:
    """One label with its length byte; `EncodeError` unless it is 1 to 63 bytes of UTF-8."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise EncodeError(f"{what} {text!r} has no UTF-8 form") from None
    if not 1 <= len(data) <= MAX_LABEL:
        raise EncodeError(f"{what} {text!r} is {len(data)} bytes, expected 1 to {MAX_LABEL}")
    return bytes((len(data),)) + data


@lru_cache(maxsize=1024)
def type_name(service_type: str) -> Name:
    """The name of a service type such as `_meshcop._udp`."""
    service, _, transport = service_type.partition(".")
    if transport.lower() not in ("_udp", "_tcp"):
        raise EncodeError(f"service type {service_type!r}: expected the form _name._udp or _name._tcp")
    if not service.startswith("_") or len(service) > 16 or not _SERVICE_NAME.fullmatch(service[1:]):
        raise EncodeError(
            f"service type {service_type!r}: the service name is an underscore and 1 to 15 letters, digits and single"
            " hyphens, with at least one letter"
        )
    return encode_label(service) + encode_label(transport) + LOCAL


def subtype_name(subtype: str, service_type: str) -> Name:
    """The name under which instances of one subtype are enumerated (RFC 6763 section 7.1)."""
    return encode_label(subtype, "subtype") + b"\x04_sub" + type_name(service_type)


def instance_name(instance: str, service_type: str) -> Name:
    """The name of a service instance; the instance label may hold any text, dots included."""
    return encode_label(instance, "instance name") + type_name(service_type)


def host_name(host: str) -> Name:
    """The name of a host in `.local`; `host` is the one label before it."""
    if "." in host:
        raise EncodeError(f"host name {host!r}: expected one label, without dots and without .local")
    return encode_label(host, "host name") + LOCAL


def reverse_name(address: IpAddress) -> Name:
    """The name of the reverse lookup of an address, in in-addr.arpa or ip6.arpa."""
    return b"".join(encode_label(part) for part in address.reverse_pointer.split(".")) + b"\x00"


def labels(name: Name) -> tuple[bytes, ...]:
    """The labels of a name, without the root."""
    return tuple(suffix[1 : suffix[0] + 1] for suffix in suffixes(name))


@lru_cache(maxsize=16384)
def suffixes(name: Name) -> tuple[Name, ...]:
    """The name and each name above it, longest first, without the root: what compression can point at."""
    found = []
    while name[0]:
        found.append(name)
        name = name[name[0] + 1 :]
    return tuple(found)


def split_instance(name: Name) -> tuple[str, str] | None:
    """Instance label and service type of an instance name, or None for a name of another form."""
    parts = labels(name)
    if len(parts) != 4 or parts[2].lower() not in _TRANSPORTS or parts[3].lower() != b"local":
        return None
    return parts[0].decode(errors="replace"), f"{parts[1].decode(errors='replace')}.{parts[2].decode()}"


def split_host(name: Name) -> str:
    """A host name as text: the label alone in `.local`, else the whole name."""
    parts = labels(name)
    if len(parts) == 2 and parts[1].lower() == b"local":
        return parts[0].decode(errors="replace")
    return text(name)


def text(name: Name) -> str:
    """A name for people, with dots and backslashes inside labels escaped."""
    shown = (part.decode(errors="replace").replace("\\", "\\\\").replace(".", "\\.") for part in labels(name))
    return "".join(f"{label}." for label in shown) or "."


class RenameStyle(Enum):
    """How a platform names the loser of a name conflict."""

    APPLE = "apple"  # name (2), name (3); mDNSResponder
    AVAHI = "avahi"  # name #2, name #3
    OPENTHREAD = "openthread"  # name (41234): the border router draws a number


_NUMBERED = {RenameStyle.APPLE: (" (", ")"), RenameStyle.AVAHI: (" #", ""), RenameStyle.OPENTHREAD: (" (", ")")}


def renamed_instance(current: str, registered: str, style: RenameStyle, draw: Callable[[], int]) -> str:
    """The next name to try after a conflict about `current`; `draw` gives a number from 1 to 65535."""
    before, after = _NUMBERED[style]
    if style is RenameStyle.OPENTHREAD:
        return _fit(registered, f"{before}{draw()}{after}")
    return _numbered(current, before, after)


def renamed_host(current: str) -> str:
    """The next host name to try: name-2, name-3, as every platform does."""
    return _numbered(current, "-", "")


def _numbered(current: str, before: str, after: str) -> str:
    found = re.fullmatch(rf"(.+){re.escape(before)}([1-9][0-9]{{0,8}}){re.escape(after)}", current, re.DOTALL)
    base, number = (found[1], int(found[2]) + 1) if found else (current, 2)
    return _fit(base, f"{before}{number}{after}")


def _fit(base: str, suffix: str) -> str:
    """Base and suffix in one label, the base cut at a character boundary where it is too long."""
    room = MAX_LABEL - len(suffix.encode())
    return base.encode()[:room].decode(errors="ignore") + suffix
