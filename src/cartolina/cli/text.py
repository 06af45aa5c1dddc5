"""`cartolina text`: models of words and texts by themselves, without an album."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cartolina.cli.arguments import QueryCommand
from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import UNCHANGED, Columns, Format, Json, Quiet, Split

if TYPE_CHECKING:
    from cartolina.text import TextModel

__all__ = ["app"]

app = typer.Typer(
    help="Text models by themselves: learn one, ask it for vectors, neighbours and topics, compare several.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Corpus = Annotated[
    Path,
    typer.Argument(
        metavar="CORPUS",
        help="Posts with captions and tags (as for build), or a .txt file with a text a line.",
        show_default=False,
    ),
]
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A folder that `text train` wrote, or a model that comes learnt: minilm, glove-6b-50d…",
        show_default=False,
    ),
]
Words = Annotated[str, typer.Argument(metavar="WORDS", help="In quotes.", show_default=False)]
Seed = Annotated[int, typer.Option(help="What chance begins with.")]
Workers = Annotated[
    int, typer.Option(min=1, help="Threads to learn with; with 1 the same vectors come out each time.")
]


@app.command(
    epilog="""\b
Examples:
  cartolina text train flickr8k --split train --model word2vec --into w2v
  cartolina text train tweets.txt --model lda:topics=50:passes=10 --into topics
  cartolina text train ~/Photos --model fasttext:scaled --into words
"""
)
def train(
    corpus: Corpus,
    model: Annotated[
        str, typer.Option(help="word2vec, fasttext, doc2vec, lda, glove…, with options: lda:topics=50.")
    ],
    into: Annotated[Path, typer.Option(help="The folder to write the model into.")],
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    seed: Seed = 0,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn a text model from captions and tags, or from lines of text.

    NAME:published has exactly the papers' numbers, NAME:scaled those for a few thousand captions. For word
    models pooling=mean, sum or tf-idf says how a text's vector is made of its words'.
    """
    with explained(UNCHANGED):
        import time

        from cartolina.cli.output import table_of_facts, write_json
        from cartolina.text import create
        from cartolina.text.neighbours import vocabulary_of
        from cartolina.text.sources import read_texts

        shown = progress(quiet=quiet)
        made = create(model, seed=seed, workers=workers, progress=shown)
        read = read_texts(corpus, format, columns, split, shown)
        begun = time.perf_counter()
        made.fit(read.texts, shown)
        seconds = time.perf_counter() - begun
        made.save(into)
        words = vocabulary_of(made)
        if json:
            write_json(
                {
                    "model": made.name, "folder": str(into), "texts": len(read.texts), "dim": made.dim,
                    "words": None if words is None else len(words), "seconds": round(seconds, 3),
                }
            )  # fmt: skip
        else:
            facts = [("model", made.name), ("folder", str(into)), ("texts", f"{len(read.texts):,}")]
            known = [] if words is None else [("words", f"{len(words):,}")]
            table_of_facts([*facts, ("dimensions", f"{made.dim}"), *known, ("seconds", f"{seconds:.1f}")])


@app.command(cls=QueryCommand, epilog='Example: cartolina text vector w2v "a dog on the beach"')
def vector(model: Model, words: Words, json: Json = False) -> None:
    """Print the vector of a text: its numbers on one line."""
    with explained(UNCHANGED):
        from cartolina.cli.output import write_json

        opened = _opened(model)
        numbers = [float(f"{number:.8g}") for number in opened.embed([words])[0]]
        unknown = opened.unknown(words)
        if json:
            write_json(
                {
                    "model": opened.name,
                    "text": words,
                    "unknown": unknown,
                    "dim": opened.dim,
                    "vector": numbers,
                }
            )
        else:
            _tell_unknown(opened, words)
            typer.echo(" ".join(f"{number:.8g}" for number in numbers))


@app.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  cartolina text neighbours w2v beach
  cartolina text neighbours glove-6b-50d "paris - france + italy"
  cartolina text neighbours minilm beach --among flickr8k
""",
)
def neighbours(
    model: Model,
    words: Words,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="How many.")] = 10,
    among: Annotated[
        Path | None,
        typer.Option(help="Look among the words of this corpus, not the model's own.", show_default=False),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The words nearest to a word, a text, or a sum of them: "king - man + woman", "2*snow + dog".

    Nearness is the cosine of the vectors that a search would use. What was asked for is left out.
    """
    with explained(UNCHANGED):
        from cartolina.cli.output import plain, screen, write_json
        from cartolina.text.neighbours import Neighbours, combined
        from cartolina.text.sources import read_texts
        from cartolina.text.tokens import tokens

        shown = progress(quiet=quiet)
        opened = _opened(model)
        terms = _terms(words)
        total = combined(opened, terms)
        others = None if among is None else read_texts(among, progress=shown).common_words()
        said = {word for _, text in terms for word in tokens(text, frozenset())}
        found = Neighbours.of(opened, others).nearest(total, k, said)
        if json:
            write_json(
                {
                    "model": opened.name,
                    "terms": [{"weight": weight, "text": text} for weight, text in terms],
                    "unknown": opened.unknown(" ".join(text for _, text in terms)),
                    "neighbours": [{"word": word, "cosine": round(cosine, 6)} for word, cosine in found],
                }
            )
        else:
            _tell_unknown(opened, " ".join(text for _, text in terms))
            for word, cosine in found:
                screen().print(f"{cosine:6.3f}  {plain(word)}")


