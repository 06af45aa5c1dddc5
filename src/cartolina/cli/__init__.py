"""The command `cartolina`: parse arguments, make one library call, print what it answers.

Nothing heavy is imported before a command runs, so that `cartolina --help` answers at once.
"""

from __future__ import annotations

import sys

from cartolina.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        # A file name need not be valid text; a terminal that cannot show it must not stop the work.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # text streams can
    app()
