"""One writer, who is named; nobody is kept out by a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from cartolina.album.lock import WriterLock
from cartolina.errors import AlbumLocked

HOLD = """
import sys, time
from pathlib import Path
from cartolina.album.lock import WriterLock
with WriterLock(Path(sys.argv[1]), "cartolina add A photos"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "LOCK")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_another_process_is_named(tmp_path, holder):
    with pytest.raises(AlbumLocked) as caught, WriterLock(tmp_path / "LOCK"):
        pass
    message = str(caught.value)
    assert f"process {holder.pid} on {os.uname().nodename} (cartolina add A photos" in message
    assert "searching works meanwhile" in message


def test_a_killed_holder_keeps_nobody_out(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert str(holder.pid) in (tmp_path / "LOCK").read_text()  # what it said is still there
    with WriterLock(tmp_path / "LOCK"):
        assert str(os.getpid()) in (tmp_path / "LOCK").read_text()


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b"\xff\xfe", b'{"pid": 1}'])
def test_whatever_the_file_says_the_lock_decides(tmp_path, left):
    path = tmp_path / "LOCK"
    path.write_bytes(left)
    with WriterLock(path):
        path.write_bytes(left)
        with pytest.raises(AlbumLocked, match="another process"), WriterLock(path):
            pass


def test_nested_in_one_and_exclusive_between_two_of_a_process(tmp_path):
    one, other = WriterLock(tmp_path / "LOCK"), WriterLock(tmp_path / "LOCK")
    with one:
        with one:
            pass
        with pytest.raises(AlbumLocked), other:
            pass
    with other:
        assert (tmp_path / "LOCK").read_text()
    assert (tmp_path / "LOCK").read_text() == ""


def test_released_when_the_work_fails(tmp_path):
    lock = WriterLock(tmp_path / "LOCK")
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    with WriterLock(tmp_path / "LOCK"):
        pass
