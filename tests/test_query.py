import doctest
import math
import re
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cartolina.errors import CartolinaError, QueryError
from cartolina.geo import Gazetteer, Town
from cartolina.post import Place
from cartolina.query import Filter, ImageRef, Near, Query, Term, Text, date_range, parse, resolve

DOCS = Path(__file__).parents[1] / "docs" / "query.md"


def term(words, weight=1.0):
    return Term(weight, Text(words))


# --- reading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("dog", [term("dog")]),
        ("  dog \t on\na beach ", [term("dog on a beach")]),
        ("skyline + night - car", [term("skyline"), term("night"), term("car", -1)]),
        ("skyline +night −car", [term("skyline"), term("night"), term("car", -1)]),
        ("-car + beach", [term("car", -1), term("beach")]),
        ("- 2*car +.5*beach", [term("car", -2), term("beach", 0.5)]),
        ("ice-cream C++ St-Malo a+b", [term("ice-cream C++ St-Malo a+b")]),
        ("dog 2*beach", [term("dog"), term("beach", 2)]),
        ('"dog" cat "a - b"', [term("dog"), term("cat"), term("a - b")]),
        (r'"say \"hi\" \\ \n"', [term('say "hi" \\ \\n')]),
        ('6" pipe', [term('6" pipe')]),
        ("@a.jpg 3*like:b", [Term(1, ImageRef("a.jpg", "path")), Term(3, ImageRef("b", "id"))]),
        (
            '@"my photo.jpg" - like:"a b"',
            [Term(1, ImageRef("my photo.jpg", "path")), Term(-1, ImageRef("a b", "id"))],
        ),
        ("bob@example.com", [term("bob@example.com")]),
        ("12:30 https://tag.com re:zero tgas:", [term("12:30 https://tag.com re:zero tgas:")]),
        ("dog near", [term("dog near")]),
        ('"house near Barcelona"', [term("house near Barcelona")]),
    ],
)
def test_terms(source, terms):
    assert parse(source) == Query(tuple(terms))


@pytest.mark.parametrize(
    ("source", "filters"),
    [
        ("tag:dog", [Filter("tag", "dog")]),
        ("-tag:people - TAG:#Cat", [Filter("tag", "people", True), Filter("tag", "Cat", True)]),
        ('+text:"red car" type:.JPG', [Filter("text", "red car"), Filter("type", "jpeg")]),
        (
            "date:2019-02 folder:rome/2019 has:tag",
            [Filter("date", "2019-02"), Filter("folder", "rome/2019"), Filter("has", "tags")],
        ),
    ],
)
def test_filters(source, filters):
    assert parse(source) == Query(filters=tuple(filters))


@pytest.mark.parametrize(
    ("source", "terms", "near"),
    [
        ("near:Barcelona", [], Near("Barcelona")),
        ("dog near:New York, US within 5 mi", [term("dog")], Near("New York, US", 5 * 1.609344)),
        ('near:"New York" night', [term("night")], Near("New York")),
        ("near:41.38,2.17", [], Near(Place(41.38, 2.17))),
        (
            "dog near 41.38 , −2.17 within 500m night",
            [term("dog"), term("night")],
            Near(Place(41.38, -2.17), 0.5),
        ),
        ("house near water", [term("house")], Near("water", at=1)),
        ("house near Rome within 2km + night", [term("house"), term("night")], Near("Rome", 2, at=1)),
        ("near Rome + night", [term("night")], Near("Rome", at=0)),
        ('dog near "Los Angeles"', [term("dog")], Near("Los Angeles", at=1)),
        # Only one place can be meant: the last, or the one that is certain.
        ("house near water near Rome", [term("house near water")], Near("Rome", at=1)),
        ("house near water - car near Rome", [term("house near water"), term("car", -1)], Near("Rome", at=2)),
        ("near:Rome house near water", [term("near water")], Near("Rome house")),  # up to the next keyword
        ("house near water within reach near:Rome", [term("house near water within reach")], Near("Rome")),
        (
            "@a.jpg near water near:Rome",
            [Term(1, ImageRef("a.jpg", "path")), term("near water")],
            Near("Rome"),
        ),
    ],
)
def test_near(source, terms, near):
    assert parse(source) == Query(tuple(terms), (), near)


