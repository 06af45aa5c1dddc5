import json
from datetime import UTC, datetime

import pytest
from export_files import PHOTOS, YEAR, album, google, lay, pack, takeout
from photo_files import exif, jpeg

from cartolina.datasets import Listed, google_json, open_dataset
from cartolina.errors import InputError
from cartolina.post import Place, Post

STAMP = "takeout-20240101T000000Z"


def read(path, how="takeout"):
    skipped = []
    posts = {post.id: post for post in open_dataset(path, how).posts(on_skip=skipped.append)}
    return posts, sorted((one.where, one.reason) for one in skipped)


def said(post):
    return post.captions, post.tags, post.place, post.taken


def split(files, count):
    """Files dealt out so that photos and their JSON part company."""
    names = list(files)
    return [{name: files[name] for name in names[start::count]} for start in range(count)]


def zipped(tmp_path):
    return pack(tmp_path / f"{STAMP}-001.zip", takeout())


def parts(tmp_path):
    for number, files in enumerate(split(takeout(), 3), 1):
        pack(tmp_path / f"{STAMP}-{number:03}.zip", files)
    return tmp_path


def one_of_the_parts(tmp_path):
    return parts(tmp_path) / f"{STAMP}-002.zip"


def tarred(tmp_path):
    for number, files in enumerate(split(takeout(), 2), 1):
        pack(tmp_path / f"{STAMP}-{number:03}.tgz", files)
    return tmp_path


def unpacked(tmp_path):
    return lay(tmp_path, takeout())


def unpacked_home(tmp_path):
    return lay(tmp_path, takeout()) / PHOTOS


def unpacked_apart(tmp_path):
    for number, files in enumerate(split(takeout(), 2), 1):
        lay(tmp_path / f"{STAMP}-{number:03}", files)
    return tmp_path


def partly_unpacked(tmp_path):
    first, second = split(takeout(), 2)
    lay(tmp_path, first)
    pack(tmp_path / f"{STAMP}-001.zip", first)
    pack(tmp_path / f"{STAMP}-002.zip", second)
    return tmp_path


LAYOUTS = [zipped, parts, one_of_the_parts, tarred, unpacked, unpacked_home, unpacked_apart, partly_unpacked]


@pytest.mark.parametrize("make", LAYOUTS)
def test_it_is_the_same_however_it_lies(tmp_path, make):
    path = make(tmp_path)
    dataset = open_dataset(path)
    assert dataset.format == "takeout"
    posts, skipped = read(path)
    sunset = ("Sunset over the pier #sea",)
    where, local = Place(44.06, 12.57), datetime(2019, 7, 4, 12, 34, 56)  # EXIF's: the same moment, locally
    moment = datetime(2019, 7, 4, 10, 34, 56, tzinfo=UTC)
    assert {name: said(post) for name, post in posts.items()} == {
        "Photos from 2019/IMG_1.jpg": (sunset, ("Anna", "sea"), where, local),
        "Photos from 2019/IMG_1(1).jpg": (("Another camera's first",), (), None, moment),
        "Photos from 2019/IMG_1-edited.jpg": (sunset, ("Anna", "sea"), where, moment),
        "Photos from 2019/Screenshot_20231027_123303_Facebook.jpg": (
            ("Cut",),
            (),
            Place(38.72, -9.14),
            moment,
        ),
        "Photos from 2018/IMG_9.jpg": (("Before 2024",), (), None, datetime(1969, 12, 31, tzinfo=UTC)),
        "Rimini/IMG_1.jpg": (sunset, ("Anna", "Rimini, at last", "sea"), where, local),
    }
    assert [(name.rpartition("/")[2], reason) for name, reason in skipped] == [
        ("IMG_5.jpg", "in the trash"),
        ("MVI_2.mp4", "video"),
        ("PXL_3.MP", "video"),
    ]
    files = {name.removeprefix(f"{PHOTOS}/"): data for name, data in takeout().items()}
    for name, post in posts.items():
        assert (post.image if isinstance(post.image, bytes) else post.image.read_bytes()) == files[name]


def test_unpacked_pictures_are_paths_and_counted_before_they_are_read(tmp_path):
    dataset = open_dataset(unpacked(tmp_path))
    assert dataset.count(None) == 7  # with that in the trash
    assert dataset.root == tmp_path / PHOTOS
    assert all(post.image.is_file() for post in dataset.posts())
    assert open_dataset(zipped(tmp_path / "z")).count(None) == 7


@pytest.mark.parametrize("make", [zipped, unpacked])
def test_a_listing_tells_what_changed(tmp_path, make):
    def listing(path):
        return {one.id: one for one in open_dataset(path).listing(None) if isinstance(one, Listed)}

    files = takeout()
    path = make(tmp_path)
    before = listing(path)
    posts = {post.id: post for post in open_dataset(path).posts()}
    for name, one in before.items():
        assert [item for item in one.read() if isinstance(item, Post)] == [
            post for post in [posts.get(name)] if post
        ]
    files[f"{PHOTOS}/Rimini/metadata.json"] = album("Rimini once more")
    files[f"{YEAR}/IMG_1.jpg.supplemental-metadata(1).json"] = google(description="New words")
    if path.suffix == ".zip":
        pack(path, files)
    else:
        lay(tmp_path, {name: data for name, data in files.items() if takeout()[name] != data})
    after = listing(path)
    changed = {name for name in before if before[name].beside != after[name].beside}
    assert changed == {"Rimini/IMG_1.jpg", "Photos from 2019/IMG_1(1).jpg"}


