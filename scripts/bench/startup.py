"""From starting a process to the first Bonjour answer: `pairlab up` beside a bare python-zeroconf script, in turn.

Both publish one `_meshcop._udp` service on loopback; a prober outside asks for it every 20 ms. Prints medians, their
difference and their ratio.
"""

import argparse
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from zeroconf import DNSIncoming, DNSOutgoing, DNSQuestion
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_PTR

GROUP = ("224.0.0.251", 5353)
TYPE = "_meshcop._udp.local."
BARE = """
import socket, sys, time
from zeroconf import ServiceInfo, Zeroconf
zc = Zeroconf(interfaces=["127.0.0.1"])
zc.register_service(ServiceInfo("_meshcop._udp.local.", "Bench." "_meshcop._udp.local.", port=49152,
    addresses=[socket.inet_aton("127.0.0.1")], server="bench.local.", properties={"rv": "1", "nn": "Bench"}))
time.sleep(60)
"""
HOME = """
name = "Bench"
[[accessory]]
kind = "thread-border-router"
name = "Bench"
"""


def prober() -> socket.socket:
    """A socket on 5353 that hears loopback's multicast."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("", GROUP[1]))
    loopback = socket.inet_aton("127.0.0.1")
    sock.setsockopt(
        socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", socket.inet_aton(GROUP[0]), loopback)
    )
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
    sock.settimeout(0.02)
    return sock


def first_answer(command: list[str]) -> float:
    """Seconds from starting the command to the first answer that names its service."""
    question = DNSOutgoing(_FLAGS_QR_QUERY)
    question.add_question(DNSQuestion(TYPE, _TYPE_PTR, _CLASS_IN))
    packet = question.packets()[0]
    with prober() as sock:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "PAIRLAB_REACH": "loopback"})
        try:
            while (waited := time.perf_counter() - start) < 30:
                sock.sendto(packet, GROUP)
                try:
                    data = sock.recv(9000)
                except TimeoutError:
                    continue
                message = DNSIncoming(data)
                if message.is_response() and any(
                    record.name.startswith("Bench.") or getattr(record, "alias", "").startswith("Bench.")
                    for record in message.answers()
                ):
                    return time.perf_counter() - start
            raise SystemExit(f"no answer within {waited:.0f} s from {' '.join(command)}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            time.sleep(0.3)  # its goodbye must not meet the next run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home.toml"
        home.write_text(HOME)
        ours = [sys.executable, "-m", "devices.cli.main", "up", str(home), "--api-port", "0", "--json"]
        bare = [sys.executable, "-c", BARE]
        times: dict[str, list[float]] = {"pairlab up": [], "bare python-zeroconf": []}
        for _ in range(runs):
            times["pairlab up"].append(first_answer(ours))
            times["bare python-zeroconf"].append(first_answer(bare))
    for name, seconds in times.items():
        print(f"{name:22} median {statistics.median(seconds):.3f} s  (min {min(seconds):.3f}, max {max(seconds):.3f})")
    first, second = (statistics.median(seconds) for seconds in times.values())
    print(f"difference {first - second:+.3f} s, ratio {first / second:.2f}")


if __name__ == "__main__":
    main()
