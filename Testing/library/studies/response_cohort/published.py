"""A made-up cohort with the published counts: 11 failures and 38 successes; Vp 10/1/33/5, size 9/2/18/20.

Only the counts are published, not the patients: changes are spread evenly on the due side of each cut-off.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

COUNTS = {"vp": (10, 1, 33, 5), "size": (9, 2, 18, 20)}  # TP, FN, TN, FP
CUTOFFS = {"vp": -40.0, "size": -10.0}


def write_table(path: Path, *, courses: bool = False) -> Path:
    rng = np.random.default_rng(11)
    columns: dict[str, np.ndarray] = {}
    for name, (tp, fn, tn, fp) in COUNTS.items():
        cut = CUTOFFS[name]
        above = {True: np.linspace(cut + 5, 120, tp), False: np.linspace(cut + 2, 25, fp)}
        below = {
            True: np.linspace(cut - 20, cut - 5, fn),
            False: np.linspace(-95 if name == "vp" else -60, cut - 3, tn),
        }
        failure = rng.permutation(np.concatenate([above[True], below[True]]))
        success = rng.permutation(np.concatenate([above[False], below[False]]))
        columns[name] = np.concatenate([failure, success])
    before = rng.uniform(2, 12, 49)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        extra = ["vp@30", "vp@62", "followed_days", "failed_day"] if courses else []
        writer.writerow(["id", "outcome", "vp_before", "vp_after", "size_change_percent", "reader_call", *extra])
        for k in range(49):
            failed = k < 11
            vp, size = float(columns["vp"][k]), float(columns["size"][k])
            reader = "failure" if (k % 7 == 0) != failed else "success"
            row = [f"MRN-{1000 + k}", "failure" if failed else "success", repr(float(before[k])),
                   repr(float(before[k]) * (1 + vp / 100)), repr(size), reader if k != 20 else "NE"]  # fmt: skip
            followed = 60 + 13 * k % 300
            tail = [repr(vp * 0.6), repr(vp), followed, followed - 20 if failed else ""] if courses else []
            writer.writerow([*row, *tail])
    return path
