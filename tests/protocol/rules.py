"""The rules of the ledger, each with the interleaving that breaks without it.

All are on in the product. A search with one of them off must fail, or the rule is not worth its place; the pairs of
rule and counterexample are in `ablations.py`. What the product does beside them is defence in depth and is not claimed
as proof: an effect in doubt whose repeat is throttled or refused stays in doubt, and one whose content fell back to an
older revision starts again at its first step. The model does the same, but no search fails without it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    record_before_offset: bool = True
    """An offset may advance once its row is in the ledger, in any state.

    Without it: the offset is committed, the consumer dies before it records, and nobody reads that row again."""

    lane_lease: bool = True
    """Whoever holds a lane's lease is the only one who may send anything for it.

    Without it: one worker waits for the answer to its create; the other takes the same order, searches, does not find
    it yet and creates it again."""

    epoch_at_intent: bool = True
    """An intent is written only by the worker whose epoch is still the lane's.

    Without it: a worker decides to send again, sleeps past its lease, wakes up after its successor has sent, and sends
    too."""

    state_check: bool = True
    """An intent is written only if the effect's state and step are still those on which the worker decided.

    Without it: a newer revision is recorded while the worker is about to send the older one, which is superseded and
    sent all the same. Holding the lane does not help: recording needs no lease."""

    mark_decides: bool = True
    """A probe says "this" only if the document shows this revision. That a document is there is not success.

    Without it: revision 1 was refused or lost, the document of an earlier revision is found, and "done" is written."""

    in_flight_stays: bool = True
    """Recording a newer revision supersedes what is queued, never what may be under way or in doubt.

    Without it: the worker goes on to revision 2 while the request of revision 1 has not arrived yet."""

    refused_duplicate_is_doubt: bool = True
    """"It is there already" is no refusal of our content: our own earlier request may have landed, so it is probed.

    Without it: an answer is lost, the request is sent again, the target says "duplicate", and an order that is
    complete is held as refused; nothing will ever free it."""

    quiet_time: bool = True
    """Where a reference can only be searched for, "absent" counts once nothing may land or be hidden any more.

    Without it: the answer to a create is lost, the search does not show the document yet, it is created again."""

    quiet_before_probe: bool = True
    """The probe that counts *starts* after the quiet time. It is not enough that it ends after it.

    Without it: the search is asked too early, the worker sleeps, wakes up after the quiet time and believes it."""

    quiet_time_of_the_reference: bool = True
    """Quiet time belongs to the reference, which all revisions share: a newer one searches before its first create.

    Without it: a person skips revision 1 while it is in doubt, revision 2 is new and has no doubt of its own, and it
    creates a second document."""

    older_is_updated: bool = True
    """A probe that finds the document with older content also learns which one it is: it is updated, not created.

    Without it: a person skips revision 1 while it is in doubt, revision 2 finds the document of revision 1, and creates
    a second one all the same."""

    late_window: bool = True
    """The first step of a newer revision waits until no unanswered request of the lane can land any more.

    Without it: revision 1 times out, is sent again and done; revision 2 is done; then the first request of
    revision 1 arrives and overwrites it."""

    unmarked_step_counts: bool = True
    """A lost confirmation opens the window too, also where the target compares marks: a confirmation carries none.

    Without it: the confirmation meant for revision 1 arrives when revision 2 has been written but not yet proved."""

    only_a_single_intent_clears: bool = True
    """A probe "this" ends the window only if the step had exactly one intent.

    Without it: revision 1 was sent twice and one of the two has landed; the mark does not tell which, so the other may
    still arrive, on top of revision 2."""

    only_its_own_window: bool = True
    """A probe "this" ends only a window that its own effect opened. A revision's first step waited for the end of all
    others, so it may; a refund did not wait.

    Without it: revision 1 is sent twice, which opens the window; the refund behind it loses its answer and is found,
    which ends the window; revision 2 is sent, and the other request of revision 1 lands on top of it."""

    undone_step_waits: bool = True
    """Where the first step undoes a later one, the later step waits for the end of the window as well.

    Without it: a late repeat of the load takes the confirmation away, and the order is settled as confirmed."""

    order_before_refund: bool = True
    """While the order is not there, its unfinished revisions go before every refund, whatever came first.

    Without it: a refund that was recorded first, or left first because its order's revision was folded into a newer
    one behind it, is sent to a target that has no order."""

    hold_looks_for_newer: bool = True
    """An outcome that would hold looks, in the same transaction, for a newer unfinished revision, and gives way to it.

    Without it: revision 2 is recorded while revision 1 is under way; revision 1 is refused and holds the lane, and
    nobody looks again."""

    record_frees_hold: bool = True
    """Recording a newer revision that supersedes the held effect makes the lane due.

    Without it: revision 1 is held, its correction arrives as revision 2, and lies behind the hold for ever."""


EVERY_RULE = Rules()
