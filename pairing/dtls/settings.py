"""What the owner of a DTLS role hands in: the shape of its hello, times, sizes, and the lies to tell.

The defaults are what ot-commissioner and OpenThread show on the wire; the names in capitals say whose they are.
"""

from dataclasses import dataclass

from pairing.dtls.alerts import AlertDescription
from pairing.dtls.messages import CipherSuite, Extension, ExtensionType
from pairing.dtls.record import DTLS_1_2
from pairing.engine import SECOND, Micros

FOREVER = -1

_SUPPORTED_GROUPS = Extension(ExtensionType.SUPPORTED_GROUPS, bytes.fromhex("00020017"))  # secp256r1
_SIGNATURE_ALGORITHMS = Extension(ExtensionType.SIGNATURE_ALGORITHMS, bytes.fromhex("00020403"))
_POINT_FORMATS = Extension(ExtensionType.EC_POINT_FORMATS, bytes.fromhex("0100"))  # uncompressed
_KEY_PAIRS = Extension(ExtensionType.ECJPAKE_KEY_KP_PAIR)
_FRAGMENT_1024 = Extension(ExtensionType.MAX_FRAGMENT_LENGTH, b"\x02")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHelloShape:
    """Everything of a ClientHello that is not drawn. The body of `ecjpake_key_kp_pair` is put in its place.

    Naming `extended_master_secret` here offers it.
    """

    version: int = DTLS_1_2
    session_id: bytes = b""
    cipher_suites: tuple[int, ...] = (
        CipherSuite.ECJPAKE_WITH_AES_128_CCM_8,
        CipherSuite.EMPTY_RENEGOTIATION_INFO_SCSV,
    )
    compression_methods: bytes = b"\0"
    extensions: tuple[Extension, ...] = (
        _SUPPORTED_GROUPS,
        _SIGNATURE_ALGORITHMS,
        _POINT_FORMATS,
        _KEY_PAIRS,
        _FRAGMENT_1024,
    )


OT_COMMISSIONER_HELLO = ClientHelloShape()
OPENTHREAD_JOINER_HELLO = ClientHelloShape(
    extensions=(_SUPPORTED_GROUPS, _SIGNATURE_ALGORITHMS, _POINT_FORMATS, _KEY_PAIRS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHelloShape:
    """Everything of a ServerHello that is not drawn.

    `extensions` are those that may be answered, in order: each goes out only if the client offered it (and
    renegotiation_info if it offered that or the SCSV). The key pairs and the client's own max_fragment_length are put
    in their places. Naming `extended_master_secret` here accepts it where it is offered; OpenThread never does.
    """

    version: int = DTLS_1_2
    session_id_length: int = 32
    cipher_suite: int = CipherSuite.ECJPAKE_WITH_AES_128_CCM_8
    compression_method: int = 0
    extensions: tuple[Extension, ...] = (
        Extension(ExtensionType.RENEGOTIATION_INFO, b"\0"),
        Extension(ExtensionType.MAX_FRAGMENT_LENGTH),
        _POINT_FORMATS,
        _KEY_PAIRS,
    )


OPENTHREAD_SERVER_HELLO = ServerHelloShape()


@dataclass(frozen=True, slots=True, kw_only=True)
class DtlsTimes:
    """The retransmission timer: the first wait, doubled each time; after a wait of the longest the peer is given up.

    The defaults are OpenThread's and ot-commissioner's, with which a silent peer is given up after 116 s.
    """

    first_wait: Micros = 8 * SECOND
    longest_wait: Micros = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class DtlsLies:
    """Deviations, each off by default."""

    silent_on_wrong_key: bool = False
    """Where the peer's Finished does not decrypt, say nothing instead of bad_record_mac."""
    hello_verify_requests: int = 0
    """Server: ask for a cookie until the hello has this message_seq, whatever it carries; FOREVER for always."""
    refuse_hello: AlertDescription | None = None
    """Server: answer a ClientHello whose cookie is right with this alert."""
    ignore_hello: bool = False
    """Server: take a ClientHello whose cookie is right, and never answer it."""
    lost_datagrams: tuple[int, ...] = ()
    """The numbers, from 1, of our handshake datagrams that are made but never sent."""
    wrong_proof: bool = False
    """Alter r in the first proof that we send."""
    wrong_finished: bool = False
    """Alter verify_data in our Finished."""
    no_close_notify: bool = False
    """Vanish without a word, at our own close and at the peer's."""


TRUTHFUL = DtlsLies()


@dataclass(frozen=True, slots=True, kw_only=True)
class DtlsSettings:
    """One role. `mtu` bounds our datagrams; a negotiated max_fragment_length bounds our records."""

    client_hello: ClientHelloShape = OT_COMMISSIONER_HELLO
    server_hello: ServerHelloShape = OPENTHREAD_SERVER_HELLO
    times: DtlsTimes = DtlsTimes()
    lies: DtlsLies = TRUTHFUL
    mtu: int = 1280
    cookie_exchange: bool = True
    """Server: ask for a cookie first."""
    hello_verify_version: int = DTLS_1_2
    """Server: the version in HelloVerifyRequest; RFC 6347 suggests 0xFEFF, Mbed TLS writes 0xFEFD."""
    largest_message: int = 4096
    """Longest handshake message that is put together from fragments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPolicy:
    """How a server treats peers. The defaults are those of OpenThread's Border Agent."""

    deaf_after: Micros = 2 * SECOND
    """How long a peer is ignored after its connection failed or was closed."""
    max_connections: int = 32
    """So many at once. Where a peer comes with a right cookie and finds none free, the oldest handshake that is not
    over gives way; established connections stay."""
    is_exclusive: bool = False
    """One peer at a time, and a first ClientHello, even without a cookie, takes the place until the end of the deaf
    time after its connection: what OpenThread does on its ephemeral-key port."""
    replace_on_new_hello: bool = True
    """A ClientHello with a right cookie from the address of a connection replaces it (RFC 6347, section 4.2.8)."""


BORDER_AGENT_POLICY = ConnectionPolicy()
EPHEMERAL_KEY_POLICY = ConnectionPolicy(is_exclusive=True)
