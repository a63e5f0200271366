"""EORTC 1999: every limit, and the two gaps in its text."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.response import EortcScan, eortc


@pytest.mark.parametrize(
    ("after", "cycles", "category", "gap"),
    [
        # SUV before is 10
        (12.6, 1, "PMD", False),  # +26 %
        (12.5, 1, "SMD", True),  # exactly +25 %: neither less nor more
        (12.4, 1, "SMD", False),
        (10.0, 1, "SMD", False),
        (8.6, 1, "SMD", False),  # -14 %
        (8.5, 1, "PMR", False),  # -15 % after one cycle
        (8.0, 1, "PMR", False),
        (7.5, 1, "PMR", False),
        (7.4, 1, "PMR", False),
        (8.6, 3, "SMD", False),  # -14 % after more
        (8.5, 3, "SMD", True),  # -15 to -25 % after more: not covered
        (8.0, 3, "SMD", True),
        (7.5, 3, "SMD", True),  # exactly -25 %
        (7.4, 3, "PMR", False),  # -26 %
        (8.6, None, "SMD", False),  # the number of cycles does not matter here ...
        (8.0, None, "NE", False),  # ... but here it does
        (7.4, None, "PMR", False),
    ],
)
def test_change_of_suv(after: float, cycles: int | None, category: str, gap: bool) -> None:
    call = eortc(EortcScan(10.0), EortcScan(after), cycles=cycles, new_lesion=False)
    assert (call.category, "gap" in call.flags) == (category, gap)


@pytest.mark.parametrize(
    ("extent", "suv", "new_lesion", "background", "category"),
    [
        (24.01, 8.0, False, None, "PMD"),  # extent +20.05 %
        (24.0, 8.0, False, None, "PMR"),  # exactly +20 % is not more
        (20.0, 5.0, True, None, "PMD"),
        (20.0, 5.0, None, None, "NE"),
        (20.0, 15.0, None, None, "PMD"),  # progression needs no look for new lesions
        (None, 1.0, False, True, "CMR"),
        (None, None, False, True, "CMR"),
        (20.0, None, False, None, "NE"),
    ],
)
def test_extent_new_lesions_and_background(extent, suv, new_lesion, background, category) -> None:  # type: ignore[no-untyped-def]
    call = eortc(
        EortcScan(10.0, 20.0), EortcScan(suv, extent), cycles=1, new_lesion=new_lesion, at_background=background
    )
    assert call.category == category
    assert bool(call.warnings) == (extent is None)


def test_zero_baseline_and_mixed_measures() -> None:
    assert eortc(EortcScan(0.0), EortcScan(1.0), cycles=1, new_lesion=False).category == "NE"
    with pytest.raises(InputError, match="SUVmean"):
        eortc(EortcScan(10.0), EortcScan(5.0, measure="SUVmean"), cycles=1, new_lesion=False)


def test_uptake_and_extent_below_zero() -> None:
    with pytest.raises(InputError, match="suv is -1"):
        EortcScan(-1.0)
    with pytest.raises(InputError, match="extent_mm is -2"):
        EortcScan(1.0, -2.0)


def test_no_cycle_of_therapy() -> None:
    with pytest.raises(InputError, match="0 cycles"):
        eortc(EortcScan(10.0), EortcScan(8.0), cycles=0, new_lesion=False)
