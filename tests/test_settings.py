"""Who wins, and what is said of mistakes."""

import pytest

from cartolina.errors import InputError, UnknownName
from cartolina.settings import SETTINGS, config_files, settle


def test_built_in_values_hold_where_nobody_says_otherwise():
    chosen = settle(environment={}, files=())
    assert {name: chosen[name] for name in chosen} == {n: s.default for n, s in SETTINGS.items()}
    assert {chosen.origin(name) for name in chosen} == {"built in"}


def test_each_layer_wins_over_those_before(tmp_path):
    file = tmp_path / "cartolina.toml"
    file.write_text('k = 30\ndevice = "cpu"\nby = "words"\n')
    layers = {
        "album": {"k": "20", "quality": "best", "device": "cuda"},
        "files": [file],
        "environment": {"CARTOLINA_K": "40", "CARTOLINA_BY": "picture", "HOME": "/"},
        "flags": {"k": 50, "by": None},
    }
    chosen = settle(**layers)
    assert chosen.to_json() == settle(environment={}, files=()).to_json() | {
        "k": {"value": 50, "from": "flag"},
        "by": {"value": "picture", "from": "environment (CARTOLINA_BY)"},
        "device": {"value": "cpu", "from": str(file)},
        "quality": {"value": "best", "from": "album"},
    }
    assert settle(**layers | {"flags": {}})["k"] == 40
    assert settle(**layers | {"flags": {}, "environment": {}})["k"] == 30
    assert settle(album=layers["album"], environment={}, files=())["k"] == 20


def test_the_folders_file_wins_over_the_users_own(tmp_path, monkeypatch):
    user, here = tmp_path / "home" / "cartolina", tmp_path / "here"
    for folder in (user, here):
        folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(user.parent))
    monkeypatch.chdir(here)
    assert config_files() == []
    (user / "cartolina.toml").write_text("k = 1\nseed = 7\n")
    (here / "cartolina.toml").write_text("k = 2\n")
    chosen = settle(environment={})
    assert (chosen["k"], chosen["seed"]) == (2, 7)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settle(environment={})["seed"] == 0


@pytest.mark.parametrize(
    ("said", "tells"),
    [
        ("kk = 3", "did you mean 'k'"),
        ('k = "many"', "expected a whole number"),
        ("k = true", "expected a whole number"),
        ("device = 3", "expected words"),
        ('by = "wrods"', "did you mean 'words'"),
        ("k = ", "is no TOML"),
    ],
)
def test_a_mistake_in_the_file_names_the_file(tmp_path, said, tells):
    file = tmp_path / "cartolina.toml"
    file.write_text(said)
    with pytest.raises(InputError, match=tells) as caught:
        settle(environment={}, files=[file])
    assert str(file) in str(caught.value)


def test_a_mistake_elsewhere_names_where():
    with pytest.raises(InputError, match=r"CARTOLINA_SEED.*'x'"):
        settle(environment={"CARTOLINA_SEED": "x"}, files=())
    with pytest.raises(UnknownName, match="did you mean 'quality'"):
        settle(flags={"qualty": "best"}, environment={}, files=())


def test_a_newer_programs_setting_in_an_album_is_passed_over():
    assert settle(album={"tomorrow": "x", "k": "3"}, environment={}, files=())["k"] == 3
