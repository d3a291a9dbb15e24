"""Reading the machine's package sources, and the private one made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from isotherm_local import debian_packages
from isotherm_local.debian_packages import loader, parse_sources, read_release, source_lines

if TYPE_CHECKING:
    from pathlib import Path

DEB822 = """Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def test_sources_of_the_new_form_are_read() -> None:
    """Address and keyring of every stanza."""
    assert parse_sources(DEB822) == [
        ("http://mirror.example/debian", KEYRING),
        ("http://mirror.example/debian-security", ""),
    ]


def test_sources_of_the_old_form_are_read() -> None:
    """One line each, with or without options; comments and source packages are not read."""
    text = f"# deb http://no/debian x main\ndeb [arch=amd64 signed-by={KEYRING}] http://a/debian bookworm main\ndeb-src http://b/debian x main\ndeb http://c/ubuntu jammy main\n"
    assert parse_sources(text) == [("http://a/debian", KEYRING), ("http://c/ubuntu", "")]


def test_debian_takes_mysql_from_its_unstable_suite() -> None:
    """Its stable suite has MariaDB in MySQL's place."""
    lines = source_lines({"ID": "debian", "VERSION_CODENAME": "bookworm"}, [("http://m/debian", KEYRING)])
    assert lines == [f"deb [signed-by={KEYRING}] http://m/debian sid main"]


def test_ubuntu_takes_mysql_from_its_own_suites() -> None:
    """It has MySQL, with its updates."""
    lines = source_lines({"ID": "ubuntu", "VERSION_CODENAME": "noble"}, [("http://m/ubuntu", "")])
    assert lines == [f"deb http://m/ubuntu noble{suffix} main universe" for suffix in ("", "-updates", "-security")]


def test_os_release_is_read_with_and_without_quotes() -> None:
    """As the file's own format allows."""
    assert read_release("ID=debian\nNAME=\"Debian GNU/Linux\"\n# x=y\nA='b'\n") == {
        "ID": "debian",
        "NAME": "Debian GNU/Linux",
        "A": "b",
    }


def test_the_loader_of_the_unpacked_tree_is_used(tmp_path: Path) -> None:
    """With its libraries, and those that the server keeps for itself."""
    libraries = tmp_path / "usr/lib/aarch64-linux-gnu"
    libraries.mkdir(parents=True)
    (libraries / "ld-linux-aarch64.so.1").touch()
    (tmp_path / "usr/lib/mysql/private").mkdir(parents=True)
    command = loader(tmp_path)
    assert command[:2] == [str(libraries / "ld-linux-aarch64.so.1"), "--library-path"]
    assert command[2] == f"{libraries}:{tmp_path / 'usr/lib/mysql/private'}"


def test_a_tree_without_a_loader_is_an_error(tmp_path: Path) -> None:
    """It says so, instead of failing at the server's start."""
    with pytest.raises(debian_packages.PackagesUnavailable, match="no program loader"):
        loader(tmp_path)


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call touches nothing."""
    server = tmp_path / "mysql/usr/sbin/mysqld"
    server.parent.mkdir(parents=True)
    server.touch()
    monkeypatch.setattr(debian_packages, "_download", lambda _: pytest.fail("downloaded again"))
    debian_packages.install(tmp_path / "mysql")
    assert server.exists()
