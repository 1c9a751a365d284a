"""Routes: whether the home is ready, and the two pages for people. They hold no data and fetch nothing from outside."""

from importlib.resources import files

from fastapi import APIRouter, Request, Response

from devices.control.desk import Desk, Secrets
from devices.control.documents import ReadyDocument, ready_document

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def home_routes(desk: Desk) -> APIRouter:
    """Ready."""
    router = APIRouter(prefix="/v1", tags=["home"])

    @router.get("/ready")
    async def ready(request: Request, secrets: Secrets) -> ReadyDocument:
        """The home is up: its seed, who is in it, and the cursor from which new events come."""
        return ready_document(desk.live, str(request.base_url).rstrip("/"), secrets=secrets)

    return router


def page_routes() -> APIRouter:
    """The dashboard and the reference."""
    router = APIRouter(include_in_schema=False)
    pages = files("devices.control")

    @router.get("/")
    async def dashboard() -> Response:
        return _page(pages.joinpath("dashboard.html").read_bytes())

    @router.get("/docs")
    async def reference() -> Response:
        return _page(pages.joinpath("reference.html").read_bytes())

    return router


def _page(content: bytes) -> Response:
    return Response(content, media_type="text/html", headers=_HEADERS)
