"""Routes: a phone's Wi-Fi Aware in its platform's own shape.

Apple's are views, lists and things that run; Android's are session methods by their own names, and the callbacks they
end in. A phone of another platform answers 404 and says what it has instead.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from devices.control.bodies import described, read_object, reads
from devices.control.desk import Desk, Id, Secrets
from devices.control.documents import without_secrets
from devices.control.wifi_aware_bodies import ConnectBody, EndBody, PairingViewBody, PickBody, RenameBody, RunBody
from devices.controllers.phone import Phone
from devices.controllers.wifi_aware_ios import Kind
from devices.controllers.wifi_aware_results import producible
from devices.controllers.wifi_aware_view import Wanted
from devices.event_log import plain
from devices.spec import Duration, duration_us
from pairing.engine import Micros
from pairing.nan.platform_rules import DataPathSecurity, Family

After = Annotated[int, Query(ge=0, description="only what is newer than this number")]
Within = Annotated[Duration, Query(description="how long to wait for something newer")]
Found = dict[str, Any]


class WifiAwareDocument(BaseModel):
    """What a phone has of Wi-Fi Aware."""

    profile: str
    shape: Literal["ios", "android", "verbs"] = Field(description="verbs: neither shape, POST …/actions/{verb} alone")
    app: str = Field(description="whose paired devices they are")
    state: str
    capabilities: dict[str, Any] = Field(description="WACapabilities, or Characteristics")
    methods: list[str] = Field(description="Android's, each a POST to its own name")
    producible: list[str] = Field(description="the endings that `produce` and `outcome` can name")


def wifi_aware_routes(desk: Desk) -> APIRouter:
    """All of them; Android's methods come last, since they take any name."""
    router = APIRouter(prefix="/v1/phones/{id}/wifi-aware", tags=["wi-fi aware"])
    live = desk.live

    @router.get("")
    async def get_wifi_aware(actor_id: Id) -> WifiAwareDocument:
        """Which shape a phone has, what it can do, and how its calls can be made to end."""
        return await _document(live.phone(actor_id))

    _view_routes(router, desk)
    _device_routes(router, desk)
    _listener_routes(router, desk)
    _browser_routes(router, desk)
    _connection_routes(router, desk)
    _android_routes(router, desk)
    return router


async def _document(phone: Phone) -> WifiAwareDocument:
    platform = phone.handset.aware.app.platform
    capabilities: dict[str, Any] = {}
    if platform.family is Family.IOS:
        capabilities = phone.ios.capabilities()
    elif platform.family is Family.ANDROID:
        capabilities = await phone.android.get_characteristics()
    return WifiAwareDocument(
        profile=phone.profile,
        shape="ios" if platform.family is Family.IOS else "android" if platform.family is Family.ANDROID else "verbs",
        app=phone.app,
        state=phone.state,
        capabilities=capabilities,
        methods=list(phone.android.methods) if platform.family is Family.ANDROID else [],
        producible=list(producible(platform)),
    )


def _view_routes(router: APIRouter, desk: Desk) -> None:
    live = desk.live

    @router.post("/pairing-view", openapi_extra=described(PairingViewBody))
    async def open_pairing_view(
        actor_id: Id, body: Annotated[PairingViewBody, Depends(reads(PairingViewBody))], secrets: Secrets
    ) -> Found:
        """Present a DevicePairingView: the phone can be found and paired with, by the code on its screen."""
        return _shown(await live.phone(actor_id).ios.open_pairing_view(body.service, body.produce), secrets=secrets)

    @router.get("/pairing-view")
    async def get_pairing_view(actor_id: Id, secrets: Secrets) -> Found:
        """Whether a pairing view is open, and the code on it."""
        return _shown(live.phone(actor_id).ios.pairing_view(), secrets=secrets)

    @router.delete("/pairing-view", status_code=204)
    async def close_pairing_view(actor_id: Id) -> None:
        """Its user dismisses the pairing view."""
        live.phone(actor_id).ios.close_pairing_view()

    @router.get("/picker")
    async def look_in_picker(actor_id: Id, service: str = "", within: Duration = "3s") -> Found:
        """What a DevicePicker lists after looking for so long: devices that are open for pairing."""
        return await live.phone(actor_id).ios.look_in_picker(service, duration_us(within))

    @router.post("/picker", openapi_extra=described(PickBody))
    async def pick(actor_id: Id, body: Annotated[PickBody, Depends(reads(PickBody))], request: Request) -> Found:
        """Pick a device in a DevicePicker, type its code, and be paired."""
        picked = live.phone(actor_id).ios.pick(
            Wanted(body.target, body.name, body.model, body.service_id),
            body.service,
            code=body.code,
            within_us=_micros(body.within),
            wait=body.wait,
            produce=body.produce,
        )
        return await desk.attend(request, picked)

    @router.delete("/picker", status_code=204)
    async def cancel_picker(actor_id: Id) -> None:
        """Its user cancels the pairing that is under way."""
        phone = live.phone(actor_id)
        phone.ios  # noqa: B018  # raises on other platforms
        phone.handset.cancel("")


