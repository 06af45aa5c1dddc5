"""What commands print: a table for people, or one JSON document on stdout for programs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cartolina.cli.indexing import searched
from cartolina.cli.output import plain, screen, table_of_facts, write_json

if TYPE_CHECKING:
    from cartolina.album.intake import AddReport
    from cartolina.album.ranking import Hit, Ranking
    from cartolina.demo.tour import Tour
    from cartolina.evaluate.retrieval import RetrievalRanks
    from cartolina.geo import Locality
    from cartolina.settings import Settled

__all__ = [
    "added",
    "information",
    "intake_json",
    "ranking",
    "retrieval",
    "skipped_and_renamed",
    "toured",
]


def ranking(answer: Ranking, sheet: Path | None, *, as_json: bool) -> None:
    """The answer to a query, how it was read, and what should be known of it."""
    if as_json:
        write_json(answer.to_json() | ({"sheet": str(sheet)} if sheet else {}))
        return
    console = screen()
    console.print(f"[bold]Read as[/bold] {plain(answer.read_as)}")
    for word, near in answer.unknown_words.items():
        guess = f"; did you mean {near!r}?" if near else ""
        console.print(f"[yellow]The album does not know the word {word!r}{guess}[/yellow]")
    for note in answer.notes:
        console.print(f"[dim]{plain(note)}[/dim]")
    if not answer.hits:
        console.print("Nothing found.")
        return
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column("", justify="right", style="dim")
    table.add_column("score", justify="right", style="cyan")
    if answer.by == "both":
        table.add_column("by", style="dim")
    table.add_column("id", overflow="fold", max_width=44 if console.is_terminal else None)
    table.add_column("caption", max_width=72, overflow="ellipsis", no_wrap=True)
    table.add_column("place", no_wrap=True, style="dim")
    for rank, (hit, locality) in enumerate(zip(answer, answer.localities(), strict=True), start=1):
        caption = hit.post.text or " ".join(f"#{tag}" for tag in hit.post.tags)
        by = ["both" if len(hit.matched) > 1 else hit.matched[0]] if answer.by == "both" else []
        cells = [str(rank), f"{hit.score:.3f}", *by, plain(hit.id), plain(caption), _where(hit, locality)]
        table.add_row(*cells, style=None if hit.relevant else "dim")
    console.print(table)
    if answer.relevant and (others := sum(not hit.relevant for hit in answer)):
        console.print(f"[dim]{others:,} of them seem to show something else[/dim]")
    if sheet is not None:
        console.print(f"Sheet: {plain(str(sheet))}")


def information(facts: Mapping[str, Any], settings: Settled, *, as_json: bool) -> None:
    """An album's counts, what it has learnt and from what, its size; settings that somebody has set."""
    if as_json:
        write_json({**facts, "settings": settings.to_json()})
        return
    rows = [("album", facts["album"]), ("posts", f"{facts['posts']:,}")]
    parts = ("with_captions", "with_tags", "with_place", "with_date")
    rows.append(("of which", ", ".join(f"{facts[key]:,} {key.replace('_', ' ')}" for key in parts)))
    if facts["offline"]:
        rows.append(("offline", f"{facts['offline']:,} posts whose photos are missing: see `cartolina sync`"))
    rows += [
        (what, "; ".join(f"{one['name']} ({one['posts']:,})" for one in facts["places"][what][:5]))
        for what in ("countries", "towns")
        if facts["places"][what]
    ]
    space = facts["space"]
    if space is None:
        rows.append(("learnt", "nothing yet: run `cartolina build`"))
    else:
        learned = space.get("learned_from") or {}
        rows.append(("learnt by", f"{space['how']}: {space['why']}"))
        rows.append(("from", ", ".join(f"{count:,} {what}" for what, count in learned.items())))
        rows.append(("words", f"{space['text_model']} ({space['language']})"))
        rows.append(("pictures", f"{', '.join(space['backbones'])}; {space['dim']} numbers each"))
        if space["without_vector"]:
            rows.append(("not searchable", f"{space['without_vector']:,} posts: pictures not readable"))
        rows += searched(facts["search"])
    rows += [
        ("source", f"{source['root']} ({source['format']}, {source['posts']:,} posts)")
        for source in facts["sources"]
    ]
    rows.append(("size", f"{facts['bytes']['total'] / 1e6:,.1f} MB"))
    said = [f"{name} = {value}  ({settings.origin(name)})" for name, value in settings.items()]
    rows += [("settings" if not number else "", line) for number, line in enumerate(said)]
    table_of_facts(rows)


