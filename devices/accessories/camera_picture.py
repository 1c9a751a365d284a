"""The picture of an emulated camera: a small PNG made in code, the scene drawn from the seed, the frame's number on it.

Source: PNG specification (ISO/IEC 15948), sections 5 (chunks), 9 (filter 0) and 10 (zlib stream).
"""

import struct
import zlib
from dataclasses import dataclass

from devices.sim.chance import Stream

WIDTH, HEIGHT = 160, 120
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _BITS = 2, 8
_SCALE, _DIGIT_WIDTH, _MARGIN = 3, 4, 6
_WHITE, _BLACK = bytes((255, 255, 255)), bytes((0, 0, 0))
_FONT = {
    "0": ("111", "101", "101", "101", "111"),
    "1": ("010", "110", "010", "010", "111"),
    "2": ("111", "001", "111", "100", "111"),
    "3": ("111", "001", "111", "001", "111"),
    "4": ("101", "101", "111", "001", "001"),
    "5": ("111", "100", "111", "001", "111"),
    "6": ("111", "100", "111", "101", "111"),
    "7": ("111", "001", "001", "001", "001"),
    "8": ("111", "101", "111", "101", "111"),
    "9": ("111", "101", "111", "001", "111"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands in front of the camera: a sky, a ground, and a box that walks through."""

    sky: tuple[int, int, int]
    ground: tuple[int, int, int]
    box: tuple[int, int, int]
    horizon: int
    speed: int

    @classmethod
    def draw(cls, chance: Stream) -> "Scene":
        """A scene from chance."""
        return cls(
            sky=(chance.randrange(96, 160), chance.randrange(144, 208), chance.randrange(208, 256)),
            ground=(chance.randrange(64, 128), chance.randrange(96, 160), chance.randrange(48, 96)),
            box=(chance.randrange(160, 256), chance.randrange(0, 96), chance.randrange(0, 96)),
            horizon=chance.randrange(HEIGHT // 3, HEIGHT // 2),
            speed=chance.randrange(3, 12),
        )


def picture(scene: Scene, frame: int) -> bytes:
    """The PNG of one frame."""
    rows = [bytearray(bytes(scene.sky if y < scene.horizon else scene.ground) * WIDTH) for y in range(HEIGHT)]
    size, left = HEIGHT // 5, frame * scene.speed % (WIDTH - HEIGHT // 5)
    for y in range(HEIGHT - 2 * size, HEIGHT - size):
        rows[y][3 * left : 3 * (left + size)] = bytes(scene.box) * size
    _write_number(rows, frame)
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, _BITS, _RGB, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw, 9)) + _chunk(b"IEND", b"")


def _write_number(rows: list[bytearray], number: int) -> None:
    text = str(number)
    width, height = _SCALE * (_DIGIT_WIDTH * len(text) + 1), _SCALE * 7
    for y in range(_MARGIN, _MARGIN + height):
        rows[y][3 * _MARGIN : 3 * (_MARGIN + width)] = _BLACK * width
    for place, digit in enumerate(text):
        for line, pixels in enumerate(_FONT[digit]):
            for column, pixel in enumerate(pixels):
                if pixel == "1":
                    x = _MARGIN + _SCALE * (_DIGIT_WIDTH * place + column + 1)
                    for y in range(_MARGIN + _SCALE * (line + 1), _MARGIN + _SCALE * (line + 2)):
                        rows[y][3 * x : 3 * (x + _SCALE)] = _WHITE * _SCALE


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
