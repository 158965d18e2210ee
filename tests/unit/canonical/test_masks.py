"""What a marketplace masks names nobody."""

import pytest

from tallystick.canonical.masks import is_masked, names_nobody, plain
from tallystick.v1 import customer_pb2


@pytest.mark.parametrize("text", ["J*** D***", "***@***.com", "+66*****12", "*", "***", "กรุง**", "A••••"])
def test_fc_082_masked(text: str) -> None:
    assert is_masked(text)
    assert plain(text) == ""


@pytest.mark.parametrize("text", ["", "Erika Beispiel", "5* Hotel", "erika@shop.example", "C*lan"])
def test_not_masked(text: str) -> None:
    assert not is_masked(text)
    assert plain(text) == text


def test_fc_082_a_masked_name_or_mailbox_names_nobody() -> None:
    assert names_nobody(customer_pb2.Customer(name="J*** D***", email="j@shop.example"))
    assert names_nobody(customer_pb2.Customer(name="Jane", email="j***@shop.example"))
    assert not names_nobody(customer_pb2.Customer(name="Jane", phone="+66*****12"))
