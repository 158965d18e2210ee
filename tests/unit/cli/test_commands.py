"""The command line as a whole: help that teaches, codes that hold, errors in words."""

from pathlib import Path

import pytest

from tallystick.cli.codes import Exit
from tallystick.cli.examples import demo_configuration
from tallystick.settings import load_settings
from tests.unit.cli.terminal import tallystick

COMMANDS = (
    "run",
    "serve",
    "work",
    "migrate",
    "demo",
    "preview",
    "status",
    "resync",
    "operations list",
    "operations show",
    "operations cancel",
    "adopt",
    "backup",
    "restore",
    "orders list",
    "orders show",
    "orders watch",
    "records list",
    "records show",
    "stock list",
    "stock show",
    "held list",
    "held resume",
    "held skip",
    "held mark-applied",
    "connections test",
    "connections forget",
)
#: Processes that run until they are told to stop print logs, not results.
WITHOUT_JSON = ("run", "serve", "work")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_an_example(command: str) -> None:
    answer = tallystick(*command.split(), "--help")
    assert answer.code == 0
    assert f"tallystick {command}" in answer.out.partition("╭")[0].partition("Usage")[2].partition("\n")[2]
    assert ("--json" in answer.out) == (command not in WITHOUT_JSON)


def test_the_help_lists_every_exit_code() -> None:
    out = " ".join(tallystick("--help").out.split())
    assert all(f"{code.value} {code.words}" in out for code in Exit)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("work", "--config", "none.yaml"), "none.yaml cannot be read"),
        (("work", "--config", str(demo_configuration())), "TALLYSTICK_KAFKA"),
        (("work", "--config", str(demo_configuration()), "--log-level", "loud"), "there is no log level 'loud'"),
        (("run", "--config", str(demo_configuration())), "--data"),
        (("run",), "demo.yaml is one to copy"),
        (("migrate",), "TALLYSTICK_POSTGRES"),
        (("orders", "list", "--since", "yesterday"), "'yesterday' is no time"),
        (("orders", "show", "1", "--data", "nowhere"), "nothing runs on nowhere"),
        (("records", "list", "--before", "tomorrow"), "'tomorrow' is no time"),
        (("records", "list", "--state", "lost"), "lost"),
        (("resync",), "name the orders"),
        (("resync", "1", "--since", "2026-01-01"), "not both"),
        (("resync", "1", "--force"), "not both"),
        (("restore", "--config", str(demo_configuration())), "--release"),
        (("backup", "x.tally"), "--data"),
        (("connections", "test", "--config", str(demo_configuration()), "shop"), "there is no connection shop"),
        (("connections", "forget", "odoo", "--config", str(demo_configuration())), "take it out there first"),
        (
            ("adopt", "--config", str(demo_configuration()), "--route", "shopify:sap", "--since", "2026-01-01"),
            "shopify:odoo",
        ),
        (("preview", "--payload", "-"), "--store"),
        (("orders", "burn"), "burn"),
    ],
)
def test_what_cannot_be_done_as_asked_is_said_with_the_way_out(
    arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KAFKA", "POSTGRES", "DATA", "API", "CONFIG"):
        monkeypatch.delenv(f"TALLYSTICK_{name}", raising=False)
    answer = tallystick(*arguments)
    assert answer.code == Exit.USAGE
    assert words in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_with_json_an_error_is_json_as_well() -> None:
    answer = tallystick("orders", "list", "--since", "yesterday", "--json")
    assert (answer.code, set(answer.json)) == (2, {"error"})


def test_nobody_answers() -> None:
    answer = tallystick("status", "--api", "127.0.0.1:1", "--json")
    assert answer.code == Exit.FAILED
    assert "no Tallystick answers at 127.0.0.1:1" in answer.json["error"]


def test_a_wrong_database_is_said_without_its_password() -> None:
    answer = tallystick("migrate", "--postgres", "postgresql://owner:canary@127.0.0.1:1/ledger")
    assert answer.code == Exit.USAGE
    assert "canary" not in answer.err + answer.out


def test_the_example_configuration_is_complete() -> None:
    """It comes along in the wheel, and its contracts stand beside it."""
    settings = load_settings(demo_configuration())
    assert {connection.kind for connection in settings.connections.values()} == {"shopify", "woocommerce", "odoo"}
    assert all(route.contract.exists() for route in settings.routes)


def test_the_wheel_takes_the_contracts_along() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    assert '"simulators", "contracts"]' in project
