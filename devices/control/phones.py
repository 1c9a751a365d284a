"""Routes: the emulated phones of a home, and the platforms' own calls on them."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from devices.control.accessories import outcome
from devices.control.bodies import PhoneBody, described, read_object, reads
from devices.control.desk import Desk, Id, Secrets
from devices.control.documents import OutcomeDocument, PhoneDocument, phone_document


def phone_routes(desk: Desk) -> APIRouter:
    """Phones: list, get, change consent, verbs, Thread credential calls."""
    router = APIRouter(prefix="/v1/phones", tags=["phones"])
    live = desk.live

    @router.get("")
    async def list_phones() -> list[PhoneDocument]:
        """Every phone, in the order of the home file."""
        return [phone_document(each) for each in live.phones.values()]

    @router.get("/{id}")
    async def get_phone(actor_id: Id) -> PhoneDocument:
        """One phone: profile, app, team and what its user does when asked for consent."""
        return phone_document(live.phone(actor_id))

    @router.patch("/{id}", openapi_extra=described(PhoneBody))
    async def change_phone(actor_id: Id, body: Annotated[PhoneBody, Depends(reads(PhoneBody))]) -> PhoneDocument:
        """Let its user answer or type otherwise from now on, or its calls end as asked for (null: as they come)."""
        phone = live.phone(actor_id)
        if "outcome" in body.model_fields_set:
            phone.set_outcome(body.outcome)
        if body.consent is not None:
            phone.consent = body.consent
        if body.code is not None:
            phone.user.code = body.code
        return phone_document(phone)

    @router.post("/{id}/actions/{verb}", openapi_extra=described())
    async def act_on_phone(
        actor_id: Id,
        verb: str,
        arguments: Annotated[dict[str, Any], Depends(read_object)],
        request: Request,
        secrets: Secrets,
    ) -> OutcomeDocument:
        """Tell it a verb; the body has the arguments."""
        return outcome(await desk.attend(request, live.phone(actor_id).do(verb, arguments)), secrets=secrets)

    @router.post("/{id}/bonjour/browse", openapi_extra=described())
    async def browse_bonjour(
        actor_id: Id, arguments: Annotated[dict[str, Any], Depends(read_object)], request: Request
    ) -> dict[str, Any]:
        """What its app's browser reports of `service_type` after `within`: services, or -65570 while that is denied."""
        found = await desk.attend(request, live.phone(actor_id).do("browse", arguments))
        return dict(found) if isinstance(found, Mapping) else {"outcome": "done", "value": found}

    @router.post("/{id}/thread/{call}", openapi_extra=described())
    async def call_thread(
        actor_id: Id,
        call: str,
        arguments: Annotated[dict[str, Any], Depends(read_object)],
        request: Request,
        secrets: Secrets,
    ) -> dict[str, Any]:
        """A call of the platform's credential API by its own name, such as storeCredentials or addCredentials.

        What the platform refuses is a result: `{outcome: "refused", verdict, platform}`.
        """
        return await desk.attend(request, live.phone(actor_id).thread_call(call, arguments, secrets=secrets))

    return router
