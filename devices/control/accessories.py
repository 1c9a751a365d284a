"""Routes: the accessories of a home, and what one can tell them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from devices.control.bodies import described, read_object, reads
from devices.control.desk import Desk, Id, Secrets
from devices.control.documents import (
    AccessoryDetail,
    AccessoryDocument,
    OutcomeDocument,
    accessory_detail,
    accessory_document,
    without_secrets,
)
from devices.control.problems import ProblemError
from devices.event_log import plain
from devices.spec import AccessorySpec


def accessory_routes(desk: Desk) -> APIRouter:
    """List, add, get, remove; actions."""
    router = APIRouter(prefix="/v1/accessories", tags=["accessories"])
    live = desk.live

    @router.get("")
    async def list_accessories(secrets: Secrets) -> list[AccessoryDocument]:
        """Every accessory, in the order of the home file."""
        return [accessory_document(each, secrets=secrets) for each in live.accessories.values()]

    @router.post("", status_code=201, openapi_extra=described(AccessorySpec))
    async def add_accessory(
        spec: Annotated[AccessorySpec, Depends(reads(AccessorySpec))], response: Response, secrets: Secrets
    ) -> AccessoryDetail:
        """Add one more accessory and switch it on. The body has the keys of an [[accessory]] table."""
        async with desk.changing:
            if spec.id in live.actors:
                raise ProblemError(409, "id-taken", f"the id {spec.id!r} is taken in this home")
            accessory = await live.add_accessory(spec)
        response.headers["Location"] = f"/v1/accessories/{accessory.id}"
        return accessory_detail(accessory, secrets=secrets)

    @router.get("/{id}")
    async def get_accessory(actor_id: Id, secrets: Secrets) -> AccessoryDetail:
        """One accessory with its facts, its verbs and the lies it tells."""
        return accessory_detail(live.accessory(actor_id), secrets=secrets)

    @router.delete("/{id}", status_code=204)
    async def remove_accessory(actor_id: Id) -> None:
        """Switch it off, goodbyes included, and forget it."""
        async with desk.changing:
            await live.remove_accessory(actor_id)

    @router.post("/{id}/actions/{verb}", openapi_extra=described())
    async def act(
        actor_id: Id, verb: str, arguments: Annotated[dict[str, Any], Depends(read_object)], secrets: Secrets
    ) -> OutcomeDocument:
        """Tell it a verb; the body has the arguments. Returns when accepted: effects are events."""
        return outcome(await live.accessory(actor_id).do(verb, arguments), secrets=secrets)

    return router


def outcome(value: Any, *, secrets: bool) -> OutcomeDocument:
    """What a verb gave back."""
    document = plain(value)
    return OutcomeDocument(outcome="done", value=document if secrets else without_secrets(document))
