from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartolina.datasets.xmp import parse_xmp
from cartolina.errors import InputError
from cartolina.post import Place
from photo_files import descriptions, subjects, xmp

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><x>&c;</x>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>"""
BARE_DTD = b"""<!DOCTYPE x SYSTEM "http://example.org/x.dtd"><x/>"""


def test_keywords_and_descriptions():
    found = parse_xmp(xmp(subjects("beach", "#sea", "New York") + descriptions(x_default="A beach")))
    assert found.tags == ("beach", "sea", "New York")
    assert found.captions == ("A beach",)


def items(name, *texts, form="Bag"):
    return f"<{name}><rdf:{form}>{''.join(f'<rdf:li>{t}</rdf:li>' for t in texts)}</rdf:{form}></{name}>"


@pytest.mark.parametrize(
    "written",
    [
        items("lr:hierarchicalSubject", "Places|Italy|Rome"),
        items("digiKam:TagsList", "Places/Italy/Rome", form="Seq"),
        items("MicrosoftPhoto:LastKeywordXMP", "Places/Italy/Rome"),
        items("mediapro:CatalogSets", "Places|Italy|Rome"),
        items("dc:subject", "Places|Italy|Rome"),
    ],
)
def test_each_level_of_a_tag_within_tags_is_one_the_last_first(written):
    assert parse_xmp(xmp(written)).tags == ("Rome", "Italy", "Places")


def test_what_digikam_writes_gives_each_tag_once():
    found = parse_xmp(
        xmp(
            subjects("Rome", "Ida", "sea")
            + items("digiKam:TagsList", "Places/Italy/Rome", "People/Ida", "sea", form="Seq")
            + items("MicrosoftPhoto:LastKeywordXMP", "Places/Italy/Rome", "People/Ida", "sea")
            + items("lr:hierarchicalSubject", "Places|Italy|Rome", "People|Ida", "sea")
            + items("mediapro:CatalogSets", "Places|Italy|Rome", "People|Ida", "sea")
        )
    )
    assert found.tags == ("Rome", "Ida", "sea", "Italy", "Places", "People")


def test_a_keyword_with_a_stroke_in_it_stays_whole():
    found = parse_xmp(xmp(subjects("AC/DC") + items("MicrosoftPhoto:LastKeywordXMP", "AC/DC", "Music/Rock")))
    assert found.tags == ("AC/DC", "Rock", "Music")


def test_empty_levels_are_none():
    assert parse_xmp(xmp(items("lr:hierarchicalSubject", "|Places||Rome|", "|", ""))).tags == (
        "Rome",
        "Places",
    )


def test_headline_and_title_are_captions_unless_the_title_is_a_files_name():
    title = "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>{}</rdf:li></rdf:Alt></dc:title>"
    words = descriptions(x_default="By the sea") + title.format("Our summer")
    assert parse_xmp(xmp(words, 'photoshop:Headline="Holidays"')).captions == (
        "By the sea", "Holidays", "Our summer",
    )  # fmt: skip
    for name in ("DSC_0042", "IMG_20190704_123456", "P1010023", "_MG_1234", "lake.JPG", "IMG-2019-WA0001"):
        assert parse_xmp(xmp(title.format(name))).captions == ()
    for name in ("Summer2019", "Year 2019 in Rome", "Rome"):
        assert parse_xmp(xmp(title.format(name))).captions == (name,)


def test_names_of_the_place_and_of_people_are_tags():
    core = (
        'xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/" Iptc4xmpCore:Location="Trastevere"'
    )
    place = 'photoshop:City="Rome" photoshop:State="Lazio" photoshop:Country="Italy"'
    people = (
        '<e:PersonInImage xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><rdf:Bag><rdf:li>Ida</rdf:li>'
        "</rdf:Bag></e:PersonInImage>"
        '<r:Regions xmlns:r="http://www.metadataworkinggroup.com/schemas/regions/" rdf:parseType="Resource">'
        '<r:RegionList><rdf:Bag><rdf:li><rdf:Description r:Name="Bo" r:Type="Face"/></rdf:li>'
        '<rdf:li rdf:parseType="Resource"><r:Name>Zoë</r:Name></rdf:li></rdf:Bag></r:RegionList></r:Regions>'
    )
    found = parse_xmp(xmp(subjects("rome") + people, f"{core} {place}"))
    assert found.tags == ("rome", "Ida", "Bo", "Zoë", "Trastevere", "Lazio", "Italy")


def test_language_alternatives_come_default_first():
    found = parse_xmp(xmp(descriptions(it="Una spiaggia", x_default="A beach", en="A beach", ja="浜")))
    assert found.captions == ("A beach", "Una spiaggia", "浜")


@pytest.mark.parametrize(
    "written", [xmp(attributes='dc:description="A beach"'), xmp("<dc:description>A beach</dc:description>")]
)
def test_a_description_without_alternatives(written):
    assert parse_xmp(written).captions == ("A beach",)


@pytest.mark.parametrize(
    ("lat", "lon", "place"),
    [
        ("41,22.8N", "2,10.2E", Place(41.38, 2.17)),
        ("33,51,35.9S", "70,30.0W", Place(-33.859972, -70.5)),
        ("41.38", "-2.17", Place(41.38, -2.17)),
    ],
)
def test_places(lat, lon, place):
    found = parse_xmp(xmp(attributes=f'exif:GPSLatitude="{lat}" exif:GPSLongitude="{lon}"')).place
    assert (round(found.lat, 6), round(found.lon, 6)) == (place.lat, place.lon)


@pytest.mark.parametrize("lat", ["0,0.0N", "95,0.0N", "north", ""])
def test_places_that_make_no_sense_are_dropped_and_told(lat):
    found = parse_xmp(xmp(subjects("kept"), f'exif:GPSLatitude="{lat}" exif:GPSLongitude="0,0.0E"'))
    assert found.place is None
    assert found.tags == ("kept",)
    assert [reason for reason, _ in found.problems] == ["bad coordinates"]


def test_the_date_taken():
    assert parse_xmp(xmp(attributes='photoshop:DateCreated="2019-07-04T12:00:00"')).taken == datetime(
        2019, 7, 4, 12
    )
    found = parse_xmp(xmp(attributes='exif:DateTimeOriginal="sometime"'))
    assert found.taken is None
    assert found.problems[0][0] == "bad date"


@pytest.mark.parametrize("hostile", [BOMB, OUTSIDE, BARE_DTD])
def test_document_types_and_entities_are_refused(hostile):
    with pytest.raises(InputError, match="refused"):
        parse_xmp(hostile)


@pytest.mark.parametrize(
    "broken", [b"", b"<x", b"\xff\xfe", b'<?xml version="1.0" encoding="no-such"?><x/>', b"<a>\0</a>"]
)
def test_what_is_not_xml_is_refused(broken):
    with pytest.raises(InputError, match="XML"):
        parse_xmp(broken)


def test_padding_and_utf_16():
    packet = xmp(subjects("mare è"))
    assert parse_xmp(packet + b"\0" * 20).tags == ("mare è",)
    body = packet.decode().split("?>", 1)[1]
    assert parse_xmp(body.encode("utf-16")).tags == ("mare è",)


def test_deep_nesting_is_read_or_refused():
    assert parse_xmp(b"<a>" * 5000 + b"</a>" * 5000).tags == ()


@given(st.binary(max_size=300), st.integers(0, 600))
def test_no_bytes_crash_it(noise, at):
    packet = xmp(subjects("a") + descriptions(x_default="b"), 'exif:GPSLatitude="1,2N"')
    for data in (noise, packet[:at] + noise + packet[at:], packet[:at] + noise):
        try:
            parse_xmp(data)
        except InputError:
            continue


@given(st.text(), st.text())
def test_any_coordinates_are_read_or_told(lat, lon):
    from xml.sax.saxutils import quoteattr

    packet = xmp(attributes=f"exif:GPSLatitude={quoteattr(lat)} exif:GPSLongitude={quoteattr(lon)}")
    try:
        found = parse_xmp(packet)
    except InputError:  # letters XML does not allow
        return
    assert found.place is None or -90 <= found.place.lat <= 90
