"""Datasets, TLVs, TXT keys and state bitmaps of `pairing.thread`, as a network or a phone brings them."""

from collections.abc import Iterable, Iterator

from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError
from pairing.thread import dataset_rules, home_assistant_view
from pairing.thread.credentials.home_assistant import parse_tlvs
from pairing.thread.dataset import Dataset, DatasetKind
from pairing.thread.fields import Channel, ChannelMask, SecurityPolicy, Timestamp
from pairing.thread.meshcop_txt import MeshCopTxt, quirks
from pairing.thread.state_bitmap import StateBitmap
from pairing.thread.tlv_values import field_of, tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs
from tests.fuzz import corpus
from tests.fuzz.target import decoder

DATASET_KINDS: tuple[DatasetKind, ...] = ("active", "pending")


def datasets() -> Iterable[bytes]:
    """Recorded datasets, right and wrong."""
    return corpus.octets("thread/datasets*", "hex")


def payloads() -> Iterable[bytes]:
    """Recorded CoAP payloads."""
    return corpus.octets("thread/*", "payload_hex")


def tlvs() -> Iterator[bytes]:
    """Each different TLV of the recorded datasets and payloads."""
    found: dict[bytes, None] = {}
    for data in (*datasets(), *payloads()):
        try:
            parts = split_tlvs(data, extended=True)
        except DecodeError:
            continue
        found |= dict.fromkeys(bytes((part.type,)) + part.value for part in parts)
    yield from found


def values(*types: MeshCopTlvType) -> Iterable[bytes]:
    """The recorded values of some types."""
    return [each[1:] for each in tlvs() if each[0] in types]


def txts() -> Iterable[bytes]:
    """Recorded TXT records."""
    return corpus.octets("bonjour/*", "txt")


def judged(data: bytes) -> Dataset:
    """A dataset that was looked at from every side; the judges take any bytes."""
    for kind in DATASET_KINDS:
        assert repr(dataset_rules.openthread_verdict(data, kind))
        assert repr(dataset_rules.strict_findings(data, kind))
    dataset = Dataset.decode(data)
    assert repr((dataset.for_display(), dataset.tlvs))
    return dataset


def discovered(data: bytes) -> object:
    """What Home Assistant makes of a TXT record."""
    return home_assistant_view.discover("Living Room", TxtRecord.decode(data))


def meshcop(data: bytes) -> MeshCopTxt:
    """The meaning of a TXT record, with what is odd about it; what it says survives another encoding."""
    record = MeshCopTxt.decode(data)
    assert quirks(record) is not None
    assert dict(MeshCopTxt.decode(record.encode()).items()) == dict(record.items())
    return record


_T = MeshCopTlvType
TARGETS = (
    decoder("thread-dataset", judged, datasets, encode=Dataset.encode),
    decoder(
        "thread-dataset-text",
        lambda data: Dataset.from_hex(data.decode("latin-1")),
        lambda: [each.hex().encode() for each in datasets()],
    ),
    decoder("thread-dataset-otbr-api", parse_tlvs, datasets),
    decoder("thread-tlvs", split_tlvs, datasets, encode=join_tlvs),
    decoder(
        "thread-tlvs-extended",
        lambda data: split_tlvs(data, extended=True),
        payloads,
        encode=lambda found: join_tlvs(found, extended=True),
        is_exact=False,
    ),
    decoder(
        "thread-tlv-value",
        lambda data: (data[:1], field_of(Tlv(data[0] if data else 0, data[1:]))),
        tlvs,
        encode=lambda read: read[0] + tlv_of(int.from_bytes(read[0]), read[1]).value,
        is_exact=False,
    ),
    decoder(
        "thread-timestamp",
        Timestamp.decode,
        lambda: values(_T.ACTIVE_TIMESTAMP, _T.PENDING_TIMESTAMP),
        encode=Timestamp.encode,
        is_exact=False,
    ),
    decoder("thread-channel", Channel.decode, lambda: values(_T.CHANNEL), encode=Channel.encode, is_exact=False),
    decoder("thread-channel-mask", ChannelMask.decode, lambda: values(_T.CHANNEL_MASK), encode=ChannelMask.encode),
    decoder("thread-security-policy", SecurityPolicy.decode, lambda: values(_T.SECURITY_POLICY)),
    decoder("thread-meshcop-txt", meshcop, txts),
    decoder("thread-home-assistant-view", discovered, txts),
    decoder(
        "thread-state-bitmap",
        StateBitmap.decode,
        lambda: corpus.octets("bonjour/state-bitmaps", "hex"),
        encode=StateBitmap.encode,
    ),
    decoder(
        "thread-state-bitmap-otbr-api",
        home_assistant_view.read_state_bitmap,
        lambda: corpus.octets("bonjour/state-bitmaps", "hex"),
    ),
)
