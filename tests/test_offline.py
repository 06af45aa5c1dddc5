"""Build, add and search with the network taken away: every use of a socket is an error."""

import json
import subprocess
import sys

from PIL import Image

# Refuses what a process would need to reach anybody, this machine's own services included. An audit hook
# cannot be taken out again, so whatever a library does, it does under it.
GUARDED = """
import sys
FORBIDDEN = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg",
             "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")

def refuse(event, args):
    if event in FORBIDDEN:
        sys.stderr.write(f"the network was asked for: {event} {args!r}\\n")
        raise ConnectionRefusedError(event)

sys.addaudithook(refuse)
"""

COMMANDS = """
from dataclasses import replace
from cartolina.cli import main
from cartolina.learn import conse
from cartolina.learn.recipes import FAST, RECIPES

RECIPES["fast"] = replace(FAST, heads=1, hidden=32, dim=16, steps=4, validate_every=2)
conse.imagenet_sentences = lambda names: [[f"a {name}"] for name in names]
main()
"""


def run(*args, cwd):
    return guarded(COMMANDS, *args, cwd=cwd)


def guarded(script, *args, **options):
    command = [sys.executable, "-c", GUARDED + script, *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def test_the_guard_refuses():
    done = guarded("import socket; socket.create_connection(('127.0.0.1', 9))")
    assert done.returncode != 0
    assert "the network was asked for" in done.stderr


def test_build_add_and_search_need_no_network(tmp_path):
    for number in range(55):
        folder = tmp_path / ("photos" if number < 52 else "more")
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (40, 40), (5 * number, 90, 255 - 4 * number)).save(folder / f"{number}.jpg")
        (folder / f"{number}.txt").write_text(
            f"a {'reddish' if number > 25 else 'bluish'} card, number {number}"
        )
    built = run("build", "photos", "A", "--json", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["space"]["vectors"] == 52
    added = run("add", "A", "more", "--json", cwd=tmp_path)
    assert json.loads(added.stdout)["added"] == 3, added.stderr
    found = run("search", "A", "a reddish card + like:52.jpg near:Barcelona", "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    found = run("search", "A", "a reddish card + like:52.jpg", "-k", "55", "--json", cwd=tmp_path)
    assert len(json.loads(found.stdout)["results"]) == 55, found.stderr
    assert "the network was asked for" not in built.stderr + added.stderr + found.stderr
