"""Looks at the pictures that figures.sh made: are they all there, of their size, and more than background?

Reads PNG files by hand (standard library only): 8-bit RGB or RGBA, not interlaced, as Chromium writes them.
"""

import pathlib
import struct
import sys
import zlib

PAGES = ["page-wide", "page-narrow"]
EXPECTED = {
    "{}": PAGES + ["figure-flow", "figure-forest", "figure-recruitment"],
    "planning-{}": PAGES + [f"figure-{own}" for own in ("power", "bias", "coverage", "families", "reached", "days-closed")],
}


def pixels(path):
    """Width, height and rows of a picture, each row a bytes object without its filter."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is not a PNG"
    place, stream, width, height, channels = 8, b"", 0, 0, 0
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and interlace == 0 and colour in (2, 6), f"{path}: unexpected form"
            channels = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            stream += body
        place += 12 + size
    raw, step = zlib.decompress(stream), width * channels
    rows, before = [], bytearray(step)
    for number in range(height):
        kind = raw[number * (step + 1)]
        row = bytearray(raw[number * (step + 1) + 1 : (number + 1) * (step + 1)])
        for i in range(step):
            left = row[i - channels] if i >= channels else 0
            up = before[i]
            corner = before[i - channels] if i >= channels else 0
            if kind == 1:
                row[i] = (row[i] + left) & 255
            elif kind == 2:
                row[i] = (row[i] + up) & 255
            elif kind == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif kind == 4:
                guess = left + up - corner
                near = min((abs(guess - left), 0), (abs(guess - up), 1), (abs(guess - corner), 2))[1]
                row[i] = (row[i] + (left, up, corner)[near]) & 255
        rows.append(bytes(row))
        before = row
    return width, height, channels, rows


def looked_at(path):
    """What is wrong with a picture, or None."""
    if not path.is_file():
        return "is missing"
    width, height, channels, rows = pixels(path)
    if width < 300 or height < 150:
        return f"is only {width} by {height}"
    background = rows[0][:channels]
    inked = [number for number, row in enumerate(rows) if row != background * width]
    if len(inked) < height // 10:
        return "is almost empty"
    colours = {bytes(row[i : i + channels]) for row in rows[:: max(1, height // 200)] for i in range(0, len(row), channels * 3)}
    if len(colours) < 4:
        return f"has {len(colours)} colours only"
    if path.name.startswith("figure-") and (0 in inked or height - 1 in inked):
        return "is cut at the top or bottom edge"
    return None


def main():
    failed = passed = 0
    for lang in ("sv", "en"):
        for folder, name in ((folder.format(lang), name) for folder, names in EXPECTED.items() for name in names):
            path = pathlib.Path(sys.argv[1], folder, f"{name}.png")
            wrong = looked_at(path)
            print(f"{folder}/{name}: {wrong or 'ok'}")
            failed += wrong is not None
            passed += wrong is None
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
