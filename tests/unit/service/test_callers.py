"""Who calls, for audits and for limits."""

from typing import Any, cast

import pytest

from service.callers import Context, actor, host


class Call:
    """The two looks that a servicer's context offers about its caller."""

    def __init__(self, peer: str, *metadata: tuple[str, str | bytes]) -> None:
        self._peer = peer
        self._metadata = metadata

    def peer(self) -> str:
        return self._peer

    def invocation_metadata(self) -> Any:
        return self._metadata


def call(peer: str = "ipv4:10.0.0.7:55312", *metadata: tuple[str, str | bytes]) -> Context:
    return cast(Context, Call(peer, *metadata))


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("ipv4:10.0.0.7:55312", "ipv4:10.0.0.7"),
        ("ipv6:%5B::1%5D:55312", "ipv6:%5B::1%5D"),
        ("unix:", "unix:"),
        ("unix:/run/api.sock", "unix:/run/api.sock"),
    ],
)
def test_a_machine_is_one_caller_however_many_connections_it_opens(peer: str, expected: str) -> None:
    assert host(call(peer)) == expected


def test_an_actor_is_who_the_caller_says_it_is() -> None:
    assert actor(call("ipv4:1:2", ("user-agent", "x"), ("tallystick-actor", " Ada "))) == "Ada"


@pytest.mark.parametrize("said", ["", "  ", "\x00\x1b"])
def test_without_a_name_the_address_stands_in(said: str) -> None:
    assert actor(call("ipv4:10.0.0.7:1", ("tallystick-actor", said))) == "ipv4:10.0.0.7"


def test_a_name_cannot_carry_control_characters_or_run_on() -> None:
    assert actor(call("ipv4:1:2", ("tallystick-actor", "Ada\n" + "x" * 500))) == "Ada" + "x" * 97
