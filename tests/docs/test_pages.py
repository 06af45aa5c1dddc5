"""Every command on the pages of docs/everyday runs, and prints what the page says it does.

A page's ```console blocks hold commands (`$ …`) and what they print. They run in a shell, one after
another, in a folder of their own that begins with `Photos/`, `Downloads/` (an export), `Card/` (with odd
files), `Phone/` (one photo twice more) and `holidays.album`, learnt from `Photos` (the page that makes
the album begins without). What is printed is compared as doctest does it, `...` standing for anything; a
command with nothing printed below it only has to succeed. `# exits with N` says that it should not. How far
something is, and how long it took, is said on a slow machine alone: a page need not show that.
"""

import doctest
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from scenes import again, environment, odd, photos, program, takeout

PAGES = sorted((Path(__file__).parents[2] / "docs" / "everyday").glob("*.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXITS = re.compile(r"#\s*exits with (\d+)\s*$")
PROGRESS = re.compile(r"^[\w ]+: [\d,]+(?:/[\d,]+)? .*(?: in | left).*\n", re.MULTILINE)
LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
WITHOUT_ALBUM = "first-album.md"


def commands(page):
    """(line number, command, what it prints) of a page, in order."""
    text = page.read_text()
    found = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        for number, row in enumerate(block[1].splitlines(), start=line + 1):
            if row.startswith("$ "):
                found.append([number, row[2:], ""])
            elif row.startswith("> "):
                found[-1][1] += "\n" + row[2:]
            else:
                found[-1][2] += row + "\n"
    return [tuple(one) for one in found]


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """Holds `bin`, and `kept` with and without the album: what a page's folder, `here`, begins with.

    The folder's path is always the same, since an album knows its photos by absolute path.
    """
    home = tmp_path_factory.mktemp("holiday")
    program(home / "bin")
    again(photos(home / "here" / "Photos"), home / "here" / "Phone")
    takeout(home / "here" / "Downloads")
    odd(home / "here" / "Card")
    shutil.copytree(home / "here", home / "kept" / "without album")
    run("cartolina build Photos holidays.album --quiet", home, expect=0)
    (home / "here").rename(home / "kept" / "with album")
    return home


def run(command, home, expect):
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=home / "here",
        env=environment(home / "bin"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == expect, f"{command}\nexited with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_do_what_the_page_says(page, home):
    steps = commands(page)
    assert steps, f"{page} shows no command"
    shutil.rmtree(home / "here", ignore_errors=True)
    kept = "without album" if page.name == WITHOUT_ALBUM else "with album"
    shutil.copytree(home / "kept" / kept, home / "here")
    checker = doctest.OutputChecker()
    for line, command, printed in steps:
        code = EXITS.search(command)
        output = run(command, home, int(code[1]) if code else 0)
        if printed.strip():
            said = (output, PROGRESS.sub("", output))
            assert any(checker.check_output(printed, one, LENIENT) for one in said), (
                f"{page.name}, line {line}: $ {command}\nexpected:\n{printed}\ngot:\n{output}"
            )
