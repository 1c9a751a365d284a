"""Routes: faults and lies that are in force, and those there are."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from devices.control.bodies import described, reads
from devices.control.catalogue import read_catalogue
from devices.control.desk import Desk, Id
from devices.control.documents import FaultDocument, FaultKind, fault_document
from devices.control.problems import ProblemError
from devices.spec import FaultSpec


def fault_routes(desk: Desk) -> APIRouter:
    """List, kinds, start, end."""
    router = APIRouter(prefix="/v1/faults", tags=["faults"])
    live = desk.live

    @router.get("")
    async def list_faults() -> list[FaultDocument]:
        """Every installed fault and lie, and how often it has fired."""
        return [fault_document(each) for each in live.faults.values()]

    @router.get("/kinds", response_model_exclude_unset=True)
    async def list_fault_kinds() -> list[FaultKind]:
        """Every fault and lie there is, with its parameters."""
        return [FaultKind.model_validate(each) for each in read_catalogue()]

    @router.post("", status_code=201, openapi_extra=described(FaultSpec))
    async def start_fault(spec: Annotated[FaultSpec, Depends(reads(FaultSpec))], response: Response) -> FaultDocument:
        """Put a fault or lie in force. The body has the keys of a [[fault]] table."""
        if spec.id in live.faults:
            raise ProblemError(409, "id-taken", f"a fault with the id {spec.id!r} is installed already")
        installed = live.install_fault(spec)
        response.headers["Location"] = f"/v1/faults/{installed.id}"
        return fault_document(installed)

    @router.delete("/{id}")
    async def end_fault(actor_id: Id) -> FaultDocument:
        """End a fault or lie; the answer says how often it fired."""
        return fault_document(live.remove_fault(actor_id))

    return router
