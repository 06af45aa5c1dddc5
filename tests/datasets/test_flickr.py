import json
from collections import Counter

import pytest

from cartolina.datasets import open_dataset
from cartolina.errors import InputError, UnknownName
from photo_files import write

PHOTOS = ["1000268201_693b08cb0e.jpg", "1001773457_577c3a7d70.jpg", "1002674143_1b742ab4b8.jpg"]


def captions(photo):
    return [f"A child number {n} climbs near {photo[:10]} ." for n in range(5)]


def token_lines(photos=PHOTOS):
    return "".join(f"{photo}#{n}\t{text}\n" for photo in photos for n, text in enumerate(captions(photo)))


def flickr8k(root, images="images", lists=("train", "dev", "test")):
    (root / images).mkdir(parents=True, exist_ok=True)
    (root / "Flickr8k.token.txt").write_text(token_lines())
    for name, photo in zip(("train", "dev", "test"), PHOTOS, strict=True):
        if name in lists:
            (root / f"Flickr_8k.{name}Images.txt").write_text(f"{photo}\n")
        write(root / images / photo)
    return root


def karpathy(name, photos=PHOTOS, splits=("train", "val", "test")):
    images = [
        {
            "sentids": [5 * n + k for k in range(5)],
            "imgid": n,
            "sentences": [{"tokens": text.split(), "raw": text, "imgid": n} for text in captions(photo)],
            "split": split,
            "filename": photo,
        }
        for n, (photo, split) in enumerate(zip(photos, splits, strict=True))
    ]
    return {"images": images, "dataset": name}


