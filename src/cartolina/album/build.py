"""Build: from a source of posts to an album one can search, in one call.

>>> album = build("holiday photos", "holidays.album")     # doctest: +SKIP
>>> album.search("children on a beach near:Rimini")       # doctest: +SKIP

The posts are taken in and their pictures' features computed; then a space is learnt from their own words if
there are enough of them, or, until there are, the cold start stands in (ConSE). Which one is in use, and why,
is for `Album.info()`. Every stage goes on where it was when a build is called again after a crash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cartolina import metrics
from cartolina.album.album import Album
from cartolina.album.space import Space
from cartolina.datasets import open_dataset
from cartolina.errors import InputError, UnknownName
from cartolina.post import Post
from cartolina.progress import SILENT, Progress
from cartolina.vision import Backbone, FeatureCache, extract, feature_key
from cartolina.vision.efficientnet import SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cartolina.learn.joint import Learned, LearningObjective, Recipe
    from cartolina.text import TextModel

__all__ = ["build"]

FEWEST = 50
"""Captioned posts below which nothing is learnt: few photos could not tell which space is better."""

AT_A_TIME = 4096

Quality = Literal["fast", "best"]


def build(
    source: Path | str,
    album: Path | str,
    *,
    format: str = "auto",  # noqa: A002 - the name of the CLI's option
    columns: str | Mapping[str, str] | None = None,
    split: str | None = None,
    text: str = "minilm",
    quality: Quality = "fast",
    objective: LearningObjective = "contrastive",
    backbone: str | None = None,
    device: str = "auto",
    seed: int = 0,
    progress: Progress = SILENT,
) -> Album:
    """Make the album at `album` from the posts at `source`, learn a space from them, and open it.

    `format`, `columns` and `split` say how the source is read (`open_dataset`); `text` is φ
    (`cartolina.text.create`); `quality` and `objective` how the space is learnt; `backbone` replaces the
    quality's own; `device` is for the backbones and the learning. A build that was stopped goes on where it
    was when called with the same arguments. An album that is there already takes in what is new and learns
    again from all its posts; until that is done it is searched as before. Raises `InputError` for a source
    without a single readable picture, and for options that do not fit.
    """
    from cartolina import text as texts
    from cartolina.learn.joint import OBJECTIVES, RECIPES
    from cartolina.vision import backbone as open_backbone

    # Whatever can be wrong with what was asked is found before hours of work, not after.
    if quality not in RECIPES:
        raise UnknownName("quality", quality, RECIPES)
    if objective not in OBJECTIVES:
        raise UnknownName("objective", objective, OBJECTIVES)
    recipe = RECIPES[quality]
    dataset = open_dataset(source, format, columns)
    progress.say(dataset.why)
    words = texts.create(text, seed=seed, progress=progress)
    backbones = [open_backbone(name, device) for name in ((backbone,) if backbone else recipe.backbones)]
    progress.say(_device_said(device, backbones))
    opened = _opened(Path(album), progress)
    with opened.as_one("build", str(dataset.path or dataset.root)):
        report = opened.ingest(dataset, split, backbones=backbones, views=recipe.views, progress=progress)
        skipped = ", ".join(f"{count} × {reason}" for reason, count in report.skipped.items())
        if not len(opened):
            raise InputError(f"no picture could be read in {dataset.root} ({skipped or 'nothing found'})")
        with opened.feature_caches(backbones) as caches:
            learning = _Learning(
                opened, backbones, recipe, words, quality, objective, caches, seed, device, progress
            )
            space = learning.space()
        opened.activate(space)
    rmtree(learning.work)
    for checkpoint in (opened.path / "runs").glob("learn-*/checkpoint.pt"):
        checkpoint.unlink()  # the curve stays; what was learnt is in the space
    if skipped:
        progress.say(f"Skipped or noted {skipped}: each is a line of {report.skipped_file}")
    return opened


def _device_said(asked: str, backbones: Sequence[Backbone]) -> str:
    chosen = " and ".join(dict.fromkeys(one.device for one in backbones))
    if asked != "auto":
        return f"Device: {chosen}, as asked."
    why = "no NVIDIA GPU that can be used" if chosen == "cpu" else "there is an NVIDIA GPU"
    return f"Device: {chosen} (auto: {why})."


def _opened(path: Path, progress: Progress) -> Album:
    if not (path / "album.json").exists():
        return Album.create(path)
    album = Album.open(path)
    if album.space is not None:
        progress.say(
            f"{path} has {len(album):,} posts already: what is new is added, then all is learnt again"
        )
    return album


def _let_be(post: Post, reason: str, detail: str) -> None:
    """A photo that is gone since it was taken in is not learnt from, and stays in the album."""


@dataclass(frozen=True)
class _Learning:
    """The stage between features and a space, in the album's own folders."""

    album: Album
    backbones: Sequence[Backbone]
    recipe: Recipe
    text: TextModel
    quality: Quality
    objective: LearningObjective
    caches: Sequence[FeatureCache]
    seed: int
    device: str
    progress: Progress

    @property
    def work(self) -> Path:
        """Where spaces are staged."""
        return self.album.path / "tmp" / "spaces"

    def space(self) -> Path:
        """The folder of the space that finds more."""
        from cartolina.learn.space_files import restate

        posts, hashes = self._captioned()
        if len(posts) < FEWEST:
            found = f"{len(posts) or 'no'} posts have words, and learning takes {FEWEST}"
            return self._cold(f"{found}: ImageNet's class names stand in")
        features = [self._features(cache, hashes) for cache in self.caches]
        learned = self._learn([post.words for post in posts], features)
        ours = learned.validation["text_to_image"]["R@10"]
        held = [posts[row] for row in learned.held_out]
        share = f"{ours:.0f} % of the captions of {len(held)} held-out photos"
        measured = f"{share} find theirs among the first ten"
        if self.backbones[0].name.partition("@")[0] not in SIZES:  # no classes, no cold start
            return self._finish(learned, measured)
        cold = self._cold("not compared yet")
        theirs = self._recall(Space.open(cold), held, features[0][learned.held_out, 0])
        compared = f"{measured}; with ImageNet's class names {theirs:.0f} %"
        if theirs > ours:
            restate(cold, f"what was learnt finds less: {compared}")
            return cold
        return self._finish(learned, compared)

    def _captioned(self) -> tuple[list[Post], list[str]]:
        """The posts with words, and their pictures' content hashes; all their features are in the caches.

        They are after `ingest`, except for posts an album had before, in another quality.
        """
        pairs = [(post, content) for post, content in self.album.contents() if post.words]
        lacking = {content for _, content in pairs if not self._cached(content)}
        if lacking:
            again = [(post, post.image) for post, content in pairs if content in lacking and post.image]
            extracted = extract(
                again,
                self.backbones,
                self.caches,
                views=self.recipe.views,
                on_skip=_let_be,
                progress=self.progress,
                total=len(again),
            )
            deque(extracted, maxlen=0)
            pairs = [(post, content) for post, content in pairs if self._cached(content)]
        return [post for post, _ in pairs], [content for _, content in pairs]

    def _cached(self, content: str) -> bool:
        return all(feature_key(content, view) in cache for cache in self.caches for view in self.recipe.views)

    def _features(self, cache: FeatureCache, hashes: Sequence[str]) -> NDArray[np.float16]:
        """The cached features of pictures, (N, views, *shape): as many bytes in memory as on disk."""
        features = np.empty((len(hashes), len(self.recipe.views), *cache.shape), np.float16)
        for start in range(0, len(hashes), AT_A_TIME):
            some = hashes[start : start + AT_A_TIME]
            for number, view in enumerate(self.recipe.views):
                keys = [feature_key(one, view) for one in some]
                features[start : start + len(some), number] = cache.get(keys)
        return features

    def _learn(self, captions: list[tuple[str, ...]], features: list[NDArray[np.float16]]) -> Learned:
        from cartolina.learn.joint import learn_space

        return learn_space(
            self.work / "learned",
            features,
            captions,
            self.text,
            run=self.album.path / "runs" / f"learn-{self._fingerprint(captions)}",
            recipe=self.recipe,
            objective=self.objective,
            seed=self.seed,
            device=self.device,
            progress=self.progress,
        )

    def _fingerprint(self, captions: list[tuple[str, ...]]) -> str:
        """Names a run of learning by all that it depends on, so that only the same run is gone on with."""
        settings = [
            self.recipe,
            self.text,
            self.objective,
            self.seed,
            [one.fingerprint for one in self.backbones],
        ]
        return blake2b(repr((settings, captions)).encode(), digest_size=8).hexdigest()

    def _finish(self, learned: Learned, why: str) -> Path:
        from cartolina.learn.space_files import About, finish_space

        folder = self.work / "learned"
        about = About(
            how=self.objective,
            why=why,
            posts=learned.posts,
            captions=learned.captions,
            quality=self.quality,
            validation=learned.validation,
        )
        finish_space(folder, about, text_model=self.text, backbones=self.backbones, views=self.recipe.views)
        return folder

    def _cold(self, why: str) -> Path:
        """Write the cold-start space; its sentences are MiniLM's, which knows English without learning."""
        from cartolina import text as texts
        from cartolina.learn.conse import write_conse_space

        model = texts.create("minilm", progress=self.progress)
        write_conse_space(self.work / "cold", self.backbones[0], model, why=why)
        return self.work / "cold"

    def _recall(self, space: Space, posts: Sequence[Post], features: NDArray[np.float16]) -> float:
        """R@10 in percent, every caption a query for its picture among those of `posts`."""
        captions = [caption for post in posts for caption in post.words]
        owner = np.repeat(np.arange(len(posts)), [len(post.words) for post in posts])
        images = space.encode_features([features.astype(np.float32)])
        return metrics.recall_at_k(
            metrics.text_to_image_ranks(space.encode_texts(captions), images, owner), 10
        )
