"""No rule is there for nothing: without it, the search finds the failure that the rule's text tells."""

from dataclasses import fields

import pytest

from .ablations import intake_ablations, ledger_ablations
from .conftest import Verdicts
from .intake_model import IntakeRules
from .rules import Rules
from .scenarios import Row

ROWS = [*ledger_ablations(), *intake_ablations()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_without_the_rule_it_fails(row: Row, verdicts: Verdicts) -> None:
    found = verdicts(row.model)
    assert found.wrong is row.expected, f"expected {row.expected}, found: {found}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_with_the_rule_the_same_scenario_holds(row: Row, verdicts: Verdicts) -> None:
    found = verdicts(row.repaired)
    assert found.violation is None, str(found)


def test_every_rule_has_its_counterexample() -> None:
    ablated = {
        field.name for row in ROWS for field in fields(row.model.rules) if not getattr(row.model.rules, field.name)
    }
    assert ablated == {field.name for field in (*fields(Rules), *fields(IntakeRules))}
