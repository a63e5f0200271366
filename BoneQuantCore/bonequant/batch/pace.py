"""How fast a cohort goes, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable


def what_are(patients: Iterable[str]) -> str:
    """What cases are, given the patient of each ("" where unknown): patients, or visits of fewer patients."""
    each = list(patients)
    count = len(set(each) - {""}) + each.count("")
    return "patients" if count == len(each) else f"visits of {count} patient{'s' * (count != 1)}"


class Pace:
    """Counts cases as they end. Those found unchanged cost nothing and do not count for the rate."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic, what: str = "patients") -> None:
        self._total, self._clock, self._start, self._what = total, clock, clock(), what
        self._ended = self._computed = self._failed = 0

    def add(self, status: str) -> None:
        self._ended += 1
        self._computed += status != "unchanged"
        self._failed += status == "failed"

    @property
    def fraction(self) -> float:
        return self._ended / self._total if self._total else 1.0

    def line(self) -> str:
        """``34 of 200 patients, 1 failed, 5.1 per min, 33 min left``."""
        parts = [f"{self._ended} of {self._total} {self._what}"]
        if self._failed:
            parts.append(f"{self._failed} failed")
        elapsed = self._clock() - self._start
        if self._computed and elapsed > 0:
            rate = self._computed / elapsed
            parts.append(f"{60 * rate:.1f} per min")
            if self._ended < self._total:
                parts.append(f"{_span((self._total - self._ended) / rate)} left")
        return ", ".join(parts)


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
