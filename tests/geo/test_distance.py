import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartolina.geo import EARTH_RADIUS_KM, GRANULARITIES, haversine_km

QUARTER_KM = EARTH_RADIUS_KM * math.pi / 2
DEGREE_KM = EARTH_RADIUS_KM * math.pi / 180
lats, lons = st.floats(-90, 90), st.floats(-180, 180)


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((0, 0), (0, 0), 0),
        ((0, 0), (0, 1), DEGREE_KM),
        ((0, 0), (1, 0), DEGREE_KM),
        ((0, 179.5), (0, -179.5), DEGREE_KM),  # over the date line
        ((0, -180), (0, 180), 0),
        ((90, 0), (90, 137), 0),  # every longitude meets at the pole
        ((90, 12), (0, -77), QUARTER_KM),
        ((89, 0), (89, 180), 2 * DEGREE_KM),  # straight over the pole
        ((90, 0), (-90, 0), 2 * QUARTER_KM),
        ((12.5, 34), (-12.5, -146), 2 * QUARTER_KM),  # antipodes
        ((60, 0), (60, 180), 60 * DEGREE_KM),  # over the pole, not along the parallel
    ],
)
def test_hand_computed_distances(a, b, km):
    assert haversine_km(*a, *b) == pytest.approx(km, abs=0.05)


@settings(deadline=None)
@given(lats, lons, lats, lons)
def test_agrees_with_the_angle_between_unit_vectors(lat1, lon1, lat2, lon2):
    def vector(lat, lon):
        phi, lam = math.radians(lat), math.radians(lon)
        return np.array([math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)])

    a, b = vector(lat1, lon1), vector(lat2, lon2)
    angle = math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))
    assert haversine_km(lat1, lon1, lat2, lon2) == pytest.approx(EARTH_RADIUS_KM * angle, abs=1e-3)


def test_broadcasts_to_a_table_and_keeps_missing_places_missing():
    lat, lon = np.array([0.0, 0.0, np.nan]), np.array([0.0, 2.0, 5.0])
    table = haversine_km(lat[:, None], lon[:, None], lat, lon)
    assert table.shape == (3, 3)
    assert table[0, 1] == table[1, 0] == pytest.approx(2 * DEGREE_KM)
    assert np.isnan(table[2]).all()


def test_granularities_are_the_papers():
    assert list(GRANULARITIES.values()) == [1, 25, 200, 750, 2500]
