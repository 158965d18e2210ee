"""Vendors' samples and recordings, which stand beside the repository and are never part of it."""

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(relative: str) -> Path:
    """The file or folder; the test is skipped with the reason where it is absent."""
    path = _SHARED / relative
    if not path.exists():
        pytest.skip(f"needs the vendors' material: ../shared/{relative} is not there")
    return path