def read(dataset, split=None):
    skipped = []
    return list(dataset.posts(split, on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


@pytest.mark.parametrize("images", ["images", "Flicker8k_Dataset", "Flickr8k_Dataset/Flicker8k_Dataset", "."])
def test_the_token_file(tmp_path, images):
    flickr8k(tmp_path, images)
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.splits, dataset.stable_ids) == (
        "flickr8k",
        ("train", "dev", "test"),
        True,
    )
    posts, skipped = read(dataset)
    assert [post.id for post in posts] == [photo.removesuffix(".jpg") for photo in PHOTOS]
    assert [post.captions for post in posts] == [tuple(captions(photo)) for photo in PHOTOS]
    assert posts[0].image == tmp_path / images / PHOTOS[0]
    assert skipped == []
    assert [post.id for post in dataset.posts("dev")] == ["1001773457_577c3a7d70"]
    assert (dataset.count(None), dataset.count("dev")) == (3, 1)


def test_why_says_what_was_found(tmp_path):
    flickr8k(tmp_path, lists=("train", "dev"))
    dataset = open_dataset(tmp_path)
    assert dataset.why == (
        "Recognised as flickr8k: Flickr8k.token.txt with the split lists train, dev, photos in images/."
    )
    with pytest.raises(UnknownName, match="Known: dev, train"):
        dataset.posts("test")


def test_the_token_file_itself_may_be_given(tmp_path):
    flickr8k(tmp_path)
    dataset = open_dataset(tmp_path / "Flickr8k.token.txt")
    assert (dataset.format, dataset.root, dataset.count("train")) == ("flickr8k", tmp_path, 1)


def test_texts_in_a_folder_of_their_own(tmp_path):
    flickr8k(tmp_path / "Flickr8k_text", "../Flicker8k_Dataset")
    dataset = open_dataset(tmp_path)
    assert dataset.splits == ("train", "dev", "test")
    assert len(read(dataset)[0]) == 3


def test_what_is_missing_or_makes_no_sense_is_counted(tmp_path):
    flickr8k(tmp_path)
    (tmp_path / "images" / PHOTOS[0]).unlink()
    with (tmp_path / "Flickr8k.token.txt").open("a") as file:
        file.write("no tab here\n\n2258277193_586949ec62.jpg.1#0\tPeople on horses .\n../x.jpg#0\tOut .\n")
    (tmp_path / "Flickr_8k.devImages.txt").write_text(f"{PHOTOS[1]}\nunknown.jpg\n{PHOTOS[1]}\n")
    posts, skipped = read(open_dataset(tmp_path))
    assert len(posts) == 2
    assert Counter(reason for _, reason in skipped) == {
        "bad row": 1,
        "no such image": 2,
        "image outside the dataset": 1,
    }
    assert ("Flickr8k.token.txt, line 16", "bad row") in skipped
    posts, skipped = read(open_dataset(tmp_path), "dev")
    assert [post.id for post in posts] == [PHOTOS[1].removesuffix(".jpg")]
    assert ("unknown.jpg", "no caption") in skipped


def test_captions_said_twice_stay_two_and_rows_may_stand_apart(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        write(tmp_path / f"images/{name}.jpg")
    (tmp_path / "Flickr8k.token.txt").write_text("a.jpg#0\tA dog .\nb.jpg#0\tA cat .\na.jpg#1\tA dog .\n")
    posts, _ = read(open_dataset(tmp_path))
    assert [post.captions for post in posts] == [("A dog .", "A dog ."), ("A cat .",)]


def test_flickr30k(tmp_path):
    (tmp_path / "results_20130124.token").write_text(token_lines())
    (tmp_path / "train.txt").write_text(f"{PHOTOS[0].removesuffix('.jpg')}\n{PHOTOS[1]}\n")
    (tmp_path / "val.txt").write_text(PHOTOS[2].removesuffix(".jpg"))
    for photo in PHOTOS:
        write(tmp_path / "flickr30k-images" / photo)
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.splits) == ("flickr30k", ("train", "val"))
    assert [post.image.name for post in dataset.posts("train")] == PHOTOS[:2]
    assert [post.captions for post in dataset.posts("val")] == [tuple(captions(PHOTOS[2]))]


@pytest.mark.parametrize("name", ["flickr8k", "flickr30k"])
@pytest.mark.parametrize("file", ["dataset_{}.json", "dataset.json"])
def test_karpathys_json_in_the_folder_or_given(tmp_path, name, file):
    source = tmp_path / file.format(name)
    source.write_text(json.dumps(karpathy(name)))
    for photo in PHOTOS[:2]:
        write(tmp_path / "images" / photo)
    for path in (tmp_path, source):
        dataset = open_dataset(path)
        assert (dataset.format, dataset.splits) == (name, ("train", "val", "test"))
        assert "Karpathy" in dataset.why
        posts, skipped = read(dataset)
        assert [post.captions for post in posts] == [tuple(captions(photo)) for photo in PHOTOS[:2]]
        assert skipped == [(PHOTOS[2], "no such image")]
        assert [post.id for post in dataset.posts("val")] == ["1001773457_577c3a7d70"]


def test_split_lists_beside_the_token_file_come_before_karpathys(tmp_path):
    flickr8k(tmp_path)
    (tmp_path / "dataset_flickr8k.json").write_text(json.dumps(karpathy("flickr8k")))
    assert open_dataset(tmp_path).splits == ("train", "dev", "test")
    for listed in tmp_path.glob("Flickr_8k.*Images.txt"):
        listed.unlink()
    assert open_dataset(tmp_path).splits == ("train", "val", "test")
    (tmp_path / "dataset_flickr8k.json").unlink()
    assert open_dataset(tmp_path).splits == ()


def test_a_photo_in_karpathys_json_that_makes_no_sense_is_counted(tmp_path):
    data = karpathy("flickr8k")
    del data["images"][0]["filename"]
    data["images"][1]["sentences"] = []
    (tmp_path / "dataset_flickr8k.json").write_text(json.dumps(data))
    write(tmp_path / "images" / PHOTOS[2])
    posts, skipped = read(open_dataset(tmp_path))
    assert [post.image.name for post in posts] == PHOTOS[2:]
    assert [reason for _, reason in skipped] == ["bad row", "no caption"]


@pytest.mark.parametrize(
    "text", ['{"dataset": "flickr8k"}', '{"images": 3, "dataset": "flickr8k"}', '"dataset": "flickr8k"']
)
def test_json_that_is_not_karpathys_is_told(tmp_path, text):
    (tmp_path / "dataset_flickr8k.json").write_text(text)
    with pytest.raises(InputError, match="not Karpathy's"):
        open_dataset(tmp_path, "flickr8k")


def test_another_folder_is_told(tmp_path):
    with pytest.raises(InputError, match=r"expected Flickr8k.token.txt or dataset_flickr8k.json"):
        open_dataset(tmp_path, "flickr8k")
