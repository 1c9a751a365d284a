"""Bonjour at scale: many services announced, browsed and resolved on loopback, by our responder and by python-zeroconf.

`python scripts/bench/bonjour.py [--services 1000]` hosts the same services twice, each time in a process of its own:
once by our Responder on the gateway, once by python-zeroconf's registry. An unmodified python-zeroconf with default
socket buffers browses and resolves them. Printed are both columns and their ratio, below 1 where ours is faster.
"""

import argparse
import asyncio
import json
import resource
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

sys.path.insert(0, str(Path(__file__).parents[2]))

from pairing.dnssd.service import ServiceInstance, ServicePublished
from tests.support.bonjour_host import BonjourHost

TYPE = "_pairlab-bench._udp"
ZC_TYPE = f"{TYPE}.local."
TXT = b"\x04rv=1\x13id=" + bytes(range(16)) + b"\x0bxa=" + bytes(range(8)) + b"\x0bxp=" + bytes(range(8))
KINDS = ("ours", "zeroconf")
TRY_MS = 3000


@dataclass
class Figures:
    """What one responder took; times in seconds."""

    published: float = 0.0
    host_cpu: float = 0.0
    browsed: float = 0.0
    browsed_share: float = 0.0
    resolved: float = 0.0
    resolved_share: float = 0.0
    left: float = 0.0
    left_share: float = 0.0
    host_megabytes: float = 0.0


ROWS = (
    ("published", "registered, probed for and announced, s"),
    ("browsed_share", "seen by a browser, share"),
    ("browsed", "the last of these seen, s"),
    ("resolved_share", "resolved within one try of 3 s, share"),
    ("resolved", "the last of these resolved, s"),
    ("left_share", "gone after the goodbye, share"),
    ("left", "the last of these gone, s"),
    ("host_cpu", "processor time of the host, s"),
    ("host_megabytes", "memory of the host at its peak, MB"),
)


async def host_ours(count: int) -> None:
    """Host the services with our responder until a line comes in."""
    async with BonjourHost() as host:
        start = time.monotonic()
        for number in range(count):
            service = ServiceInstance(f"Service {number}", TYPE, f"bench-{number}", 1000 + number, TXT)
            host.do(lambda responder, now, service=service: responder.register(service, now))
        for _ in range(count):
            await host.wait_for(ServicePublished, 60)
        await _hosted(start)


async def host_zeroconf(count: int) -> None:
    """Host the services with python-zeroconf's registry until a line comes in."""
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    start = time.monotonic()
    address = socket.inet_aton("127.0.0.1")
    infos = [
        AsyncServiceInfo(
            ZC_TYPE,
            f"Service {number}.{ZC_TYPE}",
            port=1000 + number,
            server=f"bench-{number}.local.",
            addresses=[address],
            properties=TXT,
        )
        for number in range(count)
    ]
    await asyncio.gather(*(zeroconf.async_register_service(info) for info in infos))
    await _hosted(start)
    await zeroconf.async_unregister_all_services()
    await zeroconf.async_close()


async def _hosted(start: float) -> None:
    print(json.dumps({"published": time.monotonic() - start}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    figures = {"host_cpu": usage.ru_utime + usage.ru_stime, "host_megabytes": usage.ru_maxrss * unit / 1e6}
    print(json.dumps(figures), flush=True)


class Browser:
    """python-zeroconf's browser, and how many services it sees."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.names: set[str] = set()
        self._news = asyncio.Event()
        self.browser = AsyncServiceBrowser(zeroconf.zeroconf, ZC_TYPE, handlers=[self._changed])

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Removed:
            self.names.discard(name)
        else:
            self.names.add(name)
        self._news.set()

    async def until(self, count: int, seconds: float = 10.0) -> float:
        """Wait until so many are in view, or nothing changes for a long time; how long the last change took."""
        start = last = time.monotonic()
        while len(self.names) != count:
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                break
            last = time.monotonic()
        return last - start


async def measure(kind: str, count: int) -> Figures:
    """Host the services in a child process, and use them."""
    figures = Figures()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--host",
        kind,
        "--services",
        str(count),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    figures.published = json.loads(await child.stdout.readline())["published"]
    await asyncio.sleep(5)  # let the last announcements pass, so that browsing is what is measured
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    browser = Browser(zeroconf)
    figures.browsed = await browser.until(count)
    figures.browsed_share = len(browser.names) / count
    infos = [AsyncServiceInfo(ZC_TYPE, name) for name in sorted(browser.names)]
    start = time.monotonic()
    done = await asyncio.gather(*(info.async_request(zeroconf.zeroconf, TRY_MS) for info in infos))
    figures.resolved = time.monotonic() - start
    figures.resolved_share = sum(info.text == TXT for info, ok in zip(infos, done, strict=True) if ok) / count
    child.stdin.write(b"\n")
    last = json.loads(await child.stdout.readline())
    figures.host_cpu, figures.host_megabytes = last["host_cpu"], last["host_megabytes"]
    seen = len(browser.names)
    figures.left = await browser.until(0)
    figures.left_share = 1 - len(browser.names) / seen
    await child.wait()
    await zeroconf.async_close()
    return figures


async def compare(count: int) -> None:
    """Both responders, one after the other, as a table."""
    columns = [await measure(kind, count) for kind in KINDS]
    print(f"{count} services on 127.0.0.1")
    print(f"{'':42}{'ours':>10}{'zeroconf':>10}{'ratio':>8}")
    for name, title in ROWS:
        ours, theirs = (getattr(column, name) for column in columns)
        print(f"{title:42}{ours:10.3f}{theirs:10.3f}{ours / theirs if theirs else float('nan'):8.2f}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--host", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.host:
        asyncio.run({"ours": host_ours, "zeroconf": host_zeroconf}[arguments.host](arguments.services))
    else:
        asyncio.run(compare(arguments.services))


if __name__ == "__main__":
    main()