def _device_routes(router: APIRouter, desk: Desk) -> None:
    live = desk.live

    @router.get("/paired-devices")
    async def get_paired_devices(actor_id: Id, request: Request, after: After = 0, within: Within = "0s") -> Found:
        """The snapshot of WAPairedDevice.allDevices: a dictionary by id, empty when there is none.

        With `after`, the number of a snapshot, it waits for a newer one.
        """
        return await desk.attend(request, live.phone(actor_id).ios.next_snapshot(after, duration_us(within)))

    @router.patch("/paired-devices/{device}", openapi_extra=described(RenameBody))
    async def rename_paired_device(
        actor_id: Id, device: str, body: Annotated[RenameBody, Depends(reads(RenameBody))]
    ) -> Found:
        """Its user calls a paired device otherwise, in the settings."""
        phone = live.phone(actor_id)
        aware = phone.handset.aware
        aware.rename(aware.device_id(device), body.name)
        return phone.ios.snapshot()

    @router.delete("/paired-devices/{device}", status_code=204)
    async def remove_paired_device(actor_id: Id, device: str) -> None:
        """Its user removes a paired device, in the settings."""
        phone = live.phone(actor_id)
        phone.ios  # noqa: B018  # raises on other platforms
        phone.handset.aware.remove(phone.handset.aware.device_id(device))


_MORE: Mapping[Kind, str] = {
    "listener": "",
    "browser": " and the endpoints in view",
    "connection": " and endpoints",
}
_ENDS: Mapping[Kind, str] = {"listener": "", "browser": "", "connection": "; its data path ends"}


def _listener_routes(router: APIRouter, desk: Desk) -> None:
    live = desk.live

    @router.post("/listeners", openapi_extra=described(RunBody))
    async def start_listener(actor_id: Id, body: Annotated[RunBody, Depends(reads(RunBody))]) -> Found:
        """Start a NetworkListener: paired devices can connect to what the phone publishes."""
        ios = live.phone(actor_id).ios
        return await ios.listen(body.service, body.devices, _micros(body.active), body.produce)

    _running_routes(router, desk, "listener")


def _browser_routes(router: APIRouter, desk: Desk) -> None:
    live = desk.live

    @router.post("/browsers", openapi_extra=described(RunBody))
    async def start_browser(actor_id: Id, body: Annotated[RunBody, Depends(reads(RunBody))]) -> Found:
        """Start a NetworkBrowser: it finds paired devices that publish the service."""
        ios = live.phone(actor_id).ios
        return await ios.browse(body.service, body.devices, _micros(body.active), body.produce)

    _running_routes(router, desk, "browser")


def _connection_routes(router: APIRouter, desk: Desk) -> None:
    live = desk.live

    @router.post("/connections", openapi_extra=described(ConnectBody))
    async def connect(
        actor_id: Id, body: Annotated[ConnectBody, Depends(reads(ConnectBody))], request: Request
    ) -> Found:
        """Open a NetworkConnection to a paired device; the answer has the endpoints at which it is reached."""
        connected = live.phone(actor_id).ios.connect(
            body.to,
            service=body.service,
            security=DataPathSecurity(body.security),
            within_us=_micros(body.within),
            produce=body.produce,
        )
        return await desk.attend(request, connected)

    _running_routes(router, desk, "connection")


def _running_routes(router: APIRouter, desk: Desk, kind: Kind) -> None:
    """What an app does with something that runs, of whichever kind."""
    live, path = desk.live, f"/{kind}s"

    @router.get(path, name=f"list_{kind}s", description=f"Its {kind}s.")
    async def list_running(actor_id: Id) -> list[Found]:
        return live.phone(actor_id).ios.all_running(kind)

    @router.get(f"{path}/{{running}}", name=f"get_{kind}", description=f"One {kind} with its state{_MORE[kind]}.")
    async def get_running(actor_id: Id, running: str) -> Found:
        ios = live.phone(actor_id).ios
        return ios.document(ios.running(kind, running))

    @router.delete(
        f"{path}/{{running}}", status_code=204, name=f"cancel_{kind}", description=f"Cancel a {kind}{_ENDS[kind]}."
    )
    async def cancel_running(actor_id: Id, running: str) -> None:
        live.phone(actor_id).ios.cancel(kind, running)

    @router.post(
        f"{path}/{{running}}/end",
        name=f"end_{kind}",
        description=f"Let a {kind} fail with a WAError case.",
        openapi_extra=described(EndBody),
    )
    async def end_running(actor_id: Id, running: str, body: Annotated[EndBody, Depends(reads(EndBody))]) -> Found:
        return live.phone(actor_id).ios.fail(kind, running, body.case)


def _android_routes(router: APIRouter, desk: Desk) -> None:
    live = desk.live

    @router.get("/callbacks")
    async def get_callbacks(
        actor_id: Id,
        request: Request,
        after: After = 0,
        within: Within = "0s",
        callback: Annotated[str | None, Query(description="only those of this name")] = None,
    ) -> list[Found]:
        """The callbacks that the app has got, in order; waits for the first after `after`."""
        found = live.phone(actor_id).android.callbacks.after(after, duration_us(within), callback)
        return await desk.attend(request, found)

    @router.post("/{method}", openapi_extra=described())
    async def call_wifi_aware(
        actor_id: Id,
        method: str,
        arguments: Annotated[dict[str, Any], Depends(read_object)],
        request: Request,
        secrets: Secrets,
    ) -> Found:
        """A method of Android's Wi-Fi Aware by its own name, such as publish or initiatePairingRequest.

        `produce` among its arguments names the NanStatus that it is to end in.
        """
        android = live.phone(actor_id).android
        produce = arguments.pop("produce", None)
        return _shown(await desk.attend(request, android.call(method, arguments, produce)), secrets=secrets)


def _shown(document: Found, *, secrets: bool) -> Found:
    shown: Found = plain(document)
    return shown if secrets else dict(without_secrets(shown))


def _micros(within: str | None) -> Micros | None:
    return None if within is None else duration_us(within)
