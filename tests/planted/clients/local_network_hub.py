"""A hub that looks for a border router by multicast DNS and then watches its node over one connection that stays open.

Whether its user has allowed the local network shows in nothing but errors: EHOSTUNREACH where it is not, a reset when
it is taken away.
"""

import errno
import http.client
import socket
import time

from home import accessory, chosen_bug

SCENARIO = "seed/f4-local-network-denied.toml"
BUGS = {
    "gives-up-at-the-first-refusal": "expect RequestReceived (br)",
    "takes-a-refused-send-for-sent": "expect RequestReceived (br)",
    "stays-with-the-dead-connection": "expect RequestReceived (br)",
    "takes-the-refusal-for-a-router-that-is-gone": "expect RequestReceived (br)",
}
GROUP = ("224.0.0.251", 5353)
QUERY = bytes.fromhex("000000000001000000000000") + b"\x08_meshcop\x04_udp\x05local\0" + bytes.fromhex("000c0001")
PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.1
ANSWERS = 2


def look(bug: str | None) -> bool:
    """Until a border router has answered, or we are told to give up."""
    until = time.monotonic() + PATIENCE_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        has_asked = False
        while time.monotonic() < until:
            try:
                if not has_asked or bug != "takes-a-refused-send-for-sent":
                    has_asked = True
                    sock.sendto(QUERY, GROUP)
                sock.settimeout(1)
                sock.recv(9000)
            except TimeoutError:
                continue
            except OSError as problem:
                print(f"search: {problem}")
                if problem.errno != errno.EHOSTUNREACH or bug == "gives-up-at-the-first-refusal":
                    return False
                time.sleep(PAUSE_SECONDS)
            else:
                return True
    return False


def watch(bug: str | None) -> None:
    """Ask again and again, until we have been cut off and are back."""
    host, _, port = accessory("br")["endpoints"]["rest"].removeprefix("http://").partition(":")
    line = http.client.HTTPConnection(host, int(port), timeout=2)
    until = time.monotonic() + PATIENCE_SECONDS
    was_cut_off, answers = False, 0
    while time.monotonic() < until and answers < ANSWERS:
        try:
            line.request("GET", "/node")
            line.getresponse().read()
            answers += was_cut_off
        except (OSError, http.client.HTTPException) as problem:
            print(f"watch: {problem!r}")
            was_cut_off = True
            if bug == "takes-the-refusal-for-a-router-that-is-gone":
                return
            if bug != "stays-with-the-dead-connection":
                line.close()
        time.sleep(PAUSE_SECONDS)
    line.close()


def main() -> None:
    """Look, then watch."""
    bug = chosen_bug(BUGS)
    if look(bug):
        watch(bug)


if __name__ == "__main__":
    main()
