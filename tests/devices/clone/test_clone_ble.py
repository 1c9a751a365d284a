"""A Bluetooth LE accessory cloned through bleak: what bleak sees of the clone is what it saw of the original."""

import asyncio
import tomllib
from typing import Any

import pytest

from devices.clone.ble import read_ble
from devices.clone.home_file import home_text
from devices.errors import EmulatorError

HOME = """
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
name = "Thermo 7"
address = "C4:00:00:00:00:01"
mtu = 100
advert = { interval = "20ms", services = ["fff0"], manufacturer = { ffff = "0107" }, tx_power = -4 }
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "notify"]
number = 100
[[accessory.service]]
uuid = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
[[accessory.service.characteristic]]
uuid = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
properties = ["write", "write-without-response"]
[[accessory.service.characteristic]]
uuid = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
properties = ["indicate"]
descriptor = [{ uuid = "2901", value = "7478" }]
[[accessory]]
id = "big"
kind = "ble-peripheral"
name = "A name of twenty-six octets"
advert = { interval = "20ms", services = ["6e400001-b5a3-f393-e0a9-e50e24dcca9e"] }
"""


def _tables(address: str) -> dict[str, Any]:
    return asyncio.run(read_ble(address, 0.3))


def test_a_clone_is_like_the_original(pairlab_home, pairlab_bleak) -> None:
    pairlab_home(HOME)
    first = _tables("c4:00:00:00:00:01")
    (accessory,) = first["accessory"]
    assert accessory["advert"] == {
        "name": "scan-response",
        "services": ["fff0"],
        "manufacturer": {"ffff": "0107"},
        "tx_power": -4,
    }
    written = tomllib.loads(HOME)["accessory"][0]["service"]
    written[0]["characteristic"][0] = {"uuid": "2a19", "properties": ["read", "notify"], "value": "64"}
    assert accessory["service"] == written
    assert (accessory["address"], accessory["mtu"]) == ("C4:00:00:00:00:01", 100)
    pairlab_home(home_text(first, "the original"))
    assert _tables("Thermo 7") == first


def test_what_does_not_fit_beside_each_other_is_packed(pairlab_home, pairlab_bleak) -> None:
    pairlab_home(HOME)
    first = _tables("a name of twenty-six octets")
    assert "address" in first["accessory"][0]
    pairlab_home(home_text(first, "the original"))
    assert _tables("A name of twenty-six octets") == first


def test_who_is_not_in_view_is_not_cloned(pairlab_home, pairlab_bleak) -> None:
    pairlab_home(HOME)
    with pytest.raises(EmulatorError, match=r"no Bluetooth device .Lamp. in view; seen: .*C4:00:00:00:00:01 Thermo 7"):
        _tables("Lamp")
