"""What the types cannot say about Odoo, each figure with its source."""

from tallystick.ports import Capability, OperationTraits

from .settings import OdooSettings


def operation_traits(settings: OdooSettings, mark_field: str) -> OperationTraits:
    """Of orders and of contacts, which are both loaded."""
    return OperationTraits(
        # Measured: four parallel loads of one External ID made one record, the losers were rolled back.
        capability=Capability.E1,
        # `load` compares nothing.
        conditional_update=False,
        # `limit_time_real` of the server: after that its worker is killed and the transaction rolls back.
        late_apply_max_s=settings.late_apply_max_s,
        # One database: what is committed is seen.
        search_lag_max_s=0.0,
        # Measured: 200 records in about a second. One refusal is for the whole batch, so it is smaller.
        batch_max=settings.batch,
        # Of the connection's pace; a server of one's own has no quota (none found in its source).
        parallel_max=settings.pacing.parallel,
        mark_field=mark_field,
    )
