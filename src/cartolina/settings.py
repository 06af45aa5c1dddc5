"""Settings: what a command does where no flag says otherwise, and who said so.

Later ones win: built in < album < `cartolina.toml` < environment < flag. Of two `cartolina.toml` the user's
own (`~/.config/cartolina/`) comes before the current folder's. In the environment a setting is called
`CARTOLINA_` and its name in capitals.

>>> chosen = settle(album={"k": 20}, flags={"by": "words"}, environment={"CARTOLINA_K": "5"}, files=())
>>> chosen["k"], chosen.origin("k"), chosen["by"], chosen.origin("quality")
(5, 'environment (CARTOLINA_K)', 'words', 'built in')
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cartolina.errors import InputError, UnknownName

__all__ = ["BY", "SETTINGS", "STORES", "Setting", "Settled", "config_files", "settle"]

CONFIG = "cartolina.toml"

BY = ("picture", "words", "both")
"""What a search goes by."""

STORES = ("auto", "exact", "qdrant")
"""Where vectors are searched."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its built-in `default` (whose type its values have, text where it is None) and meaning.

    `choices` are all values it may have, where they can be listed.
    """

    default: str | int | None
    meaning: str
    choices: tuple[str, ...] = ()

    def read(self, value: object, where: str) -> str | int:
        """`value` as this setting keeps it; raises `InputError` (`UnknownName` where there are choices)
        naming `where` it was said."""
        if isinstance(self.default, int):
            try:
                if isinstance(value, bool):
                    raise ValueError
                return int(value)  # type: ignore[call-overload, no-any-return]  # whatever it is, int() judges it
            except (TypeError, ValueError):
                raise InputError(f"{where} is {value!r}; expected a whole number") from None
        if not isinstance(value, str) or not value:
            raise InputError(f"{where} is {value!r}; expected words in quotes")
        if self.choices and value not in self.choices:
            raise UnknownName(f"value of {where}:", value, self.choices)
        return value


SETTINGS: dict[str, Setting] = {
    "by": Setting("both", "what `search` goes by: picture, words or both", BY),
    "k": Setting(10, "how many posts `search` shows"),
    "store": Setting("auto", "where vectors are searched: auto, exact or qdrant", STORES),
    "text": Setting("minilm", "the text model `build` learns with"),
    "quality": Setting("fast", "how long `build` learns: fast or best"),
    "objective": Setting("contrastive", "what `build` optimises"),
    "backbone": Setting(None, "the backbone `build` looks through; the quality's own where it is not set"),
    "device": Setting("auto", "where pictures are looked at: auto, cpu or cuda"),
    "seed": Setting(0, "what chance begins with"),
}


class Settled(Mapping[str, Any]):
    """The settings in force, by name; `origin` says who set each."""

    def __init__(self, values: dict[str, tuple[str | int | None, str]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # text or a whole number, as SETTINGS says
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def origin(self, name: str) -> str:
        """Who set it: "built in", "album", a file's path, "environment (…)" or "flag"."""
        return self._values[name][1]

    def to_json(self) -> dict[str, dict[str, str | int | None]]:
        """What `info --json` says of each."""
        return {name: {"value": value, "from": origin} for name, (value, origin) in self._values.items()}


def settle(
    album: Mapping[str, object] | None = None,
    flags: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    files: Iterable[Path] | None = None,
) -> Settled:
    """Find what holds. A flag that is None was not given; `files` are later-wins (None: `config_files()`).

    Raises `UnknownName` for a setting that is none (an album may hold ones of a newer program, which are
    passed over), `InputError` for a value of another kind or a file that is no TOML.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, tuple[str | int | None, str]] = {
        name: (setting.default, "built in") for name, setting in SETTINGS.items()
    }

    def say(said: Mapping[str, object], origin: str) -> None:
        for name, value in said.items():
            if name not in SETTINGS:
                raise UnknownName(f"setting in {origin}:", name, SETTINGS)
            values[name] = (SETTINGS[name].read(value, f"{name} ({origin})"), origin)

    say({name: value for name, value in (album or {}).items() if name in SETTINGS}, "album")
    for path in config_files() if files is None else files:
        say(_toml(path), str(path))
    for name in SETTINGS:
        variable = f"CARTOLINA_{name.upper()}"
        if environment.get(variable):
            say({name: environment[variable]}, f"environment ({variable})")
    say({name: value for name, value in (flags or {}).items() if value is not None}, "flag")
    return Settled(values)


def config_files() -> list[Path]:
    """The `cartolina.toml` that are there: the user's own, then the current folder's."""
    home = os.environ.get("XDG_CONFIG_HOME")
    user = (Path(home) if home else Path("~/.config").expanduser()) / "cartolina" / CONFIG
    return [path for path in (user, Path.cwd() / CONFIG) if path.is_file()]


def _toml(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML ({error}): settings are lines such as k = 20") from error
