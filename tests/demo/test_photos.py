"""The demo's photos, from packages laid out as Debian's are, in miniature."""

import io
import json

import pytest
from PIL import Image
from rcc_writer import write_rcc

from cartolina.datasets import open_dataset
from cartolina.demo import gcompris, photos, tuxpaint
from cartolina.demo.landmarks import LANDMARKS
from cartolina.errors import InputError
from cartolina.geo import Gazetteer, haversine_km

BOARD = """
import QtQuick 2.12
QtObject {
    property string backgroundImage: "qrc:/gcompris/src/activities/explore_monuments/resource/wonders/%s"
    property var tab: [
        {
            "image": "qrc:/gcompris/src/activities/key.svg",
            "title": qsTr("%s"),
            "text": qsTr("Some \\"quoted\\" text (with brackets)."),
            "image2": "qrc:/gcompris/src/activities/%s",
            "x": %s,
            "y": "%s",
        },
        { "title": qsTr("No photo"), "x": 0.1 }
    ]
}
"""
DETAILS = """
QtObject {
   property string instruction: qsTr("Taj Mahal, Agra, India")
   property var levels: [
      { "pixmapfile" : "image/TajMahal_background.webp" },
      { "pixmapfile" : "image/TajMahal_0.webp" }
   ]
}
"""


def webp():
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "WEBP")
    return out.getvalue()


@pytest.fixture
def rcc_folder(tmp_path):
    """One or two photos of every activity that is read."""
    folder = tmp_path / "root/usr/share/gcompris-qt/rcc"
    folder.mkdir(parents=True)

    def activity(name, files):
        inside = {f"gcompris/src/activities/{name}/{path}": data for path, data in files.items()}
        (folder / f"{name}.rcc").write_bytes(write_rcc(inside, compress=tuple(inside)))

    petra = "explore_monuments/resource/wonders/petra.webp"
    board = BOARD % ("world-map.svg", "Petra", petra, 0.569, 0.465)
    readme = {"resource/README": b"Copyright: a photographer"}
    activity(
        "explore_monuments",
        {"resource/board/board1.qml": board.encode(), "resource/wonders/petra.webp": webp(), **readme},
    )
    panda = "explore_world_animals/resource/animals/panda.webp"
    board = BOARD % ("world-map.svg", "Panda", panda, 0.765, 0.45)
    activity(
        "explore_world_animals",
        {"resource/board/board1.qml": board.encode(), "resource/animals/panda.webp": webp()},
    )
    gone = BOARD % ("map.svg", "Gone", "explore_world_music/resource/music/gone.webp", 0.1, 0.1)
    activity("explore_world_music", {"resource/board/board1.qml": gone.encode()})
    pig = BOARD % ("farm.svg", "Pig", "explore_farm_animals/resource/animals/pig.webp", 0.5, 0.5)
    activity(
        "explore_farm_animals",
        {"resource/board/board1.qml": pig.encode(), "resource/animals/pig.webp": webp()},
    )
    activity(
        "details",
        {
            "resource/board/board1_0.qml": DETAILS.encode(),
            "resource/image/TajMahal_background.webp": webp(),
            "resource/image/TajMahal_0.webp": webp(),
        },
    )
    activity(
        "categorization",
        {
            "resource/images/tools/measuringTape3.webp": webp(),
            "resource/images/monuments/parthenon.webp": webp(),
            "resource/images/alphabets/alphabets.webp": webp(),
            "resource/images/tools/saw.svg": b"<svg/>",
        },
    )
    activity("erase", {"resource/red_panda.webp": webp()})
    return folder


@pytest.fixture
def stamps(tmp_path):
    folder = tmp_path / "root/usr/share/tuxpaint/stamps"
    for name, words in {
        "animals/birds/duck": "A duck.\nit.utf8=Un'anatra.\n",
        "animals/birds/cartoon/chick": "A chick.\n",
        "symbols/math/plus": "Plus.\n",
        "vehicles/ship/boat": "A boat — with sails.\nde.utf8=Ein Boot.\n",
    }.items():
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (8, 8), (0, 0, 255, 128)).save(path)
        path.with_suffix(".txt").write_text(words, encoding="utf-8")
    Image.new("RGBA", (8, 8)).save(folder / "animals/birds/duck_mirror.png")
    return folder


