"""`cartolina data`: what a dataset holds, the same in another format, its vocabulary, its parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import Columns, Format, Json, Quiet, Source, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cartolina.datasets import Dataset
    from cartolina.post import Post
    from cartolina.progress import Progress

__all__ = ["app"]

app = typer.Typer(
    help="What a dataset holds; the same in another format; its vocabulary; its parts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NOTHING = "Nothing was written."
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


@app.command(
    epilog="""\b
Examples:
  cartolina data stats flickr8k
  cartolina data stats takeout-001.zip --json
  cartolina data stats posts.parquet --split train
"""
)
def stats(
    source: Source,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    most: Annotated[int, typer.Option(min=0, help="How many of the most frequent tags to name.")] = 20,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Count what a dataset holds: posts, captions, words, tags, places, dates, and what was left out."""
    with explained(NOTHING):
        import dataclasses

        from cartolina.cli.output import table_of_facts, write_json
        from cartolina.datasets.statistics import describe

        shown = progress(quiet=quiet)
        dataset = _opened(source, format, columns, shown)
        found = describe(dataset, split, most=most, progress=shown)
        values = dataclasses.asdict(found)
        for name in ("first", "last"):
            values[name] = values[name].isoformat() if values[name] else None
        if json:
            write_json({"format": dataset.format, "why": dataset.why, **values})
            return
        rows = [("format", dataset.format), ("posts", f"{found.posts:,}")]
        if found.splits:
            sizes = [name if n is None else f"{name} {n:,}" for name, n in found.splits.items()]
            rows.append(("splits", ", ".join(sizes)))
        each = f", {found.words / found.captions:.1f} a caption" if found.captions else ""
        rows += [
            ("with a picture", f"{found.with_picture:,}"),
            ("captions", f"{found.captions:,} in {found.with_captions:,} posts"),
            ("words", f"{found.words:,}{each}"),
            ("tags", f"{found.tags:,} in {found.with_tags:,} posts, {found.distinct_tags:,} different"),
            ("most frequent", _counts(found.most_tags)),
            ("places", f"{found.with_place:,}" + _within(found.bounds)),
            ("dates", f"{found.with_date:,}" + (f", {found.first} to {found.last}" if found.first else "")),
            ("labels", _counts(found.labels)),
            ("left out", _counts(found.skipped)),
            ("notes", _counts(found.notes)),
        ]
        table_of_facts([(name, value) for name, value in rows if value])


