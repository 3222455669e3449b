"""The data directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from loom_weaver.data_dir import default_data_dir, prepare_data_dir
from loom_weaver.errors import Unavailable


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_its_owners_alone(tmp_path: Path) -> None:
    path = prepare_data_dir(str(tmp_path / "a" / "b"))
    assert path == tmp_path / "a" / "b"
    assert mode(path) == 0o700


def test_an_empty_directory_is_closed_and_a_used_one_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "used").mkdir(mode=0o755)
    (tmp_path / "used" / "file").touch()
    (tmp_path / "empty").mkdir(mode=0o755)
    assert mode(prepare_data_dir(str(tmp_path / "empty"))) == 0o700
    assert mode(prepare_data_dir(str(tmp_path / "used"))) == 0o755


def test_the_default_stands_beside_jupyters_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert default_data_dir() == tmp_path / "loom-weaver"
    assert prepare_data_dir() == tmp_path / "loom-weaver"


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert prepare_data_dir("x") == tmp_path / "x"
    assert prepare_data_dir("~/y") == tmp_path / "y"


def test_what_cannot_be_a_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/none")):
        with pytest.raises(Unavailable, match="--data-dir"):
            prepare_data_dir(str(path))


def test_a_directory_open_to_everybody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    tmp_path.chmod(0o777)
    with pytest.raises(Unavailable, match="chmod 700"):
        prepare_data_dir(str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    tmp_path.chmod(0o500)
    with pytest.raises(Unavailable, match="cannot be written"):
        prepare_data_dir(str(tmp_path))
