"""What extraction returns: a dict of features that also says why a value is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable


class Features(dict[str, float]):
    """Feature name to value, in a fixed order. A value that does not exist is NaN and has its reason in ``missing``.

    Attributes:
        missing: feature name to the reason why it is NaN.
    """

    def __init__(self, values: dict[str, float] | None = None, missing: dict[str, str] | None = None) -> None:
        super().__init__(values or {})
        self.missing: dict[str, str] = dict(missing or {})

    def add(self, values: dict[str, float], reason: str = "its definition divides by zero for this ROI") -> None:
        """Take up ``values``; those that are not finite become NaN, for ``reason``."""
        for name, value in values.items():
            number = float(value)
            if math.isfinite(number):
                self[name] = number
            else:
                self.lose([name], reason)

    def lose(self, names: Iterable[str], reason: str) -> None:
        """These features do not exist for this ROI."""
        for name in names:
            self[name] = math.nan
            self.missing[name] = reason

    def join(self, other: Features) -> None:
        """Take up the features of another family."""
        self.update(other)
        self.missing.update(other.missing)

    def __reduce__(self) -> tuple[type[Features], tuple[dict[str, float], dict[str, str]]]:
        return Features, (dict(self), self.missing)
