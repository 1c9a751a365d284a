"""Lives in a network namespace and serves pairlab outside: hands out sockets of it, and configures it.

Run as a script: `namespace_holder.py FD`, where FD is one end of a SEQPACKET pair; a request is one JSON object, and so
is its answer. It ends when the other end is closed, however pairlab ends, so that nothing is left of the namespace. It
uses nothing but the standard library, since it is started without site packages.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_LONGEST = 1 << 17
_SETTINGS = {
    # Loopback is left out of policies unless this says otherwise.
    "/proc/sys/net/ipv4/conf/lo/disable_xfrm": "0",
    # A program's own ports are none of those that systems give to the servers of a home outside (from 32768).
    "/proc/sys/net/ipv4/ip_local_port_range": "15000 31999",
}


def serve(control: socket.socket) -> None:
    """Answer until nobody asks any more."""
    while request := control.recv(_LONGEST):
        asked = json.loads(request)
        try:
            made = _made(asked)
        except (OSError, subprocess.CalledProcessError) as problem:
            said = getattr(problem, "stderr", None) or str(problem)
            control.send(json.dumps({"error": said.strip()}).encode())
            continue
        if made is None:
            control.send(b"{}")
        else:
            with made:
                socket.send_fds(control, [b"{}"], [made.fileno()])


def _made(asked: dict[str, str]) -> socket.socket | None:
    if "socket" in asked:
        return socket.socket(socket.AF_INET, _KINDS[asked["socket"]])
    if "start" in asked:
        for name, value in _SETTINGS.items():
            Path(name).write_text(value)
    subprocess.run(  # noqa: S603  # the words are pairlab's own
        [asked["ip"], "-batch", "-"], input=asked["lines"], check=True, text=True, capture_output=True
    )
    return None


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _control:
        serve(_control)
