"""A border router for tests, read by python-otbr-api: in a synchronous test and in an asynchronous one."""

import asyncio

import aiohttp
import pytest
from python_otbr_api import OTBR

HOME = """
[[accessory]]
id = "br"
kind = "thread-border-router"
"""


async def network_name(url):
    async with aiohttp.ClientSession() as session:
        return (await OTBR(url, session).get_active_dataset()).network_name


def test_network_is_read(pairlab_home):
    home = pairlab_home(HOME)
    assert asyncio.run(network_name(home["br"].rest_url)) == home["br"].facts["network_name"]


@pytest.mark.asyncio
async def test_network_is_read_in_this_loop(pairlab_home):
    home = pairlab_home(HOME)
    assert await network_name(home["br"].rest_url) == home["br"].facts["network_name"]
