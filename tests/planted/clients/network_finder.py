"""An app that looks for the border router of its network by Bonjour, and stores the network's credential for it.

What a router announced is kept, as iOS keeps it; who only believes answers to its own questions, as Android does, finds
a router without a TXT record here.
"""

import socket
import threading
import time
from collections.abc import Mapping

from home import accessory, ask, chosen_bug, control
from zeroconf import (
    DNSIncoming,
    DNSOutgoing,
    DNSQuestion,
    DNSText,
    IPVersion,
    ServiceBrowser,
    ServiceInfo,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_PTR

SCENARIO = "clients/txt-only-in-announcements.toml"
BUGS = {
    "believes-only-answers": "expect CredentialStored (phone)",
    "takes-the-first-router": "expect CredentialStored (phone)",
    "takes-hex-for-raw-bytes": "expect CredentialStored (phone)",
}
TYPE = "_meshcop._udp.local."
GROUP = ("224.0.0.251", 5353)
PATIENCE_SECONDS = 3.5
Txt = Mapping[bytes, bytes | None]


def is_ours(txt: Txt, bug: str | None) -> bool:
    """Whether it is a router of the network that this app was set up with."""
    if bug == "takes-the-first-router":
        return bool(txt.get(b"xa"))
    ext_pan_id = str(accessory("attic")["facts"]["ext_pan_id"])
    return txt.get(b"xp") == (ext_pan_id.encode() if bug == "takes-hex-for-raw-bytes" else bytes.fromhex(ext_pan_id))


def listen(bug: str | None) -> bytes | None:
    """The extended address of a router of ours, by what is announced and answered."""
    found: list[bytes] = []
    done = threading.Event()

    def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        info = ServiceInfo(service_type, name)
        info.load_from_cache(zeroconf)
        if state_change is not ServiceStateChange.Removed and is_ours(info.properties, bug):
            found.append(info.properties[b"xa"] or b"")
            done.set()

    zeroconf = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    ServiceBrowser(zeroconf, TYPE, handlers=[changed])
    done.wait(PATIENCE_SECONDS)
    zeroconf.close()
    return found[0] if found else None


def enquire(bug: str | None) -> bytes | None:
    """The same, by questions of a socket of our own, to which only answers come."""
    question = DNSOutgoing(_FLAGS_QR_QUERY)
    question.add_question(DNSQuestion(TYPE, _TYPE_PTR, _CLASS_IN))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        asker.settimeout(0.5)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            asker.sendto(question.packets()[0], GROUP)
            try:
                records = DNSIncoming(asker.recv(9_000)).answers()
            except TimeoutError:
                continue
            texts = [each.text for each in records if isinstance(each, DNSText)]
            for text in texts:
                info = ServiceInfo(TYPE, f"x.{TYPE}", properties=text)
                if is_ours(info.properties, bug):
                    return info.properties[b"xa"]
            if records and not texts:
                return None
    return None


def main() -> None:
    """Find, and store."""
    bug = chosen_bug(BUGS)
    address = enquire(bug) if bug == "believes-only-answers" else listen(bug)
    if address is None:
        print("no border router of ours")
        return
    rest = control("GET", "accessories/attic")["endpoints"]["rest"].rstrip("/")
    dataset = ask("GET", f"{rest}/node/dataset/active", headers={"Accept": "text/plain"})[1]
    control("POST", "phones/phone/thread/storeCredentials", {"border_agent_id": address.hex(), "dataset": dataset})


if __name__ == "__main__":
    main()
