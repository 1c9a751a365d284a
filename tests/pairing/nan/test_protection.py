"""Frame protection: what is sealed and opened, what is dropped, and which keys are in use when."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import Transmit
from pairing.errors import DecodeError, RemoteProtocolError
from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import Category, ManagementFrame, Subtype
from pairing.ieee80211.protection import decrypt
from pairing.keys import NanPairingKeys
from pairing.nan.frames import NanActionFrame, ServiceDiscoveryFrame
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.protection import FrameProtection
from tests.support.nan_air import CAMERA, CAMERA_NDI, CLUSTER, PHONE, PHONE_NDI
from tests.support.nan_capture import captures

KEYS = NanPairingKeys(
    suite=7,
    is_authenticated=True,
    nm_kck=b"c" * 32,
    nm_tk=b"t" * 16,
    nm_kdk=b"d" * 32,
    nm_kek=b"e" * 16,
    nd_pmk=b"p" * 32,
    npk=b"n" * 32,
)
STRONG = replace(KEYS, suite=8, nm_tk=b"T" * 32, nm_kek=b"E" * 32)


def sdf(to: bytes = CAMERA, source: bytes = PHONE, category: int = Category.PUBLIC) -> Transmit:
    frame = ServiceDiscoveryFrame(destination=to, source=source, bssid=CLUSTER, attributes=(), category=category)
    return Transmit(frame.encode(), to)


def header(output: Transmit) -> ManagementFrame:
    return ManagementFrame.decode(output.payload)


def pair(keys: NanPairingKeys = KEYS, *, is_encrypting: bool = True) -> tuple[FrameProtection, FrameProtection]:
    phone, camera = (FrameProtection(is_encrypting=is_encrypting) for _ in range(2))
    phone.install(PHONE, CAMERA, keys)
    camera.install(CAMERA, PHONE, keys)
    return phone, camera


@pytest.mark.parametrize("keys", [KEYS, STRONG])
def test_frame_for_a_paired_peer_is_encrypted_under_the_protected_category(keys: NanPairingKeys) -> None:
    phone, camera = pair(keys)
    sealed = phone.seal(sdf())
    assert header(sealed).is_protected
    plain = camera.open(header(sealed))
    assert plain.body == bytes((Category.PROTECTED_DUAL_OF_PUBLIC,)) + header(sdf()).body[1:]


def test_packet_numbers_rise_and_a_replayed_frame_is_dropped() -> None:
    phone, camera = pair()
    first, second = phone.seal(sdf()), phone.seal(sdf())
    camera.open(header(second))
    for old in (first, second):
        with pytest.raises(RemoteProtocolError, match="packet number"):
            camera.open(header(old))


def test_new_keys_begin_with_packet_number_one_again() -> None:
    phone, camera = pair()
    phone.seal(sdf())
    phone.install(PHONE, CAMERA, STRONG)
    camera.install(CAMERA, PHONE, STRONG)
    _, number = decrypt(CipherSuite.GCMP_256, STRONG.nm_tk, header(phone.seal(sdf())))
    assert number == 1


@pytest.mark.parametrize("category", [Category.PUBLIC, Category.PROTECTED_DUAL_OF_PUBLIC])
def test_unprotected_unicast_from_a_paired_peer_is_dropped(category: int) -> None:
    _, camera = pair()
    with pytest.raises(RemoteProtocolError, match="not protected"):
        camera.open(header(sdf(category=category)))


def test_multicast_stays_public() -> None:
    phone, camera = pair()
    multicast = sdf(NAN_NETWORK_ID)
    assert phone.seal(multicast) is multicast
    assert camera.open(header(multicast)) == header(multicast)


def test_strangers_are_neither_sealed_nor_dropped() -> None:
    phone, camera = FrameProtection(), FrameProtection()
    assert phone.seal(sdf()) == sdf()
    assert camera.open(header(sdf())) == header(sdf())
    with pytest.raises(RemoteProtocolError, match="protected dual category"):
        camera.open(header(sdf(category=Category.PROTECTED_DUAL_OF_PUBLIC)))


def test_authentication_frames_pass_so_that_a_peer_that_forgot_us_can_pair_again() -> None:
    phone, camera = pair()
    frame = ManagementFrame(Subtype.AUTHENTICATION, CAMERA, PHONE, CLUSTER, b"\x07\0\x01\0\0\0")
    output = Transmit(frame.encode(), CAMERA)
    assert phone.seal(output) is output
    assert camera.open(frame) == frame


def test_encrypted_frame_without_a_key_is_dropped() -> None:
    phone, _ = pair()
    with pytest.raises(RemoteProtocolError, match="no key"):
        FrameProtection().open(header(phone.seal(sdf())))


def test_frame_that_was_altered_does_not_open_and_costs_nothing() -> None:
    phone, camera = pair()
    sealed = header(phone.seal(sdf()))
    altered = replace(sealed, body=sealed.body[:-1] + bytes((sealed.body[-1] ^ 1,)))
    with pytest.raises(RemoteProtocolError):
        camera.open(altered)
    camera.open(sealed)


def test_marking_alone_leaves_frames_readable_and_still_wants_the_mark() -> None:
    phone, camera = pair(is_encrypting=False)
    marked = phone.seal(sdf())
    assert not header(marked).is_protected
    assert camera.open(header(marked)).body[0] == Category.PROTECTED_DUAL_OF_PUBLIC
    with pytest.raises(RemoteProtocolError):
        camera.open(header(sdf()))


def test_devices_with_a_secure_data_path_alone_protect_between_their_interfaces() -> None:
    phone, camera = FrameProtection(), FrameProtection()
    phone.install_data_path(PHONE_NDI, CAMERA_NDI, 1, b"k" * 16)
    camera.install_data_path(CAMERA_NDI, PHONE_NDI, 1, b"k" * 16)
    end = NanActionFrame(destination=CAMERA_NDI, source=PHONE_NDI, bssid=CLUSTER, attributes=(), subtype=9)
    sealed = phone.seal(Transmit(end.encode(), CAMERA_NDI))
    assert header(sealed).is_protected
    assert camera.open(header(sealed)).body[0] == Category.PROTECTED_DUAL_OF_PUBLIC
    assert phone.seal(sdf()) == sdf()
    assert phone.keys(PHONE_NDI, CAMERA_NDI) is None


def test_failed_pairing_leaves_the_keys_before_it_in_use() -> None:
    phone, camera = pair()
    before = phone.in_use(PHONE, CAMERA)
    phone.install(PHONE, CAMERA, STRONG)
    phone.put_back(PHONE, CAMERA, before)
    assert phone.keys(PHONE, CAMERA) == KEYS
    camera.open(header(phone.seal(sdf())))
    phone.put_back(PHONE, CAMERA, None)
    assert phone.pairs == ()


@pytest.mark.parametrize("name", [name for name in captures() if name.startswith("password_protected")])
def test_recorded_frames_open_to_the_recorded_plain_ones(name: str) -> None:
    document = captures()[name].document
    tk = bytes.fromhex(document["initiator"]["keys"]["nm_tk"])
    keys = replace(KEYS, nm_tk=tk)
    nmis = {role: bytes.fromhex(document[role]["keys"]["own_nmi"]) for role in ("initiator", "responder")}
    sides = {role: FrameProtection() for role in nmis}
    sides["initiator"].install(nmis["initiator"], nmis["responder"], keys)
    sides["responder"].install(nmis["responder"], nmis["initiator"], keys)
    protected = [each for each in document["frames"] if "protected_hex" in each]
    assert protected
    for each in protected:
        plain, sealed = bytes.fromhex(each["hex"]), bytes.fromhex(each["protected_hex"])
        receiver = "responder" if each["from"] == "initiator" else "initiator"
        assert sides[each["from"]].seal(Transmit(plain, plain[4:10])).payload == sealed
        assert sides[receiver].open(ManagementFrame.decode(sealed)).encode() == plain


@given(st.binary(max_size=80))
def test_any_octets_open_or_end_in_one_named_error(body: bytes) -> None:
    _, camera = pair()
    for flags in (0, 0x40):
        frame = ManagementFrame(Subtype.ACTION, CAMERA, PHONE, CLUSTER, body, flags)
        try:
            camera.open(frame)
        except (DecodeError, RemoteProtocolError):
            continue
    assert camera.pairs == ((CAMERA, PHONE),)