def intake_json(report: AddReport, posts: int) -> dict[str, Any]:
    """What became of the files of a source, for programs; `posts` are in the album now."""
    return {
        "added": report.added,
        "replaced": report.replaced,
        "unchanged": report.unchanged,
        "copies": report.copies,
        "touched": report.touched,
        "moved": report.moved,
        "back": report.back,
        "skipped": dict(report.skipped),
        "skipped_file": str(report.skipped_file) if report.skipped_file else None,
        "renamed": report.renamed,
        "posts": posts,
    }


def added(report: AddReport, posts: int, *, as_json: bool) -> None:
    """What became of the files of a source."""
    if as_json:
        write_json(intake_json(report, posts))
        return
    others = {"copies": report.copies, "moved": report.moved, "back": report.back}
    more = "".join(f", {count:,} {name}" for name, count in others.items() if count)
    screen().print(
        f"{report.added:,} added, {report.replaced:,} replaced, "
        f"{report.unchanged + report.touched:,} unchanged{more}; the album holds {posts:,} posts"
    )
    skipped_and_renamed(report)


def skipped_and_renamed(report: AddReport) -> None:
    """What was left out, by reason, and which posts have another id than their source gave them."""
    from cartolina.datasets.dataset import NOTES

    console = screen()
    for reason, count in report.skipped.most_common():
        what = "noted" if reason in NOTES else "skipped"
        console.print(f"[yellow]{count:,} {what}: {plain(reason)}[/yellow]")
    if report.skipped_file:
        console.print(f"Which ones: {plain(str(report.skipped_file))}")
    for given, kept in report.renamed.items():
        console.print(f"{plain(given)} is {plain(kept)} in the album: another source has a post of that id")


def retrieval(ranks: RetrievalRanks, *, as_json: bool) -> None:
    """Recalls and median ranks both ways; for people with 95 % intervals over photos."""
    numbers = ranks.to_json()
    if as_json:
        write_json(numbers)
        return
    import numpy as np

    from cartolina.metrics import DEPTHS, recall_interval

    table = Table(box=None, padding=(0, 2), header_style="bold")
    table.add_column("")
    for k in DEPTHS:
        table.add_column(f"R@{k} %", justify="right")
    table.add_column("median rank", justify="right")
    photos = np.arange(len(ranks.image_to_text))
    for name, found, photo in (
        ("text → image", ranks.text_to_image, ranks.owner),
        ("image → text", ranks.image_to_text, photos),
    ):
        row = numbers[name.replace(" → ", "_to_")]
        cells = []
        for k in DEPTHS:
            low, high = recall_interval(found, photo, k, np.random.default_rng(0))
            cells.append(f"{row[f'R@{k}']:.1f} [dim]({low:.1f}–{high:.1f})[/dim]")
        table.add_row(name, *cells, f"{row['median_rank']:g}")
    console = screen()
    console.print(table)
    console.print(f"{numbers['images']:,} images, {numbers['captions']:,} captions")
    console.print("In brackets: 95 % of bootstrap resamples of the photos", style="dim")
    for reason, count in ranks.skipped.most_common():
        console.print(f"[yellow]{count:,} left out: {plain(reason)}[/yellow]")


def toured(tour: Tour, *, as_json: bool) -> None:
    """The demo's questions, the best answers and where the sheets are."""
    if as_json:
        stops = [
            {"shows": stop.shows, "sheet": str(stop.sheet), **stop.ranking.to_json()} for stop in tour.stops
        ]
        write_json(
            {"source": str(tour.source), "album": str(tour.album), "posts": tour.posts, "queries": stops}
        )
        return
    console = screen()
    for stop in tour.stops:
        best = ", ".join(hit.post.text or hit.id for hit in stop.ranking.hits[:3])
        console.print(f"[bold]{plain(stop.query)}[/bold]  [dim]{stop.shows}[/dim]")
        console.print(f"  {plain(best) or 'nothing found'}", overflow="ellipsis", no_wrap=True)
        console.print(f"  {plain(str(stop.sheet))}", style="cyan", soft_wrap=True)
    console.print(f"\nAn album of {tour.posts:,} photos: {plain(str(tour.album))}. Ask it yourself:")
    command = f'cartolina search {shlex.quote(str(tour.album))} "red flowers - green" --sheet answer.png'
    console.print(f"  {plain(command)}", soft_wrap=True)


def _where(hit: Hit, locality: Locality) -> str:
    place = hit.post.place
    where = plain(locality.name) or (f"{place.lat:.2f}, {place.lon:.2f}" if place else "")
    return where if hit.distance_km is None else f"{where} ({hit.distance_km:,.1f} km)"
