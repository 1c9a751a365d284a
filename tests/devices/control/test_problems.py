"""Every error becomes one problem document."""

import httpx
import pytest

from devices import errors
from devices.control.problems import problem_of
from devices.errors import EmulatorError
from pairing.errors import DecodeError, EncodeError, LocalProtocolError, PairingError

pytestmark = pytest.mark.asyncio

HOME: dict[str, object] = {}


def tree(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(each for child in root.__subclasses__() for each in tree(child))]


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (errors.UsageError("x"), 400, "usage"),
        (errors.UnknownActorError("x"), 404, "unknown-actor"),
        (errors.UnknownVerbError("x"), 404, "unknown-verb"),
        (errors.ActionRefusedError("x"), 409, "action-refused"),
        (errors.MediumError("x"), 409, "medium"),
        (errors.ClockError("x"), 409, "clock"),
        (errors.HomeFileError("x"), 422, "home-file"),
        (errors.UnknownKindError("x"), 422, "unknown-kind"),
        (errors.TransportUnavailableError("x"), 503, "transport-unavailable"),
        (errors.StateLockedError("x"), 503, "state-locked"),
        (LocalProtocolError("x"), 409, "local-protocol"),
        (DecodeError(3, "x"), 422, "decode"),
        (EncodeError("x"), 422, "encode"),
        (ZeroDivisionError("x"), 500, "defect"),
    ],
)
async def test_error_has_its_status_and_type(error: Exception, status: int, slug: str) -> None:
    problem = problem_of(error)
    assert problem.media_type == "application/problem+json"
    assert problem.status_code == status
    assert f'"type":"urn:pairlab:problem:{slug}"'.encode() in problem.body


@pytest.mark.parametrize("root", [EmulatorError, PairingError])
async def test_no_error_of_the_trees_is_a_defect(root: type[Exception]) -> None:
    made = [(cls, cls.__new__(cls)) for cls in tree(root)]
    assert [cls for cls, error in made if problem_of(error).status_code == 500] == []


async def test_detail_of_a_defect_gives_nothing_away() -> None:
    assert b"hunter2" not in problem_of(RuntimeError("password hunter2")).body


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/v1/nothing", 404, "unknown-route"),
        ("GET", "/v1/ready/", 404, "unknown-route"),
        ("DELETE", "/v1/ready", 405, "method-not-allowed"),
        ("GET", "/v1/accessories?secrets=perhaps", 422, "invalid-value"),
        ("GET", "/v1/events?after=x", 422, "invalid-value"),
    ],
)
async def test_route_that_is_not_there_is_a_problem(
    api: httpx.AsyncClient, method: str, path: str, status: int, slug: str
) -> None:
    answer = await api.request(method, path)
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, document["status"]) == (status, status)
    assert (document["type"], set(document)) == (f"urn:pairlab:problem:{slug}", {"type", "title", "status", "detail"})
