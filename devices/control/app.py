"""The control API of one running home as an ASGI application; `server` puts it on a socket."""

from collections.abc import Collection
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from devices.control.accessories import accessory_routes
from devices.control.air import air_routes
from devices.control.clock import clock_routes
from devices.control.commissioners import commissioner_routes
from devices.control.desk import Desk
from devices.control.events import event_routes
from devices.control.faults import fault_routes
from devices.control.guard import Guard
from devices.control.pages import home_routes, page_routes
from devices.control.phones import phone_routes
from devices.control.problems import Json, ProblemDocument, install_problems
from devices.control.wifi_aware import wifi_aware_routes
from devices.home import LiveHome

ABOUT = """A running pairlab home: accessories, phones, commissioners, faults, events and time.

What an emulated platform refuses is a result: 200 with `outcome: "refused"`. Problem documents (RFC 9457) are for
misuse of pairlab: 400 usage, 403 foreign page or secret, 404 unknown actor, verb or route, 409 refused by state or id
taken, 413 too large, 422 invalid value, 503 the host cannot. Bytes are lower-case hex, names snake_case, 64-bit ids
decimal strings. Secrets leave with `?secrets=true` on loopback only.
"""

_PROBLEM: dict[str, Any] = {
    "description": "misuse of pairlab",
    "content": {"application/problem+json": {"schema": ProblemDocument.model_json_schema()}},
}


def build_app(live: LiveHome, *, token: str | None = None, hosts: Collection[str] = ()) -> FastAPI:
    """The application over a home on the same loop. With `token` every request must carry it; `hosts` are own names."""
    return app_of(Desk(live), token=token, hosts=hosts)


def app_of(desk: Desk, *, token: str | None = None, hosts: Collection[str] = ()) -> FastAPI:
    """The same around a desk that the caller keeps, to end streams and waits."""
    app = FastAPI(
        title="pairlab control API",
        description=ABOUT,
        version=version("pairlab"),
        docs_url=None,
        redoc_url=None,
        default_response_class=Json,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses={"4XX": _PROBLEM, "503": _PROBLEM},
    )
    controllers = (phone_routes, wifi_aware_routes, commissioner_routes)
    for routes in (home_routes, accessory_routes, *controllers, event_routes, fault_routes, clock_routes, air_routes):
        app.include_router(routes(desk))
    app.include_router(page_routes())
    app.add_middleware(Guard, token=token, hosts=hosts)
    install_problems(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
