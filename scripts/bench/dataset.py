"""Dataset codec side by side with python-otbr-api, in one run: `.venv/bin/python scripts/bench/dataset.py`.

Parse: 208 hex digits of the reported dataset to records with every field decoded. Theirs decodes five of the ten.
Encode: from the objects that a parse gives back to hex digits; and from bare field values, objects built on the way.
Rounds alternate so that a busy machine hits both alike; the ratio is the median of the rounds' ratios.
"""

import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from timeit import timeit

from python_otbr_api import tlv_parser as theirs
from python_otbr_api.tlv_parser import MeshcopTLVItem, MeshcopTLVType, encode_tlv, parse_tlv

from pairing.thread.dataset import Dataset
from pairing.thread.fields import Channel, ChannelMask, ChannelMaskEntry, SecurityPolicy, Timestamp
from pairing.thread.pskc import derive_pskc

HEX = (
    "0e080000000000010000000300001035060004001fffe002083c66f0dc9ef53f1c0708fdb360c72874da9905104094dce45388fd3d3426e992"
    "cbf0697b030d474c2d5332302d6e65773030310102250b04106c9f919a4da9b213764fc83f849381080c0402a0f7f8"
)
EXT_PAN_ID = bytes.fromhex("3c66f0dc9ef53f1c")
PREFIX = bytes.fromhex("fdb360c72874da99")
KEY = bytes.fromhex("4094dce45388fd3d3426e992cbf0697b")
PSKC = bytes.fromhex("6c9f919a4da9b213764fc83f84938108")
ROUNDS, CALLS = 31, 2000


def ours_from_fields() -> str:
    """Hex digits from field values, every record built anew."""
    return Dataset.of(
        active_timestamp=Timestamp(1, 0, False),
        channel=Channel(0, 16),
        channel_mask=ChannelMask((ChannelMaskEntry(0, b"\x00\x1f\xff\xe0"),)),
        ext_pan_id=EXT_PAN_ID,
        mesh_local_prefix=PREFIX,
        network_key=KEY,
        network_name="GL-S20-new001",
        pan_id=0x250B,
        pskc=PSKC,
        security_policy=SecurityPolicy(672, b"\xf7\xf8"),
    ).hex()


def theirs_from_fields() -> str:
    """The same with their items; five of the values have no typed constructor there and come as bytes."""
    kind = MeshcopTLVType
    items: list[MeshcopTLVItem] = [
        theirs.Timestamp.from_values(kind.ACTIVETIMESTAMP, 1, 0, False),
        theirs.Channel(kind.CHANNEL, b"\x00\x00\x10"),
        MeshcopTLVItem(kind.CHANNELMASK, b"\x00\x04\x00\x1f\xff\xe0"),
        MeshcopTLVItem(kind.EXTPANID, EXT_PAN_ID),
        MeshcopTLVItem(kind.MESHLOCALPREFIX, PREFIX),
        MeshcopTLVItem(kind.NETWORKKEY, KEY),
        theirs.NetworkName(kind.NETWORKNAME, b"GL-S20-new001"),
        MeshcopTLVItem(kind.PANID, b"\x25\x0b"),
        MeshcopTLVItem(kind.PSKC, PSKC),
        MeshcopTLVItem(kind.SECURITYPOLICY, b"\x02\xa0\xf7\xf8"),
    ]
    return encode_tlv({item.tag: item for item in items})


def compare(what: str, mine: Callable[[], object], other: Callable[[], object], goal: float) -> bool:
    """Print both times and the ratio; whether the goal is met."""
    rounds = [(timeit(mine, number=CALLS), timeit(other, number=CALLS)) for _ in range(ROUNDS)]
    my_time, other_time = (median(times) / CALLS * 1e6 for times in zip(*rounds, strict=True))
    ratio = median(one / two for one, two in rounds)
    met = ratio <= goal
    print(
        f"{what:<32} ours {my_time:6.2f} µs  python-otbr-api {other_time:6.2f} µs  ratio {ratio:.2f} (goal <= {goal})",
        end="",
    )
    print("" if met else "  MISSED")
    return met


def main() -> int:
    """0 when every goal is met."""
    dataset, items = Dataset.from_hex(HEX), parse_tlv(HEX)
    assert dataset.hex() == encode_tlv(items) == ours_from_fields() == theirs_from_fields() == HEX
    met = [
        compare("parse, every field", partial(Dataset.from_hex, HEX), partial(parse_tlv, HEX), 0.6),
        compare("encode a parsed dataset", dataset.hex, partial(encode_tlv, items), 1.1),
        compare("encode from field values", ours_from_fields, theirs_from_fields, 1.1),
    ]
    pskc_ms = min(
        timeit(lambda: derive_pskc("12SECRETPASSWORD34", "Test Network", EXT_PAN_ID), number=1) for _ in "12345"
    )
    print(f"{'PSKc, 16384 rounds':<32} ours {pskc_ms * 1e3:6.2f} ms (goal <= 300)")
    return 0 if all(met) and pskc_ms <= 0.3 else 1


if __name__ == "__main__":
    sys.exit(main())
