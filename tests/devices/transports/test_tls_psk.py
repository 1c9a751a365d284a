"""TLS under the pairing's key, judged by OpenSSL's own client. Needs Python 3.13, or sslpsk3."""

import asyncio
import hmac
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

import pytest

from devices.accessories.data_services import Echo
from devices.errors import TransportUnavailableError
from devices.transports.data_path import DataPathSession, SessionName
from devices.transports.tls_psk import PSK_IDENTITY, data_path_psk, psk_client_context, psk_server_context
from tests.support.needs import requires_tools

HAS_PSK = sys.version_info >= (3, 13) or find_spec("sslpsk3") is not None
needs_psk = pytest.mark.skipif(not HAS_PSK, reason="needs Python 3.13, or sslpsk3: pip install 'pairlab[psk]'")
KEY = data_path_psk(bytes(32))
Place = tuple[str, int]


@asynccontextmanager
async def _served() -> AsyncIterator[Place]:
    context = psk_server_context(PSK_IDENTITY, KEY)
    session = DataPathSession(SessionName("s", "camera", None), Echo(), context)
    session.open_sockets()
    host, _, port = session.endpoints["tcp"].rpartition(":")
    try:
        yield host, int(port)
    finally:
        session.close()
        await session.wait_closed()


async def _s_client(place: Place, key: bytes, *options: str, identity: str = PSK_IDENTITY) -> tuple[int, str]:
    command = ["openssl", "s_client", "-connect", f"{place[0]}:{place[1]}", "-psk", key.hex()]
    command += ["-psk_identity", identity, "-ign_eof", *options]
    pipe = asyncio.subprocess.PIPE
    client = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(b"hello over PSK\n")
    heard = b""
    while octets := await client.stdout.read(4096):
        heard += octets
        if b"hello over PSK" in heard:
            client.stdin.write_eof()
            client.kill()
    return await client.wait(), heard.decode(errors="replace")


def test_the_key_is_made_of_the_pairing_key_and_the_identity() -> None:
    assert data_path_psk(bytes(32)) == hmac.new(bytes(32), PSK_IDENTITY.encode(), "sha256").digest()
    assert data_path_psk(b"\1" + bytes(31)) != KEY
    assert len(KEY) == 32


@needs_psk
@pytest.mark.asyncio
async def test_openssl_speaks_to_a_data_path_with_the_suite_that_phones_offer() -> None:
    requires_tools("openssl")
    async with _served() as place:
        _, heard = await _s_client(place, KEY, "-tls1_2")
        assert "PSK-AES128-GCM-SHA256" in heard
        assert "hello over PSK" in heard


@needs_psk
@pytest.mark.parametrize(
    ("key", "identity", "options"),
    [
        (bytes(32), PSK_IDENTITY, ("-tls1_2",)),
        (KEY, "somebody else", ("-tls1_2",)),
        (KEY, PSK_IDENTITY, ("-tls1_3",)),
        (KEY, PSK_IDENTITY, ("-tls1_2", "-cipher", "PSK-AES256-CBC-SHA")),
    ],
    ids=["wrong key", "wrong identity", "TLS 1.3", "another suite"],
)
@pytest.mark.asyncio
async def test_openssl_is_refused_otherwise(key: bytes, identity: str, options: tuple[str, ...]) -> None:
    requires_tools("openssl")
    async with _served() as place:
        code, heard = await _s_client(place, key, *options, identity=identity)
        assert code == 1
        assert "hello over PSK" not in heard
        again, said = await _s_client(place, KEY, "-tls1_2")
        assert "hello over PSK" in said, again


@needs_psk
@pytest.mark.asyncio
async def test_our_own_client_speaks_to_a_data_path() -> None:
    async with _served() as place:
        context = psk_client_context(PSK_IDENTITY, KEY)
        reader, writer = await asyncio.open_connection(*place, ssl=context)
        writer.write(b"hello")
        assert await reader.read(100) == b"hello"
        assert writer.get_extra_info("cipher")[0] == "PSK-AES128-GCM-SHA256"
        writer.transport.abort()
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await asyncio.open_connection(*place, ssl=psk_client_context(PSK_IDENTITY, bytes(32)))


@pytest.mark.skipif(HAS_PSK, reason="this Python has TLS with a pre-shared key")
def test_without_it_the_error_says_what_to_install() -> None:
    with pytest.raises(TransportUnavailableError, match=r"pairlab\[psk\]"):
        psk_server_context(PSK_IDENTITY, KEY)
