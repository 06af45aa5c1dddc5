"""The reader of Qt resource files, against our writer of them and against damage."""

import importlib.util
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rcc_writer import write_rcc

from cartolina.demo import rcc
from cartolina.demo.rcc import RccFile
from cartolina.errors import InputError, MissingPackage

FILES = {
    "gcompris/src/a/petra.webp": b"RIFF....",
    "gcompris/src/a/board/board1.qml": b"text " * 500,
    "gcompris/README": b"",
    "Żółć/naïve.txt": "grüße".encode(),
}


@pytest.fixture
def read(tmp_path):
    def from_bytes(data):
        path = tmp_path / "test.rcc"
        path.write_bytes(data)
        return RccFile(path)

    return from_bytes


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("compress", [(), tuple(FILES), ("gcompris/src/a/board/board1.qml",)])
def test_what_was_written_is_read(read, version, compress):
    assert dict(read(write_rcc(FILES, version, compress))) == FILES


NAMES = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=99)), st.integers(1, 3), st.booleans())
def test_any_names_and_bytes(tmp_path_factory, files, version, compressed):
    path = tmp_path_factory.mktemp("rcc") / "any.rcc"
    path.write_bytes(write_rcc({f"d/{name}": data for name, data in files.items()}, version, files))
    assert dict(RccFile(path)) == {f"d/{name}": data for name, data in files.items()}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_an_input_error_or_harmless(tmp_path_factory, data):
    good = bytearray(write_rcc(FILES, 3, ("gcompris/src/a/board/board1.qml",)))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.rcc"
    path.write_bytes(good[: data.draw(st.integers(0, len(good)))])
    try:
        for name, content in RccFile(path).items():
            assert ".." not in name.split("/")
            assert len(content) <= rcc.MAX_FILE
    except (InputError, MissingPackage):
        pass


def test_not_a_resource_file(read):
    with pytest.raises(InputError, match="not a Qt resource file"):
        read(b"PK\3\4 something else")
    with pytest.raises(InputError, match="version 9"):
        read(write_rcc(FILES, 9))


def test_names_cannot_climb_out(read):
    with pytest.raises(InputError, match="no name of a file"):
        read(write_rcc({"a/..": b"x"}))


def test_a_tree_in_a_circle_ends(read):
    data = bytearray(write_rcc({"a/b": b"x"}))
    tree = struct.unpack_from(">I", data, 8)[0]
    struct.pack_into(">I", data, tree + 22 + 10, 0)  # the folder "a" has the root as its child
    with pytest.raises(InputError, match="circle"):
        read(bytes(data))


def test_what_unpacks_to_too_much_is_refused(read, monkeypatch):
    monkeypatch.setattr(rcc, "MAX_FILE", 1000)
    resources = read(write_rcc({"bomb": b"\0" * 100_000}, compress=("bomb",)))
    with pytest.raises(InputError, match="unpacks to more than"):
        resources["bomb"]


@pytest.mark.skipif(importlib.util.find_spec("zstandard") is not None, reason="zstandard is installed")
def test_zstandard_without_a_decoder_names_the_package(read):
    resources = read(write_rcc({"z": b"\x28\xb5\x2f\xfd"}, flags={"z": 4}))
    with pytest.raises(MissingPackage, match="pip install zstandard"):
        resources["z"]


@pytest.mark.skipif(importlib.util.find_spec("zstandard") is None, reason="needs zstandard")
def test_zstandard(read):
    import zstandard

    packed = zstandard.ZstdCompressor().compress(b"grass " * 100)
    resources = read(write_rcc({"z": packed, "bad": packed[:-5] + b"12345"}, flags={"z": 4, "bad": 4}))
    assert resources["z"] == b"grass " * 100
