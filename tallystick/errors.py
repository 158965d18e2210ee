"""The errors of the core, grouped by what the caller does next.

    TallystickError
    ├── SetupError            fix the configuration, then start again
    ├── Unreadable            the bytes are not what they claim to be: set them aside
    ├── Unavailable           try again later
    │   └── Throttled         … not before `retry_after_s`
    ├── Unauthorised          the connection stops until its credentials are fixed
    └── NotFound              the other side answered that there is no such thing

Whether a *write* happened is never told by an exception: see `tallystick.ports.Answer`.
"""


class TallystickError(Exception):
    """Base of all errors that are raised on purpose."""


class SetupError(TallystickError):
    """The configuration cannot work as it stands. Says what was set, what is allowed and what to do."""


class Unreadable(TallystickError):
    """Bytes that cannot be read as what they should be; never carries the bytes themselves."""


class Unavailable(TallystickError):
    """The other side cannot answer now; nothing is known to be wrong with the request."""

    def __init__(self, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Throttled(Unavailable):
    """The other side asks for a slower pace. `retry_after_s` is None when it does not say how long."""


class Unauthorised(TallystickError):
    """The credentials are refused; trying again does not help."""


class NotFound(TallystickError):
    """The other side answered that the thing does not exist."""
