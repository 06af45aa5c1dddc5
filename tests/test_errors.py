import pytest

from cartolina.errors import MissingPackage, UnknownName, require


def test_an_unknown_name_suggests_the_nearest_and_lists_the_known():
    error = UnknownName("backbone", "eficientnet-lite0", ["efficientnet-lite2", "efficientnet-lite0"])
    assert error.nearest == "efficientnet-lite0"
    assert "did you mean 'efficientnet-lite0'" in str(error)
    assert "efficientnet-lite0, efficientnet-lite2" in str(error)


def test_an_unknown_name_like_nothing_suggests_nothing():
    error = UnknownName("format", "xyzzy", ["folder", "table"])
    assert error.nearest is None
    assert "did you mean" not in str(error)


def test_a_missing_package_names_itself_and_the_command():
    with pytest.raises(MissingPackage, match=r"Parquet needs the package 'no_such_package': pip install x"):
        require("no_such_package.module", "reading Parquet", "pip install x")


def test_require_returns_the_module():
    assert require("json", "anything", "nothing").loads("1") == 1
