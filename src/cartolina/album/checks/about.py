"""Does album.json say what the catalogue says?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

from cartolina.album.album import write_about
from cartolina.album.catalogue import now
from cartolina.album.checks.findings import Checked, Finding

__all__ = ["look"]


def look(album: Checked) -> Iterator[Finding]:
    """It is there, can be read, and names the album the catalogue is of."""
    known = album.catalogue.identity()
    try:
        said = json.loads((album.path / "album.json").read_bytes())
        names = [said[name] for name in ("format", "oldest_reader", "uuid", "created")]
    except FileNotFoundError:
        wrong: str | None = "it is missing"
    except (OSError, ValueError, KeyError, TypeError) as error:
        wrong = f"it cannot be read ({type(error).__name__}: {error})"
    else:
        other = known and names[2] != known["uuid"]
        wrong = f"it is of the album {names[2]}, the catalogue of {known['uuid']}" if other else None

    def mend() -> str:
        identity = known or {"uuid": str(uuid4()), "created": now()}
        write_about(album.path, identity)
        album.catalogue.identify(**identity)
        return "written again from the catalogue" if known else "written again, with a new uuid"

    if wrong is not None:
        yield Finding("about", "album.json", wrong, mend=mend)
