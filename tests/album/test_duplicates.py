"""Near duplicates are found, other pictures are let be."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from tiny_world import dataset

from cartolina.album import Album, duplicates
from cartolina.album.duplicates import SAME, _near
from cartolina.post import Post
from cartolina.progress import SILENT
from cartolina.vision.looks import BITS, bits_of, look, signs


def scene(seed, size=(320, 240)):
    """A picture with structure at all scales, another for each seed."""
    chance = np.random.default_rng(seed)
    picture = Image.new("RGB", size)
    for scale, weight in ((4, 1.0), (10, 0.5), (40, 0.25)):
        noise = Image.fromarray(chance.integers(0, 256, (scale, scale, 3), np.uint8).astype(np.uint8))
        layer = noise.resize(size, Image.Resampling.BICUBIC)
        picture = Image.blend(picture, layer, weight / (weight + 0.75))
    return picture


def jpeg(picture, quality=90):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def differ(one, other):
    """Bits of two hashes, the other read as it is or mirrored."""
    a, b = signs([one]), signs([other])
    even, odd = (a * b)[0, : BITS // 2].sum(), (a * b)[0, BITS // 2 :].sum()
    return (BITS - even - abs(odd)) / 2


CHANGES = {
    "recompressed": lambda picture: Image.open(io.BytesIO(jpeg(picture, 40))),
    "half the size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "grey": lambda picture: ImageOps.grayscale(picture),
    "mirrored": ImageOps.mirror,
    "softened": lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_looks_the_same(change):
    for seed in range(10):
        picture = scene(seed)
        assert differ(bits_of(picture), bits_of(CHANGES[change](picture).convert("RGB"))) <= SAME


def test_other_pictures_look_different():
    hashes = [bits_of(scene(seed)) for seed in range(40)]
    pairs = [differ(hashes[i], hashes[j]) for i in range(40) for j in range(i)]
    assert min(pairs) > 3 * SAME


def test_a_flat_picture_has_no_looks():
    assert bits_of(Image.new("RGB", (200, 100), "grey")) is None
    assert look(jpeg(Image.new("RGB", (200, 100), "grey")))[1:] == (200, 100)


def test_the_size_is_that_of_the_upright_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    scene(1).save(out, "JPEG", exif=exif)
    assert look(out.getvalue())[1:] == (240, 320)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 60))
def test_pairs_are_those_of_a_naive_loop(seed, count):
    chance = np.random.default_rng(seed)
    centres = chance.integers(0, 2, (5, BITS))
    bits = centres[chance.integers(0, 5, count)] ^ (
        chance.random((count, BITS)) < chance.choice([0, 0.04, 0.1])
    )
    hashes = [np.packbits(row).tobytes() for row in bits]
    expected = {
        (i, j, differ(hashes[i], hashes[j]))
        for i in range(count)
        for j in range(i + 1, count)
        if differ(hashes[i], hashes[j]) <= SAME
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "ROWS", 7)
        found = list(_near(np.arange(count), hashes, None, SILENT))
    assert {(i, j, bits) for i, j, bits, _ in found} == expected
    assert [i for i, *_ in found] == sorted(i for i, *_ in found)


def fill(album, root, pictures):
    """Post the pictures, name -> (picture, quality), in an album."""
    root.mkdir(exist_ok=True)
    posts = []
    for name, (picture, quality) in pictures.items():
        (root / name).write_bytes(jpeg(picture, quality))
        posts.append(Post(name, root / name))
    album.add(dataset(root, posts))


@pytest.fixture
def shots(album, tmp_path):
    """Two scenes of which one is there three times and the other twice, and ten others."""
    one, other = scene(1), scene(2)
    pictures = {
        "small.jpg": (one.resize((160, 120)), 80),
        "best.jpg": (one, 95),
        "mirror.jpg": (ImageOps.mirror(one), 70),
        "other.jpg": (other, 90),
        "other-again.jpg": (other, 60),
        "fog-1.jpg": (Image.new("RGB", (90, 90), (200, 200, 200)), 90),
        "fog-2.jpg": (Image.new("RGB", (90, 91), (201, 200, 200)), 90),
        **{f"alone-{seed}.jpg": (scene(seed), 90) for seed in range(10, 20)},
    }
    fill(album, tmp_path / "shots", pictures)
    return album


def test_groups_have_the_best_picture_first(shots):
    found = shots.duplicates()
    assert [{shot.id for shot in group.shots} for group in found.groups] == [
        {"best.jpg", "mirror.jpg", "small.jpg"},
        {"other.jpg", "other-again.jpg"},
    ]
    assert found.groups[0].shots[0].id == "best.jpg"
    assert found.groups[0].shots[0].width == 320
    assert found.looked_at == 17


def test_pictures_are_looked_at_once(shots, monkeypatch):
    first = shots.duplicates()
    monkeypatch.setattr("cartolina.album.looks.look", None)
    assert shots.duplicates() == first


def test_a_picture_that_is_gone_is_told(shots):
    (shots.get("alone-10.jpg").image).unlink()
    found = shots.duplicates()
    assert [(one.id, one.reason) for one in found.unseen] == [("alone-10.jpg", "no such image")]
    assert len(found.groups) == 2


def test_exact_copies_on_request(shots, tmp_path):
    fill(shots, tmp_path / "more", {"copy.jpg": (scene(15), 90)})
    assert all(len(shot.files) == 1 for group in shots.duplicates().groups for shot in group.shots)
    found = shots.duplicates(exact=True)
    (alone,) = found.groups[-1].shots
    assert alone.id == "alone-15.jpg"
    assert alone.files == (tmp_path / "shots" / "alone-15.jpg", tmp_path / "more" / "copy.jpg")


def test_an_album_that_has_learnt_nothing_goes_by_looks_alone(tmp_path):
    with Album.create(tmp_path / "new.album") as album:
        fill(
            album,
            tmp_path / "shots",
            {"a.jpg": (scene(1), 90), "b.jpg": (scene(1), 50), "c.jpg": (scene(2), 90)},
        )
        (group,) = album.duplicates().groups
        assert [(shot.id, shot.cosine) for shot in group.shots] == [("a.jpg", None), ("b.jpg", None)]
