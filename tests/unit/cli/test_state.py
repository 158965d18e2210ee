"""The file that tells where a running installation listens."""

import os
from pathlib import Path

import pytest

from tallystick.cli.client import find
from tallystick.cli.state import State, running_in, shown
from tallystick.errors import SetupError


def _state(pid: int) -> State:
    return State(pid, "127.0.0.1:50051", "http://127.0.0.1:8080", "127.0.0.1:9092", "postgresql://x:secret@y/z")


def test_it_is_there_while_something_runs_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with shown(tmp_path, _state(os.getpid())):
        assert running_in(tmp_path) == _state(os.getpid())
        assert find(None, tmp_path) == "127.0.0.1:50051"
        [file] = tmp_path.iterdir()
        assert file.stat().st_mode & 0o077 == 0
    assert running_in(tmp_path) is None


def test_a_file_left_behind_by_a_kill_says_nothing(tmp_path: Path) -> None:
    with shown(tmp_path, _state(2**22 + 1)):
        assert running_in(tmp_path) is None
        with pytest.raises(SetupError, match="nothing runs on"):
            find(None, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "running.json").write_text(text)
    assert running_in(tmp_path) is None


def test_an_address_that_is_named_goes_first(tmp_path: Path) -> None:
    assert find("api:1", tmp_path) == "api:1"
    assert find(None, None) == "127.0.0.1:50051"
