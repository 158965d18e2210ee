"""What can go wrong with the local servers, in words."""

from tallystick.errors import SetupError

OTHER_WAYS = (
    "Or use servers that you have: --kafka HOST:PORT and --postgres postgresql://… "
    "(TALLYSTICK_KAFKA, TALLYSTICK_POSTGRES), or containers: --docker."
)


class StackError(SetupError):
    """The local Kafka or Postgres cannot be had; says what to do."""