def test_unicode_is_composed_except_in_files_names():
    decomposed = unicodedata.normalize("NFD", "café tag:é near:Orléans")
    assert parse(decomposed) == parse("café tag:é near:Orléans")
    assert parse(unicodedata.normalize("NFD", "@é.jpg")).terms[0].what.path_or_id == "e\u0301.jpg"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "the query is empty: write words"),
        (" \n", "the query is empty"),
        ("+", "nothing after the last"),
        ("- near Rome", 'write near Rome without it, or "near Rome"'),
        ("+near:Rome", "takes no sign"),
        ("2*near:Rome", "a weight goes before"),
        ("2*-car", "a weight goes before"),
        ("0*dog", "cancel out"),
        ("0.1*a + 0.2*a - 0.3*a", "cancel out"),
        ("9" * 400 + "*dog", "not a finite number"),
        ("tag: dog", "write tag:dog"),
        ('tag:""', "needs a value"),
        ("tag:#", "needs a value"),
        ("folders:rome", "did you mean folder:rome"),
        ("-tga:dog", 'For the words, write "tga:dog"'),
        ("@", "write @photo.jpg"),
        ('like:""', "like:ID"),
        ("near:", "write near:Barcelona"),
        ("near:Rome within 0km", "more than 0"),
        ("house near Rome within 5 miles", "write within 5km"),
        ('"a"b', "write a space between"),
        ('""', "no words"),
        ("date:2019-02-30", "is no date"),
        ("date:0000", "is no date"),
        ("date:..", "is no date"),
        ("date:2020..2019", "write date:2019..2020"),
        ("has:plaec", "did you mean has:place"),
        ("\ud800", "UTF-8"),
        ("a\0", "UTF-8"),
    ],
)
def test_errors_say_what_to_write(source, message):
    with pytest.raises(QueryError, match=re.escape(message)):
        parse(source)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2019", date(2019, 1, 1), date(2019, 12, 31)),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
        ("2019-07-14", date(2019, 7, 14), date(2019, 7, 14)),
        ("2018..2019-02", date(2018, 1, 1), date(2019, 2, 28)),
        ("2019-07..", date(2019, 7, 1), date.max),
        ("..2019", date.min, date(2019, 12, 31)),
    ],
)
def test_date_range(written, first, last):
    assert date_range(written) == (first, last)


# --- printing ----------------------------------------------------------------------------------------------

KEYWORDS = [
    "near",
    "within",
    "5km",
    "+",
    "-",
    "2*a",
    "*",
    "2",
    "tag:x",
    "near:x",
    "@a",
    '"',
    "\\",
    "41,2",
    "like:",
    "tga:x",
    "Rome,",
    "e\u0301",
]
letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
prose = st.lists(st.sampled_from(KEYWORDS) | letters, min_size=1, max_size=5).map(" ".join).filter(str.strip)
weights = st.floats(allow_nan=False, allow_infinity=False).filter(bool) | st.sampled_from([1.0, -1.0, 0.5])
images = st.builds(ImageRef, prose, st.sampled_from(["path", "id"]))
terms = st.builds(Term, weights, st.builds(Text, prose) | images)
dates = st.dates().map(str)
values = {
    "tag": prose.filter(lambda text: text.split() != ["#"]),
    "text": prose,
    "date": dates | dates.map(lambda day: day[:7] + ".."),
    "folder": prose,
    "type": st.sampled_from(["jpg", "PNG", "heif"]),
    "has": st.sampled_from(["place", "tags"]),
}
filters = st.sampled_from(sorted(values)).flatmap(
    lambda key: st.builds(Filter, st.just(key), values[key], st.booleans())
)
radii = st.none() | st.floats(1e-6, 1e6)
points = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))


