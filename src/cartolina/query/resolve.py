"""Which place a query means: names become coordinates, by a gazetteer that is handed in.

>>> resolve(parse("house near water"), find=lambda name: []).echo
'"house near water"'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cartolina.errors import QueryError
from cartolina.geo import GRANULARITIES, Town
from cartolina.post import Place
from cartolina.query.values import Near, Query

__all__ = ["Resolved", "resolve"]

Find = Callable[[str], Sequence[Town]]
"""Places of a name, the best known first: `Gazetteer.find`."""

DEFAULT_KM = float(GRANULARITIES["city"])

# "near grass" is grass, "near Grasse" and "near barcelona" are towns: in small letters a trailing near names
# a place only if many people live there. Of the different phrases after "near" in Flickr8k's captions,
# with and without their article, this reads two as places (ox: Osh, van: Van); every known name would be 33.
MANY_PEOPLE = 100_000


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query whose place is known: `query.near` is None, or has coordinates and a radius.

    `name` is the place's full name ("" without one, the coordinates where those were written), `town` what
    the gazetteer gave for it, `alternatives` the other places so called, `notes` sentences for a person.
    """

    query: Query
    echo: str
    name: str = ""
    town: Town | None = None
    alternatives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def circle(self) -> tuple[Place, float] | None:
        """Centre and radius in km of where to look; None: everywhere."""
        near = self.query.near
        if near is None or not isinstance(near.place, Place) or near.radius_km is None:
            return None
        return near.place, near.radius_km


def resolve(query: Query, find: Find, suggest: Find | None = None) -> Resolved:
    """Look up the place of `query`, or take an uncertain `near X` back to words.

    Pure: all it knows of the world comes from `find` and from `suggest` (`Gazetteer.suggest`), which is
    asked for near spellings only if a certain place is not found; then it raises `QueryError`.
    `echo` is the query as it was read, in the grammar itself, with the place's full name and the radius.
    """
    near = query.near
    if near is None:
        query.check()
        return Resolved(query, str(query))
    if isinstance(near.place, Place):
        return _at(query, near, near.place)
    towns = _towns(near, near.place, find)
    if towns:
        return _in(query, near, towns)
    if near.certain:
        raise _not_found(near, near.place, find, suggest)
    words = query.without_near()
    words.check()
    note = f'"near {near.place}" was read as words: near:{near.name} would ask for a place of that name'
    return Resolved(words, str(words), notes=(note,))


def _towns(near: Near, name: str, find: Find) -> list[Town]:
    if near.certain:
        return list(find(name) or find(name.upper()))  # near:nyc, near:uk
    capital = not name[:1].islower()  # scripts without capitals have nothing to show
    return [town for town in find(name) if capital or town.population >= MANY_PEOPLE]


def _at(query: Query, near: Near, place: Place) -> Resolved:
    radius_km = near.radius_km or DEFAULT_KM
    read = replace(query, near=Near(place, radius_km))
    read.check()
    return Resolved(read, str(read), near.name, notes=_radius_note(near, radius_km))


def _in(query: Query, near: Near, towns: Sequence[Town]) -> Resolved:
    town, *others = towns
    radius_km = near.radius_km or town.radius_km or DEFAULT_KM
    read = replace(query, near=Near(Place(town.lat, town.lon), radius_km))
    read.check()
    named = replace(query, near=Near(town.label, radius_km))
    alternatives = tuple(dict.fromkeys(_described(other) for other in others if other.label != town.label))
    notes = [f"near {_described(town)}"]
    if alternatives:
        notes.append(f"also: {'; '.join(alternatives)}")
    return Resolved(
        read, str(named), town.label, town, alternatives, (*notes, *_radius_note(near, radius_km))
    )


def _radius_note(near: Near, radius_km: float) -> tuple[str, ...]:
    if near.radius_km is not None:
        return ()
    return (f"within {radius_km:g} km, since no distance was given (within 5km asks for another)",)


def _described(town: Town) -> str:
    return f"{town.label} ({town.lat:.2f}, {town.lon:.2f})"


def _not_found(near: Near, name: str, find: Find, suggest: Find | None) -> QueryError:
    words = name.split()
    for end in range(len(words) - 1, 0, -1):
        if find(shorter := " ".join(words[:end])):
            rest = " ".join(words[end:])
            return QueryError(
                f"no place is called {name!r}, but {shorter!r} is one: write {rest} near:{shorter}, "
                "with the place last"
            )
    guesses = list(dict.fromkeys(town.label for town in suggest(name))) if suggest else []
    meant = f": did you mean {' or '.join(f'near:{guess}' for guess in guesses)}?" if guesses else ";"
    return QueryError(f"no place is called {name!r}{meant} coordinates are written near:41.38,2.17")
