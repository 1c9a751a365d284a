"""Reads a border router over its REST API, through python-otbr-api as it is.

What REST does not tell (vendor, model, the rest of TXT) comes from the Bonjour record with its extended address, if the
caller has found one.
"""

from urllib.parse import urlsplit

import aiohttp
from python_otbr_api import OTBR, GetBorderAgentIdNotSupportedError, OTBRError

from devices.clone.portrait import Portrait
from devices.errors import EmulatorError, UsageError
from pairing.errors import DecodeError
from pairing.thread.dataset import Dataset

TIMEOUT_S = 10


async def read_otbr(url: str) -> Portrait:
    """What the REST API at `url` tells. Raises UsageError for no URL, EmulatorError where nothing useful answers."""
    base = _base(url)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT_S)) as session:
            return await _read(OTBR(base, session, TIMEOUT_S), session, base)
    except (OTBRError, aiohttp.ClientError, ValueError) as problem:
        raise EmulatorError(f"{base}: no border router's REST API answers there: {problem or 'nothing came'}") from None
    except TimeoutError:
        raise EmulatorError(f"{base}: no answer within {TIMEOUT_S} s; is it on, and is this its REST port?") from None


async def _read(client: OTBR, session: aiohttp.ClientSession, base: str) -> Portrait:
    tlvs = await client.get_active_dataset_tlvs()
    ext_address = await client.get_extended_address()
    try:
        border_agent_id = await client.get_border_agent_id()
    except GetBorderAgentIdNotSupportedError:
        border_agent_id = None
    async with session.get(f"{base}/node/state") as response:
        state = await response.json(content_type=None) if response.status == 200 else None
    try:
        dataset = Dataset.decode(tlvs) if tlvs is not None else None
    except DecodeError as problem:
        raise EmulatorError(f"{base}: its active dataset cannot be read: {problem}") from None
    return Portrait(
        dataset=dataset,
        has_dataset=dataset is not None,
        ext_address=ext_address,
        border_agent_id=border_agent_id,
        enabled=state != "disabled" if isinstance(state, str) else None,
    )


def _base(url: str) -> str:
    """The URL without its last slash; a bare `host:port` gets a scheme."""
    try:
        parts = urlsplit((url if "//" in url else f"http://{url}").rstrip("/"))
        is_http = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_http = False
    if not is_http or any(character.isspace() for character in url):
        raise UsageError(f"{url!r} is no URL of a REST API; expected one such as http://192.0.2.1:8081")
    return parts.geturl()
