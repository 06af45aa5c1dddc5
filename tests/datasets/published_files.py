"""Published datasets in small, laid out as they are."""

import hashlib
import io
import json
import tarfile

from photo_files import jpeg, write

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


def locsens(root, count=3, images="img"):
    """A list a split with `count` lines each, and their photos."""
    (root / "splits").mkdir(parents=True)
    for at, split in enumerate(("train_filtered", "val", "test")):
        lines = [
            f"{100 * at + number};sagrada,gaud%C3%AD;Spain;New+York;41.4036;2.1744;http://farm8/{number}.jpg\n"
            for number in range(count)
        ]
        (root / f"splits/{split}.txt").write_text("".join(lines))
        for number in range(count) if images else ():
            write(root / images / f"{100 * at + number}.jpg")
    return root


def tar(path, files):
    """A tar (packed, where its name says so) of `files`, a list of (name, bytes) in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as packed:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return path


def sample(key, **values):
    """The files that img2dataset writes of a photo it downloaded."""
    said = {"caption": f"A dog {key}", "url": f"http://x/{key}.jpg", "key": key, "status": "success"}
    said |= {"error_message": None, "width": 256, "height": 256, "exif": "{}", **values}
    return [
        (f"{key}.jpg", jpeg()),
        (f"{key}.json", json.dumps(said).encode()),
        (f"{key}.txt", said["caption"].encode()),
    ]


def shards(root, count=2, samples=3):
    """`count` shards with `samples` each, and img2dataset's statistics beside them."""
    for shard in range(count):
        keys = [f"{shard:05}{number:04}" for number in range(samples)]
        tar(root / f"{shard:05}.tar", [file for key in keys for file in sample(key)])
        said = {"count": samples + 1, "successes": samples, "failed_to_download": 1}
        (root / f"{shard:05}_stats.json").write_text(json.dumps(said))
    return root


IMAGE = {"_type": "Image"}
TEXT = {"dtype": "string", "_type": "Value"}


def saved(folder, columns, features=None, files=1, rows_a_batch=2):
    """What `datasets` writes of one split: `columns` are lists by name, images as {"bytes", "path"}."""
    import pyarrow as pa

    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    names = [f"data-{at:05}-of-{files:05}.arrow" for at in range(files)]
    rows = -(-table.num_rows // files)
    for at, name in enumerate(names):
        part = table.slice(at * rows, rows)
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(part, max_chunksize=rows_a_batch)
    state = {
        "_data_files": [{"filename": name} for name in names],
        "_fingerprint": "8b3f2a0d5c1e4f67",
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": folder.name,
    }
    (folder / "state.json").write_text(json.dumps(state, indent=2))
    features = features or {name: IMAGE if name == "image" else TEXT for name in columns}
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=2))
    return folder


def huggingface(root, count=3):
    """A dictionary of two splits with pictures inside, five captions each."""
    for split in ("train", "test"):
        images = [{"bytes": jpeg(), "path": f"{number}.jpg"} for number in range(count)]
        captions = [[f"A {split} dog {number}", f"Dog {number}"] for number in range(count)]
        saved(root / split, {"image": images, "caption": captions})
    (root / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    return root
