"""Published datasets in small, laid out as they are."""

import hashlib
import json

from photo_files import write

CITIES = ("london", "newyork")


def instacities(root, count=3, cities=CITIES):
    """Captions and photos of `count` posts a city, numbered from 1000."""
    for city in cities:
        captions = root / "captions_resized_1M/cities_instagram" / city
        captions.mkdir(parents=True)
        for number in range(1000, 1000 + count):
            (captions / f"{number}.txt").write_text(f"Sunset {number} in #{city} 🌇\n\n#sun")
            write(root / "img_resized_1M/cities_instagram" / city / f"{number}.jpg")
    return root


def mirflickr(root, tags, concepts, inner="mirflickr"):
    """Photos with the given `tags` (a list each, from im1), and files of `concepts` (numbers by name)."""
    home = root / inner
    (home / "meta/tags").mkdir(parents=True)
    (home / "meta/exif").mkdir()
    for number, mine in enumerate(tags, 1):
        write(home / f"im{number}.jpg")
        (home / f"meta/tags/tags{number}.txt").write_text("".join(f"{tag}\n" for tag in mine))
        exif = f"-Exposure\n0.01 sec (1/100)\n-Date and Time (Original)\n2007:05:{number:02} 12:39:16\n"
        (home / f"meta/exif/exif{number}.txt").write_text(exif)
    annotations = root / "mirflickr25k_annotations_v080"
    annotations.mkdir()
    (annotations / "README.txt").write_text("MIRFLICKR-25000 annotations, version 0.80\n")
    for name, numbers in concepts.items():
        (annotations / f"{name}.txt").write_text("".join(f"{number}\r\n" for number in numbers))
    return root


def link(path, target):
    """A link in place of whatever is at `path`."""
    path.unlink(missing_ok=True)
    path.symlink_to(target)


ENTRIES = [
    {
        "id": "a",
        "title": "A tench &amp; a net",
        "description": 'By <a href="http://x">me</a>',
        "tags": ["fish", "New York"],
    },
    {"id": "b", "title": "Another", "description": "", "tags": []},
    {"id": "c", "title": "Third"},
]


def webvision(root, names=("a", "b", "c")):
    """A query of Google's and one of Flickr's with the photos `names` each, and two photos of val."""
    info = root / "info"
    info.mkdir(parents=True)
    (info / "synsets.txt").write_text("n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\n")
    (info / "queries_synsets_map.txt").write_text("1 1\n2 2\n")
    (info / "queries_google.txt").write_text("1 tench\n2 goldfish pond\n")
    for number, source in enumerate(("google", "flickr")):
        folder = f"{source}/q000{number + 1}"
        files = [f"{folder}/{name}.jpg" for name in names]
        for file in files:
            write(root / file)
        (info / f"train_filelist_{source}.txt").write_text("".join(f"{file} {number}\n" for file in files))
        lines = (f"{folder}.json {at}\n" for at in range(1, len(names) + 1))
        (info / f"train_meta_list_{source}.txt").write_text("".join(lines))
        (root / f"{source}_json").mkdir()
        (root / f"{source}_json/q000{number + 1}.json").write_text(json.dumps(ENTRIES))
    for number in (1, 2):
        write(root / f"val_images_256/val00000{number}.jpg")
    (info / "val_filelist.txt").write_text("val000001.jpg 1\nval000002.jpg 0\n")
    return root


COLUMNS = """line id hash user nickname taken uploaded device title description tags machine lon lat accuracy
page url license license_url server farm secret secret_original extension marker"""


def yfcc_line(number=0, **cells):
    """A line of yfcc100m_dataset with its 25 columns; words are given as they are in the file."""
    digest = hashlib.md5(str(number).encode()).hexdigest()
    usual = {
        "line": number,
        "id": 6985418911 + number,
        "hash": digest,
        "user": "39089491@N00",
        "nickname": "nino63004",
        "taken": "2012-04-11 12:20:33.0",
        "uploaded": 1335612327,
        "device": "Canon+EOS+450D",
        "title": "Sagrada+Fam%C3%ADlia",
        "description": "By+Gaud%C3%AD%0Aat+%3Cb%3Enight%3C%2Fb%3E+%26amp%3B+day",
        "tags": "barcelona,new+york,caf%C3%A9",
        "machine": "geo:lat=41.4",
        "lon": "2.1744",
        "lat": "41.4036",
        "accuracy": 16,
        "page": "http://www.flickr.com/photos/39089491@N00/6985418911/",
        "url": "http://farm8.staticflickr.com/7205/6985418911_df7747990d.jpg",
        "license": "Attribution License",
        "license_url": "http://creativecommons.org/licenses/by/2.0/",
        "server": 7205,
        "farm": 8,
        "secret": "df7747990d",
        "secret_original": "692d7e0a7f",
        "extension": "jpg",
        "marker": 0,
    }
    return "\t".join(str({**usual, **cells}[name]) for name in COLUMNS.split()) + "\n"


def yfcc(root, count=3):
    """The dataset file with `count` photos and their images."""
    root.mkdir(exist_ok=True)
    (root / "yfcc100m_dataset").write_text("".join(yfcc_line(number) for number in range(count)))
    for number in range(count):
        digest = hashlib.md5(str(number).encode()).hexdigest()
        write(root / f"data/images/{digest[:3]}/{digest[3:6]}/{digest}.jpg")
    return root
