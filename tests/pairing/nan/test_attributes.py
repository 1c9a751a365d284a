"""NAN attributes: nothing is lost, whatever comes; the layouts are those of recorded frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.nan.attributes import (
    Attribute,
    Availability,
    BandList,
    BootstrappingMethods,
    ChannelList,
    Cluster,
    ClusterDiscovery,
    CountryCode,
    DeviceCapability,
    DeviceCapabilityExtension,
    ElementContainer,
    IdentityResolution,
    KeyDescriptor,
    KeyInfo,
    MasterIndication,
    NanAttributeId,
    Ndc,
    Ndl,
    NdlQos,
    Ndp,
    NdpeTlv,
    NdpExtension,
    PairingBootstrapping,
    PairingBootstrappingExtension,
    PairingCapabilities,
    PublicAvailability,
    RangeLimit,
    ScheduleEntry,
    SecurityContextInfo,
    ServiceControlType,
    ServiceDescriptor,
    ServiceDescriptorExtension,
    ServiceIdList,
    SharedKeyDescriptor,
    UnalignedSchedule,
    UnknownAttribute,
    VendorSpecific,
    attribute_name,
    decode_attributes,
    encode_attribute,
    encode_attributes,
    registered_ids,
    unwrap_service_info,
    wrap_service_info,
)
from pairing.nan.availability import ChannelEntry, TimeBitmap
from tests.support.nan_capture import captures

RECORDED = sorted(
    {
        encode_attribute(each)
        for capture in captures().values()
        for frame in capture.frames
        if not frame.kind.startswith("auth")
        for each in frame.nan.attributes
    }
)
BODIES = st.one_of(st.binary(max_size=60), st.sampled_from([octets[3:] for octets in RECORDED]))
IDS = st.one_of(st.sampled_from(registered_ids()), st.integers(0, 255))


def framed(attribute_id: int, body: bytes) -> bytes:
    return bytes((attribute_id,)) + len(body).to_bytes(2, "little") + body


def survives(data: bytes) -> None:
    """Whatever decodes gives the same octets again; whatever does not raises DecodeError."""
    try:
        decoded = decode_attributes(data)
    except DecodeError:
        return
    assert encode_attributes(decoded) == data


@given(st.lists(st.tuples(IDS, BODIES), max_size=5))
def test_any_body_under_any_id_is_kept_or_refused(attributes: list[tuple[int, bytes]]) -> None:
    survives(b"".join(framed(*each) for each in attributes))


@given(st.binary(max_size=120))
def test_arbitrary_octets_are_kept_or_refused(data: bytes) -> None:
    survives(data)


@given(st.sampled_from(RECORDED), st.data())
def test_recorded_attributes_survive_any_bent_octet(octets: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(3, max(3, len(octets) - 1)))
    bent = bytearray(octets)
    if place < len(bent):
        bent[place] = data.draw(st.integers(0, 255))
    survives(bytes(bent))


@given(st.sampled_from(RECORDED), st.binary(min_size=1, max_size=9))
def test_fields_beyond_those_we_know_are_kept(octets: bytes, more: bytes) -> None:
    survives(framed(octets[0], octets[3:] + more))


@given(st.sampled_from(RECORDED), st.data())
def test_a_cut_attribute_list_is_refused_with_an_offset_inside_it(octets: bytes, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, len(octets) - 1))
    with pytest.raises(DecodeError) as caught:
        decode_attributes(octets[:length])
    assert 0 <= caught.value.offset <= length


def test_every_recorded_attribute_has_a_record_without_surplus() -> None:
    for octets in RECORDED:
        (decoded,) = decode_attributes(octets)
        assert not isinstance(decoded, UnknownAttribute)
        assert getattr(decoded, "surplus", b"") == b""


def test_unknown_and_repeated_attributes_keep_their_places() -> None:
    data = framed(0x63, b"abc") + framed(0x0B, b"DE") + framed(0x63, b"")
    decoded = decode_attributes(data)
    assert decoded == (UnknownAttribute(0x63, b"abc"), CountryCode(b"DE"), UnknownAttribute(0x63, b""))


def test_an_error_names_the_attribute_and_where_it_broke() -> None:
    with pytest.raises(DecodeError, match="cluster: hop count needs 1 bytes, 0 left") as caught:
        decode_attributes(framed(0x00, b"\x01\x02") + framed(0x01, bytes(8)))
    assert caught.value.offset == 5 + 3 + 8


def test_names_are_words() -> None:
    assert attribute_name(NanAttributeId.NDP_EXTENSION) == "ndp extension"
    assert attribute_name(0x63) == "attribute 0x63"


EXAMPLES: list[tuple[Attribute, str]] = [
    (MasterIndication(128, 90), "000200805a"),
    (Cluster(9248776284643463170, 1, 58720256), "010d0002103b5d07415a800100008003"),
    (ServiceIdList((bytes.fromhex("d30b2efaeade"),)), "020600d30b2efaeade"),
    (ClusterDiscovery(bytes.fromhex("506f9a010203"), 1, 2), "0d1600506f9a01020301000000000000000200000000000000"),
    (
        DeviceCapabilityExtension(0, PairingCapabilities.PAIRING_SETUP | PairingCapabilities.NPK_NIK_CACHING),
        "2a02000003",
    ),
    (NdlQos(), "15030000ffff"),
    (PairingBootstrapping(0, 0, 0, BootstrappingMethods(0xC1FF)), "2c0500000000ffc1"),
    (
        PairingBootstrapping(1, 2, 2, BootstrappingMethods.NONE, 0, 200, bytes.fromhex("a77eb431")),
        "2c0c00012200c80004a77eb4310000",
    ),
    (
        PairingBootstrapping(1, 1, 2, BootstrappingMethods.PIN_KEYPAD, cookie=bytes.fromhex("cccccccc")),
        "2c0a0001210004cccccccc2000",
    ),
    (PairingBootstrapping(1, 2, 1, BootstrappingMethods.NONE, 13), "2c050001120d0000"),
    (PairingBootstrappingExtension(setup_info=b"\x03a=b"), "2f0700020400" + "03613d62"),
    (PairingBootstrappingExtension(extended_methods=5), "2f0300010500"),
    (IdentityResolution(bytes(8), b"\x11" * 8), "2b1100000000000000000000" + "11" * 8),
    (
        ServiceDescriptor(
            bytes.fromhex("d30b2efaeade"),
            1,
            0,
            ServiceControlType.SUBSCRIBE,
            binding_bitmap=0x0102,
            matching_filter=b"\x00",
            service_response_filter=b"\x02",
            service_info=b"x",
            is_range_limited=True,
        ),
        "031100d30b2efaeade01007d0201010001020178",
    ),
    (ServiceDescriptorExtension(9, range_limit=RangeLimit(1, 2), update_indicator=7), "0e080009000301000200" + "07"),
    (ElementContainer(0, b"\xdd\x01\x00"), "1d040000dd0100"),
    (VendorSpecific(b"\x00\x11\x22", b"y"), "dd040000112279"),
    (
        UnalignedSchedule(0x0102, 3, 4, 5, 6, 7, 0x04, 2),
        "171200020103000000040000000500000006070402",
    ),
    (
        UnalignedSchedule(0, 0, 0, 0, 0, 0, 0x02, ChannelEntry(81, 0x20, 0, 9)),
        "171700" + "00" * 16 + "02512000000900",
    ),
    (PublicAvailability((ScheduleEntry(1, TimeBitmap(b"\xfe")),)), "2705000118000" + "1fe"),
    (
        Ndp(
            dialog_token=1,
            type=1,
            status=0,
            initiator_ndi=bytes(6),
            ndp_id=1,
            responder_ndi=b"\x02" * 6,
            service_info=b"hi",
        ),
        "101300010100000000000000" + "0130020202020202" + "6869",
    ),
    (
        NdpExtension(
            dialog_token=1, type=0, status=0, initiator_ndi=bytes(6), ndp_id=1, publish_id=5, tlvs=(NdpeTlv(1, b"z"),)
        ),
        "291000010000000000000000" + "01080501" + "01007a",
    ),
    (Ndl(1, 0, 0, max_idle=25, immutable_schedule=()), "1406000100001219" + "00"),
    (SharedKeyDescriptor(5, b"\x02\x00"), "240300050200"),
]


@pytest.mark.parametrize(("record", "octets"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_record_and_octets_follow_from_each_other(record: Attribute, octets: str) -> None:
    assert encode_attribute(record).hex() == octets
    assert decode_attributes(bytes.fromhex(octets)) == (record,)


def test_availability_of_the_recorded_device_reads_as_meant() -> None:
    body = bytes.fromhex("0131000e00e112180004fefffeff117d0100000700fa0211512000000700f202117c010000")
    (availability,) = decode_attributes(framed(0x12, body))
    assert isinstance(availability, Availability)
    committed, potential, _ = availability.entries
    assert (availability.sequence_id, availability.map_id) == (1, 1)
    assert (committed.type, committed.utilisation, committed.rx_nss) == (1, 7, 2)
    assert committed.time_bitmap == TimeBitmap(bytes.fromhex("fefffeff"))
    assert isinstance(committed.places, ChannelList)
    assert [channel.channels for channel in committed.places.channels] == [(149,)]
    assert potential.time_bitmap is None
    assert (potential.type, potential.preference) == (2, 3)
    assert isinstance(potential.places, ChannelList)
    assert [channel.channels for channel in potential.places.channels] == [(6,)]


def test_bands_instead_of_channels_are_read() -> None:
    (availability,) = decode_attributes(framed(0x12, bytes.fromhex("01000005000200200204" + "")))
    assert isinstance(availability, Availability)
    assert availability.entries[0].places == BandList((2, 4))


def test_a_time_bitmap_period_beyond_512_tu_is_accepted() -> None:
    bitmap = TimeBitmap(b"\xff", period=7)
    (ndc,) = decode_attributes(encode_attribute(Ndc(bytes(6), 1, (ScheduleEntry(1, bitmap),))))
    assert isinstance(ndc, Ndc)
    assert ndc.entries[0].time_bitmap.period_tu == 8192


def test_pmkids_are_those_of_one_publish_id() -> None:
    (contexts,) = decode_attributes(
        framed(
            0x23, b"".join(bytes.fromhex("10000105") + bytes((n,)) * 16 for n in (1, 2)) + bytes.fromhex("01000107ff")
        )
    )
    assert isinstance(contexts, SecurityContextInfo)
    assert contexts.pmkids(5) == (b"\x01" * 16, b"\x02" * 16)
    assert contexts.pmkids(6) == ()


@pytest.mark.parametrize("mic_length", [0, 16, 24])
def test_a_key_descriptor_reads_back_given_the_length_of_its_mic(mic_length: int) -> None:
    descriptor = KeyDescriptor(
        key_info=KeyInfo.PAIRWISE | KeyInfo.ACK | KeyInfo.ENCRYPTED_KEY_DATA,
        key_length=16,
        replay_counter=7,
        mic=b"m" * mic_length,
        key_data=b"k" * 48,
    )
    encoded = descriptor.encode()
    assert len(encoded) == 77 + mic_length + 2 + 48
    assert SharedKeyDescriptor(5, encoded).key_descriptor(mic_length) == descriptor
    assert b"k".hex() * 4 not in repr(descriptor)


def test_key_descriptors_of_recorded_frames_give_the_same_octets() -> None:
    for capture in captures().values():
        for frame in capture.frames:
            is_suite_256 = "256" in capture.name
            for found in () if frame.kind.startswith("auth") else frame.nan.find_all(SharedKeyDescriptor):
                mic_length = 0 if frame.kind == "nik_followup" else 24 if is_suite_256 else 16
                assert found.key_descriptor(mic_length).encode() == found.descriptor


def test_device_capability_reads_committed_windows_of_both_bands() -> None:
    capability = DeviceCapability(committed_dw=0x0449)
    assert (capability.committed_dw_2_4_ghz, capability.committed_dw_5_ghz) == (1, 1)


def test_service_info_is_wrapped_with_oui_and_protocol() -> None:
    assert wrap_service_info(b"hi").hex() == "506f9a026869"
    assert unwrap_service_info(bytes.fromhex("506f9a016869")) == (1, b"hi")
    assert unwrap_service_info(b"\x00\x11\x22\x02hi") is None


@pytest.mark.parametrize(
    "record",
    [
        PairingBootstrapping(1, 2, 2, BootstrappingMethods.NONE),
        PairingBootstrapping(1, 1, 0, BootstrappingMethods.NONE, cookie=b""),
        PairingBootstrapping(1, 1, 2, BootstrappingMethods.NONE, comeback_after=1, cookie=b""),
        PairingBootstrapping(1, 16, 0, BootstrappingMethods.NONE),
        MasterIndication(256, 0),
        CountryCode(b"DEU"),
        DeviceCapability(tx_antennas=16),
        IdentityResolution(b"short", bytes(8)),
        ServiceIdList((b"short",)),
        UnknownAttribute(0x63, bytes(0x10000)),
    ],
    ids=repr,
)
def test_values_without_a_form_on_the_wire_are_refused(record: Attribute) -> None:
    with pytest.raises(EncodeError):
        encode_attribute(record)
