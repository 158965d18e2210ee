"""Named points at which a test may kill the process: `TALLYSTICK_CRASH_AT=http.sent` or, at its third passing,
`http.sent:3`. The process ends as by kill -9, without any clean-up. Without the variable a point costs one look-up.
"""

import os
from collections import Counter

_NAME, _, _NTH = os.environ.get("TALLYSTICK_CRASH_AT", "").partition(":")
_passed: Counter[str] = Counter()


def reach(name: str) -> None:
    """Pass the point `name`; end the process here if the environment says so."""
    if name != _NAME:
        return
    _passed[name] += 1
    if _passed[name] >= int(_NTH or 1):
        os._exit(137)
