"""A pool's buckets in order of difficulty."""

from __future__ import annotations

import numpy as np

from curricula.machinery.pool import Pool, Rows


def easy_first(pool: Pool, rows: Rows) -> dict[str, Rows]:
    """Rows by bucket, by falling mean pass rate; problems without a bucket are left out.

    A bucket none of whose problems has a pass rate comes last.
    """
    groups = pool.groups(rows, "bucket", "curriculum")

    def hardness(name: str) -> float:
        rates = pool.pass_rates[groups[name]]
        measured = rates[~np.isnan(rates)]
        return -float(measured.mean()) if len(measured) else 1.0

    return {name: groups[name] for name in sorted(groups, key=hardness)}


def no_buckets(kind: str, count: int) -> ValueError:
    """The error of a curriculum that needs buckets on a pool that has none."""
    return ValueError(
        f"curriculum (kind {kind}) must have problems with a bucket, but none of its {count} "
        f"problems has a bucket: score them first"
    )
