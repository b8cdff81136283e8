"""A PNG picture made of nothing but the standard library, with something to strip in it."""

import random
import struct
import zlib

SECRET = b"taken at 51.0543 N 3.7174 E"  # must not survive in any variant


def make_png(width=640, height=480, seed=None):
    """A sky with a sun, different for each seed, with a text chunk that names a place."""
    chance = random.Random(seed)
    top = [chance.randrange(40, 120), chance.randrange(120, 190), chance.randrange(190, 255)]
    sun_x, sun_y = chance.randrange(width), chance.randrange(height // 2)
    sun_size = height // 6
    rows = []
    for y in range(height):
        shade = y / height
        colour = bytes(int(part + (255 - part) * shade) for part in top)
        row = bytearray(colour * width)
        reach = sun_size**2 - (y - sun_y) ** 2
        if reach > 0:
            half = int(reach**0.5)
            left, right = max(0, sun_x - half), min(width, sun_x + half)
            row[3 * left : 3 * right] = b"\xff\xd8\x50" * max(0, right - left)
        rows.append(b"\x00" + bytes(row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"tEXt", b"Comment\x00" + SECRET)
        + _chunk(b"IDAT", zlib.compress(b"".join(rows), 6))
        + _chunk(b"IEND", b"")
    )


def is_webp(content):
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _chunk(name, content):
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
