"""Attributes, frames, beacons, filters and key descriptors of `pairing.nan`."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

from pairing.errors import DecodeError
from pairing.ieee80211 import elements as ie
from pairing.nan.attributes import (
    Attribute,
    KeyDescriptor,
    NanAttributeId,
    ServiceDescriptor,
    SharedKeyDescriptor,
    decode_attributes,
    encode_attribute,
    encode_attributes,
    registered_ids,
    unwrap_service_info,
)
from pairing.nan.availability import TimeBitmap
from pairing.nan.beacons import Beacon
from pairing.nan.frames import NanFrame, decode_nan_element, decode_nan_frame, encode_nan_element
from pairing.nan.matching_filter import decode_filter, encode_filter, mismatch
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.setup_info import PairingSetupInfo
from pairing.pasn.messages import NAN_ELEMENT
from pairing.wire import Reader
from tests.fuzz import corpus
from tests.fuzz.target import Target, decoder
from tests.fuzz.targets.ieee80211 import element_lists

T = TypeVar("T")
MIC_LENGTHS = (0, 16, 24)
ZEROS = 24
OUR_ADDRESS = b"\x02\0\0\0\0\x01"


@cache
def frames() -> tuple[NanFrame, ...]:
    """The recorded SDFs and NAFs."""
    return tuple(each for data in corpus.octets("wifi-aware/*", "hex") for each in _read(data, decode_nan_frame))


@cache
def beacons() -> tuple[Beacon, ...]:
    """The constructed beacons."""
    return tuple(each for data in corpus.octets("wifi-aware/*", "hex") for each in _read(data, Beacon.decode))


def _read(data: bytes, decode: Callable[[bytes], T]) -> Iterator[T]:
    try:
        yield decode(data)
    except DecodeError:
        return


@cache
def attributes() -> tuple[Attribute, ...]:
    """Every different attribute of the recorded frames, beacons and PASN frames."""
    lists: list[Iterable[Attribute]] = [each.attributes for each in (*frames(), *beacons())]
    for data in element_lists():
        content = ie.vendor_content(ie.split_elements(data), NAN_ELEMENT)
        lists.append(decode_attributes(content or b""))
    found = {encode_attribute(each): each for attributes in lists for each in attributes}
    return tuple(found.values())


def bodies(attribute_id: int) -> Iterator[bytes]:
    """The recorded bodies of one attribute, and zeros for those of which there is no record."""
    yield bytes(ZEROS)
    yield from (encode_attribute(each)[3:] for each in attributes() if each.attribute_id == attribute_id)


def attribute_target(attribute_id: int) -> Target:
    """The target of one attribute: the input is its body."""
    header = bytes((attribute_id,))
    return decoder(
        f"nan-attribute-{NanAttributeId(attribute_id).name.lower().replace('_', '-')}",
        lambda data: decode_attributes(header + len(data).to_bytes(2, "little") + data),
        lambda: bodies(attribute_id),
        encode=lambda found: encode_attributes(found)[3:],
    )


def descriptors() -> Iterator[bytes]:
    """The recorded key descriptors."""
    yield from (each.descriptor for each in attributes() if isinstance(each, SharedKeyDescriptor))


def filters() -> Iterator[bytes]:
    """Matching filters, recorded and made."""
    yield from (each.matching_filter or b"" for each in attributes() if isinstance(each, ServiceDescriptor))
    yield encode_filter((b"camera", b"", b"\x01\x02"))


def read_filter(data: bytes) -> tuple[bytes, ...]:
    """A filter that was compared with itself and with another."""
    values = decode_filter(data)
    assert mismatch(data, data) is None or not data
    assert mismatch(encode_filter((b"camera",)), data) != ""
    return values


def read_response_filter(data: bytes) -> ServiceResponseFilter:
    """A filter that was asked."""
    found = ServiceResponseFilter.decode(data)
    assert found.admits(OUR_ADDRESS) in (True, False)
    return found


def read_beacon(data: bytes) -> Beacon:
    """A beacon that was asked what it is."""
    beacon = Beacon.decode(data)
    assert beacon.is_sync in (True, False)
    return beacon


def read_bitmap(data: bytes) -> TimeBitmap:
    """A bitmap that was asked for moments."""
    bitmap = TimeBitmap.read(Reader(data))
    assert [bitmap.covers(at) for at in (0, 524_288, 2**63)]
    return bitmap


TARGETS = (
    *map(attribute_target, registered_ids()),
    decoder(
        "nan-attributes",
        decode_attributes,
        lambda: [encode_attributes(each.attributes) for each in frames()],
        encode=encode_attributes,
    ),
    decoder(
        "nan-frame", decode_nan_frame, lambda: [each.encode() for each in frames()], encode=lambda frame: frame.encode()
    ),
    decoder("nan-beacon", read_beacon, lambda: [each.encode() for each in beacons()], encode=Beacon.encode),
    decoder(
        "nan-element",
        decode_nan_element,
        lambda: [encode_nan_element(each.attributes)[2:] for each in beacons()],
    ),
    *(
        decoder(
            f"nan-key-descriptor-mic-{length}",
            lambda data, length=length: KeyDescriptor.decode(data, length),  # type: ignore[misc]
            descriptors,
            encode=KeyDescriptor.encode,
        )
        for length in MIC_LENGTHS
    ),
    decoder("nan-matching-filter", read_filter, filters),
    decoder(
        "nan-service-response-filter",
        read_response_filter,
        lambda: [
            ServiceResponseFilter.of_addresses((OUR_ADDRESS,)).encode(),
            ServiceResponseFilter.of_bloom((OUR_ADDRESS,), 16, 1).encode(),
        ],
        encode=ServiceResponseFilter.encode,
    ),
    decoder(
        "nan-setup-info",
        PairingSetupInfo.decode,
        lambda: [PairingSetupInfo("Camera", "Example", "One", "en").encode()],
    ),
    decoder("nan-service-info", unwrap_service_info, lambda: [b"\x50\x6f\x9a\x02hello"]),
    decoder("nan-time-bitmap", read_bitmap, lambda: [b"\x18\x00\x04\xff\x00\x00\x01"]),
)
