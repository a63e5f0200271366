"""With pyradiomics' settings the numbers are pyradiomics' own, for every filter, whether or not the image goes on."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.radiomics import IbsiSettings, RadiomicsSettings, extract, feature_maps, pyradiomics_defaults
from scipy import ndimage

radiomics = pytest.importorskip("radiomics", reason="pyradiomics is not installed")

SPACING = (0.9, 1.1, 1.3)
FILTERS = ("original", "wavelet", "log", "gradient", "square", "squareroot", "logarithm", "exponential")


def case(shape: tuple[int, int, int] = (24, 30, 34), radius: float = 7.0) -> tuple[sitk.Image, sitk.Image]:
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=shape), 1.2) * 1500.0
    z, y, x = np.indices(shape)
    inside = (z - 12) ** 2 + (y - 14) ** 2 + (x - 18) ** 2 < radius**2
    image = sitk.GetImageFromArray(noise)  # float64: pyradiomics then computes as here
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    for part in (image, mask):
        part.SetSpacing(SPACING)
        part.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    return image, mask


def extractor(**settings):
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.logger.setLevel(logging.CRITICAL)
    logging.getLogger("radiomics.glcm").setLevel(logging.CRITICAL)
    return RadiomicsFeatureExtractor(binWidth=25, **settings)


def test_every_filter_and_feature_equals_pyradiomics():
    image, mask = case()
    own = extractor()
    own.disableAllFeatures()
    for name in ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"):
        own.enableFeatureClassByName(name)
    for name in ("Wavelet", "Gradient", "Square", "SquareRoot", "Logarithm", "Exponential"):
        own.enableImageTypeByName(name)
    own.enableImageTypeByName("LoG", customArgs={"sigma": [1.0, 2.0]})
    theirs = {k: float(np.real(v)) for k, v in own.execute(image, mask).items() if not k.startswith("diagnostics")}

    ibsi = pyradiomics_defaults(FILTERS, log_sigma_mm=(1.0, 2.0))
    ours = extract(image, mask, RadiomicsSettings(families=("ibsi",), ibsi=ibsi))
    assert set(ours) == set(theirs)
    assert len(ours) == 14 + 93 * 16  # shape once, 93 features of 16 images
    assert not ours.missing
    voxels = int(sitk.GetArrayViewFromImage(mask).sum())
    for name, value in theirs.items():
        if name.endswith("Kurtosis"):
            value -= 3.0
        if name.endswith("AxisLength"):
            value *= np.sqrt(voxels / (voxels - 1))
        # Float64 throughout but for ITK's float32 LoG, filtered here axis by axis in another order.
        tolerance = 1e-4 if name.startswith("log") else 1e-9
        assert ours[name] == pytest.approx(value, rel=tolerance, abs=1e-6), name


def test_the_laplacian_of_a_parabola_is_its_second_derivative():
    z, y, x = np.indices((40, 40, 40)) - 20.0
    image = sitk.GetImageFromArray(0.5 * 3.0 * (x * 2.0) ** 2)  # second derivative 3 per mm2 at 2 mm spacing
    image.SetSpacing((2.0, 2.0, 2.0))
    mask = sitk.GetImageFromArray((np.abs(z) + np.abs(y) + np.abs(x) < 4).astype(np.uint8))
    mask.CopyInformation(image)
    for normalised, expected in ((True, 4.0**2 * 3.0), (False, 3.0 * 2.0**2)):  # sigma^2 per mm2; per voxel^2
        ibsi = IbsiSettings(
            classes=("firstorder",), image_types=("log",), log_sigma_mm=(4.0,), log_normalised=normalised, bin_width=1.0
        )
        features = extract(image, mask, RadiomicsSettings(families=("ibsi",), ibsi=ibsi))
        # The recursive Gaussian is a fit to the true one, good to some 1e-4 at two voxels.
        assert features["log-sigma-4-0-mm-3D_firstorder_Mean"] == pytest.approx(expected, rel=1e-3)


MAPPED = (
    *("original_glcm_Contrast", "original_firstorder_Entropy", "original_firstorder_Kurtosis"),
    *("original_glszm_ZonePercentage", "original_ngtdm_Busyness", "original_gldm_DependenceEntropy"),
    *("original_glrlm_RunEntropy", "wavelet-LLH_glcm_Id"),
)


def test_maps_equal_pyradiomics_voxel_by_voxel():
    image, mask = case(radius=5.0)
    own = extractor(kernelRadius=1, maskedKernel=True, initValue=float("nan"))
    own.disableAllFeatures()
    own.enableFeaturesByName(
        glcm=["Contrast", "Id"],
        firstorder=["Entropy", "Kurtosis"],
        glszm=["ZonePercentage"],
        ngtdm=["Busyness"],
        gldm=["DependenceEntropy"],
        glrlm=["RunEntropy"],
    )
    own.enableImageTypeByName("Wavelet")
    theirs = own.execute(image, mask, voxelBased=True)
    settings = IbsiSettings(bin_origin="zero", image_types=("original", "wavelet"))
    ours = feature_maps(image, mask, MAPPED, settings)
    inside = sitk.GetArrayViewFromImage(mask) > 0
    assert list(ours) == list(MAPPED)
    for name, volume in ours.items():
        assert np.isnan(volume.array[~inside]).all()
        assert volume.geometry.direction == image.GetDirection()
        nearest = sitk.Resample(theirs[name], image, sitk.Transform(), sitk.sitkNearestNeighbor, float("nan"))
        expected = sitk.GetArrayFromImage(nearest)[inside] - (3.0 if name.endswith("Kurtosis") else 0.0)
        np.testing.assert_allclose(volume.array[inside], expected, rtol=2e-6, atol=1e-6)  # maps are float32
