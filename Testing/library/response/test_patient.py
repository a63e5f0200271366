"""The patient's call from lesion calls: the worst decides."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.response import Call, DceVpSettings, EortcScan, dce_vp, eortc, patient_level, recip


def lesion(after: float | None, background: bool | None = None) -> Call:
    return eortc(EortcScan(10.0), EortcScan(after), cycles=1, new_lesion=False, at_background=background)


CMR, PMR, SMD, PMD, NE = lesion(0.5, True), lesion(5.0), lesion(10.0), lesion(15.0), lesion(None)


@pytest.mark.parametrize(
    ("lesions", "category", "mixed"),
    [
        ([CMR, CMR], "CMR", False),
        ([CMR, PMR], "PMR", False),
        ([PMR, SMD], "SMD", False),
        ([PMR, NE], "NE", False),  # one that cannot be judged
        ([SMD, PMD], "PMD", False),
        ([NE, PMD], "PMD", False),  # progression needs no other
        ([PMR, PMD], "PMD", True),
    ],
)
def test_worst_decides(lesions: list[Call], category: str, mixed: bool) -> None:
    call = patient_level({f"lesion_{i}": one for i, one in enumerate(lesions)})
    assert call.category == category
    assert ("heterogeneous" in call.flags) == mixed
    assert len(call.parts) == len(lesions) and call.settings == lesions[0].settings


def test_dce_and_lesion_warnings() -> None:
    call = patient_level({"T8": dce_vp(9.26, 1.13), "L2": dce_vp(5.48, 9.03)})
    assert call.category == "failure" and "1 failure, 1 success" in call.rule
    assert call.warnings and call.warnings[0].startswith("T8: ")


@pytest.mark.parametrize(
    ("lesions", "category"),
    [
        ({"a": PMR, "new": NE}, "PMR"),  # without a value before, what is new does not undo what was judged
        ({"a": SMD, "b": PMR, "new": NE}, "SMD"),
        ({"a": PMD, "new": NE}, "PMD"),
        ({"a": NE, "b": PMR, "new": NE}, "NE"),  # one that was there cannot be judged
        ({"new": NE}, "NE"),
    ],
)
def test_a_new_lesion_takes_no_part_and_is_said(lesions: dict[str, Call], category: str) -> None:
    call = patient_level(lesions, new=["new"])
    assert call.category == category and call.rule.endswith(f": {category}")
    assert "new lesion" in call.flags and "1 new since the first date" in call.rule
    assert call.warnings[0].startswith("New since the first date: new.") and "RECIST" in call.warnings[0]
    assert call.values["new_lesions"] == ["new"] and set(call.parts) == set(lesions)


def test_what_cannot_be_joined() -> None:
    with pytest.raises(InputError, match="No lesion"):
        patient_level({})
    with pytest.raises(InputError, match="different criteria"):
        patient_level({"a": SMD, "b": recip(1, 1, new_lesion=False)})
    with pytest.raises(InputError, match="settings"):
        patient_level({"a": dce_vp(2, 1), "b": dce_vp(2, 1, settings=DceVpSettings(vp_cutoff_percent=-20))})
