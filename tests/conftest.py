"""What all rooms' tests share."""

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair: a busy one must not fail a property that holds.
settings.register_profile("cartolina", deadline=None)
settings.load_profile("cartolina")


@pytest.fixture(scope="session", autouse=True)
def cache_folder_of_this_run(tmp_path_factory):
    """Models are exported once for the whole run, and never into the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cartolina-cache")
        patch.setenv("CARTOLINA_CACHE", str(folder))
        yield folder
