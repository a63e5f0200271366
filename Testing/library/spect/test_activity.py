"""Counts to Bq/mL: a phantom of known activity is given back, whichever way its counts were kept."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError, MissingFactError, SettingsError
from bonequant.spect import Calibration, to_activity
from bonequant.volume import Acquisition, Volume

# A camera with 2 heads of 90 cps/MBq each, 60 views of 15 s by each head, 50 kBq/mL in voxels of 4.42 mm.
HEADS, VIEWS, VIEW_S, CPS_PER_MBQ, BQ_PER_ML = 2, 60, 15.0, 90.0, 50e3
VOXEL_ML = 0.442**3
PER_VIEW = BQ_PER_ML * VOXEL_ML * 1e-6 * CPS_PER_MBQ * VIEW_S
SUM = PER_VIEW * VIEWS * HEADS
FACTS = Acquisition(frame_duration_s=VIEW_S, number_of_projections=VIEWS, number_of_detectors=HEADS)


def counts(value, acquisition=FACTS, unit="counts"):
    image = sitk.GetImageFromArray(np.full((3, 4, 5), value))
    image.SetSpacing((4.42, 4.42, 4.42))
    return Volume(image=image, modality="NM", unit=unit, acquisition=acquisition, source="tomo.dcm")


@pytest.mark.parametrize(
    ("value", "calibration"),
    [
        (SUM, Calibration(factor_cps_per_mbq=180.0)),
        (SUM, Calibration(factor_cps_per_mbq=90.0, factor_for="one_detector")),
        (PER_VIEW, Calibration(factor_cps_per_mbq=180.0, counts="averaged")),
        (PER_VIEW, Calibration(factor_cps_per_mbq=90.0, counts="averaged", factor_for="one_detector")),
        (SUM, 180.0),
    ],
)
def test_known_activity_comes_back(value, calibration):
    result = to_activity(counts(value), calibration)
    assert result.unit == "Bq/mL"
    np.testing.assert_allclose(result.array, BQ_PER_ML, rtol=1e-6)  # float32 voxels
    assert result.acquisition.typed == ("calibration_factor_cps_per_mbq",)


def test_the_formula_by_hand():
    # 1000 counts, 100 cps/MBq, 60 x 10 s, voxel 0.064 mL: 1000 * 1e6 / (100 * 600 * 0.064) = 260416.67 Bq/mL.
    image = sitk.GetImageFromArray(np.full((1, 1, 1), 1000, dtype=np.uint16))
    image.SetSpacing((4.0, 4.0, 4.0))
    volume = Volume(image=image, modality="NM", unit="counts")
    result = to_activity(volume, Calibration(100.0, frame_duration_s=10.0, number_of_projections=60))
    assert result.array[0, 0, 0] == pytest.approx(260416.67, rel=1e-7)
    assert result.acquisition.typed == (
        "calibration_factor_cps_per_mbq",
        "frame_duration_s",
        "number_of_projections",
    )


def test_factor_of_the_file():
    known = FACTS.with_typed(calibration_factor_cps_per_mbq=180.0)
    np.testing.assert_allclose(to_activity(counts(SUM, known)).array, BQ_PER_ML, rtol=1e-6)


@pytest.mark.parametrize(
    ("fact", "calibration"),
    [
        ("calibration_factor_cps_per_mbq", Calibration()),
        ("frame_duration_s", Calibration(90.0)),
        ("number_of_projections", Calibration(90.0, frame_duration_s=15.0)),
        ("number_of_detectors", Calibration(90.0, 15.0, 60, factor_for="one_detector")),
    ],
)
def test_missing_facts(fact, calibration):
    with pytest.raises(MissingFactError, match=fact) as error:
        to_activity(counts(1.0, Acquisition()), calibration)
    assert error.value.fact == fact
    assert "tomo.dcm" in str(error.value)


def test_never_scaled_twice():
    once = to_activity(counts(SUM), 90.0)
    with pytest.raises(InputError, match="activity already"):
        to_activity(once, 90.0)
    with pytest.raises(InputError, match="no unit"):
        to_activity(counts(1.0, unit=""), 90.0)


def test_impossible_calibration():
    with pytest.raises(SettingsError):
        Calibration(factor_cps_per_mbq=0.0)
    with pytest.raises(SettingsError):
        Calibration(factor_cps_per_mbq=90.0, counts="guessed")
