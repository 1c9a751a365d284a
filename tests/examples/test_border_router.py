"""A border router for tests, asked by python-otbr-api: in a synchronous test and in an asynchronous one."""

import asyncio

import aiohttp
import pytest
from python_otbr_api import OTBR

HOME = """
[[accessory]]
id = "br"
kind = "thread-border-router"
"""


async def extended_address(url):
    async with aiohttp.ClientSession() as session:
        return (await OTBR(url, session).get_extended_address()).hex()


def test_border_router_answers(pairlab_home):
    home = pairlab_home(HOME)
    assert asyncio.run(extended_address(home["br"].rest_url)) == home["br"].facts["ext_address"]


@pytest.mark.asyncio
async def test_border_router_answers_in_this_loop(pairlab_home):
    home = pairlab_home(HOME)
    assert await extended_address(home["br"].rest_url) == home["br"].facts["ext_address"]
