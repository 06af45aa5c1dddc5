"""Archives: read where they lie, whatever a stranger put into them."""

import io
import random
import struct
import tarfile
import zipfile

import pytest
from export_files import YEAR, google, pack

from cartolina.datasets import Skipped, archive, open_dataset
from cartolina.errors import InputError
from cartolina.post import Post
from photo_files import iptc, jpeg


def read(path, how="folder"):
    skipped = []
    posts = {post.id: post for post in open_dataset(path, how).posts(on_skip=skipped.append)}
    return posts, sorted((one.where, one.reason) for one in skipped)


@pytest.mark.parametrize("name", ["photos.zip", "photos.ZIP", "photos.tgz", "photos.tar.gz"])
def test_an_archive_of_photos_is_read_like_their_folder(tmp_path, name):
    files = {
        "2019/a.jpg": jpeg(iptc=iptc((2, 25, b"inside"))),
        "2019/a.txt": b"Beside it #sea",
        "2019/b.png": jpeg(colour=(1, 2, 3)),
        "2019/b.png.supplemental-metadata.json": google(description="Google's"),
        "2019/c.mov": b"film",
        "2019/notes.md": b"-",
        ".hidden/d.jpg": jpeg(),
        "__MACOSX/2019/._a.jpg": b"-",
    }
    packed = pack(tmp_path / name.lower(), files).rename(tmp_path / name)
    dataset = open_dataset(packed)
    assert (dataset.format, dataset.count(None)) == ("folder", None if ".t" in name else 2)
    posts, skipped = read(packed)
    assert posts["2019/a.jpg"].captions == ("Beside it #sea",)
    assert posts["2019/a.jpg"].tags == ("inside", "sea")
    assert posts["2019/a.jpg"].image == files["2019/a.jpg"]
    assert posts["2019/b.png"].captions == ("Google's",)
    assert (list(posts), skipped) == (["2019/a.jpg", "2019/b.png"], [("2019/c.mov", "video")])
    assert list(dataset.stream(None)) == list(dataset.stream(None))


@pytest.mark.parametrize("name", ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "C:\\x.jpg", "C:/x.jpg", "a/.."])
@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_names_that_leave_the_archive(tmp_path, name, kind):
    packed = pack(tmp_path / f"x.{kind}", {name: jpeg(), "good.jpg": jpeg()})
    posts, skipped = read(packed)
    assert (list(posts), skipped) == (["good.jpg"], [(name, "path leaves the archive")])


@pytest.mark.parametrize(
    ("written", "flag", "read_as"),
    [
        ("été.jpg".encode(), 0x800, "été.jpg"),
        ("été.jpg".encode(), 0, "été.jpg"),  # UTF-8, and no flag that says so
        ("été.jpg".encode("cp437"), 0, "été.jpg"),
        (b"old\\windows.jpg", 0, "old/windows.jpg"),
        (b"./a//b.jpg", 0, "a/b.jpg"),
    ],
)
def test_how_names_are_written(tmp_path, written, flag, read_as):
    plain = b"x" * len(written)
    packed = pack(tmp_path / "x.zip", {plain.decode(): jpeg()})
    data = bytearray(packed.read_bytes().replace(plain, written))
    data[6:8] = struct.pack("<H", flag)
    central = data.index(b"PK\1\2")
    data[central + 8 : central + 10] = struct.pack("<H", flag)
    packed.write_bytes(data)
    assert list(read(packed)[0]) == [read_as]


def test_names_that_are_not_utf_8_in_a_tar(tmp_path):
    with tarfile.open(tmp_path / "x.tgz", "w:gz", encoding="latin-1", format=tarfile.GNU_FORMAT) as packed:
        for name in ("é.jpg", "good.jpg"):
            member = tarfile.TarInfo(name)
            member.size = len(jpeg())
            packed.addfile(member, io.BytesIO(jpeg()))
    posts, skipped = read(tmp_path / "x.tgz")
    assert (list(posts), skipped) == (["good.jpg"], [("\\xe9.jpg", "bad file name")])


def test_links_and_devices_in_a_tar_are_no_files(tmp_path):
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as packed:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"{kind.decode()}.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            packed.addfile(member)
    assert read(tmp_path / "x.tgz") == ({}, [])


