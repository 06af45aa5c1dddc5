"""An album with an index: it answers as without, and whatever happens to the index, it answers."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tiny_world import COLOURS, dataset, paint, painted

from cartolina.album import Album, indexing, searched, writer
from cartolina.album.rows import CatalogueRows
from cartolina.album.searchable import Searchable
from cartolina.errors import AlbumError, MissingPackage, UnknownName
from cartolina.post import Place, Post
from cartolina.store import shard
from cartolina.store.qdrant import QdrantStore
from cartolina.store.segments import CAPACITY

QUESTIONS = (
    "red", "red + blue", "green - red", "like:sea.png", "yellow tag:even", "purple near:0,10 within 500km"
)  # fmt: skip


@pytest.fixture
def filled(album, tmp_path):
    """Two hundred posts, of mixed colours between the five; every other one has a tag, a third a place."""
    chance = np.random.default_rng(0)
    names = list(COLOURS)
    posts = []
    for number in range(200):
        one, other = chance.choice(5, 2, replace=False)
        share = chance.uniform(0.5, 1)
        mixed = share * np.array(COLOURS[names[one]]) + (1 - share) * np.array(COLOURS[names[other]])
        name = f"{names[one]}-{number}.png"
        paint(tmp_path / "photos" / name, tuple(int(part) for part in mixed))
        posts.append(
            Post(
                name,
                tmp_path / "photos" / name,
                captions=(f"a {names[one]} thing",),
                tags=("even",) if number % 2 == 0 else (),
                place=Place(0, 10 + number / 100) if number % 3 == 0 else None,
            )
        )
    posts.append(Post("sea.png", paint(tmp_path / "photos" / "sea.png", "blue"), captions=("sea",)))
    album.add(dataset(tmp_path / "photos", posts))
    return album


def answers(album, store, by="picture", k=12):
    return {ask: [(hit.id, hit.score) for hit in album.search(ask, k, by, store)] for ask in QUESTIONS}


def used(album):
    """The store the last search asked."""
    return album._searched.store


@pytest.mark.parametrize("by", ["picture", "both"])
def test_an_index_answers_as_looking_at_everything_does(filled, by):
    exactly = answers(filled, "exact", by)
    filled.rebuild_index()
    assert answers(filled, "qdrant", by) == exactly
    assert isinstance(used(filled), QdrantStore)
    assert used(filled).trouble is None
    assert not any("index" in note for note in filled.search("red", store="qdrant").notes)
    assert any(hits for hits in exactly.values())


def test_what_comes_later_is_found_and_what_goes_is_not(filled, tmp_path):
    filled.rebuild_index()
    new = [f"red-{n}.png" for n in range(900, 905)]
    filled.add(painted(tmp_path / "more", new))
    assert set(new) <= {hit.id for hit in filled.search("red", 30, "picture", "qdrant")}
    assert used(filled).tail == 5
    assert answers(filled, "qdrant") == answers(filled, "exact")
    filled.remove(new)
    gone = [hit.id for hit in filled.search("green", 3, "picture", "exact")]
    filled.remove(gone)
    assert answers(filled, "qdrant") == answers(filled, "exact")
    assert not {hit.id for hit in filled.search("green", 50, "picture", "qdrant")} & set(gone)


def test_posts_that_are_offline_are_not_found_until_they_are_back(filled):
    filled.rebuild_index()
    best = filled.search("red", 1, "picture", "qdrant")[0].id
    filled._catalogue._connection.execute("UPDATE posts SET offline = 'now' WHERE id = ?", (best,))
    with Album.open(filled.path) as again:
        assert best not in [hit.id for hit in again.search("red", 300, "picture", "qdrant")]
        again._catalogue._connection.execute("UPDATE posts SET offline = NULL")
    with Album.open(filled.path) as again:
        assert again.search("red", 1, "picture", "qdrant")[0].id == best


def test_without_an_index_the_answer_is_exact_and_says_what_to_run(filled):
    ranking = filled.search("red", store="qdrant")
    assert len(ranking) == 10
    assert any(f"cartolina index rebuild {filled.path}" in note for note in ranking.notes)
    assert not filled.search("red").notes  # 201 posts: nobody needs one
    with pytest.raises(UnknownName, match="did you mean 'qdrant'"):
        filled.search("red", store="qdrnt")


def damage(index, how):
    said = index / "index.json"
    (folder,) = (path for path in index.iterdir() if path.is_dir())
    match how:
        case "no shard":
            shutil.rmtree(folder)
        case "nonsense":
            said.write_text("[1, 2")
        case "newer":
            said.write_text(said.read_text().replace('"format": 1', '"format": 7'))
        case "cut":
            vectors = next(folder.rglob("*.mappings"))
            vectors.write_bytes(vectors.read_bytes()[:-4])
        case "foreign":
            said.write_text(said.read_text().replace("qdrant-edge-py ", "qdrant-edge-py 0."))


@pytest.mark.parametrize("how", ["no shard", "nonsense", "newer", "cut", "foreign"])
def test_an_index_that_is_no_good_is_passed_over_with_a_note(filled, how):
    exactly = answers(filled, "exact")
    filled.rebuild_index()
    damage(filled.space.folder / "index", how)
    with Album.open(filled.path) as again:
        assert answers(again, "qdrant") == exactly
        (note,) = again.search("red", store="qdrant").notes
        assert note.startswith("all 201 vectors were looked at, since the index ")
        assert "index rebuild" in note
        assert again.info("qdrant")["search"]["store"] == "exact"
        again.rebuild_index()
        assert not again.search("red", store="qdrant").notes


def test_without_the_package_everything_else_works(filled, monkeypatch):
    filled.rebuild_index()
    monkeypatch.setattr(shard, "engine_version", lambda: None)
    monkeypatch.setattr("cartolina.store.index.engine_version", lambda: None)
    monkeypatch.setitem(sys.modules, "qdrant_edge", None)
    with Album.open(filled.path) as again:
        (note,) = again.search("red", store="qdrant").notes
        assert "pip install 'cartolina[scale]'" in note
        assert "index rebuild" not in note
        assert again.info("qdrant")["search"]["index"]["posts"] == 201
        with pytest.raises(MissingPackage, match="pip install"):
            again.rebuild_index()
        assert again.drop_index()


def test_from_many_vectors_on_an_index_is_asked_of_itself(filled, monkeypatch):
    filled.rebuild_index()
    filled.search("red")
    assert not isinstance(used(filled), QdrantStore)
    monkeypatch.setattr(searched, "MANY", 201)
    filled._searched = None  # nothing else has changed
    filled.search("red")
    assert isinstance(used(filled), QdrantStore)
    assert not isinstance_after(filled, "exact")
    filled.drop_index()
    assert any("there is no index" in note for note in filled.search("red").notes)


def isinstance_after(album, store):
    album.search("red", store=store)
    return isinstance(used(album), QdrantStore)


class Said(list):
    """A progress that keeps what it is told."""

    def say(self, message):
        self.append(message)

    def task(self, *_):
        from cartolina.progress import SILENT

        return SILENT.task(*_)


def test_an_index_is_tended_where_it_is_due(filled, tmp_path, monkeypatch):
    assert not filled.tend_index("auto")  # too few
    assert not filled.tend_index("exact")
    assert filled.tend_index("qdrant")
    assert not filled.tend_index("qdrant")  # it is there
    filled.drop_index()
    monkeypatch.setattr(indexing, "MANY", 200)
    assert filled.tend_index("auto")
    assert filled.info()["search"]["index"]["graphs"] == 1
    filled.add(painted(tmp_path / "more", [f"red-{n}.png" for n in range(900, 905)]))
    assert not filled.tend_index("auto")
    assert filled.info()["search"]["index"]["behind"] == 5
    monkeypatch.setattr(indexing, "BEHIND", 5)
    monkeypatch.setattr(searched, "BEHIND", 5)
    assert any("5 vectors are not in the index yet" in n for n in filled.search("red", store="qdrant").notes)
    said = Said()
    assert filled.tend_index("auto", said)
    assert said == ["Indexing 5 vectors, so that many are searched as fast as few."]
    index = filled.info()["search"]["index"]
    assert (index["graphs"], index["behind"], index["posts"]) == (2, 0, 206)
    assert answers(filled, "qdrant") == answers(filled, "exact")


def test_tending_says_what_would_help_and_mends_what_is_damaged(filled, monkeypatch):
    said = Said()
    with monkeypatch.context() as patched:
        patched.setattr(indexing, "engine_version", lambda: None)
        assert not filled.tend_index("qdrant", said)
        assert "pip install 'cartolina[scale]'" in said[0]
    filled.rebuild_index()
    monkeypatch.setattr(indexing, "BEHIND", 0)
    damage(filled.space.folder / "index", "cut")
    assert filled.tend_index("qdrant")
    assert not filled.search("red", store="qdrant").notes
    assert filled.info("qdrant")["search"]["index"]["graphs"] == 1  # from the beginning


def test_compaction_takes_the_rows_away_until_it_is_built_again(filled, monkeypatch):
    filled.rebuild_index()
    monkeypatch.setattr(writer, "COMPACT_FROM", 8)
    filled.remove([post.id for post in filled.posts()][:150])
    ranking = filled.search("red", store="qdrant")
    assert any("lie elsewhere now" in note for note in ranking.notes)
    assert answers(filled, "qdrant") == answers(filled, "exact")
    assert filled.tend_index("qdrant")
    assert not filled.search("red", store="qdrant").notes


def test_an_index_belongs_to_its_space(filled, turned_space_folder):
    filled.rebuild_index()
    fingerprint = filled.space.folder.name
    filled.activate(turned_space_folder)
    assert any("there is no index" in note for note in filled.search("red", store="qdrant").notes)
    assert filled.space.folder.name != fingerprint
    assert (filled.path / "spaces" / fingerprint / "index" / "index.json").exists()


def test_info_says_how_it_is_searched(filled):
    assert filled.info()["search"] == {"store": "exact", "note": None, "index": None}
    made = filled.rebuild_index()
    search = filled.info("qdrant")["search"]
    assert (search["store"], search["note"], search["index"]) == ("qdrant", None, made)
    assert filled.info("exact")["search"]["store"] == "exact"
    assert (made["posts"], made["behind"], made["graphs"]) == (201, 0, 1)
    assert set(made["recall"]) == {"sums", "captions"}
    assert all(of["at_10"] == 1 for of in made["recall"].values())
    parts = filled.info()["bytes"]
    assert parts["index"] > made["bytes"] > 0
    assert parts["total"] == sum(size for name, size in parts.items() if name != "total")


def test_before_anything_was_learnt(tmp_path):
    with Album.create(tmp_path / "empty") as empty:
        assert empty.info()["search"] is None
        assert not empty.tend_index("qdrant")
        for ask in (empty.rebuild_index, empty.drop_index):
            with pytest.raises(AlbumError, match="learnt nothing yet"):
                ask()


def test_the_catalogue_knows_who_owns_a_row(filled):
    filled.remove(["sea.png"])
    catalogue, (number, space) = filled._catalogue, filled._active()
    catalogue._connection.execute("UPDATE posts SET offline = 'now' WHERE key IN (5, 8)")
    with catalogue.snapshot():
        exact = Searchable.load(catalogue, number, space).store
        rows = CatalogueRows(catalogue, number, exact.segments)
        positions, keys = np.r_[np.arange(250), CAPACITY, 7 * CAPACITY + 3], np.r_[0:250, 10_000]
        for _ in range(2):  # asked one by one, then from memory
            assert rows.keys_at(positions).tolist() == exact.keys_at(positions).tolist()
            assert rows.positions_of(keys).tolist() == exact.positions_of(keys).tolist()
            rows._asked = 1000
        assert len(rows) == len(exact) == 198
        assert rows.keys_at(np.array([4, 7])).tolist() == [-1, -1]
        for position in (0, 60, 199, 200, CAPACITY):
            assert rows.since(position).keys.tolist() == exact.since(position).keys.tolist()
        assert rows.only(keys[:40]).keys.tolist() == exact.only(keys[:40]).keys.tolist()
        assert rows.exact().keys.tolist() == exact.keys.tolist()


def test_one_reader_sees_a_new_index_and_keeps_the_old_one_where_it_is_the_same(filled, tmp_path):
    filled.rebuild_index()
    with Album.open(filled.path) as reader:
        reader.search("red", store="qdrant")
        first = reader._searched.choice.shard
        filled.add(painted(tmp_path / "more", ["red-900.png"]))
        reader.search("red", store="qdrant")
        assert reader._searched.choice.shard is first  # another moment, the same index
        filled.rebuild_index()  # which the catalogue is told nothing of
        assert reader.search("red", store="qdrant", k=2).hits
        assert reader._searched.choice.shard is not first
        filled.drop_index()
        (note,) = reader.search("red", store="qdrant", k=2).notes
        assert "there is no index" in note


def read(path, channel):
    with Album.open(path) as album:
        ids = [hit.id for hit in album.search("red + blue", 10, "picture", "qdrant")]
        channel.send((ids, isinstance(used(album), QdrantStore)))
        channel.recv()


def test_several_processes_search_one_album_by_its_index(filled):
    filled.rebuild_index()
    expected = [hit.id for hit in filled.search("red + blue", 10, "picture", "exact")]
    spawn = multiprocessing.get_context("spawn")
    readers = []
    for _ in range(2):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=read, args=(filled.path, theirs))
        process.start()
        theirs.close()
        readers.append((process, ours))
    assert [ours.recv() for _, ours in readers] == [(expected, True)] * 2
    filled.rebuild_index()  # while they have it open
    for process, ours in readers:
        ours.send("go")
        process.join()
        assert process.exitcode == 0


def test_searching_exactly_imports_no_engine(filled):
    program = (
        f"import sys; from cartolina.album import Album; Album.open({str(filled.path)!r}).search('red'); "
        "print('qdrant_edge' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
