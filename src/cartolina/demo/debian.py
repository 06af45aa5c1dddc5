"""The photos' packages, from Debian's or Ubuntu's archive: downloaded and unpacked without being root.

>>> root = unpacked("tuxpaint-stamps-default", cache_folder() / "demo", SILENT)   # doctest: +SKIP
>>> sorted(p.name for p in (root / "usr/share/tuxpaint/stamps").iterdir())[:2]    # doctest: +SKIP
['animals', 'clothes']

A package that is installed is read where it lies. Otherwise `apt-get download` fetches it, which anybody
may; where this machine's package lists are missing or old, fresh ones are fetched into a folder of our own,
which anybody may too. Nothing is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cartolina.errors import InputError
from cartolina.progress import Progress

__all__ = ["unpacked"]

OWN_PHOTOS = "Or show it your own photos: cartolina demo --photos DIR"


def unpacked(package: str, folder: Path, progress: Progress, *, installed: Path = Path("/")) -> Path:
    """The root folder under which the files of `package` lie, `folder`/`package` unless it is installed.

    Raises `InputError` that says what is missing where there is no apt, no network or no such package.
    """
    if (installed / "var/lib/dpkg/info" / f"{package}.list").exists():
        return installed
    root = folder / package
    if root.is_dir():
        return root
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise InputError(
                f"the demo's photos are in the Debian and Ubuntu package {package}, and this machine has no "
                f"{program} to fetch it with.\n{OWN_PHOTOS}"
            )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        archive = _download(package, Path(scratch), progress)
        progress.say(f"Unpacking {archive.name} into {root} (nothing is installed)")
        try:
            _run(["dpkg-deb", "-x", str(archive), str(Path(scratch) / "root")], Path(scratch))
        except subprocess.CalledProcessError as error:
            raise InputError(f"{archive.name} could not be unpacked into {folder}: {error.stderr}") from error
        (Path(scratch) / "root").rename(root)  # whole or not at all
    return root


def _download(package: str, scratch: Path, progress: Progress) -> Path:
    try:
        return _fetch(package, scratch, [], progress)
    except subprocess.CalledProcessError:
        progress.say("This machine's package lists are missing or old: fetching fresh ones for this once")
    own = [f"-oDir::State={scratch / 'state'}", f"-oDir::Cache={scratch / 'cache'}"]
    own += ["-oDir::State::status=/var/lib/dpkg/status", "-oAPT::Sandbox::User="]
    (scratch / "state/lists/partial").mkdir(parents=True)
    (scratch / "cache/archives/partial").mkdir(parents=True)
    try:
        _run(["apt-get", *own, "update"], scratch)
        return _fetch(package, scratch, own, progress)
    except subprocess.CalledProcessError as error:
        raise InputError(
            f"the package {package} could not be fetched: {_complaint(error)}\n"
            "It needs the network and, on Ubuntu, the component “universe” among the sources of apt.\n"
            f"{OWN_PHOTOS}"
        ) from error


def _fetch(package: str, scratch: Path, options: Sequence[str], progress: Progress) -> Path:
    line = _run(["apt-get", *options, "download", "--print-uris", package], scratch)
    try:
        # 'http://deb.debian.org/…_all.deb' gcompris-qt-data_3.1-2_all.deb 44196292 SHA256:…
        _, name, size, *_ = line.splitlines()[-1].split()
        megabytes = int(size) // 10**6
    except (IndexError, ValueError) as error:
        raise InputError(f"apt-get did not say where the package {package} is, but: {line!r}") from error
    archive = scratch / name
    command = ["apt-get", *options, "download", package]
    log = scratch / "apt.log"
    with progress.task(f"Fetching {package}", megabytes, "MB") as step, log.open("w") as said:
        process = subprocess.Popen(  # noqa: S603  (our own words and a package's name)
            command, cwd=scratch, stdout=said, stderr=said, env=_environment()
        )
        try:
            shown = 0
            while process.poll() is None:
                done = archive.stat().st_size // 10**6 if archive.exists() else 0
                step.advance(done - shown)
                shown = done
                try:
                    process.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
            step.advance(megabytes - shown)
        finally:
            process.terminate()
            process.wait()
    if process.returncode or not archive.exists():
        raise subprocess.CalledProcessError(process.returncode, command, stderr=log.read_text())
    return archive


def _run(command: Sequence[str], folder: Path) -> str:
    return subprocess.run(  # noqa: S603  (as above)
        command, cwd=folder, capture_output=True, text=True, check=True, env=_environment()
    ).stdout


def _complaint(error: subprocess.CalledProcessError) -> str:
    lines = [line for line in str(error.stderr or "").splitlines() if line.startswith("E:")]
    return lines[-1].removeprefix("E:").strip() if lines else f"apt-get ended with code {error.returncode}"


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