@app.command(
    epilog="""\b
Examples:
  cartolina data convert takeout-001.zip --to folder --into photos
  cartolina data convert flickr8k --to shards --into flickr8k-shards
  cartolina data convert holidays --to parquet --into holidays.parquet
"""
)
def convert(
    source: Source,
    to: Annotated[
        str, typer.Option(metavar="FORMAT", help="csv, tsv, jsonl, parquet, folder, locsens or shards.")
    ],
    into: Annotated[
        Path, typer.Option(metavar="OUT", help="The file or folder to make; nothing may be there.")
    ],
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a dataset in another format, whole or not at all; pictures are copied as they are."""
    with explained(NOTHING):
        from cartolina.cli.output import table_of_facts, write_json
        from cartolina.datasets.convert import convert as convert_dataset

        shown = progress(quiet=quiet)
        dataset = _opened(source, format, columns, shown)
        report = convert_dataset(dataset, to, into, split, progress=shown)
        if json:
            write_json({"into": str(into), "to": to, "posts": report.posts, "left_out": report.left_out})
            return
        table_of_facts(
            [(str(into), f"{report.posts:,} posts"), ("left out", _counts(report.left_out) or "none")]
        )


@app.command(
    epilog="""\b
Examples:
  cartolina data vocab yfcc100m_dataset --into vocab.txt --words glove.6B.50d.txt --photos-only
  cartolina data vocab yfcc100m_dataset-*.bz2 --into vocab.txt --workers 8
  cartolina data vocab posts.csv --into vocab.txt --size 5000 --drop 0
"""
)
def vocab(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE…",
            help="Raw yfcc100m_dataset files (.bz2 and .gz, too), or one dataset of any kind.",
            show_default=False,
        ),
    ],
    into: Annotated[Path, typer.Option(metavar="FILE", help="The vocabulary to write, a tag a line.")],
    size: Annotated[int, typer.Option(min=1, help="How many tags are kept.")] = 100_000,
    drop: Annotated[int, typer.Option(min=0, help="How many of the most frequent are dropped.")] = 10,
    words: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep only its words: a list, or a GloVe or word2vec file."),
    ] = None,
    photos_only: Annotated[
        bool, typer.Option("--photos-only", help="Of raw files: leave the tags of videos out.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes for raw files (one a core).", show_default=False)
    ] = None,
    memory: Annotated[int, typer.Option(min=16, help="MB for counts; the rest waits on disk.")] = 1024,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the hashtag vocabulary as LocSens's was made.

    Tags in lower case, spaces removed, none with a digit, those of the word list where one is given; the most
    frequent dropped and the next kept, one a line, the most frequent first.
    """
    with explained(NOTHING):
        from cartolina.cli.output import table_of_facts, write_json
        from cartolina.datasets.vocabulary import vocabulary_of_posts, vocabulary_of_yfcc, write_vocabulary
        from cartolina.errors import InputError
        from cartolina.text.pretrained import list_words

        shown = progress(quiet=quiet)
        _check_free(into, force=force)
        files = _raw_files(sources, format)
        known = None if words is None else list_words(words, shown)
        if files:
            shown.say(f"Read as raw yfcc100m_dataset: {', '.join(file.name for file in files)}.")
            made = vocabulary_of_yfcc(
                files,
                known=known,
                photos_only=photos_only,
                size=size,
                drop=drop,
                workers=workers,
                memory=memory << 20,
                progress=shown,
            )
        else:
            if len(sources) > 1:
                raise InputError(
                    "several sources were given, and not all are raw yfcc100m_dataset files: give one dataset"
                )
            dataset = _opened(sources[0], format, columns, shown)
            made = vocabulary_of_posts(
                dataset.posts(split),
                known=known,
                size=size,
                drop=drop,
                memory=memory << 20,
                total=dataset.count(split),
                progress=shown,
            )
        write_vocabulary(into, made)
        if json:
            write_json(
                {
                    "vocabulary": str(into),
                    "tags": len(made.tags),
                    "least": made.counts[-1] if made.counts else None,
                    "dropped": dict(made.dropped),
                    "rows": made.rows,
                    "used": made.used,
                    "with_tags": made.with_tags,
                    "occurrences": made.occurrences,
                    "distinct": made.distinct,
                    "bad_rows": dict(made.bad_rows),
                    "left_out": dict(made.left_out),
                }
            )
            return
        least = f", the last of them used {made.counts[-1]:,} times" if made.counts else ""
        table_of_facts(
            [
                (str(into), f"{len(made.tags):,} tags{least}"),
                ("dropped", _counts(made.dropped) or "none"),
                ("counted", f"{made.occurrences:,} tags, {made.distinct:,} different"),
                ("left out", _counts(made.left_out) or "none"),
                ("rows", f"{made.rows:,}, {made.with_tags:,} with tags"),
                ("not readable", _counts(made.bad_rows) or "none"),
            ]
        )


@app.command(
    epilog="""\b
Examples:
  cartolina data split photos --into lists --val 0.05 --test 0.15
  cartolina data split instacities --into lists --by label --in-order
  cartolina data split yfcc --into lists --vocab vocab.txt --locsens --val 250000 --test 500000
"""
)
def split(
    source: Source,
    into: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder to make, with three lists of ids.")
    ],
    val: Annotated[float, typer.Option(help="The share of val, or (from 1) how many posts.")] = 0.05,
    test: Annotated[float, typer.Option(help="The share of test, or (from 1) how many posts.")] = 0.15,
    by: Annotated[
        str | None, typer.Option(help="Divide each city, folder or label on its own.", show_default=False)
    ] = None,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="In the posts' order, test first, not at random.")
    ] = False,
    seed: Annotated[int, typer.Option(help="What chance begins with.")] = 0,
    vocab: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The vocabulary that --locsens asks for.")
    ] = None,
    locsens: Annotated[
        bool, typer.Option("--locsens", help="Only posts with a place and 1 to 15 tags of the vocabulary.")
    ] = False,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Divide posts into train.txt, val.txt and test.txt, an id a line; the same every time."""
    with explained(NOTHING):
        from collections import Counter

        from cartolina.cli.output import table_of_facts, write_json
        from cartolina.datasets.locsens import read_vocabulary
        from cartolina.datasets.splits import eligible, write_splits
        from cartolina.errors import InputError

        if locsens != (vocab is not None):
            raise InputError("--locsens and --vocab FILE go together: which tags count is what FILE says")
        shown = progress(quiet=quiet)
        known = frozenset(tag.encode() for tag in read_vocabulary(vocab)) if vocab else frozenset()
        if vocab and not known:
            raise InputError(f"{vocab} has no tags: expected a vocabulary, a tag a line")
        dataset = _opened(source, format, columns, shown)
        left_out: Counter[str] = Counter()

        def posts() -> Iterable[Post]:
            return eligible(dataset.posts(), known, left_out) if locsens else dataset.posts()

        report = write_splits(
            into,
            posts,
            test=test,
            val=val,
            by=by,
            seed=None if in_order else seed,
            total=None if locsens else dataset.count(None),
            left_out=left_out,
            progress=shown,
        )
        if json:
            write_json(
                {
                    "folder": str(into),
                    **report.sizes,
                    "groups": report.groups,
                    "left_out": report.left_out,
                }
            )
            return
        rows = [(f"{name}.txt", f"{count:,}") for name, count in report.sizes.items()]
        if by:
            rows.append(("groups", f"{report.groups:,}"))
        if locsens:
            rows.append(("left out", _counts(report.left_out) or "none"))
        table_of_facts(rows)


def _opened(source: Path, format: str, columns: str | None, shown: Progress) -> Dataset:  # noqa: A002
    from cartolina.datasets import open_dataset

    dataset = open_dataset(source, format, columns)
    shown.say(dataset.why)
    return dataset


def _raw_files(sources: list[Path], format: str) -> list[Path]:  # noqa: A002
    """The raw files among the sources, if all are such; a folder stands for those in it."""
    from cartolina.datasets.yfcc import parts_of
    from cartolina.datasets.yfcc_tags import looks_like_yfcc
    from cartolina.errors import InputError

    for source in sources:
        if not source.exists():
            raise InputError(f"{source} does not exist: expected a raw yfcc100m_dataset file, or a dataset")
    if format not in ("auto", "yfcc100m"):
        return []
    files: list[Path] = []
    for source in sources:
        found = parts_of(source) if source.is_dir() else [source]
        found = [file for file in found if format != "auto" or looks_like_yfcc(file)]
        if not found:
            return []
        files += found
    return files


def _check_free(path: Path, *, force: bool) -> None:
    from cartolina.errors import InputError

    if path.is_dir() or (path.exists() and not force):
        raise InputError(f"{path} is there already: name another file, or say --force to replace it")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _within(bounds: tuple[float, float, float, float] | None) -> str:
    if bounds is None:
        return ""
    south, west, north, east = bounds
    return f", {south:.4f} to {north:.4f} north, {west:.4f} to {east:.4f} east"
