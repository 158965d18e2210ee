"""The failure catalogue's cases that orders, their lives and all other flows owe: each has a test that names it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: From the first to the last of each row.
OWED = (
    (37, 46), (59, 60), (62, 73), (77, 100), (105, 107), (111, 111), (117, 119), (122, 126),
)  # fmt: skip
#: `FC-073` in a docstring, `fc_073` in the name of a test.
NAMED = re.compile(r"\bFC-(\d{3})\b|_fc_(\d{3})(?!\d)")


def test_each_case_is_named_by_a_test() -> None:
    here = Path(__file__)
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != here)
    named = {int(first or second) for text in texts for first, second in NAMED.findall(text)}
    owed = {case for first, last in OWED for case in range(first, last + 1)}
    assert sorted(f"FC-{case:03}" for case in owed - named) == []
