"""The name of a text model, with what is asked of it: `kind[:option=value]…`, or
`kind:/path[:option=value]…`.

    word2vec                      the papers' numbers, kinder to small corpora
    word2vec:published            exactly the papers' numbers
    lda:scaled:topics=100         numbers for a small corpus, but for the topics
    fasttext:pooling=tf-idf       how the words of a text become its vector
    hf:/folder, words:/file       what lies there

The same names are used in Python, on the command line and in experiments.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from cartolina.errors import InputError, UnknownName
from cartolina.progress import SILENT, Progress
from cartolina.text.pooling import POOLINGS, Pooling
from cartolina.text.settings import LearntSettings

__all__ = ["Asked", "asked_for"]

Variant = Literal["", "published", "scaled"]
VARIANTS = ("published", "scaled")

OWN = frozenset({"seed", "workers", "scale", "fixed"})
"""Fields of settings that are no options: `create` has arguments for them, or a variant says them."""

_OPTION_AT_END = re.compile(r":(?:[a-z_]+=[^:/]*|published|scaled)$")

S = TypeVar("S", bound=LearntSettings)


@dataclass(frozen=True, slots=True)
class Asked:
    """What `create` was asked for; each family takes what concerns it.

    `name` is the whole name as given, `path` what followed a kind that takes one, `options` the rest but for
    the pooling, which is None where nothing was said of it.
    """

    name: str
    kind: str
    path: Path
    variant: Variant
    options: Mapping[str, str]
    pooling: Pooling | None
    seed: int = 0
    workers: int = 1
    progress: Progress = SILENT

    def settings(self, of: type[S]) -> S:
        """The settings asked for; raises `UnknownName` for an option, `InputError` for its value."""
        known = [field.name for field in fields(of) if field.name not in OWN]
        values = {}
        for option, value in self.options.items():
            if option not in known:
                raise self._unknown(option, known)
            values[option] = _converted(get_type_hints(of)[option], self.name, option, value)
        given: dict[str, Any] = {
            **({"min_count": of.published_min_count} if self.variant == "published" else {}),
            **values,
        }
        return of(
            scale=self.variant == "scaled",
            fixed=frozenset(values),
            seed=self.seed,
            workers=self.workers,
            **given,
        )

    def nothing_to_learn(self) -> None:
        """Refuse options: the model comes as it is."""
        for option in [self.variant, *self.options]:
            if option:
                raise self._unknown(option, [])

    def pools_itself(self) -> None:
        """Refuse a pooling: the model makes a text's vector itself."""
        if self.pooling is not None:
            raise InputError(
                f"{self.kind!r} makes a text's vector itself: leave out the pooling {self.pooling!r}"
            )

    def _unknown(self, option: str, known: Iterable[str]) -> UnknownName:
        variants = VARIANTS if known else ()
        return UnknownName(f"option of the text model {self.kind!r}:", option, [*known, "pooling", *variants])


def asked_for(
    name: str,
    kinds: Iterable[str],
    *,
    pooling: Pooling | None = None,
    seed: int = 0,
    workers: int = 1,
    progress: Progress = SILENT,
) -> Asked:
    """Read `name`; `kinds` are the known ones, those that take a path with ":" at their end.

    Raises `UnknownName` for a kind or a pooling that is not known, `InputError` for a name that cannot be
    read.
    """
    kinds = list(kinds)
    kind, colon, rest = name.partition(":")
    takes_path = f"{kind}:" in kinds
    if (kind not in kinds and not takes_path) or (takes_path and not rest):
        raise UnknownName("text model", name, [f"{one}/path" if one.endswith(":") else one for one in kinds])
    if takes_path:
        path, options = _path_and_options(rest)
    else:
        path, options = "", rest.split(":") if colon else []
    variant: Variant = ""
    values: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if option in VARIANTS:
            if variant and variant != option:
                raise InputError(f"{name!r} asks for {variant} and {option} settings: leave one out")
            variant = "published" if option == "published" else "scaled"
        elif key in values:
            raise InputError(f"{name!r} says {key!r} twice")
        elif not equals and key:
            values[key] = "true"  # "word2vec:skip_gram"
        elif not key:
            raise InputError(f"{name!r} has an option without a name: write {kind}:option=value")
        else:
            values[key] = value
    return Asked(
        name, kind, Path(path).expanduser(), variant, values,
        _pooling(name, values.pop("pooling", None), pooling), seed, workers, progress,
    )  # fmt: skip


def _path_and_options(rest: str) -> tuple[str, list[str]]:
    """A path and the options after it; a path that exists is taken as it is."""
    options: list[str] = []
    while not Path(rest).expanduser().exists() and (match := _OPTION_AT_END.search(rest)):
        options.insert(0, match[0][1:])
        rest = rest[: match.start()]
    return rest, options


def _pooling(name: str, named: str | None, given: Pooling | None) -> Pooling | None:
    for one in (named, given):
        if one is not None and one not in POOLINGS:
            raise UnknownName("pooling", one, POOLINGS)
    if named is not None and given is not None and named != given:
        raise InputError(f"{name!r} pools by {named!r}, and {given!r} was asked for too: leave one out")
    return given if named is None else next(one for one in POOLINGS if one == named)


def _converted(hint: Any, name: str, option: str, value: str) -> Any:  # noqa: ANN401  (as the field says)
    """`value` as the type of the option's field: a whole number, a number, or true and false."""
    types_of = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if bool in types_of:
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise InputError(f"{name!r}: {option} is true or false, not {value!r}")
    kind, said = (int, "a whole number") if int in types_of else (float, "a number")
    try:
        return kind(value)
    except ValueError as error:
        raise InputError(f"{name!r}: {option} is {said}, not {value!r}") from error
