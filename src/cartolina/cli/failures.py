"""What a person sees when something goes wrong: a sentence and an exit code, never a traceback for a mistake.

0 done; 1 a mistake none of the others names; 2 something given is not what was expected (also an unknown
option or command); 3 a package is missing; 4 no album there, or not one that can be used; 5 another process
is writing to it; 6 the system refused (disk full, permission, device); 130 Ctrl-C; 141 the reader of our
output went away. An error of cartolina's own keeps its traceback, which helps to mend it, and exits with 70.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from cartolina.errors import CartolinaError

__all__ = ["explained"]

SYSTEM, BUG, INTERRUPTED, PIPE_CLOSED = 6, 70, 130, 141


@contextmanager
def explained(kept: str) -> Iterator[None]:
    """Turn what is raised inside into a sentence on stderr and an exit; `kept` is what Ctrl-C leaves done."""
    import typer

    try:
        yield
        sys.stdout.flush()  # here, where it can be explained that it cannot be written
    except CartolinaError as error:
        _tell(str(error))
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        _tell(f"Stopped. {kept}", kind="")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _let_go_of_stdout()
        raise typer.Exit(PIPE_CLOSED) from None
    except OSError as error:
        _let_go_of_stdout()
        _tell(_system(error))
        raise typer.Exit(SYSTEM) from None
    except Exception as error:
        if isinstance(error, typer.Exit):
            raise
        traceback.print_exc()
        _tell("this is a mistake in cartolina, not yours; the lines above say where")
        raise typer.Exit(BUG) from None


def _let_go_of_stdout() -> None:
    """Python flushes stdout once more when it ends: what cannot be written would be complained of again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(message: str, kind: str = "Error: ") -> None:
    sys.stderr.write(f"{kind}{message}\n")


def _system(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"the disk is full{where}. What was done is kept: make room, then give the same command again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to read or write there{where}"
    if isinstance(error, FileNotFoundError):
        return f"there is nothing at {error.filename}" if error.filename else str(error)
    return f"{error.strerror or error}{where}"
