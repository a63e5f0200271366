"""Numbers of the report in words for the eye: percent, p values, intervals."""

from __future__ import annotations

import math

from bonequant.statistics import Proportion


def percent(found: Proportion) -> str:
    """In percent with its interval."""
    return percents(found.value, *found.ci)


def p_text(value: float) -> str:
    """A p value for the eye."""
    return "–" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def percents(value: float, low: float, high: float) -> str:
    """A share and its interval in percent."""
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f}" + ("" if math.isnan(low) else f" ({100 * low:.1f} to {100 * high:.1f})")


def ends(ci: tuple[float, float], digits: int = 3) -> str:
    """An interval in brackets; nothing where it does not exist."""
    return "" if math.isnan(ci[0]) else f" ({ci[0]:.{digits}f} to {ci[1]:.{digits}f})"
