"""The content digest: equal for equal content, whatever process or order of insertion made it."""

import hashlib

from google.protobuf.message import Message


def content(message: Message) -> bytes:
    """The message in its one deterministic form: map entries are sorted by key.

    A release of protobuf may change this form. Then every object gets one more revision with the same content,
    which the mark and the comparison with the target make harmless.
    """
    return message.SerializeToString(deterministic=True)


def digest(message: Message) -> str:
    """SHA-256 of the type and the content, in hex. Two API forms of one state have one digest."""
    hashed = hashlib.sha256(message.DESCRIPTOR.full_name.encode())
    hashed.update(b"\0")
    hashed.update(content(message))
    return hashed.hexdigest()
