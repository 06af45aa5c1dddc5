"""Each kind of failure: its exit code, and a sentence instead of a traceback."""

import errno

import pytest
import typer

from cartolina.cli.failures import explained
from cartolina.errors import AlbumError, AlbumLocked, CartolinaError, InputError, MissingPackage


def failing(error):
    with explained("All is kept."):
        raise error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CartolinaError("odd"), 1, "Error: odd"),
        (InputError("no such path"), 2, "Error: no such path"),
        (MissingPackage("pip install x"), 3, "Error: pip install x"),
        (AlbumError("no album"), 4, "Error: no album"),
        (AlbumLocked("busy"), 5, "Error: busy"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 6, "the disk is full (/x/y)"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            6,
            "no permission to read or write there (/x)",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file", "/gone"), 6, "there is nothing at /gone"),
        (OSError(errno.EIO, "Input/output error"), 6, "Error: Input/output error"),
        (KeyboardInterrupt(), 130, "Stopped. All is kept."),
    ],
)
def test_mistakes_and_the_system(error, code, said, capsys):
    with pytest.raises(typer.Exit) as stopped:
        failing(error)
    err = capsys.readouterr().err
    assert stopped.value.exit_code == code
    assert said in err
    assert "Traceback" not in err


def test_our_own_mistake_keeps_its_traceback(capsys):
    with pytest.raises(typer.Exit) as stopped:
        failing(ZeroDivisionError("division by zero"))
    assert stopped.value.exit_code == 70
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "mistake in cartolina" in err


def test_an_exit_passes_as_it_is():
    with pytest.raises(typer.Exit) as stopped:
        failing(typer.Exit(9))
    assert stopped.value.exit_code == 9
