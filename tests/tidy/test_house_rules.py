"""House rules that no linter knows. Each names what to do instead."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("tallystick", "service", "consumers", "adapters")
LINES_MAX = 400
#: A suite tells one subject from its first case to its last.
SUITE_LINES_MAX = 460


def _modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if ROOT / "tallystick" / "v1" not in path.parents:
                yield path


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_file_is_one_noun() -> None:
    """Beyond so many lines there is a second noun inside: split it."""
    code = [_named(path) for path in _modules(*PRODUCT, "simulators", "bench", "tools") if _lines(path) > LINES_MAX]
    suites = [_named(path) for path in _modules("tests") if _lines(path) > SUITE_LINES_MAX]
    assert code + suites == []


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_module_says_what_it_is_for() -> None:
    """One docstring at the top; empty `__init__.py` files need none."""
    silent = [
        _named(path)
        for path in _modules(*PRODUCT, "simulators", "tests", "bench", "tools")
        if path.stat().st_size and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def test_there_is_one_door_to_other_systems() -> None:
    """Pacing, budgets and redaction live in adapters/http.py; the demo alone may ask beside it, as a stranger would."""
    others = [
        _named(path)
        for path in _modules(*PRODUCT)
        if "demo" not in path.parts
        and re.search(
            r"aiohttp\.ClientSession|import (requests|httpx|urllib3)|urlopen", path.read_text(encoding="utf-8")
        )
    ]
    assert others == ["adapters/http.py"]


def test_signatures_are_compared_in_constant_time() -> None:
    """`==` on a digest tells an attacker how far he got (S1)."""
    for path in [*_modules("adapters")]:
        text = path.read_text(encoding="utf-8")
        if "hmac" in text and re.search(r"def verify", text):
            assert "hmac.compare_digest" in text, _named(path)


def test_sql_takes_its_values_as_parameters() -> None:
    """Statements stand in `sql/*.sql`; none is put together from text at run time (S13)."""
    calls = re.compile(r"\.(fetch|fetchrow|fetchval|execute|executemany)\(\s*f[\"']")
    assert [_named(path) for path in _modules(*PRODUCT) if calls.search(path.read_text(encoding="utf-8"))] == []


def test_every_metric_is_set_somewhere() -> None:
    """A metric that nobody sets is a dashboard that lies: feed it or remove it."""
    declared = re.findall(r"self\.(\w+) = self\._(?:counter|gauge|histogram)\(", _read("tallystick/telemetry.py"))
    assert declared
    used = "\n".join(
        path.read_text(encoding="utf-8")
        for path in _modules(*PRODUCT)
        if path.name != "telemetry.py" or "service" in str(path)
    )
    assert [name for name in declared if f".{name}" not in used] == []


def test_time_comes_in_by_argument() -> None:
    """`datetime.now` belongs to tallystick/clock.py; what takes a clock can be tested without waiting."""
    wild = re.compile(r"datetime\.now\(|time\.time\(|datetime\.utcnow\(")
    assert [_named(path) for path in _modules(*PRODUCT) if wild.search(path.read_text(encoding="utf-8"))] == [
        "tallystick/clock.py"
    ]


def test_the_lock_file_names_no_index() -> None:
    """Everyone installs from the index of their own; the hashes say that it is the same."""
    lock = _read("requirements.lock")
    assert not re.search(r"^(-i|--(extra-)?index-url|--find-links)|https?://", lock, re.MULTILINE)
    assert lock.count("--hash=sha256:") > 100


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_documents_lead_somewhere(page: str) -> None:
    """A document that points at a file that moved is worse than none."""
    text = _read(page)
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
