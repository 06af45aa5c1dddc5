"""Words into sidecars: what is there stays, what is written is read back, the same again changes nothing."""

import pytest

from cartolina.datasets.xmp import parse_xmp
from cartolina.datasets.xmp_writer import Words, merged
from cartolina.errors import InputError
from cartolina.post import Place

DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:darktable="http://darktable.sf.net/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    darktable:xmp_version="5" exif:GPSLatitude="1,2.0N" exif:GPSLongitude="3,4.0E">
   <dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>Blurred</rdf:li></rdf:Bag></dc:subject>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">At the sea</rdf:li></rdf:Alt></dc:description>
   <darktable:history><rdf:Seq><rdf:li darktable:operation="exposure" darktable:params="00ff"/></rdf:Seq>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
SAID = Words(("beach", "Sea"), ("blurred",), ("Ida & Bo <3", "Second"), Place(-41.5, 2.25))


def test_a_new_sidecar_is_read_back():
    read = parse_xmp(merged(None, SAID))
    assert read.tags == ("beach", "Sea")
    assert read.captions == ("Ida & Bo <3", "Second")
    assert (read.place.lat, read.place.lon) == (-41.5, 2.25)
    assert not read.problems


def test_what_another_program_wrote_stays():
    new = merged(DARKTABLE, SAID)
    read = parse_xmp(new)
    assert read.tags == ("sea", "beach")
    assert read.captions == ("At the sea", "Ida & Bo <3", "Second")
    assert (read.place.lat, read.place.lon) == (-41.5, 2.25)
    for kept in (b'darktable:xmp_version="5"', b'darktable:operation="exposure"', b'darktable:params="00ff"'):
        assert kept in new
    assert new.count(b'xml:lang="x-default"') == 1


@pytest.mark.parametrize("start", [None, DARKTABLE])
def test_the_same_words_again_change_nothing(start):
    once = merged(start, SAID)
    assert merged(once, SAID) is once
    assert merged(DARKTABLE, Words(tags=("SEA",), captions=("At the sea",))) is DARKTABLE


@pytest.mark.parametrize("tag", ["New York", "<b>", "東京", 'a "quoted" one', "x]]>y"])
def test_any_word_survives(tag):
    assert parse_xmp(merged(DARKTABLE, Words((tag,)))).tags == ("sea", "Blurred", tag)


DIGIKAM = DARKTABLE.replace(
    b"   <darktable:history>",
    b"""   <lr:hierarchicalSubject xmlns:lr="http://ns.adobe.com/lightroom/1.0/"><rdf:Bag>
    <rdf:li>Places|Italy|Rome</rdf:li><rdf:li>Blurred</rdf:li></rdf:Bag></lr:hierarchicalSubject>
   <digiKam:TagsList xmlns:digiKam="http://www.digikam.org/ns/1.0/"><rdf:Seq>
    <rdf:li>Places/Italy/Rome</rdf:li><rdf:li>People/Ida</rdf:li></rdf:Seq></digiKam:TagsList>
   <darktable:history>""",
)


@pytest.mark.parametrize(
    ("unwanted", "left"),
    [
        (("rome",), ("sea", "Blurred", "Italy", "Places", "Ida", "People")),
        (("Italy", "blurred"), ("sea", "Rome", "Places", "Ida", "People")),
        (("Places", "Italy", "Rome", "People", "IDA", "sea", "Blurred"), ()),
    ],
)
def test_what_is_taken_out_leaves_the_hierarchies_too(unwanted, left):
    new = merged(DIGIKAM, Words(not_tags=unwanted))
    assert parse_xmp(new).tags == left
    assert b'darktable:params="00ff"' in new
    assert merged(new, Words(not_tags=unwanted)) is new
    if "Rome" not in unwanted:
        assert (b"<rdf:Seq>" in new) == (b"digiKam:TagsList" in new)  # an ordered list stays one


def test_a_tag_within_tags_that_is_added_joins_the_flat_ones():
    new = merged(DIGIKAM, Words(tags=("Italy",)))
    assert parse_xmp(new).tags == ("sea", "Blurred", "Italy", "Rome", "Places", "Ida", "People")
    assert new.count(b"Places|Italy|Rome") == 1


def test_attributes_become_lists():
    short = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:description="as an attribute">
      <dc:subject>bare</dc:subject></rdf:Description></rdf:RDF>"""
    read = parse_xmp(merged(short, Words(("tag",), (), ("said",))))
    assert (read.tags, read.captions) == (("bare", "tag"), ("as an attribute", "said"))


@pytest.mark.parametrize("damaged", [b"", b"<x", b"<!DOCTYPE x [<!ENTITY e 'x'>]><x>&e;</x>"])
def test_what_is_no_xmp_is_not_ours_to_overwrite(damaged):
    with pytest.raises(InputError, match="XMP"):
        merged(damaged, SAID)


def test_an_almost_empty_packet_gets_what_it_lacks():
    assert parse_xmp(merged(b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', Words(("tag",)))).tags == ("tag",)
