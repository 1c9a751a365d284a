"""A client for tests that knows nothing of pairlab: four DTLS greetings to a border router, each from a new port.

    python hello_client.py HELLO_IN_HEX [--retries]

With `--retries` a greeting is said again until it is answered; without, a UDP send is taken for delivery: the planted
bug, which only loss reveals. Ends with 1 where a greeting stays unanswered.
"""

import json
import os
import socket
import sys
from pathlib import Path

ROUNDS, PATIENCE_S = 4, 0.5


def main() -> int:
    """Greet."""
    greeting, tries = bytes.fromhex(sys.argv[1]), 4 if "--retries" in sys.argv else 1
    (router,) = json.loads(Path(os.environ["PAIRLAB_HOME"]).read_text())["accessories"]
    host, _, port = router["endpoints"]["meshcop"].rpartition(":")
    for number in range(1, ROUNDS + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE_S)
            if not any(answered(sock, greeting, (host, int(port))) for _ in range(tries)):
                print(f"greeting {number} was not answered")
                return 1
    return 0


def answered(sock: socket.socket, greeting: bytes, to: tuple[str, int]) -> bool:
    """Greet once."""
    sock.sendto(greeting, to)
    try:
        return bool(sock.recv(2000))
    except TimeoutError:
        return False


if __name__ == "__main__":
    sys.exit(main())
