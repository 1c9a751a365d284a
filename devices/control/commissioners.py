"""Routes: the commissioners of a home, and what one can tell them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from devices.control.accessories import outcome
from devices.control.bodies import described, read_object, reads
from devices.control.desk import Desk, Id, Secrets
from devices.control.documents import CommissionerDocument, OutcomeDocument, commissioner_document
from devices.control.problems import ProblemError
from devices.spec import CommissionerSpec


def commissioner_routes(desk: Desk) -> APIRouter:
    """List, add, get, remove; actions."""
    router = APIRouter(prefix="/v1/commissioners", tags=["commissioners"])
    live = desk.live

    @router.get("")
    async def list_commissioners() -> list[CommissionerDocument]:
        """Every commissioner, in the order of the home file."""
        return [commissioner_document(each) for each in live.commissioners.values()]

    @router.post("", status_code=201, openapi_extra=described(CommissionerSpec))
    async def add_commissioner(
        spec: Annotated[CommissionerSpec, Depends(reads(CommissionerSpec))], response: Response
    ) -> CommissionerDocument:
        """Add one more commissioner. The body has the keys of a [[commissioner]] table."""
        if spec.id in live.actors:
            raise ProblemError(409, "id-taken", f"the id {spec.id!r} is taken in this home")
        commissioner = live.add_commissioner(spec)
        response.headers["Location"] = f"/v1/commissioners/{commissioner.id}"
        return commissioner_document(commissioner)

    @router.get("/{id}")
    async def get_commissioner(actor_id: Id) -> CommissionerDocument:
        """One commissioner: where it stands, and who may join through it."""
        return commissioner_document(live.commissioner(actor_id))

    @router.delete("/{id}", status_code=204)
    async def remove_commissioner(actor_id: Id) -> None:
        """Let it resign, and forget it."""
        await live.remove_commissioner(actor_id)

    @router.post("/{id}/actions/{verb}", openapi_extra=described())
    async def act_as_commissioner(
        actor_id: Id,
        verb: str,
        arguments: Annotated[dict[str, Any], Depends(read_object)],
        request: Request,
        secrets: Secrets,
    ) -> OutcomeDocument:
        """Tell it a verb; the body has the arguments. What a Border Agent refuses is a result with a verdict."""
        return outcome(await desk.attend(request, live.commissioner(actor_id).do(verb, arguments)), secrets=secrets)

    return router
