"""Account exports in the authentic layouts, as {path: bytes}, laid out in folders, zips and tars."""

import io
import json
import tarfile
import zipfile

from photo_files import exif, jpeg

PHOTOS = "Takeout/Google Photos"
YEAR = f"{PHOTOS}/Photos from 2019"


def google(title="IMG_1.jpg", description="", taken="1562236496", geo=(0.0, 0.0), geo_exif=None, **more):
    """What lies beside a photo in Takeout."""
    point = {"altitude": 0.0, "latitudeSpan": 0.0, "longitudeSpan": 0.0}
    values = {
        "title": title,
        "description": description,
        "imageViews": "3",
        "creationTime": {"timestamp": "1600000000", "formatted": "13 Sept 2020, 12:26:40 UTC"},
        "photoTakenTime": {"timestamp": taken, "formatted": "4 Jul 2019, 10:34:56 UTC"},
        "geoData": {"latitude": geo[0], "longitude": geo[1], **point},
        "url": "https://photos.google.com/photo/AF1Qip",
    }
    if geo_exif:
        values["geoDataExif"] = {"latitude": geo_exif[0], "longitude": geo_exif[1], **point}
    return json.dumps(values | more).encode()


def album(title, **more):
    date = {"timestamp": "1562236496", "formatted": "4 Jul 2019, 10:34:56 UTC"}
    return json.dumps(
        {"title": title, "description": "", "access": "protected", "date": date} | more
    ).encode()


def takeout():
    """A small export: two years, an album, an edited copy, a second IMG_1, a film, a photo in the trash."""
    one = jpeg(colour=(10, 20, 30), exif=exif(taken="2019:07:04 12:34:56"))
    long = "Screenshot_20231027_123303_Facebook"
    return {
        "Takeout/archive_browser.html": b"<html>",
        f"{YEAR}/IMG_1.jpg": one,
        f"{YEAR}/IMG_1.jpg.supplemental-metadata.json": google(
            description="Sunset over the pier #sea", geo=(44.06, 12.57), people=[{"name": "Anna"}]
        ),
        f"{YEAR}/IMG_1(1).jpg": jpeg(colour=(40, 50, 60)),
        f"{YEAR}/IMG_1.jpg.supplemental-metadata(1).json": google(description="Another camera's first"),
        f"{YEAR}/IMG_1-edited.jpg": jpeg(colour=(70, 80, 90)),
        f"{YEAR}/{long}.jpg": jpeg(colour=(1, 2, 3)),
        f"{YEAR}/{long}.jpg.supple.json": google(f"{long}.jpg", "Cut", geo_exif=(38.72, -9.14)),
        f"{YEAR}/MVI_2.mp4": b"film",
        f"{YEAR}/MVI_2.mp4.supplemental-metadata.json": google("MVI_2.mp4"),
        f"{YEAR}/PXL_3.MP": b"the moving half",
        f"{PHOTOS}/Rimini/metadata.json": album("Rimini, at last"),
        f"{PHOTOS}/Rimini/IMG_1.jpg": one,
        f"{PHOTOS}/Rimini/IMG_1.jpg.supplemental-metadata.json": google(
            description="Sunset over the pier #sea", geo=(44.06, 12.57), people=[{"name": "Anna"}]
        ),
        f"{PHOTOS}/Photos from 2018/metadata.json": album("Photos from 2018"),
        f"{PHOTOS}/Photos from 2018/IMG_9.jpg": jpeg(colour=(9, 9, 9)),
        f"{PHOTOS}/Photos from 2018/IMG_9.jpg.json": google("IMG_9.jpg", "Before 2024", taken="-86400"),
        f"{PHOTOS}/Bin/IMG_5.jpg": jpeg(colour=(5, 5, 5)),
        f"{PHOTOS}/Bin/IMG_5.jpg.supplemental-metadata.json": google("IMG_5.jpg", "Gone", trashed=True),
        f"{PHOTOS}/user-generated-memory-titles.json": b'{"memoryTitles": []}',
        "Takeout/Drive/scan.jpg": jpeg(),
    }


