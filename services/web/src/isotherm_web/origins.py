"""Where what a batch changes comes from: runs of the fetcher and transactions of MySQL, as the documents say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isotherm_web.events import Buried

if TYPE_CHECKING:
    from isotherm_web.assembly import Batch


class Origins(NamedTuple):
    """Where changes come from.

    Attributes:
        run_ids: the fetcher's runs.
        gtids: MySQL's transactions.
    """

    run_ids: frozenset[int] = frozenset()
    gtids: frozenset[str] = frozenset()


def origins(batch: Batch) -> Origins:
    """Return where the changes of a batch come from; rows that a snapshot read have no transaction."""
    run_ids, gtids = set(), set()
    for change in batch.changes:
        if isinstance(change, Buried):
            continue
        fields = change.fields
        stamp = fields.get("_cdc")
        gtid = stamp.get("gtid") if isinstance(stamp, dict) else fields.get("_cdc.gtid")
        if gtid is not None:
            gtids.add(str(gtid))
        if fields.get("run_id") is not None:
            run_ids.add(int(fields["run_id"]))
    return Origins(frozenset(run_ids), frozenset(gtids))
