"""The command as people give it: a real process, a real shell."""

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")

HEAVY = ("numpy", "onnxruntime", "torch", "transformers", "PIL", "rich.console", "tokenizers", "pydantic")


def shell(line, **options):
    script = f'cartolina() {{ "{sys.executable}" -W error -m cartolina "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, **options)


def test_minus_first_through_a_shell(album):
    done = shell('cartolina search A "-blue + purple" --json -k 1 --by picture', cwd=album.parent)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["results"][0]["id"].startswith("red")
    assert found["query"] == "-blue + purple"


def test_k_between_through_a_shell(album):
    done = shell('cartolina search A -k 2 "red - green" --json', cwd=album.parent)
    assert len(json.loads(done.stdout)["results"]) == 2, done.stderr


def test_a_mistake_has_no_traceback_and_nothing_on_stdout(tmp_path):
    done = shell("cartolina search nowhere dog --json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("Error: there is no album at")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["", "--json"])
def test_a_reader_that_goes_away_is_no_error(album, option):
    line = f"cartolina search A red {option} | true; echo ${{PIPESTATUS[0]}}"
    done = shell(line, cwd=album.parent)
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_a_full_disk_is_said(album):
    done = shell("cartolina search A red > /dev/full", cwd=album.parent)
    assert done.returncode == 6
    assert "the disk is full" in done.stderr


def test_output_that_is_not_utf8_is_still_json(album, tmp_path):
    env = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = shell("cartolina info A --json", cwd=album.parent, env=env)
    assert json.loads(done.stdout)["posts"] == 6, done.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nsys.argv = ['cartolina', '--help']\nfrom cartolina.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "HEAVY []" in done.stdout, done.stderr
    assert "cartolina search" in done.stdout