# From threads and tests of public tools, which had them from people's exports.
@pytest.mark.parametrize(
    ("photo", "beside"),
    [
        ("20161105_170829.jpg", "20161105_170829.jpg.supplemental-metadata.json"),
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("DSC_0101(1).JPG", "DSC_0101.JPG(1).json"),
        ("Scan35(1).jpg", "Scan35.jpg.supplemental-metadata(1).json"),
        ("IMG_1(1).jpg", "IMG_1(1).jpg.supplemental-metadata.json"),
        ("MVIMG_20191230_232926.jpg", "MVIMG_20191230_232926.jpg.supplemental-metadat.json"),
        ("Screenshot_20200301-161151.png", "Screenshot_20200301-161151.png.supplemental-me.json"),
        ("Screenshot_20231027_123303_Facebook.jpg", "Screenshot_20231027_123303_Facebook.jpg.supple.json"),
        (
            "Screenshot_20231027_123303_Facebook(1).jpg",
            "Screenshot_20231027_123303_Facebook.jpg.supple(1).json",
        ),
        (
            "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jpg",
            "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jp.json",
        ),
        (
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg",
            "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json",
        ),
        (
            "13039_327707840323_537645323_9470255_27214_n(1).jpg",
            "13039_327707840323_537645323_9470255_27214_n.j(1).json",
        ),
        (
            "Backyard_ceremony_wedding_photography_xxxxxxx_m(494).jpg",
            "Backyard_ceremony_wedding_photography_xxxxxxx_(494).json",
        ),
        (
            "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_P(1).jpg",
            "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_.json",
        ),
        (
            "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋😛.jpg",
            "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋.json",
        ),
        ("IMAG0061-edited.JPG", "IMAG0061.JPG.supplemental-metadata.json"),
        ("IMG_1-edited(1).jpg", "IMG_1.jpg.supplemental-metadata(1).json"),
        ("PXL_20220405_090123740.PORTRAIT-modifié.jpg", "PXL_20220405_090123740.PORTRAIT.jpg.json"),
        ("IMG_1-ha editado.jpg", "IMG_1.HEIC.supplemental-metadata.json"),
        ("IMG-20230325-WA0122~2-edited.jpg", "IMG-20230325-WA0122~2.jpg.supplemental-metadat.json"),
        ("2234089303984509579-edited.jpg", "2234089303984509579.supplemental-metadata.json"),
        (
            "Screenshot_20231027_123303_Facebook-edited.jpg",
            "Screenshot_20231027_123303_Facebook.jpg.supple.json",
        ),
    ],
)
def test_the_json_of_a_photo(photo, beside):
    assert (
        google_json.find(photo, {beside.casefold(), "metadata.json", "img_2.jpg.json"}) == beside.casefold()
    )


@pytest.mark.parametrize(
    ("photo", "beside"),
    [
        ("PXL_20211013_220651958.jpg", "PXL_20211013_220651983.jpg.json"),
        ("DSC_0102(1).JPG", "DSC_0102.JPG(2).json"),
        ("DSC_0103.JPG", "DSC_0103.JPG(1).json"),
        ("DSC_0104(1).JPG", "DSC_0104.JPG.json"),
        ("PXL_20220405_090123741.PORTRAIT-modifié.jpg", "PXL_20220405_090123740.PORTRAIT.jpg.json"),
        (
            "Backyard_ceremony_wedding_photography_xxxxxxx_m(185).jpg",
            "Backyard_ceremony_wedding_photography_xxxxxxx_(494).json",
        ),
        ("photo-2.jpg", "photo.jpg.json"),
    ],
)
def test_another_photos_json(photo, beside):
    assert google_json.find(photo, {beside.casefold()}) is None


@pytest.mark.parametrize(
    ("folder", "file", "title", "tags"),
    [
        ("Gary_s birthday", "metadata.json", "Gary's birthday", ("Gary's birthday",)),
        ("Été", "métadonnées.json", "Été à Nice", ("Été à Nice",)),
        ("Sommer", "Metadaten.json", "Sommer 2019", ("Sommer 2019",)),
        ("Rimini", "metadata(1).json", "Rimini", ("Rimini",)),
        ("Untitled", "metadata.json", "", ()),
        ("Photos from 2019", "metadata.json", "Photos from 2019", ()),
        ("Fotos von 2019", "Metadaten.json", "Fotos von 2019", ()),
        ("2019 年の写真", "メタデータ.json", "2019 年の写真", ()),
        ("2016-03-05 #2", "metadata.json", "2016-03-05 #2", ()),
    ],
)
def test_titles_of_albums_are_tags_and_dates_are_not(tmp_path, folder, file, title, tags):
    home = f"Takeout/Google Fotos/{folder}"
    pack(tmp_path / "x.zip", {f"{home}/a.jpg": jpeg(), f"{home}/{file}": album(title)})
    posts, skipped = read(tmp_path / "x.zip", "auto")
    assert (posts[f"{folder}/a.jpg"].tags, skipped) == (tags, [])


