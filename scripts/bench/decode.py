"""What decoding Wi-Fi Aware frames costs: `.venv/bin/python scripts/bench/decode.py`.

Frames with 10 and 100 attributes, each beside a floor that only cuts the octets at the lengths, without looking into
one of them; and every recorded frame, by the engines' decoder, by `pairlab decode`, and by tshark where there is one
(its start is not counted; it dissects and prints a line). Rounds alternate, so that a busy machine hits all alike;
ratios are medians of the rounds' ratios. Exit 1 if an attribute of a hundred costs more than one of ten.
"""

import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from devices.decode.captures import IEEE802_11, Packet, decode_packet
from pairing.nan.attributes import (
    Attribute,
    CipherSuiteInfo,
    Cluster,
    DeviceCapability,
    IdentityResolution,
    MasterIndication,
    ServiceControlType,
    ServiceDescriptor,
)
from pairing.nan.frames import ServiceDiscoveryFrame, decode_nan_frame

GOAL = 1.2
ROUNDS, CALLS = 25, 100
FRAMES = Path(__file__).parents[2] / "tests" / "vectors" / "wifi-aware"
GROUP, SENDER, CLUSTER_ID = bytes.fromhex("516f9a010000"), b"\x02" + bytes(5), bytes.fromhex("506f9a010007")
HEADER = 24 + 6
KINDS: tuple[Attribute, ...] = (
    ServiceDescriptor(b"\xd3\x0b\x2e\xfa\xea\xde", 5, 0, ServiceControlType.PUBLISH),
    DeviceCapability(committed_dw=1),
    CipherSuiteInfo.of(5, 7, 8),
    MasterIndication(128, 7),
    Cluster(0x1122334455667788, 1, 5),
    IdentityResolution(bytes(8), bytes(8)),
)


def frame_of(attributes: int) -> bytes:
    """A frame with so many attributes of several kinds."""
    chosen = tuple(KINDS[number % len(KINDS)] for number in range(attributes))
    return ServiceDiscoveryFrame(destination=SENDER, source=SENDER, bssid=CLUSTER_ID, attributes=chosen).encode()


def floor(frame: bytes) -> list[tuple[int, bytes]]:
    """The least that anybody does: id, length, octets."""
    found, at = [], HEADER
    while at < len(frame):
        end = at + 3 + int.from_bytes(frame[at + 1 : at + 3], "little")
        found.append((frame[at], frame[at + 3 : end]))
        at = end
    return found


def recorded() -> list[bytes]:
    """Every recorded frame that is an SDF or NAF."""
    documents = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(FRAMES.glob("*.json")))
    frames = [bytes.fromhex(each["hex"]) for document in documents for each in document.get("frames", ())]
    return [frame for frame in frames if frame[0] == 0xD0]


def seconds(work: Callable[[], object], calls: int = CALLS) -> float:
    """Of one call."""
    begun = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - begun) / calls


def one_frame(attributes: int) -> float:
    """Print the cost of a frame; the seconds of one attribute."""
    frame = frame_of(attributes)
    rounds = [(seconds(lambda: decode_nan_frame(frame)), seconds(lambda: floor(frame))) for _ in range(ROUNDS)]
    mine = median(one for one, _ in rounds)
    ratio = median(one / other for one, other in rounds)
    print(
        f"{attributes:4} attributes: {mine * 1e6:7.1f} µs  {1 / mine:8,.0f} frames a second  "
        f"{attributes / mine:9,.0f} attributes a second  {ratio:5.1f} x cutting alone"
    )
    return mine / attributes


def dissected(frames: list[bytes], folder: Path) -> Callable[[int], float]:
    """How long tshark takes for all frames so many times over."""

    def run(times: int) -> float:
        path = folder / f"{times}.pcap"
        head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, IEEE802_11)
        packets = b"".join(struct.pack("<IIII", 1, 0, len(each), len(each)) + each for each in frames)
        path.write_bytes(head + packets * times)
        return seconds(lambda: subprocess.run(["tshark", "-r", str(path)], check=True, capture_output=True), 1)

    return run


def all_frames() -> None:
    """Print what each reader needs for a recorded frame."""
    frames = recorded()
    packets = [Packet(number, 0, IEEE802_11, each, len(each)) for number, each in enumerate(frames)]
    readers: dict[str, Callable[[], object]] = {
        "engines": lambda: [decode_nan_frame(each) for each in frames],
        "pairlab decode": lambda: [decode_packet(each) for each in packets],
    }
    rounds = [[seconds(work, 1) / len(frames) for work in readers.values()] for _ in range(ROUNDS)]
    costs = [(name, median(times)) for name, times in zip(readers, zip(*rounds, strict=True), strict=True)]
    if shutil.which("tshark"):
        with tempfile.TemporaryDirectory() as folder:
            run = dissected(frames, Path(folder))
            costs.append(("tshark", median((run(20) - run(1)) / 19 / len(frames) for _ in range(5))))
    for name, cost in costs:
        print(
            f"{len(frames)} recorded frames, {name:<15} {cost * 1e6:7.1f} µs a frame  {1 / cost:8,.0f} a second  "
            f"{cost / costs[0][1]:6.2f} x the engines"
        )


def main() -> int:
    """0 when the goal is met."""
    ten, hundred = one_frame(10), one_frame(100)
    is_met = hundred / ten <= GOAL
    print(f"an attribute of 100 beside one of 10: {hundred / ten:.2f} (goal <= {GOAL}){'' if is_met else '  MISSED'}")
    all_frames()
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
