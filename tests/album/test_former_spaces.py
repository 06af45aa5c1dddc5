"""Going back to a space that was searched before."""

import shutil

import pytest
from tiny_world import painted

from cartolina.errors import AlbumError, InputError, UnknownName


@pytest.fixture
def twice(album, tmp_path, turned_space_folder):
    """An album of two spaces, with a photo that came after the second one."""
    album.add(painted(tmp_path / "photos", ["red-1.png", "blue-1.png"]))
    album.activate(turned_space_folder)
    album.add(painted(tmp_path / "photos", ["yellow-1.png"]))
    return album


def found(album, query):
    return [hit.id for hit in album.search(query)]


def test_posts_that_came_since_are_found_in_the_former_space(twice):
    second = twice.space.folder
    report = twice.rollback()
    assert (report.added, twice.space.info["text_head"]) == (1, False)
    assert found(twice, "red") == ["red-1.png", "yellow-1.png", "blue-1.png"]
    assert twice.rollback(second.name[:4]).added == 0  # and the newer one is still there
    assert twice.space.folder == second
    assert twice.actions()[0].name == "rollback"
    twice.undo()
    assert twice.space.folder != second


def test_what_does_not_work_does_not_take_over(twice):
    first = next(one for one in twice.spaces() if not one.is_active)
    (twice.path / "spaces" / first.fingerprint / "image.onnx").write_bytes(b"no model")
    with pytest.raises(AlbumError, match="does not work"):
        twice.rollback()
    assert found(twice, "red")[0] == "red-1.png"
    (twice.path / "spaces" / first.fingerprint / "space.json").unlink()
    assert "is not a space" in next(one for one in twice.spaces() if not one.is_active).problem
    with pytest.raises(AlbumError, match="is not a space"):
        twice.rollback()


def test_a_lost_active_space_can_be_gone_back_from(twice):
    active = next(one for one in twice.spaces() if one.is_active)
    shutil.rmtree(twice.path / "spaces" / active.fingerprint)
    twice._spaces.clear()
    with pytest.raises(AlbumError, match="is not a space"):
        twice.search("red")
    twice.rollback()
    assert len(found(twice, "red")) == 3
    assert twice.drop_space(active.fingerprint) == active.fingerprint
    assert len(twice.spaces()) == 1


def test_a_dropped_space_leaves_nothing(twice):
    first = next(one for one in twice.spaces() if not one.is_active)
    twice.drop_space(first.fingerprint[:5])
    assert not (twice.path / "spaces" / first.fingerprint).exists()
    for table in ("vectors", "segments", "former_vectors"):
        assert twice._catalogue.rows(f"SELECT count(*) FROM {table} WHERE space = 1") == [(0,)]
    assert not any((twice.path / "tmp").iterdir())
    assert len(found(twice, "red")) == 3


def test_names_of_spaces(twice):
    active = next(one for one in twice.spaces() if one.is_active)
    with pytest.raises(InputError, match="is the one that is searched now"):
        twice.rollback(active.fingerprint)
    with pytest.raises(UnknownName, match="unknown space 'xyz'"):
        twice.rollback("xyz")
    with pytest.raises(InputError, match="unknown space ''"):
        twice.drop_space("")
