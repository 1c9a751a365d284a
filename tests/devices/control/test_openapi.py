"""The OpenAPI document: well-formed, complete, and true of the answers."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest

pytestmark = pytest.mark.asyncio

ROUTES = {
    ("get", "/v1/ready"),
    ("get", "/v1/accessories"),
    ("post", "/v1/accessories"),
    ("get", "/v1/accessories/{id}"),
    ("delete", "/v1/accessories/{id}"),
    ("post", "/v1/accessories/{id}/actions/{verb}"),
    ("get", "/v1/commissioners"),
    ("post", "/v1/commissioners"),
    ("get", "/v1/commissioners/{id}"),
    ("delete", "/v1/commissioners/{id}"),
    ("post", "/v1/commissioners/{id}/actions/{verb}"),
    ("get", "/v1/events"),
    ("post", "/v1/events/wait"),
    ("get", "/v1/faults"),
    ("post", "/v1/faults"),
    ("get", "/v1/faults/kinds"),
    ("delete", "/v1/faults/{id}"),
    ("get", "/v1/phones"),
    ("get", "/v1/phones/{id}"),
    ("patch", "/v1/phones/{id}"),
    ("post", "/v1/phones/{id}/actions/{verb}"),
    ("post", "/v1/phones/{id}/bonjour/browse"),
    ("post", "/v1/phones/{id}/thread/{call}"),
    ("get", "/v1/phones/{id}/wifi-aware"),
    *(
        (method, f"/v1/phones/{{id}}/wifi-aware/{view}")
        for view in ("pairing-view", "picker")
        for method in ("get", "post", "delete")
    ),
    ("get", "/v1/phones/{id}/wifi-aware/paired-devices"),
    ("patch", "/v1/phones/{id}/wifi-aware/paired-devices/{device}"),
    ("delete", "/v1/phones/{id}/wifi-aware/paired-devices/{device}"),
    *(
        (method, f"/v1/phones/{{id}}/wifi-aware/{path}")
        for kind in ("listeners", "browsers", "connections")
        for method, path in (
            ("get", kind),
            ("post", kind),
            ("get", f"{kind}/{{running}}"),
            ("delete", f"{kind}/{{running}}"),
            ("post", f"{kind}/{{running}}/end"),
        )
    ),
    ("get", "/v1/phones/{id}/wifi-aware/callbacks"),
    ("post", "/v1/phones/{id}/wifi-aware/{method}"),
    ("get", "/v1/air/tsf"),
    ("get", "/v1/time"),
    ("post", "/v1/time/advance"),
}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def schemas(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if "schema" in node:
            yield node["schema"]
        for each in node.values():
            yield from schemas(each)
    elif isinstance(node, list):
        for each in node:
            yield from schemas(each)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


async def test_document_lists_the_routes(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1.")
    assert {(method, path) for method, path, _ in operations(document)} == ROUTES


async def test_every_schema_is_one_and_every_reference_leads_somewhere(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    for schema in (*schemas(document["paths"]), *document["components"]["schemas"].values()):
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in references(document):
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


async def test_every_operation_is_described_and_its_path_parameters_are_declared(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    seen = set()
    for method, path, operation in operations(document):
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        assert operation["description"], path
        declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert any(status.startswith("2") for status in operation["responses"])
        assert "application/problem+json" in operation["responses"]["4XX"]["content"]
        assert ("requestBody" in operation) == (method in ("post", "patch"))


@pytest.mark.parametrize(
    ("method", "path", "operation_path", "body"),
    [
        ("get", "/v1/ready", None, None),
        ("get", "/v1/accessories?secrets=true", "/v1/accessories", None),
        ("get", "/v1/accessories/br", "/v1/accessories/{id}", None),
        ("post", "/v1/accessories/br/actions/share-code", "/v1/accessories/{id}/actions/{verb}", {}),
        ("post", "/v1/events/wait", None, {"type": "StateChanged"}),
        ("post", "/v1/events/wait", None, {"type": "StateChanged", "actor": "nobody", "timeout": 0}),
        ("post", "/v1/faults", None, {"kind": "drop", "target": "phone"}),
        ("get", "/v1/faults/kinds", None, None),
        ("get", "/v1/phones", None, None),
        ("patch", "/v1/phones/phone", "/v1/phones/{id}", {"code": "wrong"}),
        ("get", "/v1/phones/phone/wifi-aware", "/v1/phones/{id}/wifi-aware", None),
        ("get", "/v1/phones/phone/wifi-aware/paired-devices", "/v1/phones/{id}/wifi-aware/paired-devices", None),
        (
            "post",
            "/v1/phones/phone/wifi-aware/pairing-view",
            "/v1/phones/{id}/wifi-aware/pairing-view",
            {"service": "_x._tcp"},
        ),
        ("post", "/v1/time/advance", None, {"duration": "1s"}),
        ("get", "/v1/accessories/nobody", "/v1/accessories/{id}", None),
    ],
)
async def test_answer_is_what_the_document_says(
    api: httpx.AsyncClient, method: str, path: str, operation_path: str | None, body: object
) -> None:
    document = (await api.get("/openapi.json")).json()
    operation = document["paths"][operation_path or path][method]
    if body is not None:
        jsonschema.validate(body, operation["requestBody"]["content"]["application/json"]["schema"])
    answer = await api.request(method, path, json=body)
    status = str(answer.status_code)
    response = operation["responses"].get(status) or operation["responses"][f"{status[0]}XX"]
    schema = response["content"][answer.headers["content-type"]]["schema"]
    assert schema
    jsonschema.validate(answer.json(), {**schema, "components": document["components"]})
