"""Places: distances, granularities, and names ↔ coordinates without the internet."""

from cartolina.geo.distance import EARTH_RADIUS_KM, GRANULARITIES, haversine_km
from cartolina.geo.gazetteer import Gazetteer, Town

__all__ = ["EARTH_RADIUS_KM", "GRANULARITIES", "Gazetteer", "Town", "haversine_km"]