@st.composite
def queries(draw):
    summed = draw(st.lists(terms, max_size=4))
    near = None
    if draw(st.booleans()):
        at = draw(st.none() | st.integers(0, len(summed)))
        place = draw(points if at is None and draw(st.booleans()) else prose.filter(lambda p: "," not in p))
        near = Near(place, draw(radii), at)
    query = Query(tuple(summed), tuple(draw(st.lists(filters, max_size=3))), near)
    try:
        query.check()
    except QueryError:  # empty, or cancels out by chance
        return Query((term("dog"),))
    return query


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(queries())
def test_parse_after_print_is_the_identity(query):
    assert parse(str(query)) == query
    assert eval(repr(query), {"parse": parse}) == query
    assert hash(parse(str(query))) == hash(query)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([*KEYWORDS, "dog", " ", "\u2003", "−", ":", "."]) | st.text(max_size=3)).map(
        "".join
    )
)
def test_no_input_crashes_and_printing_is_idempotent(source):
    try:
        query = parse(source)
    except QueryError:
        return
    assert parse(str(query)) == query
    assert str(parse(str(query))) == str(query)
    read = (
        resolve(query.without_near(), find=lambda name: [])
        if query.near and query.near.at is not None
        else None
    )
    assert read is None or read.query.near is None


# --- algebra -----------------------------------------------------------------------------------------------


def test_algebra():
    beach, photo, car = Text("beach"), ImageRef("a.jpg", "path"), Text("car")
    query = beach + 0.5 * photo - car
    assert query == Query((Term(1, beach), Term(0.5, photo), Term(-1, car)))
    assert query == parse("beach + 0.5*@a.jpg - car")
    assert -2 * query == parse("-2*beach - @a.jpg + 2*car")
    assert query * 2 == 2 * query
    assert beach + Filter("tag", "x") - Filter("tag", "y") == parse("beach tag:x -tag:y")
    assert parse("a") + parse("b near water") == parse("a + b near water")
    assert Term(2, beach) + Near("Rome", 5) == parse("2*beach near:Rome within 5km")
    assert len({query, parse(str(query)), parse("beach")}) == 2
    assert Text(" a\n b") == Text("a b")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Text("a") - Near("Rome"),
        lambda: 2 * Near("Rome"),
        lambda: Filter("tag", "a") * 2,
        lambda: Near("Rome") + Near("Paris"),
        lambda: Text("a") - parse("b tag:c"),
        lambda: math.nan * Text("a"),
        lambda: Text(" "),
        lambda: Filter("colour", "red"),
        lambda: Near("Rome", -1),
        lambda: Query((), (), Near("Rome", at=1)),
        lambda: ImageRef("a", "url"),
    ],
)
def test_algebra_that_means_nothing(wrong):
    with pytest.raises(CartolinaError):
        wrong()


def test_only_parts_of_queries_add_up():
    for wrong in (lambda: Text("a") + "b", lambda: Text("a") - 1, lambda: Text("a") * "b"):
        with pytest.raises(TypeError):
            wrong()


# --- places ------------------------------------------------------------------------------------------------

TOWNS = {
    "barcelona": [
        Town("Barcelona", "Spain", "Catalonia", 41.39, 2.16, 1_686_208),
        Town("Barcelona", "Venezuela", "", 10.13, -64.69, 815_141),
    ],
    "water": [Town("Water", "Nowhere", "", 1, 2, 900)],
    "portugal": [Town("Portugal", "Portugal", "", 39.5, -8.5, 10_000_000, 292.0)],
    "NYC": [Town("New York City", "United States", "", 40.71, -74.0, 8_804_190)],
}


def find(name):
    return TOWNS.get(name, TOWNS.get(name.lower(), []))


