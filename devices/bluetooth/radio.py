"""A Bluetooth LE controller on our medium: Bumble's, with the gaps closed that real hosts fall into.

Added to Bumble's emulated controller: scan responses, passive and active scanning, legacy and extended reports by what
the host asked for, duplicate filtering, the filter accept list, cancelling a connection attempt, connecting at once to
a peer that advertises, supervision timeouts, chance from the home's seed, and timers that rest while nobody listens.
Source: Bluetooth Core Specification 5.4, Vol 4, Part E, 7.7.65 and 7.8; Vol 6, Part B, 4.4.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from bumble import hci, link, ll
from bumble.controller import AdvertisingSet, Connection, Controller, LegacyAdvertiser
from bumble.core import PhysicalTransport

from devices.bluetooth.advertiser import RadioAdvertisingSet, RadioLegacyAdvertiser, octets
from devices.bluetooth.reports import extended_report, legacy_report
from devices.media.ble import Advert, BleConnection, BleMedium, BlePort
from devices.sim.chance import Stream
from devices.sim.clock import Clock

OnHci = Callable[[bytes, bool], None]
"""Called with each HCI packet (H4) and whether it goes from the host to the controller."""

_SLOT_US = 1_250
_TIMEOUT_US = 10_000
_ACL_OCTETS = 251


class Radio(Controller):
    """One controller of one actor. `entropy` feeds every draw of the controller itself."""

    le_acl_data_packet_length = _ACL_OCTETS
    acl_data_packet_length = _ACL_OCTETS
    supported_max_tx_octets = _ACL_OCTETS
    supported_max_rx_octets = _ACL_OCTETS
    suggested_max_tx_octets = _ACL_OCTETS

    def __init__(
        self, medium: BleMedium, actor: str, public_address: str, entropy: Stream, on_hci: OnHci | None = None
    ) -> None:
        super().__init__(actor, link=None, public_address=hci.Address(public_address, hci.AddressType.PUBLIC_DEVICE))
        self.link = _Link()  # type: ignore[no-untyped-call]  # Bumble's own has no annotations
        self.medium = medium
        self.entropy = entropy
        self.port: BlePort = medium.join(actor, self._on_advert, self._on_payload, self._on_lost, owner=self)
        self.le_legacy_advertiser = RadioLegacyAdvertiser(self)
        self._on_hci = on_hci
        self._links: dict[int, BleConnection] = {}
        self._extended_reports = False
        self._seen: set[tuple[bytes, bytes, bytes]] = set()
        self._accept_list: set[tuple[bool, bytes]] = set()
        self._end_waiting: Callable[[], None] | None = None
        self._reports: dict[tuple[int, int, bool], tuple[Advert, tuple[bytes, ...]]] = {}

    @property
    def clock(self) -> Clock:
        """The home's clock."""
        return self.medium.clock

    def close(self) -> None:
        """Power is off: adverts stop, and peers find their connections lost after the supervision timeout."""
        self._stop_advertising()
        self._stop_waiting()
        self.port.close()
        self.host = None

    def hang_up(self) -> None:
        """The host has gone: end every connection with a goodbye, then leave the medium."""
        for connection in tuple(self.le_connections.values()):
            connection.send_ll_control_pdu(
                ll.TerminateInd(hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR)
            )
            self._drop(connection)
        self.clock.call_later(self.medium.latency_us, self.close)

    # HCI, both ways

    def on_packet(self, packet: bytes) -> None:
        """An HCI packet of the host."""
        if self._on_hci is not None:
            self._on_hci(packet, True)
        super().on_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """An HCI packet for the host."""
        self._to_host(bytes(packet))

    def _to_host(self, packet: bytes) -> None:
        if self._on_hci is not None:
            self._on_hci(packet, False)
        asyncio.get_running_loop().call_soon(self._take, packet)

    def _take(self, packet: bytes) -> None:
        # A host without power takes nothing: what its commands waited for is given up.
        if self.host is not None:
            self.host.on_packet(packet)

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> Any:
        """Vol 4, Part E, 7.3.2: as after power-on, without a word to peers."""
        self._stop_advertising()
        self.advertising_sets.clear()
        self.le_scan_enable = False
        self._stop_waiting()
        self._scanning_changed()
        self._accept_list.clear()
        return super().on_hci_reset_command(command)

    def on_hci_le_rand_command(self, _command: hci.HCI_LE_Rand_Command) -> Any:
        """7.8.23, from the home's chance."""
        return hci.HCI_LE_Rand_ReturnParameters(
            status=hci.HCI_ErrorCode.SUCCESS, random_number=self.entropy.randbytes(8)
        )

    # Advertising

    def on_hci_le_set_advertising_set_random_address_command(
        self, command: hci.HCI_LE_Set_Advertising_Set_Random_Address_Command
    ) -> Any:
        """7.8.52"""
        self._set_of(command.advertising_handle)
        return super().on_hci_le_set_advertising_set_random_address_command(command)

    def on_hci_le_set_extended_advertising_parameters_command(
        self, command: hci.HCI_LE_Set_Extended_Advertising_Parameters_Command
    ) -> Any:
        """7.8.53"""
        self._set_of(command.advertising_handle)
        return super().on_hci_le_set_extended_advertising_parameters_command(command)

    def on_hci_le_remove_advertising_set_command(self, command: hci.HCI_LE_Remove_Advertising_Set_Command) -> Any:
        """7.8.59"""
        removed = self.advertising_sets.get(command.advertising_handle)
        if removed is not None:
            removed.stop()
        return super().on_hci_le_remove_advertising_set_command(command)

    def _stop_advertising(self) -> None:
        self.le_legacy_advertiser.stop()
        for each in self.advertising_sets.values():
            each.stop()

    def _set_of(self, handle: int) -> AdvertisingSet:
        return self.advertising_sets.setdefault(handle, RadioAdvertisingSet(self, handle))

    def advertiser_at(self, address: bytes) -> RadioLegacyAdvertiser | RadioAdvertisingSet | None:
        """What of this radio takes connections at the address."""
        for each in (self.le_legacy_advertiser, *self.advertising_sets.values()):
            if isinstance(each, RadioLegacyAdvertiser | RadioAdvertisingSet) and each.offers(address):
                return each
        return None

    # Scanning

    def on_hci_le_set_scan_enable_command(self, command: hci.HCI_LE_Set_Scan_Enable_Command) -> Any:
        """7.8.11"""
        self._extended_reports = False
        result = super().on_hci_le_set_scan_enable_command(command)
        self._scanning_changed()
        return result

    def on_hci_le_set_extended_scan_parameters_command(
        self, command: hci.HCI_LE_Set_Extended_Scan_Parameters_Command
    ) -> Any:
        """7.8.64"""
        if command.scan_types:
            self.le_scan_type = command.scan_types[0]
        return super().on_hci_le_set_extended_scan_parameters_command(command)

    def on_hci_le_set_extended_scan_enable_command(self, command: hci.HCI_LE_Set_Extended_Scan_Enable_Command) -> Any:
        """7.8.65"""
        self._extended_reports = True
        result = super().on_hci_le_set_extended_scan_enable_command(command)
        self._scanning_changed()
        return result

    def _scanning_changed(self) -> None:
        self._seen.clear()
        self._reports.clear()
        self.port.listen(self.le_scan_enable or self.pending_le_connection is not None)

    def _on_advert(self, advert: Advert, rssi_dbm: int) -> None:
        if self.le_scan_enable and self._passes(advert):
            for packet in self._reports_of(advert, rssi_dbm):
                self._to_host(packet)
        if self.pending_le_connection is not None:
            self._look_for_peer()

    def _passes(self, advert: Advert) -> bool:
        if not advert.legacy and not self._extended_reports:
            return False
        if self.le_scanning_filter_policy & 1 and (advert.is_random, advert.address) not in self._accept_list:
            return False
        if self.filter_duplicates:
            key = (advert.address, advert.data, advert.scan_response)
            if key in self._seen:
                return False
            self._seen.add(key)
        return True

    def _reports_of(self, advert: Advert, rssi_dbm: int) -> tuple[bytes, ...]:
        # The same record comes again at every interval, so its bytes are made once. Kept with it: ids are reused.
        key = (id(advert), rssi_dbm, self._extended_reports)
        known = self._reports.get(key)
        if known is not None and known[0] is advert:
            return known[1]
        is_active = self.le_scan_type == 1 and advert.scannable
        make = extended_report if self._extended_reports else legacy_report
        packets = [make(advert, rssi_dbm, False)]
        if is_active and (advert.legacy or advert.scan_response):
            packets.append(make(advert, rssi_dbm, True))
        if len(self._reports) > 2_000:
            self._reports.clear()
        self._reports[key] = (advert, tuple(packets))
        return tuple(packets)

    # Connecting

    def on_hci_le_clear_filter_accept_list_command(self, command: hci.HCI_LE_Clear_Filter_Accept_List_Command) -> Any:
        """7.8.15"""
        self._accept_list.clear()
        return super().on_hci_le_clear_filter_accept_list_command(command)

    def on_hci_le_add_device_to_filter_accept_list_command(
        self, command: hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command
    ) -> Any:
        """7.8.16"""
        self._accept_list.add((bool(command.address_type & 1), octets(command.address)))
        return super().on_hci_le_add_device_to_filter_accept_list_command(command)

    def on_hci_le_remove_device_from_filter_accept_list_command(
        self, command: hci.HCI_LE_Remove_Device_From_Filter_Accept_List_Command
    ) -> Any:
        """7.8.17"""
        self._accept_list.discard((bool(command.address_type & 1), octets(command.address)))
        return super().on_hci_le_remove_device_from_filter_accept_list_command(command)

    def on_hci_le_create_connection_command(self, command: hci.HCI_LE_Create_Connection_Command) -> None:
        """7.8.12"""
        was_pending = self.pending_le_connection is not None
        super().on_hci_le_create_connection_command(command)
        if not was_pending:
            self._wait_for_peer()

    def on_hci_le_extended_create_connection_command(
        self, command: hci.HCI_LE_Extended_Create_Connection_Command
    ) -> None:
        """7.8.66"""
        was_pending = self.pending_le_connection is not None
        super().on_hci_le_extended_create_connection_command(command)
        if not was_pending:
            self._wait_for_peer()

    def on_hci_le_create_connection_cancel_command(self, command: hci.HCI_LE_Create_Connection_Cancel_Command) -> Any:
        """7.8.13: the attempt ends with a Connection Complete event of its own."""
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self._stop_waiting()
        self.clock.call_later(0, lambda: self._tell_failed(pending))
        return super().on_hci_le_create_connection_cancel_command(command)

    def _tell_failed(self, pending: Any) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )

    def _wait_for_peer(self) -> None:
        if self.pending_le_connection is None:
            return
        self._end_waiting = self.medium.on_new_advertiser(self._maybe_connect)
        self.port.listen(True)
        self.clock.call_later(self.medium.latency_us, self._maybe_connect)

    def _stop_waiting(self) -> None:
        self.pending_le_connection = None
        if self._end_waiting is not None:
            self._end_waiting()
            self._end_waiting = None
        self.port.listen(self.le_scan_enable)

    def _maybe_connect(self) -> None:
        # Where adverts may get lost, a central must hear one first.
        if self.pending_le_connection is not None and not self.medium.rules:
            self._look_for_peer()

    def _look_for_peer(self) -> None:
        pending = self.pending_le_connection
        if pending is None or not self.port.up:
            return
        policy = getattr(pending, "initiator_filter_policy", 0)
        wanted = self._accept_list if policy == 1 else {(None, octets(pending.peer_address))}
        for port in self.medium.ports:
            radio = port.owner if isinstance(port, BlePort) else None
            if not isinstance(radio, Radio) or radio is self or not port.up:
                continue
            if not self.medium.reaches(self.port, radio.port):
                continue
            for _, address in sorted(wanted, key=lambda each: each[1]):
                advertiser = radio.advertiser_at(address)
                if advertiser is not None:
                    self._connect(radio, advertiser, pending)
                    return

    def _connect(self, peer: "Radio", advertiser: LegacyAdvertiser | AdvertisingSet, pending: Any) -> None:
        peer_address = advertiser.address
        if peer_address is None:
            return
        own = self.public_address if not pending.own_address_type & 1 else self.random_address
        if peer_address in self.le_connections or own in peer.le_connections:
            return
        self._stop_waiting()
        interval, latency, timeout = _timing(pending)
        connection = self.medium.connect(
            self.port,
            peer.port,
            (octets(own), octets(peer_address)),
            (interval * _SLOT_US, timeout * _TIMEOUT_US),
        )
        # The peripheral's host learns first, so that it is ready when the central's first packet comes.
        handle = peer._opened(connection, hci.Role.PERIPHERAL, peer_address, own, (interval, latency, timeout))
        if isinstance(advertiser, AdvertisingSet):
            peer.send_hci_packet(
                hci.HCI_LE_Advertising_Set_Terminated_Event(
                    status=hci.HCI_ErrorCode.SUCCESS,
                    advertising_handle=advertiser.handle,
                    connection_handle=handle,
                    num_completed_extended_advertising_events=0,
                )
            )
        advertiser.stop()
        self._opened(connection, hci.Role.CENTRAL, own, peer_address, (interval, latency, timeout))

    def _opened(
        self,
        link_connection: BleConnection,
        role: hci.Role,
        own: hci.Address,
        peer: hci.Address,
        timing: tuple[int, int, int],
    ) -> int:
        handle = self.allocate_connection_handle()
        self.le_connections[peer] = _RadioConnection(
            controller=self,
            handle=handle,
            role=role,
            self_address=own,
            peer_address=peer,
            link=self.link,
            transport=PhysicalTransport.LE,
            link_type=hci.HCI_Connection_Complete_Event.LinkType.ACL,
        )
        self._links[handle] = link_connection
        interval, latency, timeout = timing
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=handle,
                role=role,
                peer_address_type=peer.address_type,
                peer_address=peer,
                connection_interval=interval,
                peripheral_latency=latency,
                supervision_timeout=timeout,
                central_clock_accuracy=0,
            )
        )
        return handle

    # Connected

    def put(self, connection: Connection, payload: Any) -> None:
        """Octets of L2CAP or a control PDU for the other end."""
        link_connection = self._links.get(connection.handle)
        if link_connection is not None:
            link_connection.send(self.port, payload)

    def _on_payload(self, link_connection: BleConnection, payload: Any) -> None:
        connection = self._connection_of(link_connection)
        if connection is None:
            return
        if isinstance(payload, bytes):
            self.send_hci_packet(hci.HCI_AclDataPacket(connection.handle, 2, 0, len(payload), payload))
        else:
            self.on_ll_control_pdu(connection.peer_address, payload)

    def _on_lost(self, link_connection: BleConnection) -> None:
        connection = self._connection_of(link_connection)
        if connection is not None:
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def _connection_of(self, link_connection: BleConnection) -> Connection | None:
        for handle, each in self._links.items():
            if each is link_connection:
                return self.find_le_connection_by_handle(handle)
        return None

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """The connection has ended; its host learns it, and a goodbye still under way reaches the other end."""
        if self.le_connections.get(connection.peer_address) is connection:
            super().on_le_disconnected(connection, reason)
        self._leave(connection)

    def _leave(self, connection: Connection) -> None:
        link_connection = self._links.pop(connection.handle, None)
        if link_connection is not None:
            link_connection.leave(self.port)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        """7.1.6; the host of a connection that is gone already learns that."""
        if self.find_le_connection_by_handle(command.connection_handle) is None:
            self._send_hci_command_status(hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR, command.op_code)
            return
        super().on_hci_disconnect_command(command)

    def _drop(self, connection: Connection) -> None:
        self.le_connections.pop(connection.peer_address, None)
        self._leave(connection)

    def on_hci_read_rssi_command(self, command: hci.HCI_Read_RSSI_Command) -> Any:
        """7.5.4"""
        rssi = self.rssi_to(command.handle)
        status = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR if rssi is None else hci.HCI_ErrorCode.SUCCESS
        return hci.HCI_Read_RSSI_ReturnParameters(status=status, handle=command.handle, rssi=rssi or 0)

    def rssi_to(self, handle: int) -> int | None:
        """How strongly the other end of a connection is heard, in dBm."""
        link_connection = self._links.get(handle)
        if link_connection is None:
            return None
        return self.medium.flight(link_connection.peer_of(self.port), self.port, b"").rssi_dbm


