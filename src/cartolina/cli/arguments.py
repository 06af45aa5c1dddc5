"""The command line of `search`, where a query may begin with a minus.

`cartolina search A "-car + beach" -k 5`: a query that begins with "-" is no option. An argument is an option
only if it is one of the command's own (`-k`, `-k5`, `--json`, `--sheet=out.png`), or if it begins with two
dashes and has no space, which is a mistyped option to be told about. Everything else is put behind "--".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import typer
from typer.core import TyperCommand

__all__ = ["QueryCommand", "sorted_out"]


class QueryCommand(TyperCommand):
    """A command one of whose arguments is a query."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Parse as ever, options first."""
        params = self.get_params(ctx)
        options = {name: not getattr(param, "is_flag", False) for param in params for name in param.opts}
        found = sorted_out(args, options)
        arguments = found[found.index("--") + 1 :] if "--" in found else []
        if len(arguments) > sum(param.param_type_name == "argument" for param in params):
            raise typer.BadParameter(f"put the query in quotes: {' '.join(arguments[1:])!r}")
        return super().parse_args(ctx, found)


def sorted_out(args: Sequence[str], options: Mapping[str, bool]) -> list[str]:
    """`args` with the options first, then "--", then the arguments.

    `options` maps each option's name to whether a value follows it.

    >>> sorted_out(["A", "-car + beach", "-k", "5"], {"-k": True, "--json": False})
    ['-k', '5', '--', 'A', '-car + beach']
    """
    given: list[str] = []
    arguments: list[str] = []
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            arguments += rest
        elif options.get(arg):
            given += [arg, *[value for value in [next(rest, None)] if value is not None]]
        elif arg in options or _looks_like_option(arg, options):
            given.append(arg)
        else:
            arguments.append(arg)
    return [*given, "--", *arguments] if arguments else given


def _looks_like_option(arg: str, options: Mapping[str, bool]) -> bool:
    if arg.startswith("--"):
        return " " not in arg.split("=", 1)[0]
    number = re.fullmatch(r"(-\w)=?\d+", arg)  # -k5
    return number is not None and options.get(number[1], False)
