"""The mark: revision and digest, written into a document by the same call that changes it.

As text `tallystick woocommerce/1042 r2.9f3c1a2b7d`, short enough for a reference field and readable by a person.
"""

import hashlib
import re
from dataclasses import dataclass

from tallystick.ports import Verdict

_PATTERN = re.compile(r"tallystick (?P<ref>\S+) r(?P<revision>\d+)\.(?P<digest>[0-9a-f]{10})")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a document says about which of our revisions it holds."""

    ref: str
    revision: int
    digest: str

    def __str__(self) -> str:
        return f"tallystick {self.ref} r{self.revision}.{self.digest}"


def mark(ref: str, revision: int, content: bytes) -> Mark:
    """The mark of a revision whose mapped content is `content`."""
    return Mark(ref, revision, hashlib.sha256(content).hexdigest()[:10])


def find(text: str) -> Mark | None:
    """The mark inside a field's text; None when nobody of ours wrote there."""
    match = _PATTERN.search(text)
    return Mark(match["ref"], int(match["revision"]), match["digest"]) if match else None


def judge(text: str, wanted: str) -> Verdict:
    """Compare a document's field with the wanted mark: our revision, an older, a newer, or not ours at all.

    The same revision under another digest counts as older: another contract version made it.
    """
    found, ours = find(text), find(wanted)
    if ours is None:
        raise ValueError("the wanted mark is not a mark")
    if found is None or found.ref != ours.ref:
        return Verdict.FOREIGN
    if found.revision == ours.revision:
        return Verdict.THIS if found.digest == ours.digest else Verdict.OLDER
    return Verdict.OLDER if found.revision < ours.revision else Verdict.NEWER


def same_content(kept: str | None, wanted: str) -> bool:
    """Whether two marks, of whichever revisions, stand for the same content of one document."""
    one, other = find(kept or ""), find(wanted)
    return one is not None and other is not None and (one.ref, one.digest) == (other.ref, other.digest)