def flickr():
    """The account's files, and two parts of pictures."""
    about = {
        "id": "48187123456",
        "name": "Sunset at the pier",
        "description": 'Golden <a href="https://x.org">hour</a><br />in Rimini &amp; nowhere else',
        "count_views": "142",
        "date_taken": "2019-07-04 18:30:00",
        "date_imported": "2019-07-05 01:30:00",
        "photopage": "https://www.flickr.com/photos/me/48187123456/",
        "original": "https://live.staticflickr.com/65535/48187123456_06fe76a0d3_o.jpg",
        "geo": [{"latitude": "44059400", "longitude": "12568300", "accuracy": "16"}],
        "albums": [
            {"id": "7215", "title": "Summer 2019", "url": "https://www.flickr.com/photos/me/sets/7215"}
        ],
        "tags": [{"tag": "New York"}, {"tag": "geo:lat=44.05"}, {"tag": "pier", "user_nsid": "1@N00"}],
        "privacy": "public",
    }
    bare = {"id": "5123456789", "name": "DSC_0026", "description": "", "geo": [], "albums": [], "tags": []}
    film = bare | {"id": "5123456790", "name": "A film"}
    lost = bare | {"id": "5123456791", "name": "Elsewhere"}
    albums = {
        "albums": [
            {"id": "7215", "title": "Summer 2019", "photos": ["48187123456", "5123456789"]},
            {"id": "7216", "title": "Auto Upload", "photos": ["5123456789"]},
        ]
    }
    account = {f"photo_{one['id']}.json": json.dumps(one).encode() for one in (about, bare, film, lost)}
    account |= {
        "albums.json": json.dumps(albums).encode(),
        "account_profile.json": b"{}",
        "contacts_part001.json": b"{}",
    }
    return {
        "72157722185468047_06fxe76mos37_part1.zip": account,
        "data-download-1.zip": {"sunset-at-the-pier_48187123456_o.jpg": jpeg(colour=(1, 1, 1))},
        "data-download-2.zip": {
            "5123456789_1234567890_o.jpg": jpeg(colour=(2, 2, 2)),
            "a-film_5123456790.mp4": b"film",
        },
    }


def mangled(text):
    """Text as Instagram writes it: each byte of UTF-8 a letter."""
    return text.encode().decode("latin-1")


def instagram(home="your_instagram_activity/media"):
    """Posts of one and of several pictures, a story, a profile photo; a film; a stranger's picture."""
    geo = {"photo_metadata": {"exif_data": [{"device_id": "a1"}, {"latitude": 44.06, "longitude": 12.57}]}}

    def media(uri, title="", **more):
        source = {"cross_post_source": {"source_app": "FB"}}
        return {"uri": uri, "creation_timestamp": 1688500000, "title": mangled(title), **source, **more}

    posts = [
        {"media": [media("media/posts/202307/1.jpg", "Café am Meer 🌊 #mare", media_metadata=geo)]},
        {
            "media": [
                media("media/posts/202307/2.jpg"),
                media("media/posts/202307/3.jpg", "The third"),
                media("media/posts/202307/4.mp4"),
                media("media/posts/202307/missing.jpg"),
            ],
            "title": mangled("Drei auf einmal — süß"),
            "creation_timestamp": 1688600000,
        },
    ]
    newer = [*posts, {"media": [{"label": "Media", "dict": [media("media/posts/202308/5.webp", "Deep")]}]}]
    pictures = ["posts/202307/1.jpg", "posts/202307/2.jpg", "posts/202307/3.jpg", "posts/202308/5.webp"]
    pictures += ["stories/202307/6.jpg", "profile/7.jpg"]
    return {
        f"{home}/posts_1.json": json.dumps(posts).encode(),
        f"{home}/posts.json": json.dumps(newer).encode(),
        f"{home}/stories.json": json.dumps({"ig_stories": [media("media/stories/202307/6.jpg")]}).encode(),
        f"{home}/profile_photos.json": json.dumps(
            {"ig_profile_picture": [media("media/profile/7.jpg")]}
        ).encode(),
        f"{home}/reels.json": b'{"ig_reels_media": []}',
        "media/posts/202307/4.mp4": b"film",
        "your_instagram_activity/messages/inbox/bob_1/photos/x.jpg": jpeg(),
        **{f"media/{name}": jpeg(colour=(40 * at, 100, 0)) for at, name in enumerate(pictures)},
    }


def lay(root, files):
    """Write files into a folder."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def pack(path, files):
    """Write files into an archive of the kind that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


__all__ = ["PHOTOS", "YEAR", "album", "flickr", "google", "instagram", "lay", "mangled", "pack", "takeout"]
