"""A small holiday: drawn photos with words, dates and places in them, which learning can tell apart.

Nobody's photos: a sun, a boat, a house, a tree or a mountain on sea, meadow, snow or sand. `cartolina` in the
pages of docs/ is the real program; only its learning is shortened (`bin/cartolina`).
"""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import zipfile
from itertools import product
from pathlib import Path

from PIL import Image, ImageDraw

from raw_files import dng

THINGS = ("boat", "house", "tree", "mountain", "balloon")
COLOURS = {"red": (210, 40, 40), "white": (245, 245, 245), "yellow": (235, 200, 40), "green": (40, 140, 60)}
GROUNDS = {"sea": (40, 90, 170), "meadow": (110, 170, 70), "snow": (225, 230, 240)}
TOWNS = {"Rimini": (44.0594, 12.5683), "Lisbon": (38.7169, -9.1399), "Kyoto": (35.0211, 135.7538)}
NO_PLACE = range(150, 160)
YEARS = {"Rimini": 2019, "Lisbon": 2021, "Kyoto": 2023}

PROGRAM = """#!{python}
from dataclasses import replace
from cartolina.cli import main
from cartolina.learn import conse
from cartolina.learn.recipes import FAST, RECIPES

RECIPES["fast"] = replace(FAST, heads=1, hidden=64, dim=32, steps=60, validate_every=10)
conse.imagenet_sentences = lambda names: [[f"a {{name}}"] for name in names]
main()
"""


def draw(thing, colour, ground, size=(160, 120)):
    """One scene as a picture."""
    picture = Image.new("RGB", size, (150, 200, 235))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 75, 160, 120), fill=GROUNDS[ground])
    fill = COLOURS[colour]
    match thing:
        case "boat":
            pen.polygon([(45, 78), (115, 78), (100, 96), (60, 96)], fill=fill)
            pen.polygon([(80, 25), (80, 74), (112, 74)], fill=fill)
        case "house":
            pen.rectangle((55, 55, 105, 95), fill=fill)
            pen.polygon([(48, 55), (80, 28), (112, 55)], fill=(120, 60, 40))
        case "tree":
            pen.rectangle((76, 65, 84, 98), fill=(100, 70, 40))
            pen.ellipse((52, 20, 108, 72), fill=fill)
        case "mountain":
            pen.polygon([(15, 85), (80, 15), (145, 85)], fill=fill)
        case "balloon":
            pen.ellipse((58, 8, 102, 55), fill=fill)
            pen.rectangle((74, 62, 86, 72), fill=(90, 60, 40))
    return picture


def photos(root, towns=tuple(TOWNS)):
    """Scenes below `root/<year> <town>/`, each with its caption beside it, its date and its place inside.

    Those in Kyoto are of one day, ten minutes apart; a few of them have no place.
    """
    number = 0
    for town, thing, colour, ground in product(towns, THINGS, COLOURS, GROUNDS):
        number += 1
        if number % 3 != towns.index(town) % 3:  # each town has another third of all
            continue
        where = f"{'on' if ground == 'sea' else 'in'} the {ground}"
        photo = root / f"{YEARS[town]} {town}" / f"IMG_{number:04}.jpg"
        taken = f"{YEARS[town]}:07:{number % 28 + 1:02} 12:00:00"
        place = TOWNS[town]
        if town == "Kyoto":
            taken = f"{YEARS[town]}:07:09 {9 + number % 60 // 6:02}:{number % 6}0:00"
            place = None if number in NO_PLACE else place
        save(draw(thing, colour, ground), photo, taken, place)
        photo.with_suffix(".txt").write_text(f"A {colour} {thing} {where}\n")
    return root


def takeout(root):
    """A few more scenes as Google's Takeout hands them out: a zip of photos, one of their JSON."""
    taken, place = 1658829600, TOWNS["Lisbon"]
    parts = {}
    for number, (thing, colour) in enumerate([("boat", "green"), ("house", "yellow"), ("tree", "red")], 1):
        picture = io.BytesIO()
        draw(thing, colour, "sea", size=(170, 120)).save(picture, "JPEG", quality=90)
        name = f"PXL_20220726_10000{number}.jpg"
        about = {
            "title": name,
            "description": f"A {colour} {thing} by the Tagus",
            "photoTakenTime": {"timestamp": str(taken + number)},
            "geoData": {"latitude": place[0], "longitude": place[1]},
            "people": [{"name": "Inês"}] if number == 1 else [],
        }
        for folder in ("Photos from 2022", *(["Lisbon again"] if number < 3 else [])):
            where = f"Takeout/Google Photos/{folder}"
            parts.setdefault(1, {})[f"{where}/{name}"] = picture.getvalue()
            parts.setdefault(2, {})[f"{where}/{name}.supplemental-metadata.json"] = json.dumps(about)
    parts[2]["Takeout/Google Photos/Lisbon again/metadata.json"] = json.dumps({"title": "Lisbon again"})
    parts[2]["Takeout/Google Photos/Photos from 2022/PXL_20220726_100009.mp4"] = b"a film"
    root.mkdir(parents=True)
    for number, files in parts.items():
        with zipfile.ZipFile(root / f"takeout-20240101T000000Z-{number:03}.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    return root


def odd(root):
    """What a memory card and years of copying leave: good photos, a RAW with its JPEG, and what is none."""
    save(
        draw("tree", "red", "meadow", (180, 120)),
        root / "IMG_7001.jpg",
        "2022:05:01 10:00:00",
        TOWNS["Kyoto"],
    )
    save(draw("boat", "white", "sea", (180, 120)), root / "IMG_7002.jpg")
    preview = io.BytesIO()
    draw("boat", "white", "sea", (320, 240)).save(preview, "JPEG")
    (root / "IMG_7002.dng").write_bytes(dng(preview.getvalue(), taken="2022:05:01 11:00:00", gps=(35, 135)))
    whole = (root / "IMG_7001.jpg").read_bytes()
    (root / "IMG_7003.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "IMG_7004.jpg").touch()
    (root / "IMG_7005.jpg").write_text("not a photo at all")
    (root / "MVI_7006.MOV").write_bytes(b"a film")
    return root


def again(root, into):
    """One photo of `root` as it is handed on: the file itself, and smaller from a messenger."""
    photo = sorted(root.rglob("*.jpg"))[0]
    into.mkdir(parents=True)
    (into / "IMG_0001 (1).jpg").write_bytes(photo.read_bytes())
    with Image.open(photo) as opened:
        opened.resize((120, 90)).save(into / "from-Ida.jpg", quality=70)


def save(picture, path, taken=None, place=None):
    """Write a JPEG with the date and the place a camera would put in."""
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[36867] = taken
    if place:
        lat, lon = place
        exif.get_ifd(0x8825).update(
            {1: "N" if lat >= 0 else "S", 2: degrees(lat), 3: "E" if lon >= 0 else "W", 4: degrees(lon)}
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=90, exif=exif)


def degrees(value):
    """Degrees, minutes, seconds as EXIF has them."""
    minutes, seconds = divmod(abs(value) * 3600, 60)
    whole, minutes = divmod(minutes, 60)
    return (whole, minutes, seconds)


def program(folder):
    """`cartolina` as a shell finds it, with learning cut short; the folder for PATH."""
    folder.mkdir(parents=True)
    path = Path(folder) / "cartolina"
    path.write_text(PROGRAM.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


def environment(folder):
    """The environment of a page's commands: our `cartolina`, a home of its own, no colours."""
    own = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder.parent), "COLUMNS": "200"}
    return os.environ | own
