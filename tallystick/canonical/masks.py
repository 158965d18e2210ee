"""What a marketplace masks of its buyers: `J*** D***`, `***@***.com`, `+66*****12`.

Masked texts name nobody: two of them may be equal and mean two people. So they are never kept, nor compared.
"""

import re

from tallystick.v1 import customer_pb2

#: Asterisks in a row, and asterisks that are all there is.
_MASK = re.compile(r"[*＊•]{2,}|^[*＊•\s]+$")


def is_masked(text: str) -> bool:
    """Whether somebody hid letters of it."""
    return _MASK.search(text) is not None


def names_nobody(customer: customer_pb2.Customer) -> bool:
    """Whether the name or the e-mail is masked: then the customer is nobody that could be told from others."""
    return is_masked(customer.name) or is_masked(customer.email)


def plain(text: str) -> str:
    """The text, or nothing where it is masked."""
    return "" if is_masked(text) else text
