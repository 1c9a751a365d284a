"""Placeholder until devices/otbr lands: no REST."""

from typing import Any

REST_LIES: dict[str, Any] = {}


class BorderRouterRest:
    url = ""

    @classmethod
    async def open(cls, router: Any) -> None:
        return None
