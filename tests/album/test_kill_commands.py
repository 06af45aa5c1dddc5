"""Real `cartolina` processes killed once each: `python -m benchmarks.kills` does it 200 times."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_a_kill_of_each_command_does_no_harm():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kills", "--kills", "1", "--photos", "56", "--json"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(["src", os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert list(rows) == ["build", "add", "sync", "remove", "learn"]
    for name, row in rows.items():
        assert row["kills"] == 1, name
        assert row["lost"] + row["ghosts"] + row["unopened"] + row["damaged"] + row["not_completed"] == 0, (
            name
        )