def change_entry(path, name, offset, value):
    """Overwrite two or four bytes of an entry's line in the table of contents."""
    data = bytearray(path.read_bytes())
    at = data.rindex(name.encode()) - 46 + offset
    assert data[at - offset : at - offset + 4] == b"PK\1\2"
    data[at : at + len(value)] = value
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (8, struct.pack("<H", 1), "encrypted entry"),
        (10, struct.pack("<H", 12), "damaged entry"),  # bzip2, which grows without bound
        (16, struct.pack("<I", 7), "damaged entry"),  # its checksum
        (24, struct.pack("<I", archive.LARGEST + 1), "entry too large"),
        (24, struct.pack("<I", 100 << 20), "entry too large"),  # a thousand times what it is
        (24, struct.pack("<I", 5000), "damaged entry"),  # more than there is
    ],
)
def test_entries_that_are_not_what_they_say(tmp_path, offset, value, reason):
    packed = pack(tmp_path / "x.zip", {"bad.jpg": jpeg(), "good.jpg": jpeg()})
    change_entry(packed, "bad.jpg", offset, value)
    posts, skipped = read(packed)
    assert (list(posts), skipped) == (["good.jpg"], [("bad.jpg", reason)])


def test_a_bomb_is_not_let_off(tmp_path, monkeypatch):
    packed = pack(tmp_path / "x.zip", {"bomb.jpg": bytes(70 << 20), "good.jpg": jpeg()})
    posts, skipped = read(packed)
    assert (list(posts), skipped) == (["good.jpg"], [("bomb.jpg", "entry too large")])
    tarred = pack(tmp_path / "x.tgz", {"bomb.bin": bytes(3 << 20), "late.jpg": jpeg()})
    monkeypatch.setattr(archive, "_GROWS", (10, 0))
    assert 10 * tarred.stat().st_size < 3 << 20
    assert read(tarred) == ({}, [("x.tgz", "damaged archive")])


def test_a_bad_file_beside_a_photo_costs_only_itself(tmp_path):
    packed = pack(tmp_path / "x.zip", {"a.jpg": jpeg(), "a.txt": b"caption"})
    change_entry(packed, "a.txt", 16, struct.pack("<I", 7))
    posts, skipped = read(packed)
    assert (posts["a.jpg"].captions, skipped) == ((), [("a.jpg", "bad sidecar")])


def test_the_same_path_twice(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        packed.writestr("a.jpg", jpeg())
        with pytest.warns(UserWarning, match="Duplicate"):
            packed.writestr("a.jpg", jpeg(colour=(1, 1, 1)))
    posts, skipped = read(tmp_path / "x.zip")
    assert (posts["a.jpg"].image, skipped) == (jpeg(), [("a.jpg", "repeated id")])


def test_a_zip_that_was_cut_short_says_so(tmp_path):
    packed = pack(tmp_path / "x.zip", {"a.jpg": jpeg()})
    packed.write_bytes(packed.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"x\.zip is not a whole zip archive.*download it again"):
        open_dataset(packed, "folder")
    with pytest.raises(InputError, match=r"x\.zip is not a whole zip archive.*download it again"):
        open_dataset(packed)


def test_a_tar_that_was_cut_short_is_read_as_far_as_it_goes(tmp_path):
    noise = random.Random(0)
    files = {f"{YEAR}/{at}.jpg": jpeg() + noise.randbytes(50_000) for at in range(8)}
    packed = pack(tmp_path / "takeout-20240101T000000Z-001.tgz", files)
    packed.write_bytes(packed.read_bytes()[:220_000])
    posts, skipped = read(packed, "auto")
    assert list(posts) == [f"Photos from 2019/{at}.jpg" for at in range(4)]
    assert skipped[-1] == (packed.name, "damaged archive")
    assert set(skipped[:-1]) <= {("Photos from 2019/4.jpg", "damaged entry")}


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_whatever_is_in_an_archive_only_known_errors_come_out(tmp_path, kind):
    files = {f"{YEAR}/{at}.jpg": jpeg(colour=(at, 0, 0)) for at in range(3)}
    files[f"{YEAR}/0.jpg.json"] = google()
    whole = pack(tmp_path / f"x.{kind}", files).read_bytes()
    chance = random.Random(1)
    for attempt in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path = tmp_path / f"{attempt}.{kind}"
        path.write_bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])
        for how in ("folder", "takeout"):
            try:
                found = list(open_dataset(path, how).stream(None))
            except InputError:
                continue
            assert all(isinstance(one, Post | Skipped) for one in found)
            assert sum(isinstance(one, Post) for one in found) <= 3
        path.unlink()
