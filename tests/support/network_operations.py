"""What a program does on a network, operation by operation, and the errors it is told; standard library only."""

OPERATIONS = """
import json, socket, sys
tcp, udp, control = map(int, sys.argv[1:4])
group, here = ("224.0.0.251", 5353), "127.0.0.1"

def datagram(*options, bound=None, family=socket.AF_INET):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    for each in options:
        sock.setsockopt(*each)
    if bound is not None:
        sock.bind((bound, 0))
    return sock

by_interface = (socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(here))
broadcast = (socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
operations = {
    "connect": lambda: socket.create_connection((here, tcp), 5),
    "connect mapped": lambda: socket.create_connection(("::ffff:127.0.0.1", tcp), 5),
    "connect elsewhere": lambda: socket.create_connection(("192.168.1.5", 80), 5),
    "connect elsewhere v6": lambda: socket.create_connection(("2001:db8::1", 80), 5),
    "send": lambda: datagram().sendto(b"x", (here, udp)),
    "connect a datagram socket": lambda: datagram().connect((here, udp)),
    "multicast": lambda: datagram().sendto(b"x", group),
    "multicast by interface": lambda: datagram(by_interface).sendto(b"x", group),
    "multicast from an address": lambda: datagram(bound=here).sendto(b"x", group),
    "multicast mapped": lambda: datagram(family=socket.AF_INET6).sendto(b"x", ("::ffff:224.0.0.251", 5353)),
    "multicast v6": lambda: datagram(family=socket.AF_INET6).sendto(b"x", ("ff02::fb", 5353, 0, 1)),
    "broadcast": lambda: datagram(broadcast, bound=here).sendto(b"x", ("255.255.255.255", 9)),
    "control": lambda: socket.create_connection((here, control), 5),
    "nobody": lambda: socket.create_connection((here, 9), 5),
}
errors = {}
for name, operation in operations.items():
    if name in sys.argv[4:]:
        continue
    try:
        operation()
        errors[name] = 0
    except OSError as problem:
        errors[name] = problem.errno
json.dump(errors, sys.stdout)
"""
"""As `python -c` with the ports of an accessory (TCP, UDP) and of the control API; then the operations to leave out."""
HOME = ("connect", "connect mapped", "send", "connect a datagram socket")
GROUPS = ("multicast", "multicast by interface", "multicast from an address", "multicast mapped")
ALL = (*HOME, *GROUPS, "broadcast")
"""Those that need the privilege, towards the home and its groups."""