def test_how_albums_were_described_formerly(tmp_path):
    about = json.dumps({"albumData": {"title": "Old", "description": ""}}).encode()
    pack(tmp_path / "x.zip", {f"{PHOTOS}/Old/a.jpg": jpeg(), f"{PHOTOS}/Old/metadata.json": about})
    assert read(tmp_path / "x.zip")[0]["Old/a.jpg"].tags == ("Old",)


@pytest.mark.parametrize(
    ("taken", "in_exif", "expected"),
    [
        ("1577804400", "2020:01:01 00:00:00", datetime(2020, 1, 1)),  # New Year in Kyoto, 15:00 in Greenwich
        (
            "1577804400",
            "2015:01:01 00:00:00",
            datetime(2019, 12, 31, 15, tzinfo=UTC),
        ),  # a camera's wrong clock
        ("oops", "2020:01:01 00:00:00", datetime(2020, 1, 1)),
    ],
)
def test_the_local_date_of_the_same_moment_is_taken(tmp_path, taken, in_exif, expected):
    files = {f"{YEAR}/a.jpg": jpeg(exif=exif(taken=in_exif)), f"{YEAR}/a.jpg.json": google(taken=taken)}
    posts, skipped = read(pack(tmp_path / "x.zip", files))
    assert posts["Photos from 2019/a.jpg"].taken == expected
    assert [reason for _, reason in skipped] == (["bad date"] if taken == "oops" else [])


def test_parts_that_are_missing_or_damaged_are_named_and_the_rest_is_read(tmp_path):
    files = [{f"{YEAR}/{at}.jpg": jpeg(colour=(at, 0, 0))} for at in range(5)]
    for at in (1, 2, 4):
        pack(tmp_path / f"{STAMP}-{at:03}.zip", files[at])
    damaged = tmp_path / f"{STAMP}-002.zip"
    damaged.write_bytes(damaged.read_bytes()[:-40])
    posts, skipped = read(tmp_path)
    assert list(posts) == ["Photos from 2019/1.jpg", "Photos from 2019/4.jpg"]
    assert skipped == [(f"{STAMP}-002.zip", "damaged archive"), (f"{STAMP}-003.zip", "missing part")]
    with pytest.raises(InputError, match=r"002\.zip is not a whole zip.*download it again"):
        open_dataset(pack_alone(tmp_path / "alone", damaged), "takeout")


def pack_alone(folder, archive):
    folder.mkdir()
    (folder / archive.name).write_bytes(archive.read_bytes())
    return folder / archive.name


def test_two_exports_in_a_folder_are_not_mixed(tmp_path):
    for stamp in (STAMP, "takeout-20250101T000000Z"):
        pack(tmp_path / f"{stamp}-001.zip", takeout())
    with pytest.raises(InputError, match="several exports"):
        open_dataset(tmp_path)
    assert len(read(tmp_path / f"{STAMP}-001.zip")[0]) == 6


def test_what_is_no_export_is_refused(tmp_path):
    pack(tmp_path / "drive.zip", {"Takeout/Drive/scan.jpg": jpeg()})
    assert open_dataset(tmp_path / "drive.zip").format == "folder"
    (tmp_path / "notes.md").touch()
    with pytest.raises(InputError, match="no export of Google Photos"):
        open_dataset(tmp_path / "notes.md", "takeout")


def test_photos_with_googles_json_in_another_layout_are_a_folder(tmp_path):
    lay(
        tmp_path / "mine",
        {
            "a.jpg": jpeg(),
            "a.jpg.supplemental-metada.json": google(description="From Takeout", geo=(1.5, 2.5)),
            "a-edited.jpg": jpeg(colour=(1, 2, 3)),
            "beach.jpg": jpeg(colour=(2, 2, 3)),
            "beach.jpg.json": b'{"caption": "Another program\'s"}',
            "beach-evening.jpg": jpeg(colour=(3, 2, 3)),
            "b.jpg": jpeg(colour=(4, 2, 3)),
            "b.jpg.json": google(trashed=True),
        },
    )
    dataset = open_dataset(tmp_path / "mine")
    assert dataset.format == "folder"
    posts, skipped = read(tmp_path / "mine", "folder")
    assert {name: (post.captions, post.place) for name, post in posts.items()} == {
        "a.jpg": (("From Takeout",), Place(1.5, 2.5)),
        "a-edited.jpg": (("From Takeout",), Place(1.5, 2.5)),
        "beach.jpg": (("Another program's",), None),
        "beach-evening.jpg": ((), None),
    }
    assert skipped == [("b.jpg", "in the trash")]
