"""Vectors in LocSens's text files, a line each, streamed into arrays: `6985418911,.0132,-.21,…`.

>>> for ids, vectors in embedding_batches(Path("test.txt")):   # doctest: +SKIP
...     vectors.shape
(4096, 300)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cartolina.datasets.dataset import Skipped
from cartolina.datasets.longfiles import each_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["embedding_batches"]


def embedding_batches(
    path: Path, size: int = 4096, on_skip: Callable[[Skipped], None] | None = None
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Read ids and vectors, `size` at a time: (ids, (size, D) float32, as written, not normalised).

    D is that of the first line. What has another number of values, one that is no finite number, or no id,
    is left out and told to `on_skip` as "bad row".
    """
    import numpy as np

    ids: list[str] = []
    block: NDArray[np.float32] | None = None
    for line in each_line([path]):
        if isinstance(line, tuple):
            where, text = line
            if not text.strip():
                continue
            read = _read(where, text, None if block is None else block.shape[1])
        else:
            read = line
        if isinstance(read, Skipped):
            if on_skip:
                on_skip(read)
            continue
        post_id, values = read
        if block is None:
            block = np.empty((size, len(values)), np.float32)
        block[len(ids)] = values
        ids.append(post_id)
        if len(ids) == size:
            yield ids, block
            ids, block = [], np.empty_like(block)
    if block is not None and ids:
        yield ids, block[: len(ids)]


def _read(where: str, text: str, dim: int | None) -> tuple[str, list[float]] | Skipped:
    post_id, _, rest = text.partition(",")
    try:
        values = [float(cell) for cell in rest.split(",")]
    except ValueError as error:
        return Skipped(where, "bad row", str(error)[:200])
    if not post_id.strip():
        return Skipped(where, "bad row", "no id")
    if dim is not None and len(values) != dim:
        return Skipped(where, "bad row", f"{len(values)} values where the first line has {dim}")
    if not all(math.isfinite(value) and abs(value) < 3e38 for value in values):  # float32's largest
        return Skipped(where, "bad row", "a value is no finite number")
    return post_id.strip(), values