@app.command(
    cls=QueryCommand,
    epilog="""\b
Examples:
  cartolina text topics lda
  cartolina text topics lda "a dog on the beach"
""",
)
def topics(
    model: Model,
    words: Annotated[
        str | None,
        typer.Argument(metavar="[WORDS]", help="A word or a text, in quotes.", show_default=False),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="How many topics.")] = 10,
    json: Json = False,
) -> None:
    """The topics of an LDA model with their likeliest words, or those of a word or a text."""
    with explained(UNCHANGED):
        from cartolina.cli.output import plain, screen, write_json
        from cartolina.errors import InputError
        from cartolina.text.lda import Lda

        opened = _opened(model)
        if not isinstance(opened, Lda):
            raise InputError(f"{opened.name!r} has no topics, only a model that `--model lda` learnt has")
        every = {topic.number: topic for topic in opened.topics()}
        if words is None:
            shares = [(topic.number, topic.share) for topic in every.values()][:k]
        else:
            shares = [(one.topic, one.share) for one in opened.topics_of(words, k)]
        if json:
            write_json(
                {
                    "model": opened.name,
                    "text": words,
                    "unknown": [] if words is None else opened.unknown(words),
                    "topics": [
                        {
                            "topic": number,
                            "share": round(share, 6),
                            "words": [
                                {"word": word, "probability": round(p, 6)} for word, p in every[number].words
                            ],
                        }
                        for number, share in shares
                    ],
                }
            )
            return
        if words is not None:
            _tell_unknown(opened, words)
        for number, share in shares:
            likely = " ".join(word for word, _ in every[number].words)
            screen().print(f"{number:4}  {100 * share:5.1f} %  {plain(likely)}")


@app.command(
    epilog="""\b
Examples:
  cartolina text compare flickr8k --models word2vec,fasttext,lda:scaled --words dog,beach,snow
  cartolina text compare captions.csv --models doc2vec,doc2vec:dbow --json
"""
)
def compare(
    corpus: Corpus,
    models: Annotated[
        str, typer.Option(help="Names with a comma between: word2vec,fasttext:scaled,minilm.")
    ] = "word2vec,glove,fasttext,doc2vec,lda",
    words: Annotated[
        str | None, typer.Option(help="Whose neighbours to tell: dog,beach,snow.", show_default=False)
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="Keep the models, each in a folder below.", show_default=False)
    ] = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    seed: Seed = 0,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn several models from one corpus and print one table.

    Where photos have several captions it says how often a caption's nearest other one is of the same photo.
    """
    with explained("The models that were finished are kept where --into was given."):
        from cartolina.cli.output import write_json
        from cartolina.cli.show_texts import comparison
        from cartolina.text.comparison import compare as compared
        from cartolina.text.sources import read_texts

        shown = progress(quiet=quiet)
        result = compared(
            read_texts(corpus, format, columns, split, shown),
            _listed(models),
            words=_listed(words or ""),
            seed=seed,
            workers=workers,
            into=into,
            progress=shown,
        )
        if json:
            write_json(result.to_json())
        else:
            comparison(result)


def _opened(name: str) -> TextModel:
    """The model in a folder, or one that comes learnt, by its name."""
    from cartolina.errors import InputError
    from cartolina.text import create, load

    folder = Path(name).expanduser()
    if folder.is_dir():
        return load(folder)
    if "/" in name and ":" not in name:
        raise InputError(f"there is no folder {name}: expected one that `cartolina text train` wrote")
    return create(name)


def _terms(words: str) -> list[tuple[float, str]]:
    """The weighted words of a query; `QueryError` for one that holds anything else."""
    from cartolina.errors import QueryError
    from cartolina.query import Text, parse

    query = parse(words)
    if query.near is not None and not query.near.certain:
        query = query.without_near()  # "near" is a word like others here
    terms = [(term.weight, term.what.text) for term in query.terms if isinstance(term.what, Text)]
    if query.near or query.filters or len(terms) < len(query.terms) or not terms:
        raise QueryError(f"{words!r} holds more than words: write e.g. paris - france + italy, or quote it")
    return terms


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _tell_unknown(model: TextModel, words: str) -> None:
    """Name on stderr what a model cannot read, with what is spelt like it."""
    for word in model.unknown(words):
        near = model.nearest(word)
        typer.echo(f"unknown: {word}" + (f" (did you mean {near}?)" if near else ""), err=True)
