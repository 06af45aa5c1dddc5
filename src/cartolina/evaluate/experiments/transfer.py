"""Table 3 of *Self-Supervised Learning from Web Data*: learn from one dataset, find in another, both ways.

    outcome = transfer(read_halves(open_dataset("flickr8k"), run), model_rows(["glove"]), run=run)

Of two collections, each with photos to learn from and a gallery, every model is learnt from each and asked
in both galleries: its own and the other's. What is asked depends on the gallery alone: the 24 queries of
Table 1, and queries generated from the gallery's own collection, so that learnt at home and elsewhere
answer the same ones. *The control*: the first seed once more, with the training photos exchanged among the
captions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from cartolina.evaluate.experiments.answers import DEPTH
from cartolina.evaluate.experiments.asking import NOTHING, best, query_vectors, unknown_words
from cartolina.evaluate.experiments.collection import Collection
from cartolina.evaluate.experiments.grid import cells
from cartolina.evaluate.experiments.models import ModelRow
from cartolina.evaluate.experiments.photo_side import PhotoSideSettings, Space
from cartolina.evaluate.experiments.run import Run, digest
from cartolina.evaluate.experiments.table import Outcome
from cartolina.evaluate.experiments.transfer_table import Side, outcome
from cartolina.text import TextModel

__all__ = ["transfer"]


def transfer(
    both: tuple[Collection, Collection],
    rows: Sequence[ModelRow],
    *,
    run: Run,
    seeds: Sequence[int] = (0,),
    settings: PhotoSideSettings | None = None,
    workers: int = 1,
) -> Outcome:
    """P@5 of every model, learnt from each collection, in each gallery."""
    settings = settings or PhotoSideSettings()
    sides = [Side.of(one) for one in both]
    found = {
        one.name: cells(
            "transfer",
            one.train,
            rows,
            partial(_ask, sides),
            run=run,
            key={
                side.name: [side.gallery.fingerprint, digest([query.name for query in side.sets.asked])]
                for side in sides
            },
            seeds=seeds,
            settings=settings,
            workers=workers,
        )
        for one in both
    }
    return outcome(
        found,
        sides,
        {
            "collections": {one.name: {"train": len(one.train), "gallery": len(one.gallery)} for one in both},
            "ranked": {side.name: {kind: int(of.sum()) for kind, of in side.kinds.items()} for side in sides},
            "seeds": list(seeds),
            "photo_side": settings.to_json(),
            "skipped": dict(both[0].train.skipped + both[1].train.skipped),
        },
    )


def _ask(sides: Sequence[Side], space: Space, model: TextModel) -> dict[str, Any]:
    """The first photos of each query in each gallery, by their ids, and the words that cannot be read."""
    top = {}
    for side in sides:
        ranked = best(
            query_vectors(space, model, side.sets.asked), space.photos(side.gallery.features), DEPTH
        )
        ids = side.gallery.ids
        top[side.name] = {
            query.name: [ids[photo] for photo in photos if photo != NOTHING]
            for query, photos in zip(side.sets.asked, ranked, strict=True)
        }
    unknown = {side.name: unknown_words(model, side.sets.asked) for side in sides}
    return {"top": top, "unknown": unknown, "validation": space.validation}
