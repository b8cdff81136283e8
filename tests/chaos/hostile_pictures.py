"""Files that claim to be pictures: what people send to bring a picture service down, or to have it
serve something else. Made here, so that nothing of the kind lies in the repository."""

import io
import struct
import zipfile
import zlib

from PIL import Image

# (name, announced type, bytes, why it must be refused)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>'
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction 2 0 R>>endobj\n%%EOF\n"


def photo(width=800, height=600, form="JPEG", noise=12, **options):
    """Colours that run into each other, with some noise."""
    grain = Image.effect_noise((width, height), noise)
    sky = Image.linear_gradient("L").resize((width, height))
    out = io.BytesIO()
    Image.merge("RGB", [sky, grain, grain.rotate(180)]).save(out, form, **options)
    return out.getvalue()


def large_progressive_jpeg():
    """12 megapixels, which a decoder must hold whole; phones and editors write such files."""
    return photo(4000, 3000, quality=88, progressive=True, subsampling=0)


def png_claiming(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(name, content):
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def jpeg_claiming(width, height):
    """A JPEG whose frame header says another size than there is data for."""
    content = bytearray(photo())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def gif_of(frames, size=1):
    """Frames of one transparent picture each, a hundredth of a second long."""
    screen = struct.pack("<HHBBB", size, size, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = (
        b"\x21\xf9\x04\x00\x01\x00\x00\x00"
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
        + b"\x02\x02\x44\x01\x00"
    )
    return b"GIF89a" + screen + frame * frames + b";"


def with_comment(jpeg, text):
    """A JPEG that says something in a comment behind its first marker."""
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + jpeg[2:]


def with_archive(picture):
    """A picture that unpackers take for an archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", "<script>x()</script>")
    return picture + out.getvalue()


def with_markup(png, text):
    """A PNG with a text chunk behind its header."""
    end_of_header = 8 + 25
    chunk = png_chunk(b"tEXt", b"Comment\0" + text)
    return png[:end_of_header] + chunk + png[end_of_header:]


def bombs():
    """[(name, announced type, bytes, reason)]"""
    jpeg, png = photo(), photo(form="PNG")
    return [
        ("PNG header of 50,000²", "image/png", png_claiming(50_000, 50_000), "too-many-pixels"),
        ("JPEG header of 64,250²", "image/jpeg", jpeg_claiming(64_250, 64_250), "too-many-pixels"),
        ("truncated JPEG", "image/jpeg", jpeg[: len(jpeg) // 2], "undecodable"),
        ("SVG named .jpg", "image/jpeg", SVG, "not-an-image"),
        ("PDF named .jpg", "image/jpeg", PDF, "not-an-image"),
        ("JPEG that is an archive", "image/jpeg", with_archive(jpeg), "polyglot"),
        ("JPEG that is a PDF", "image/jpeg", with_comment(jpeg, PDF), "polyglot"),
        ("PNG that is a page", "image/png", with_markup(png, b"<script>x()</script>"), "polyglot"),
        ("GIF that is a script", "image/gif", b"GIF89a=1;alert(1)//", "undecodable"),
        ("PNG named .jpg", "image/jpeg", png, "type-mismatch"),
        ("GIF of 10,000 frames", "image/gif", gif_of(10_000), "too-many-frames"),
    ]
