"""Places: distances, granularities, and names ↔ coordinates without the internet."""

from cartolina.geo.distance import EARTH_RADIUS_KM, GRANULARITIES, haversine_km
from cartolina.geo.gazetteer import Gazetteer, Town, localities
from cartolina.geo.reverse import Locality

__all__ = ["EARTH_RADIUS_KM", "GRANULARITIES", "Gazetteer", "Locality", "Town", "haversine_km", "localities"]
