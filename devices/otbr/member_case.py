"""Member names as agents wrote them before September 2025: `NetworkName`, `PSKc`."""

from devices.otbr.json_text import Json

_SPECIAL = {"pskc": "PSKc", "routerCount": "NumOfRouter"}
_SPECIAL_BACK = {old: new for new, old in _SPECIAL.items()}


def to_pascal(value: Json) -> Json:
    """The value with every member under its old name."""
    match value:
        case dict():
            return {_SPECIAL.get(name) or name[:1].upper() + name[1:]: to_pascal(each) for name, each in value.items()}
        case list():
            return [to_pascal(each) for each in value]
        case _:
            return value


def from_pascal(value: Json) -> Json:
    """The value with every old name made new; a name that is new already means nothing to an old agent."""
    match value:
        case dict():
            return {_renamed(name): from_pascal(each) for name, each in value.items()}
        case list():
            return [from_pascal(each) for each in value]
        case _:
            return value


def _renamed(name: str) -> str:
    if name in _SPECIAL_BACK:
        return _SPECIAL_BACK[name]
    return name[:1].lower() + name[1:] if name[:1].isupper() else f"?{name}"