def test_gcompris_photos_with_words_and_places(rcc_folder, tmp_path):
    into = tmp_path / "photos"
    rows = {row["id"]: row for row in gcompris.photos(rcc_folder, into)}
    assert set(rows) == {
        "gcompris/explore_monuments/wonders/petra",
        "gcompris/explore_world_animals/animals/panda",
        "gcompris/explore_farm_animals/animals/pig",
        "gcompris/details/image/TajMahal_background",
        "gcompris/categorization/tools/measuringTape3",
        "gcompris/categorization/monuments/parthenon",
        "gcompris/erase/red_panda",
    }
    petra = rows["gcompris/explore_monuments/wonders/petra"]
    assert petra["captions"] == ["Petra", 'Some "quoted" text (with brackets).']
    assert (petra["lat"], petra["lon"]) == LANDMARKS["wonders/petra"][1:]
    assert petra["tags"] == ["landmarks"]
    panda = rows["gcompris/explore_world_animals/animals/panda"]
    assert haversine_km(panda["lat"], panda["lon"], 33.0, 105.0) < 300  # Sichuan
    assert "lat" not in rows["gcompris/explore_farm_animals/animals/pig"]  # a farm has no coordinates
    assert rows["gcompris/details/image/TajMahal_background"]["captions"] == ["Taj Mahal, Agra, India"]
    assert rows["gcompris/categorization/tools/measuringTape3"]["captions"] == ["measuring tape"]
    assert rows["gcompris/categorization/monuments/parthenon"]["captions"] == ["Parthenon in Athens"]
    assert rows["gcompris/erase/red_panda"]["captions"] == ["red panda"]
    for row in rows.values():
        with Image.open(into / row["image"]) as picture:
            assert picture.size == (8, 8)
    assert (into / "gcompris/explore_monuments/README").read_bytes() == b"Copyright: a photographer"


def test_gcompris_without_an_activity(rcc_folder, tmp_path):
    (rcc_folder / "erase.rcc").unlink()
    with pytest.raises(InputError, match=r"erase\.rcc is missing"):
        list(gcompris.photos(rcc_folder, tmp_path / "photos"))


def test_stamps_are_photos_with_their_english_sentence(stamps, tmp_path):
    rows = list(tuxpaint.photos(stamps, tmp_path / "photos"))
    assert rows == [
        {
            "id": "tuxpaint/animals/birds/duck",
            "image": "tuxpaint/animals/birds/duck.png",
            "captions": ["A duck."],
            "tags": ["animals", "birds"],
        },
        {
            "id": "tuxpaint/vehicles/ship/boat",
            "image": "tuxpaint/vehicles/ship/boat.png",
            "captions": ["A boat — with sails."],
            "tags": ["vehicles", "ship"],
        },
    ]
    copy = tmp_path / "photos" / rows[0]["image"]
    assert copy.read_bytes() == (stamps / "animals/birds/duck.png").read_bytes()
    with pytest.raises(InputError, match="is missing"):
        list(tuxpaint.photos(tmp_path / "nowhere", tmp_path / "photos"))


def test_the_table_is_one_the_reader_knows(rcc_folder, stamps, tmp_path, monkeypatch):
    monkeypatch.setenv("CARTOLINA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache/demo/some-package").mkdir(parents=True)
    monkeypatch.setattr(photos, "unpacked", lambda package, cache, progress: tmp_path / "root")
    table = photos.collect(tmp_path / "photos")
    assert not (tmp_path / "cache/demo").exists()
    dataset = open_dataset(table)
    assert dataset.stable_ids
    posts = {post.id: post for post in dataset.posts(on_skip=lambda skip: pytest.fail(str(skip)))}
    assert len(posts) == 9 == len(table.read_text().splitlines())
    duck = posts["tuxpaint/animals/birds/duck"]
    assert (duck.captions, duck.tags) == (("A duck.",), ("animals", "birds"))
    petra = posts["gcompris/explore_monuments/wonders/petra"]
    assert len(petra.captions) == 2
    assert petra.place.lat == pytest.approx(30.329)
    monkeypatch.setattr(photos, "unpacked", lambda *_: pytest.fail("done already"))
    assert photos.collect(tmp_path / "photos") == table
    assert json.loads(table.read_text().splitlines()[0])["id"].startswith("gcompris/")


@pytest.mark.parametrize("country", ["India", "France", "Germany", "United States", "Egypt"])
def test_landmarks_lie_in_the_country_their_folder_names(country):
    folder = {"United States": "usa"}.get(country, country.lower())
    places = [where for name, (_, *where) in LANDMARKS.items() if name.startswith(f"{folder}/")]
    with Gazetteer.open() as gazetteer:
        land = next(town for town in gazetteer.find(country) if town.radius_km)
    assert len(places) >= 4
    for lat, lon in places:
        assert haversine_km(lat, lon, land.lat, land.lon) < 2 * land.radius_km  # a circle of its area


def test_landmarks_lie_at_the_town_their_name_says():
    places = [(name.rsplit(" in ", 1)[1], where) for name, *where in LANDMARKS.values() if " in " in name]
    named = {name.removesuffix(" at night"): where for name, where in places}
    assert len(named) > 10
    with Gazetteer.open() as gazetteer:
        for name, (lat, lon) in named.items():
            towns = gazetteer.find(name)
            assert not towns or min(float(haversine_km(lat, lon, t.lat, t.lon)) for t in towns) < 15, name
