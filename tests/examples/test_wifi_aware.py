"""A Wi-Fi Aware camera for tests: paired with by its PIN and asked for a picture; and a wrong PIN, on virtual time."""

import httpx

HOME = """
[[accessory]]
id = "camera"
kind = "wifi-aware-camera"

[[phone]]
id = "phone"
profile = "ios-26"
"""


def test_a_paired_phone_gets_a_picture(pairlab_home):
    home = pairlab_home(HOME)
    home["phone"].do("pair", target="camera", code=home["camera"].code)
    home.events.wait("PairingCompleted", actor="phone")
    opened = home["phone"].do("open", target="camera").result()
    assert httpx.get(opened["value"]["endpoints"]["http"]).content.startswith(b"\x89PNG")


def test_a_wrong_pin_fails_and_the_right_one_pairs(pairlab_home):
    home = pairlab_home.virtual(HOME)
    home["phone"].do("pair", target="camera", code="000000").result()
    home.events.wait("PairingFailed", actor="phone", where={"error": "AuthenticationError"})
    home["phone"].do("pair", target="camera", code=home["camera"].code).result()
    home.events.wait("PairingCompleted", actor="phone")
    assert home["phone"].do("open", target="camera").result()["outcome"] == "done"