def test_a_place_is_found_and_the_others_are_named():
    resolved = resolve(parse("house near barcelona + night tag:x"), find)
    assert resolved.query == parse("house + night tag:x near:41.39,2.16 within 25km")
    assert resolved.circle == (Place(41.39, 2.16), 25)
    assert resolved.echo == "house + night tag:x near:Barcelona, Catalonia, Spain within 25km"
    assert resolved.town == TOWNS["barcelona"][0]
    assert resolved.name == "Barcelona, Catalonia, Spain"
    assert resolved.alternatives == ("Barcelona, Venezuela (10.13, -64.69)",)
    assert any("also: Barcelona, Venezuela" in note for note in resolved.notes)
    assert any("25 km" in note for note in resolved.notes)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("house near water", '"house near water"'),  # too few people for small letters
        ("- house near the fence", '- "house near the fence"'),
        ("near fence", '"near fence"'),
        ("near fence + dog", '"near fence" + dog'),
        ("@a.jpg near fence within 5 m", '@a.jpg + "near fence within 0.005km"'),
    ],
)
def test_what_is_no_place_is_words_again(source, words):
    resolved = resolve(parse(source), find)
    assert resolved.query == parse(words)
    assert resolved.circle is None
    assert "read as words" in resolved.notes[0]


def test_capitals_or_a_colon_mean_even_a_small_place():
    assert resolve(parse("house near Water"), find).town == TOWNS["water"][0]
    assert resolve(parse("house near:water"), find).town == TOWNS["water"][0]
    assert resolve(parse("near:nyc"), find).town == TOWNS["NYC"][0]


def test_radius():
    assert resolve(parse("near:portugal"), find).circle == (Place(39.5, -8.5), 292)
    assert resolve(parse("near:portugal within 5km"), find).circle == (Place(39.5, -8.5), 5)
    assert resolve(parse("near:1,2"), find).circle == (Place(1, 2), 25)
    assert resolve(parse("dog"), find).circle is None


def test_an_unknown_place_says_what_to_write():
    with pytest.raises(QueryError, match=r"did you mean near:Barcelona, Catalonia, Spain.*near:41.38,2.17"):
        resolve(parse("near:Bracelona"), find, lambda name: TOWNS["barcelona"][:1])
    with pytest.raises(QueryError, match=r"write at night near:Barcelona"):
        resolve(parse("near:Barcelona at night"), find)
    with pytest.raises(QueryError, match=r"no place is called 'xyz'; coordinates are written"):
        resolve(parse("near:xyz"), find)


def test_sums_that_cancel_once_the_words_are_known():
    assert resolve(parse("dog - dog near fence"), find).query == parse('dog - "dog near fence"')
    with pytest.raises(QueryError, match="cancel out"):
        resolve(parse("dog - dog near Barcelona"), find)
    with pytest.raises(QueryError, match="empty"):
        resolve(Query(), find)


def test_with_the_real_gazetteer():
    with Gazetteer.open() as gazetteer:
        for words in (
            "house near water",
            "a dog near the beach",
            "man near a bus",
            "girl near us",
            "boat near sea",
        ):
            assert resolve(parse(words), gazetteer.find).query.near is None
        resolved = resolve(parse("house near springfield, illinois"), gazetteer.find)
        assert resolved.name == "Springfield, Illinois, United States"
        assert resolve(parse(resolved.echo), gazetteer.find).town == resolved.town


# --- the page people read ----------------------------------------------------------------------------------


def rows(columns):
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in DOCS.read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]
    return [row for row in cells if len(row) == columns]


@pytest.mark.parametrize(("written", "read_as"), [row[:2] for row in rows(3)])
def test_documented_queries(written, read_as):
    assert str(parse(written.strip("`"))) == read_as.strip("`")


@pytest.mark.parametrize(("written", "answer"), rows(2))
def test_documented_errors(written, answer):
    with pytest.raises(QueryError, match=re.escape(answer)):
        parse(written.strip("`"))


def test_documented_python():
    failed, tried = doctest.testfile(str(DOCS), module_relative=False)
    assert tried > 5
    assert failed == 0
