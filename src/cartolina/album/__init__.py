"""Albums: posts, the space learnt from them, and answers to queries.

>>> from cartolina.album import Album
>>> album = Album.create(getfixture("tmp_path") / "holidays.album")
>>> len(album)
0
"""

from __future__ import annotations

from cartolina.album.album import Album
from cartolina.album.intake import AddReport
from cartolina.album.ranking import Hit, Ranking
from cartolina.album.space import Space

__all__ = ["AddReport", "Album", "Hit", "Ranking", "Space"]
