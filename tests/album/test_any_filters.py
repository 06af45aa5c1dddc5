"""Any posts, any filters, against plain Python over the posts."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cartolina.album.catalogue import Catalogue
from cartolina.album.entry import Entry
from cartolina.album.filters import allowed
from cartolina.post import Place, Post
from cartolina.query import Filter, Query, parse

ROOT = Path("/photos/My Été")

# What may be written, and the words it is, by hand.
WORDS = {
    "a": ["a"],
    "red": ["red"],
    "RED,": ["red"],
    "cars": ["cars"],
    "car": ["car"],
    "Málaga": ["malaga"],
    "MÁLAGA": ["malaga"],
    normalize("NFD", "MÁLAGA"): ["malaga"],
    "malaga's": ["malaga", "s"],
    "ŁÓDŹ": ["lodz"],
    "lodz": ["lodz"],
    "Straße": ["strasse"],
    "STRASSE": ["strasse"],
    "東京": ["東", "京"],
    "東京タワー": list("東京タワー"),
    "タワ": ["タ", "ワ"],
    "바다에서": ["바", "다", "에", "서"],
    "바다": ["바", "다"],
    "50%": ["50"],
    "red_car": ["red", "car"],
    '"red': ["red"],
    "OR": ["or"],
    "NEAR(red,": ["near", "red"],
    "captions:red": ["captions", "red"],
    "*": [],
    "%": [],
}
TAGS = [
    "beach",
    "#Beach",
    "＃beach",
    "BEACH",
    "red car",
    "Málaga",
    normalize("NFD", "málaga"),
    "50%",
    "5%",
    "a_b",
    "aXb",
    "ﬁsh",
]
FOLDERS = ["Rome", "rome", "Été", normalize("NFD", "été"), "a b", "100%", "a_b", "aXb"]
ENDINGS = {
    "jpg": "jpeg",
    "JPEG": "jpeg",
    "png": "png",
    "tif": "tiff",
    "gif": "gif",
    "HEIF": "heic",
    "dat": None,
    "xpng": None,
}

days = st.dates(datetime(2018, 11, 1).date(), datetime(2020, 2, 1).date()).flatmap(
    lambda day: st.sampled_from([f"{day:%Y}", f"{day:%Y-%m}", f"{day:%Y-%m-%d}"])
)
dates = st.one_of(
    days,
    days.map("{}..".format),
    days.map("..{}".format),
    st.tuples(days, days).map(sorted).filter(lambda two: two[0][:4] < two[1][:4]).map("..".join),
)


@st.composite
def worlds(draw):
    """Posts and filters made of the same few words, tags and folders, so that they meet."""

    def few(some):
        return st.sampled_from(draw(st.lists(st.sampled_from(some), min_size=2, max_size=4, unique=True)))

    words, tags, folders = few(list(WORDS)), few(TAGS), few(FOLDERS)
    texts = st.lists(words, min_size=1, max_size=3).map(" ".join)
    posts = st.builds(
        Post,
        id=st.just("p"),
        image=st.builds(
            lambda way, ending: ROOT.joinpath(*way, f"p.{ending}"),
            st.lists(folders, max_size=3),
            st.sampled_from(list(ENDINGS)),
        ),
        captions=st.lists(texts | st.just(""), max_size=3).map(tuple),
        tags=st.lists(tags, max_size=2, unique=True).map(tuple),
        place=st.none() | st.just(Place(1, 2)),
        taken=st.none() | st.datetimes(datetime(2018, 11, 1), datetime(2020, 2, 1)),
    )
    ways = st.lists(folders | st.sampled_from(["My Été", "photos"]), min_size=1, max_size=2).map("/".join)
    values = {
        "tag": tags,
        "text": texts,
        "date": dates,
        "folder": ways,
        "type": st.sampled_from(["jpg", "png", "tiff", "gif", "heic", "webp"]),
        "has": st.sampled_from(["place", "date", "text", "tags"]),
    }
    filters = st.sampled_from(list(values)).flatmap(
        lambda key: st.builds(Filter, st.just(key), values[key], st.booleans())
    )
    return (
        draw(st.lists(posts, min_size=1, max_size=8)),
        draw(st.lists(filters, min_size=1, max_size=6)),
    )


def alike(text):
    return normalize("NFKC", text).casefold()


def inside(few, many):
    return any(many[at : at + len(few)] == few for at in range(len(many) - len(few) + 1))


def in_range(taken, value):
    first, dots, last = value.partition("..")
    last = last if dots else first
    day = f"{taken:%Y-%m-%d}"
    return (not first or first <= day[: len(first)]) and (not last or day[: len(last)] <= last)


def passes(post, one):
    """What the filter says, in plain words."""
    match one.key:
        case "tag":
            found = any(alike(tag).lstrip("#") == alike(one.value).lstrip("#") for tag in post.tags)
        case "text":
            phrase = [word for written in one.value.split() for word in WORDS[written]]
            said = [
                [word for written in caption.split() for word in WORDS[written]] for caption in post.captions
            ]
            found = bool(phrase) and any(inside(phrase, words) for words in said)
        case "date":
            found = post.taken is not None and in_range(post.taken, one.value)
        case "folder":
            way = [ROOT.name, *post.image.parent.relative_to(ROOT).parts]
            found = inside([alike(part) for part in one.value.split("/")], [alike(part) for part in way])
        case "type":
            found = ENDINGS[post.image.suffix[1:]] == one.value
        case "has":
            found = {
                "place": post.place is not None,
                "date": post.taken is not None,
                "text": any(post.captions),
                "tags": bool(post.tags),
            }[one.value]
    return found != one.negated


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    made = Catalogue.create(tmp_path_factory.mktemp("album") / "album.sqlite")
    with made.transaction():
        made.source(ROOT, "folder", False)
    yield made
    made.close()


class Undone(Exception):
    pass


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
@example(
    (
        [Post("p", ROOT / "p.png", ("a red", "car")), Post("p", ROOT / "p.png", ("a red car",))],
        [Filter("text", "red car")],
    )
)
@example(([Post("p", ROOT / "p.png", ("red cars",))], [Filter("text", "car"), Filter("text", "red cars")]))
def test_what_passes_is_what_python_says(catalogue, world):
    given_posts, asked = world
    read = parse(str(Query(filters=tuple(asked)))).filters
    assert read == tuple(asked)
    with contextlib.suppress(Undone), catalogue.transaction():
        keys = [
            catalogue.put(Entry(Post(str(n), *rest(post)), 1, 0, 0, "", str(n))).key
            for n, post in enumerate(given_posts)
        ]
        for some in (read, *([one] for one in read)):  # together hardly anything passes
            expected = [
                key
                for key, post in zip(keys, given_posts, strict=True)
                if all(passes(post, one) for one in some)
            ]
            assert allowed(catalogue, some, None).keys.tolist() == expected
        raise Undone


def rest(post):
    return (post.image, post.captions, post.tags, post.place, post.taken)
