"""Pairing that fails is over for a host of Bumble's, which would go on with the session when the peer tries again.

What the peer had sent before it knew comes without a session; Bumble would begin one at it and refuse it, which would
end the next attempt. It is dropped. Source: Core Specification 5.4, Vol 3, Part H, 3.5.5.
"""

from bumble.device import Connection, Device

_BEGINS = (b"\x01", b"\x0b")
"""Pairing Request and Security Request."""


def end_failed_sessions(device: Device) -> None:
    """From now on, on every connection of the device."""
    manager = device.smp_manager
    take = manager.on_smp_pdu

    def on_smp_pdu(connection: Connection, pdu: bytes) -> None:
        if connection.handle in manager.sessions or pdu[:1] in _BEGINS:
            take(connection, pdu)

    def watch(connection: Connection) -> None:
        failure = connection.EVENT_PAIRING_FAILURE
        connection.on(failure, lambda _code: manager.sessions.pop(connection.handle, None))

    manager.on_smp_pdu = on_smp_pdu  # type: ignore[method-assign]  # Bumble has no seam here
    device.on(device.EVENT_CONNECTION, watch)
