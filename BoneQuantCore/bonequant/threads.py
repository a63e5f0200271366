"""How many threads a numerical routine may use: all of the machine's, unless BONEQUANT_THREADS says fewer.

A cohort runs one patient per worker process; there each worker gets its share and no more.
"""

from __future__ import annotations

import os

VARIABLE = "BONEQUANT_THREADS"


def thread_count() -> int:
    """At least 1; a variable that is no positive number is passed over."""
    given = os.environ.get(VARIABLE, "")
    return int(given) if given.isdecimal() and int(given) > 0 else os.cpu_count() or 1
