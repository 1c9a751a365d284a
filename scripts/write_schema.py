#!/usr/bin/env python
"""Writes specs/schema/{home,scenario}.schema.json from the models, the kinds of accessory, the faults and the events.

An editor that knows the schema completes and checks home and scenario files while they are typed. With `--check`
nothing is written; the exit code says whether the files are current.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from devices.accessories.base import Accessory
from devices.accessories.registry import kinds
from devices.actor import Actor
from devices.controllers.commissioner import HomeCommissioner
from devices.controllers.phone import PROFILES, Phone
from devices.events import vocabulary
from devices.faults.base import wire_faults
from devices.spec import HOME_VERBS, STEP_KEYS, HomeSpec, ScenarioSpec

FOLDER = Path(__file__).parents[1] / "specs" / "schema"
_OURS = ("devices.", "pairing.")
Schema = dict[str, Any]


def main() -> int:
    """Write the files, or check them."""
    stale = []
    for name, model in (("home", HomeSpec), ("scenario", ScenarioSpec)):
        path = FOLDER / f"{name}.schema.json"
        text = json.dumps(schema_of(model, f"pairlab {name} file"), indent=2, ensure_ascii=False) + "\n"
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path.name} is not current; run scripts/write_schema.py", file=sys.stderr)
    return 1 if stale else 0


def schema_of(model: type[BaseModel], title: str) -> Schema:
    """The schema of a file, with what the registries know put in."""
    schema: Schema = model.model_json_schema(by_alias=True)
    definitions: Schema = schema["$defs"]
    _tell_kinds(definitions)
    _tell_faults(definitions["FaultSpec"])
    definitions["PhoneSpec"]["properties"]["profile"]["enum"] = list(PROFILES)
    definitions["AfterSpec"]["properties"]["event"]["enum"] = _events()
    if "StepSpec" in definitions:
        _tell_steps(definitions["StepSpec"])
    schema |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    tidied: Schema = _tidy(schema, keep_title=True)
    return tidied


def _our_kinds() -> Mapping[str, type[Accessory]]:
    return {kind: cls for kind, cls in kinds().items() if cls.__module__.startswith(_OURS)}


def _events() -> list[str]:
    return [name for name, cls in vocabulary().items() if cls.__module__.startswith(_OURS)]


def _tell_kinds(definitions: Schema) -> None:
    """Each kind's settings and lies."""
    accessory = definitions["AccessorySpec"]
    accessory["properties"]["kind"]["enum"] = list(_our_kinds())
    del accessory["additionalProperties"]
    accessory["unevaluatedProperties"] = False
    accessory["allOf"] = []
    for kind, cls in _our_kinds().items():
        settings = cls.settings_model.model_json_schema(by_alias=True)
        definitions |= settings.pop("$defs", {})
        then: Schema = {"properties": {**settings["properties"], "lies": {"items": _lies(cls)}}}
        if "required" in settings:
            then["required"] = settings["required"]
        accessory["allOf"].append(_if_kind(kind, then))


def _lies(cls: type[Accessory]) -> Schema:
    tables = [
        {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"const": kind}, "optional": {"type": "boolean"}, **_parameters(record)},
            "additionalProperties": False,
        }
        for kind, record in cls.lies.items()
    ]
    return {"anyOf": [{"enum": list(cls.lies)}, *tables]}


def _tell_faults(fault: Schema) -> None:
    """Each fault's and lie's parameters; a lie needs a target."""
    lies = {kind: record for cls in _our_kinds().values() for kind, record in cls.lies.items()}
    wire = wire_faults()
    fault["properties"]["kind"]["enum"] = [*wire, *lies]
    del fault["additionalProperties"]
    fault["unevaluatedProperties"] = False
    fault["allOf"] = [_if_kind(kind, _described(cls)) for kind, cls in wire.items()]
    fault["allOf"] += [_if_kind(kind, {**_described(record), "required": ["target"]}) for kind, record in lies.items()]


def _described(record: type[Any]) -> Schema:
    return {"description": (record.__doc__ or "").partition("\n")[0], "properties": _parameters(record)}


def _parameters(record: type[Any]) -> Schema:
    properties: Schema = TypeAdapter(record).json_schema().get("properties", {})
    return properties


def _tell_steps(step: Schema) -> None:
    """The verbs and events there are, and which keys go together."""
    actors: list[type[Actor]] = [*_our_kinds().values(), Phone, HomeCommissioner]
    verbs = sorted({*HOME_VERBS, *(verb for cls in actors for verb in cls.verbs)})
    for name, words in (("do", verbs), ("expect", _events()), ("never", _events())):
        step["properties"][name] |= {"type": "string", "enum": words}
        step["properties"][name].pop("anyOf")
    every = set(step["properties"])
    step["oneOf"] = [
        {"required": [name], "properties": dict.fromkeys(sorted(every - {name, *keys}), False)}
        for name, keys in STEP_KEYS.items()
    ]


def _if_kind(kind: str, then: Schema) -> Schema:
    return {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": then}


def _tidy(value: Any, *, keep_title: bool = False) -> Any:
    """Without what says nothing in TOML: titles made of key names, `null`, and defaults that mean "not given"."""
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    tidied = {
        name: each if name in ("enum", "const", "default", "required") else _tidy(each) for name, each in value.items()
    }
    if not keep_title and isinstance(tidied.get("title"), str):
        del tidied["title"]
    if tidied.get("default", "given") in (None, ""):
        del tidied["default"]
    options = [each for each in _listed(tidied.pop("anyOf", None)) if each != {"type": "null"}]
    if len(options) == 1:
        return {**options[0], **tidied}
    return {**tidied, "anyOf": options} if options else tidied


def _listed(value: Iterable[Any] | None) -> list[Any]:
    return list(value or ())


if __name__ == "__main__":
    sys.exit(main())
