"""Input that cannot be measured is refused in one clear sentence; what does not exist is NaN with its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError, InputError, SettingsError
from bonequant.radiomics import (
    IbsiSettings,
    MazdaSettings,
    RadiomicsSettings,
    describe_feature,
    extract,
    feature_names,
)
from bonequant.volume import Volume

BOTH = RadiomicsSettings(families=("mazda", "ibsi"), ibsi=IbsiSettings(bin_width=5.0))


def image_of(array: np.ndarray) -> sitk.Image:
    return sitk.GetImageFromArray(array)


@pytest.fixture
def image() -> sitk.Image:
    return image_of(np.random.default_rng(0).normal(100, 20, (8, 20, 20)))


@pytest.fixture
def mask() -> np.ndarray:
    inside = np.zeros((8, 20, 20), dtype=np.uint8)
    inside[2:6, 5:15, 5:15] = 1
    return inside


def test_an_empty_mask(image, mask):
    with pytest.raises(InputError, match="empty"):
        extract(image, image_of(mask * 0), BOTH)


def test_two_labels_where_one_is_due(image, mask):
    mask[4:] *= 2
    with pytest.raises(InputError, match=r"2 labels \(1, 2\) where one is due"):
        extract(image, image_of(mask), BOTH)
    chosen, alone = extract(image, image_of(mask), BOTH, label=2), extract(image, image_of((mask == 2) * mask), BOTH)
    assert dict(chosen) == pytest.approx(dict(alone), nan_ok=True)
    with pytest.raises(InputError, match="label 3"):
        extract(image, image_of(mask), BOTH, label=3)


def test_a_mask_outside_the_image_or_on_another_grid(image, mask):
    away = image_of(mask)
    away.SetOrigin((1000.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="wholly outside"):
        extract(Volume(image, name="CT"), away)
    shifted = image_of(mask)
    shifted.SetOrigin((0.5, 0.0, 0.0))
    with pytest.raises(GeometryError, match=r"not on the grid of image 'CT'.*copy_region"):
        extract(Volume(image, name="CT"), shifted)


def test_voxels_that_are_not_numbers(image, mask):
    array = sitk.GetArrayFromImage(image)
    array[3, 6, 6] = np.nan
    with pytest.raises(InputError, match="1 of the mask's 400 voxels are not finite"):
        extract(image_of(array), image_of(mask), BOTH)


def test_a_hole_in_the_image_beside_the_region_spoils_only_what_sees_it(image, mask):
    array = sitk.GetArrayFromImage(image)
    array[0, 0, 0] = np.nan
    features = extract(image_of(array), image_of(mask), BOTH)
    assert not [name for name in features.missing if not name.startswith("WavEn")]


def test_filters_and_resampling_beside_a_hole_are_missing_or_refused(image, mask):
    array = sitk.GetArrayFromImage(image)
    array[0, 0, 0] = np.nan
    kinds = ("original", "square", "log")
    features = extract(
        image_of(array), image_of(mask), IbsiSettings(image_types=kinds, log_sigma_mm=(1.0,), bin_width=5.0)
    )
    assert {features.missing[name] for name in features if name.startswith("log")} == {
        "voxels within the filter's reach are not finite numbers"
    }
    assert not [name for name in features.missing if not name.startswith("log")]
    with pytest.raises(InputError, match="resampling mixes them in"):
        extract(image_of(array), image_of(mask), IbsiSettings(spacing_mm=(1.5, 1.5, 1.5), interpolation="cubic"))


def test_what_is_no_image_of_one_value_per_voxel(image, mask):
    with pytest.raises(InputError, match=r"mask is a ndarray.*GetImageFromArray"):
        extract(image, mask)
    with pytest.raises(InputError, match="image has several values"):
        extract(sitk.Compose(image, image), image_of(mask))
    with pytest.raises(GeometryError, match="JoinSeries"):
        extract(image[:, :, 3], image_of(mask)[:, :, 3], BOTH)


def test_a_flat_image_is_enough_for_mazda(image, mask):
    flat = extract(image[:, :, 4], image_of(mask)[:, :, 4])
    assert dict(flat) == pytest.approx(dict(extract(image, image_of(mask))), nan_ok=True, rel=1e-12)


def test_settings_of_one_family_or_plain(image, mask):
    inside = image_of(mask)
    ibsi = IbsiSettings(bin_width=5.0)
    wanted = extract(image, inside, _only(ibsi))
    assert extract(image, inside, ibsi) == wanted == extract(image, inside, _only(ibsi).to_dict())
    assert tuple(wanted) == feature_names(ibsi)
    assert len(extract(image, inside, MazdaSettings(entropy_log="2"))) == 279
    with pytest.raises(SettingsError, match="not str"):
        extract(image, inside, "C")


@pytest.mark.parametrize("dimensions", ["3d", "2.5d", "2d"])
def test_one_voxel(image, mask, dimensions):
    mask[:] = 0
    mask[4, 10, 10] = 1
    ibsi = IbsiSettings(bin_width=5.0, dimensions=dimensions)
    features = extract(image, image_of(mask), RadiomicsSettings(families=("ibsi",), ibsi=ibsi))
    assert features["original_firstorder_Mean"] == sitk.GetArrayFromImage(image)[4, 10, 10]
    assert features["original_shape_VoxelVolume"] == 1.0
    for name in ("firstorder_Skewness", "glcm_Contrast", "morphology_MoranI", "shape_Elongation", "ngtdm_Coarseness"):
        assert math.isnan(features[f"original_{name}"]), name
        assert features.missing[f"original_{name}"] == "the region is a single voxel"


@pytest.mark.parametrize("discretisation", ["fixed_bin_size", "fixed_bin_number"])
def test_constant_intensities(mask, discretisation):
    constant = image_of(np.full((8, 20, 20), 42.0))
    ibsi = IbsiSettings(discretisation=discretisation)
    features = extract(constant, image_of(mask), RadiomicsSettings(families=("ibsi",), ibsi=ibsi))
    assert features["original_firstorder_Variance"] == 0.0
    assert features["original_glcm_JointEntropy"] == pytest.approx(0.0, abs=1e-12)
    for name in ("firstorder_Kurtosis", "glcm_Correlation", "ngtdm_Coarseness", "morphology_GearyC", "glcm_MCC"):
        assert math.isnan(features[f"original_{name}"]), name
        assert features.missing[f"original_{name}"] == "all intensities of the region are equal"


def test_constant_intensities_after_interpolation(mask):
    constant = image_of(np.full((8, 20, 20), 0.1))
    resampled = IbsiSettings(spacing_mm=(1.7, 1.7, 1.7), interpolation="cubic", discretisation="fixed_bin_number")
    features = extract(constant, image_of(mask), resampled)
    assert features["original_glcm_Contrast"] == 0.0  # and not that of rounding errors in 32 bins
    assert features.missing["original_firstorder_Skewness"] == "all intensities of the region are equal"


def test_bins_too_wide_are_named_as_the_reason(image, mask):
    features = extract(image, image_of(mask), IbsiSettings(bin_width=1000.0))
    assert "one grey level" in features.missing["original_glcm_Correlation"]


def test_a_region_that_vanishes(image, mask):
    wide = IbsiSettings(spacing_mm=(20.0, 20.0, 20.0))
    with pytest.raises(InputError, match="thinner than the new voxels"):
        extract(image, image_of(mask * (np.arange(8) == 2)[:, None, None].astype(np.uint8)), _only(wide))
    with pytest.raises(InputError, match="Resegmentation leaves no voxel"):
        extract(image, image_of(mask), _only(IbsiSettings(resegment_low=1e4)))


def test_bins_that_do_not_suit_the_intensities(image, mask):
    with pytest.raises(InputError, match="widen the bins"):
        extract(image, image_of(mask), _only(IbsiSettings(bin_width=1e-3)))


def test_settings_that_make_no_sense():
    for wrong in (
        {"classes": ("glcm", "texture")},
        {"image_types": ()},
        {"spacing_mm": (1.0, 1.0)},
        {"resegment_low": 5.0, "resegment_high": 5.0},
        {"dimensions": "4d"},
    ):
        with pytest.raises(SettingsError):
            IbsiSettings(**wrong)
    with pytest.raises(SettingsError, match="no wavelet"):
        extract(
            image_of(np.ones((4, 4, 4))),
            image_of(np.ones((4, 4, 4), np.uint8)),
            _only(IbsiSettings(image_types=("wavelet",), wavelet="no such wavelet")),
        )
    with pytest.raises(InputError, match="no name"):
        describe_feature("original_glcm_Nonsense")


def test_settings_go_through_json():
    settings = RadiomicsSettings(families=("mazda", "ibsi"), ibsi=IbsiSettings(resegment_low=-1000.0))
    assert RadiomicsSettings.from_json(settings.to_json()) == settings


def test_a_filter_that_does_not_fit_is_missing_with_its_reason():
    flat = image_of(np.random.default_rng(0).normal(size=(2, 20, 20)))
    mask = image_of(np.ones((2, 20, 20), np.uint8))
    ibsi = IbsiSettings(image_types=("original", "log"), log_sigma_mm=(1.0,), bin_width=0.5)
    features = extract(flat, mask, _only(ibsi))
    assert math.isnan(features["log-sigma-1-0-mm-3D_glcm_Contrast"])
    assert "four voxels" in features.missing["log-sigma-1-0-mm-3D_glcm_Contrast"]
    assert math.isfinite(features["original_glcm_Contrast"])


def _only(ibsi: IbsiSettings) -> RadiomicsSettings:
    return RadiomicsSettings(families=("ibsi",), ibsi=ibsi)


@pytest.mark.parametrize("top", [0.3, 2.3, 7.0])
def test_the_volume_histogram_of_intensities_that_are_not_whole(top):
    """A ramp from 0 to ``top`` (an SUV): 90 % of it lies above a tenth of its range, whatever the range."""
    ramp = np.linspace(0.0, top, 1000).reshape(10, 10, 10)
    ibsi = IbsiSettings(classes=("ivh",), discretisation="fixed_bin_number")
    found = extract(image_of(ramp), image_of(np.ones((10, 10, 10), np.uint8)), _only(ibsi))
    assert found["original_ivh_VolumeFractionAt10"] == pytest.approx(0.9, abs=1e-3)  # one voxel of a thousand
    assert found["original_ivh_VolumeFractionAt90"] == pytest.approx(0.1, abs=1e-3)
    assert found["original_ivh_IntensityAt10"] == pytest.approx(0.9 * top, abs=2e-3 * top)
    assert found["original_ivh_IntensityAt90"] == pytest.approx(0.1 * top, abs=2e-3 * top)
