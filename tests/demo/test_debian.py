"""Fetching a package without being root, with programs of our own in place of apt-get and dpkg-deb."""

import os
import stat

import pytest

from cartolina.demo.debian import unpacked
from cartolina.errors import InputError
from cartolina.progress import SILENT

APT = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
  *update*) {update} ;;
  *--print-uris*) {uris} echo "'http://deb.example/x.deb' pkg_1.0_all.deb 6000000 SHA256:abc" ;;
  *download*) {download} printf '%06000000d' 0 > pkg_1.0_all.deb ;;
esac
"""
DPKG = """#!/bin/sh
mkdir -p "$3/usr/share/pkg" && cp "$2" "$3/usr/share/pkg/photos"
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose apt-get does as told; returns what it was asked, line by line."""
    programs = tmp_path / "bin"
    programs.mkdir()
    log = tmp_path / "asked"
    log.touch()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    def install(**does):
        script = APT.format(log=log, **{"update": "exit 0", "uris": "", "download": "", **does})
        for name, text in (("apt-get", script), ("dpkg-deb", DPKG)):
            path = programs / name
            path.write_text(text)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return lambda: log.read_text().splitlines()

    return install


class Told:
    """A progress that keeps what it is told."""

    def __init__(self):
        self.said, self.done, self.total = [], 0, None

    def say(self, message):
        self.said.append(message)

    def task(self, label, total, unit):
        self.total = total
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def advance(self, n=1):
        self.done += n


def test_downloaded_unpacked_once_and_nothing_left_over(machine, tmp_path):
    asked, told = machine(), Told()
    root = unpacked("pkg", tmp_path / "cache", told, installed=tmp_path)
    assert (root / "usr/share/pkg/photos").stat().st_size == 6_000_000
    assert (told.done, told.total) == (6, 6)
    assert [line.split()[0] for line in asked()] == ["download", "download"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["pkg"]
    assert unpacked("pkg", tmp_path / "cache", told, installed=tmp_path) == root
    assert len(asked()) == 2


def test_an_installed_package_is_read_where_it_lies(machine, tmp_path):
    asked = machine()
    (tmp_path / "var/lib/dpkg/info").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/info/pkg.list").touch()
    assert unpacked("pkg", tmp_path / "cache", SILENT, installed=tmp_path) == tmp_path
    assert asked() == []


def test_missing_lists_are_fetched_into_a_folder_of_our_own(machine, tmp_path):
    asked = machine(
        uris='case "$*" in *Dir::State*) ;; *) echo "E: Unable to locate package pkg" >&2; exit 100 ;; esac;'
    )
    told = Told()
    root = unpacked("pkg", tmp_path / "cache", told, installed=tmp_path)
    assert (root / "usr/share/pkg/photos").exists()
    assert any("update" in line and str(tmp_path / "cache") in line for line in asked())
    assert any("package lists" in line for line in told.said)


def test_no_such_package_is_said_with_a_way_out(machine, tmp_path):
    machine(uris='echo "E: Unable to locate package pkg" >&2; exit 100;')
    with pytest.raises(InputError) as wrong:
        unpacked("pkg", tmp_path / "cache", SILENT, installed=tmp_path)
    assert "Unable to locate package pkg" in str(wrong.value)
    assert "--photos DIR" in str(wrong.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_broken_download_is_said(machine, tmp_path):
    machine(download='echo "E: Could not resolve host" >&2; exit 100;')
    with pytest.raises(InputError, match="Could not resolve host"):
        unpacked("pkg", tmp_path / "cache", SILENT, installed=tmp_path)


def test_a_machine_without_apt_is_told_what_the_demo_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError) as wrong:
        unpacked("pkg", tmp_path / "cache", SILENT, installed=tmp_path)
    assert "no apt-get" in str(wrong.value)
    assert "--photos DIR" in str(wrong.value)