class _Link(link.LocalLink):
    """What Bumble's controller asks of a link, answered by the medium."""

    def send_acl_data(
        self, sender_controller: Controller, destination_address: hci.Address, transport: Any, data: bytes
    ) -> None:
        connection = sender_controller.le_connections.get(destination_address)
        if connection is not None and isinstance(sender_controller, Radio):
            sender_controller.put(connection, bytes(data))


class _RadioConnection(Connection):
    def send_ll_control_pdu(self, packet: ll.ControlPdu) -> None:
        if isinstance(self.controller, Radio):
            self.controller.put(self, packet)


def public_address(chance: Stream) -> str:
    """A public address out of the locally administered ones, so that no manufacturer is guessed from it."""
    drawn = bytearray(chance.randbytes(6))
    drawn[0] = drawn[0] & 0xFC | 0x02
    return drawn.hex(":").upper()


def _timing(pending: Any) -> tuple[int, int, int]:
    """Connection interval (1.25 ms), latency, supervision timeout (10 ms) as the central's host asked for."""
    if isinstance(pending, hci.HCI_LE_Extended_Create_Connection_Command):
        return pending.connection_interval_mins[0], pending.max_latencies[0], pending.supervision_timeouts[0]
    return pending.connection_interval_min, pending.max_latency, pending.supervision_timeout
