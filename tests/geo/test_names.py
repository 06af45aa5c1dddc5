import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartolina.geo.names import fold


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Saint-Étienne", "saint etienne"),
        ("St. John's", "st johns"),
        ("Xi’an", "xian"),
        ("ŁÓDŹ", "lodz"),
        ("Köbenhavn", "kobenhavn"),
        ("København", "kobenhavn"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Đà Nẵng", "da nang"),
        ("Αθήνα", "αθηνα"),
        ("서울", "서울"),
        ("ガンダ", "ガンダ"),  # the voicing mark makes another letter
        ("हिन्दी", "हिन्दी"),
        ("  New   York ", "new york"),
        ("—", ""),
    ],
)
def test_fold(written, folded):
    assert fold(written) == folded


@settings(deadline=None)
@given(st.text())
def test_fold_is_blind_to_unicode_form_and_white_space(text):
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert fold(f" {text}\t") == fold(text)
