"""Burden and descriptions: RECIP, BSI, skeleton fraction, whole-patient volume, PROMISE, counts, CT type, flare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.response import (
    BONE_WEIGHT_PERCENT,
    FlareFindings,
    NormalBone,
    OligometastaticSettings,
    PromiseSettings,
    PsmaReferences,
    RecipSettings,
    bsi,
    ct_typing,
    flare,
    oligometastatic,
    promise,
    recip,
    skeleton_fraction_index,
    tumour_burden,
)
from bonequant.volume import Volume


@pytest.mark.parametrize(
    ("after", "new_lesion", "category"),
    [
        # PSMA-TV before is 100 mL
        (0.0, False, "CR"),
        (0.0, True, "SD"),  # gone, yet a new lesion: everything else is SD
        (69.0, False, "PR"),
        (70.0, False, "PR"),
        (71.0, False, "SD"),
        (50.0, True, "SD"),  # a fall with a new lesion is no PR
        (119.0, True, "SD"),
        (120.0, True, "PD"),
        (121.0, True, "PD"),
        (200.0, False, "SD"),  # a rise without a new lesion is no PD
        (100.0, None, "SD"),  # a new lesion would change nothing
        (60.0, None, "NE"),
        (130.0, None, "NE"),
        (None, False, "NE"),
    ],
)
def test_recip(after: float | None, new_lesion: bool | None, category: str) -> None:
    assert recip(100.0, after, new_lesion=new_lesion).category == category


def test_recip_operators_and_baseline() -> None:
    strict = RecipSettings(pr_operator="<", pd_operator=">")
    assert recip(100, 70, new_lesion=False, settings=strict).category == "SD"
    assert recip(100, 120, new_lesion=True, settings=strict).category == "SD"
    assert recip(0.0, 5.0, new_lesion=True).category == "NE"
    with pytest.raises(InputError, match="negative"):
        recip(-1.0, 5.0, new_lesion=True)


def test_bone_weights_are_those_of_the_table_renormalised() -> None:
    assert sum(BONE_WEIGHT_PERCENT.values()) == pytest.approx(100.0)
    for bone, printed in (
        ("skull", 16.6), ("mandible", 1.8), ("ribs", 4.4), ("spine_and_sacrum", 8.3), ("pelvis", 7.5),
        ("femur_left", 8.9), ("femur_right", 8.9),
    ):  # fmt: skip
        assert BONE_WEIGHT_PERCENT[bone] == pytest.approx(printed / 1.001)  # the table sums to 100.1


def test_bsi() -> None:
    assert bsi({}).percent == 0.0
    assert bsi(dict.fromkeys(BONE_WEIGHT_PERCENT, 1.0)).percent == pytest.approx(100.0)
    found = bsi({"pelvis": 0.5, "spine_and_sacrum": 0.25})
    assert found.percent == pytest.approx((0.5 * 7.5 + 0.25 * 8.3) / 1.001)
    unseen = bsi({"pelvis": 0.5, "skull": None})
    assert np.isnan(unseen.percent) and unseen.not_imaged == ("skull",)
    assert unseen.percent_of_imaged == pytest.approx(100 * 0.5 * 7.5 / (100.1 - 16.6))
    with pytest.raises(InputError, match="pelvis"):
        bsi({"hip": 0.5})
    with pytest.raises(InputError, match="not percent"):
        bsi({"pelvis": 50})


def _image(array: np.ndarray, spacing: float = 2.0) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([spacing] * 3)
    return image


def test_skeleton_fraction_index_counts_volume_above_the_threshold() -> None:
    values = np.ones((30, 40, 40), dtype=np.float32)
    values[:, :, 20:] = 5.0
    skeleton = np.zeros(values.shape, dtype=np.uint8)
    skeleton[5:25, 5:15, 10:24] = 1  # 10 columns cold, 4 hot
    found = skeleton_fraction_index(Volume(_image(values), "NM", "SUVbw"), _image(skeleton), 3.0)
    assert found.percent == pytest.approx(100 * 4 / 14)
    assert found.skeleton_ml == pytest.approx(20 * 10 * 14 * 8 / 1000)
    assert found.fraction_inside == 1.0
    shift = sitk.TranslationTransform(3, (8.0, 0.0, 0.0))  # four columns of the skeleton more become hot
    moved = skeleton_fraction_index(Volume(_image(values), "NM", "SUVbw"), _image(skeleton), 3.0, shift)
    assert moved.percent == pytest.approx(100 * 8 / 14)
    away = sitk.TranslationTransform(3, (500.0, 0.0, 0.0))
    with pytest.raises(InputError, match="outside"):
        skeleton_fraction_index(Volume(_image(values), "NM", "SUVbw"), _image(skeleton), 3.0, away)
    values[10, 10, 12] = np.nan
    with pytest.raises(InputError, match="NaN"):
        skeleton_fraction_index(Volume(_image(values), "NM", "SUVbw"), _image(skeleton), 3.0)


@dataclass
class _Measured:
    volume_ml: float
    mean: float
    max: float
    unit: str = "SUVbw"

    @property
    def total(self) -> float:
        return self.mean * self.volume_ml


def test_whole_patient_volume_and_uptake() -> None:
    found = tumour_burden([_Measured(10.0, 5.0, 12.0), _Measured(30.0, 3.0, 8.0)])
    assert (found.lesions, found.volume_ml, found.total_uptake, found.mean, found.max) == (2, 40.0, 140.0, 3.5, 12.0)
    nothing = tumour_burden([])
    assert (nothing.volume_ml, nothing.total_uptake) == (0.0, 0.0) and np.isnan(nothing.mean)
    with pytest.raises(InputError, match="Bq/mL, SUVbw"):
        tumour_burden([_Measured(1, 1, 1), _Measured(1, 1, 1, "Bq/mL")])


REFERENCES = PsmaReferences(blood_pool=1.5, liver=5.0, spleen=7.0, parotid=15.0)


@pytest.mark.parametrize(
    ("suv", "hepatic", "score"),
    [
        (1.49, False, "0"), (1.5, False, "1"), (4.99, False, "1"), (5.0, False, "2"), (14.9, False, "2"),
        (15.0, False, "3"), (30.0, False, "3"),
        (5.0, True, "1"), (6.99, True, "1"), (7.0, True, "2"),  # the spleen for hepatic tracers
        (None, False, "NE"),
    ],
)  # fmt: skip
def test_promise(suv: float | None, hepatic: bool, score: str) -> None:
    assert promise(suv, REFERENCES, hepatic_tracer=hepatic).category == score


def test_promise_operator_missing_and_disorder() -> None:
    assert promise(5.0, REFERENCES, settings=PromiseSettings(operator=">")).category == "1"
    assert promise(5.0, PsmaReferences(1.5, 15.0), hepatic_tracer=True).category == "NE"
    assert "gap" in promise(5.0, PsmaReferences(blood_pool=6.0, liver=5.0, parotid=15.0)).flags


@pytest.mark.parametrize(
    ("lesions", "category"),
    [
        ({"bone": 0}, "no metastasis"),  # zero is not oligometastatic
        ({"bone": 1}, "oligometastatic"),
        ({"bone": 5}, "oligometastatic"),
        ({"bone": 6}, "polymetastatic"),
        ({"bone": 3, "liver": 2}, "oligometastatic"),  # all organs count
        ({"bone": 3, "liver": 3}, "polymetastatic"),
        ({"bone": 3, "liver": None}, "NE"),
        ({"bone": 6, "liver": None}, "polymetastatic"),  # already too many
        ({}, "NE"),
    ],
)
def test_oligometastatic(lesions: dict[str, int | None], category: str) -> None:
    assert oligometastatic(lesions).category == category


def test_oligometastatic_limit_and_nonsense() -> None:
    assert oligometastatic({"bone": 4}, OligometastaticSettings(most_lesions=3)).category == "polymetastatic"
    with pytest.raises(InputError, match="no count"):
        oligometastatic({"bone": -1})
    for count in (1.5, float("nan")):
        with pytest.raises(InputError, match="no count"):
            oligometastatic({"bone": count})  # type: ignore[dict-item]


NORMAL = NormalBone(200.0, 50.0)  # lytic below 100 HU, blastic above 300 HU


@pytest.mark.parametrize(
    ("lytic", "normal", "blastic", "category"),
    [
        (90, 10, 0, "lytic"),
        (0, 10, 90, "blastic"),
        (60, 10, 30, "lytic"),  # exactly two thirds of the typed voxels
        (59, 10, 31, "mixed"),
        (30, 10, 60, "blastic"),
        (31, 10, 59, "mixed"),
        (20, 80, 0, "lytic"),  # a fifth is remarkable
        (19, 81, 0, "unremarkable"),
        (0, 100, 0, "unremarkable"),
        (15, 4, 0, "NE"),  # 19 voxels
        (15, 5, 0, "lytic"),  # 20 voxels
    ],
)
def test_ct_typing(lytic: int, normal: int, blastic: int, category: str) -> None:
    hu = np.concatenate([np.full(lytic, 99.0), np.full(normal, 250.0), np.full(blastic, 301.0)])
    assert ct_typing(hu, NORMAL).category == category


def test_ct_typing_at_its_limits() -> None:
    """Voxels exactly two standard deviations away are normal; voxels that are not numbers do not count."""
    assert ct_typing(np.array([100.0] * 30 + [300.0] * 30), NORMAL).category == "unremarkable"
    hu = np.array([50.0] * 30 + [np.nan] * 100)
    assert ct_typing(hu, NORMAL).values["lytic_fraction"] == 1.0
    with pytest.raises(InputError, match="no measurement"):
        NormalBone(float("nan"), 10.0)


@pytest.mark.parametrize(
    ("mean", "warned"), [(210.0, False), (220.0, False), (220.05, True), (240.0, True), (150.0, True)]
)
def test_normal_bone_that_drifts_is_warned_of(mean: float, warned: bool) -> None:
    call = ct_typing(np.full(50, 50.0), NormalBone(mean, 50.0), normal_before=NORMAL)
    assert any("denosumab" in text for text in call.warnings) == warned


START = date(2024, 1, 1)


@pytest.mark.parametrize(
    ("method", "day", "drugs", "category"),
    [
        ("bone scan", 56, (), "flare-or-PDu"),
        ("bone scan", 84, (), "flare-or-PDu"),  # week 12
        ("bone scan", 85, (), "not flare"),
        ("FDG PET", 6, ("tamoxifen",), "not flare"),
        ("FDG PET", 7, ("tamoxifen",), "flare-or-PDu"),
        ("FDG PET", 7, ("Tamoxifen ",), "flare-or-PDu"),
        ("FDG PET", 10, ("fulvestrant",), "flare-or-PDu"),
        ("FDG PET", 11, ("fulvestrant",), "not flare"),
        ("FDG PET", 8, ("docetaxel",), "not flare"),
        ("NaF PET", 42, (), "NE"),  # apart: no agreed window
        ("WB-MRI", 42, (), "not flare"),  # unaffected
    ],
)
def test_flare(method: str, day: int, drugs: tuple[str, ...], category: str) -> None:
    call = flare(FlareFindings(method, START + timedelta(days=day), START, rise=True, drugs=drugs))
    assert call.category == category
    if category == "flare-or-PDu":
        assert {"flare", "PDu"} <= set(call.flags)
        assert call.values["rescan_from"] == START + timedelta(days=day + 42)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"uptake_fell": True, "lytic_growth": True}, "lytic lesions grew"),
        ({"method": "FDG PET", "diffuse_marrow": True, "drugs": ("g-csf",)}, "G-CSF"),
        ({"method": "NaF PET", "new_lesions": True}, "NaF"),
    ],
)
def test_flare_warnings(more: dict[str, object], words: str) -> None:
    given = {"method": "bone scan", "scan_date": START + timedelta(days=30), "treatment_start": START, **more}
    call = flare(FlareFindings(**given))  # type: ignore[arg-type]
    assert any(words in text for text in call.warnings)


def test_flare_needs_dates_in_order() -> None:
    assert flare(FlareFindings("bone scan", None, START, rise=True)).category == "NE"
    assert flare(FlareFindings("bone scan", None, START)).category == "not flare"
    with pytest.raises(InputError, match="older"):
        flare(FlareFindings("bone scan", START - timedelta(days=1), START, rise=True))
    with pytest.raises(InputError, match="method"):
        FlareFindings("CT", None, None)
