"""`@path` in a query is a file where the command was given: made absolute before the album reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cartolina.errors import QueryError
from cartolina.query import ImageRef, Query, parse

__all__ = ["with_paths"]


def with_paths(source: str, folder: Path) -> Query:
    """Parse a query; its pictures given as `@path` are taken relative to `folder` (`~` is the home folder).

    Raises `QueryError` for a picture that is not there.
    """
    query = parse(source)
    terms = tuple(
        replace(term, what=replace(term.what, path_or_id=_found(term.what.path_or_id, folder)))
        if isinstance(term.what, ImageRef) and term.what.kind == "path"
        else term
        for term in query.terms
    )
    return replace(query, terms=terms)


def _found(name: str, folder: Path) -> str:
    path = folder / Path(name).expanduser()
    if not path.is_file():
        raise QueryError(
            f'there is no picture {path}: @ takes a file, in quotes if its name has a space (@"my dog.jpg"); '
            f"a picture of the album is like:ID"
        )
    return str(path)
