"""How fast radiomics features come, against pyradiomics' own extractor: ``python -m benchmarks radiomics``.

The regions are ellipsoids of about 24,000 voxels in correlated noise, one image each. Both sides take the 1,130
features of original, wavelet and three LoG images with the same settings (bin width 25), and must agree: kurtosis
apart, which is 3 less here, and the axis lengths, which divide by N - 1. MaZda's 279 features are timed on their own.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk
from bonequant.radiomics import RadiomicsSettings, extract, extract_many, pyradiomics_defaults
from scipy import ndimage

SEMI_AXES = (14.7, 18.0, 22.0)  # voxels along z, y, x: 24,400 voxels
REPAIRED = ("Kurtosis", "AxisLength")
SETTINGS = RadiomicsSettings(families=("ibsi",), ibsi=pyradiomics_defaults(("original", "wavelet", "log")))


def region(seed: int, size: int) -> tuple[sitk.Image, sitk.Image]:
    """A cubic image of ``size`` voxels of 1 mm, and an ellipsoid at its centre moved a little."""
    random = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(random.normal(size=(size, size, size)), 1.5, mode="wrap") * 800.0
    grid = np.meshgrid(*[np.arange(size) - size / 2 + shift for shift in random.uniform(-2, 2, 3)], indexing="ij")
    inside = sum((axis / length) ** 2 for axis, length in zip(grid, SEMI_AXES, strict=True)) < 1
    return sitk.GetImageFromArray(noise.astype(np.float32)), sitk.GetImageFromArray(inside.astype(np.uint8))


def section(seed: int) -> tuple[sitk.Image, sitk.Image]:
    """A slice of noise with a disc of a lesion's size."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:128, :128] - 64.0
    image = ndimage.gaussian_filter(random.normal(size=(1, 128, 128)), (0, 1, 1)) * 100.0
    disc = x**2 + y**2 < random.uniform(8, 30) ** 2
    return sitk.GetImageFromArray(image.astype(np.float32)), sitk.GetImageFromArray(disc[None].astype(np.uint8))


def reference_extractor() -> Any:
    """pyradiomics' own, with the same settings."""
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.logger.setLevel(logging.CRITICAL)
    logging.getLogger("radiomics.glcm").setLevel(logging.CRITICAL)
    extractor = RadiomicsFeatureExtractor(binWidth=SETTINGS.ibsi.bin_width)
    extractor.disableAllFeatures()
    for name in SETTINGS.ibsi.classes:
        extractor.enableFeatureClassByName(name)
    extractor.enableImageTypeByName("Wavelet")
    extractor.enableImageTypeByName("LoG", customArgs={"sigma": list(SETTINGS.ibsi.log_sigma_mm)})
    return extractor


def plain(result: dict[str, Any]) -> dict[str, float]:
    return {name: float(np.real(value)) for name, value in result.items() if not name.startswith("diagnostics")}


def largest_difference(ours: dict[str, float], theirs: dict[str, float]) -> float:
    """Largest relative difference over the features that are defined alike (pyradiomics computes in float32).

    Relative to the feature; a median or mean near 0 to the root mean square of its image, a cluster shade near 0 to the
    cluster tendency that it is the skewness of.
    """
    assert set(ours) == set(theirs)
    same = [name for name in ours if not any(part in name for part in REPAIRED)]
    return max(abs(ours[name] - theirs[name]) / _size(name, theirs) for name in same)


def _size(name: str, values: dict[str, float]) -> float:
    image, _, feature = name.rpartition("_")
    least = 1e-3
    if feature in ("Mean", "Median"):
        least = values[f"{image}_RootMeanSquared"]
    if feature == "ClusterShade":
        least = values[f"{image}_ClusterTendency"] ** 1.5
    return max(abs(values[name]), least)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks radiomics", description=__doc__.splitlines()[0])
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--size", type=int, default=64, help="voxels along each side of an image")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--lesions", type=int, default=200, help="lesions for MaZda, in two modalities each")
    options = parser.parse_args(argv)

    cases = [region(seed, options.size) for seed in range(options.regions)]
    extractor = reference_extractor()
    warm = plain(extractor.execute(*cases[0]))
    extract(*cases[0], SETTINGS)

    single_ours, _ = timed(lambda: extract(*cases[0], SETTINGS))
    single_theirs, _ = timed(lambda: extractor.execute(*cases[0]))
    loop, theirs = timed(lambda: [plain(extractor.execute(*case)) for case in cases])
    in_turn, first = timed(lambda: extract_many(cases, SETTINGS, workers=1))
    pooled, second = timed(lambda: extract_many(cases, SETTINGS, workers=options.workers))
    sections = [section(seed) for seed in range(2 * options.lesions)]
    mazda, _ = timed(lambda: extract_many(sections, workers=1))

    voxels = int(sitk.GetArrayViewFromImage(cases[0][1]).sum())
    print(f"{options.regions} regions of {voxels} voxels in {options.size}^3 images, {len(warm)} features each")
    print(f"{'':44}{'s':>8}{'ratio':>8}")
    print(f"{'one region, pyradiomics':44}{single_theirs:8.2f}{1:8.2f}")
    print(f"{'one region, here':44}{single_ours:8.2f}{single_theirs / single_ours:8.2f}")
    print(f"{'all regions, loop over pyradiomics':44}{loop:8.2f}{1:8.2f}")
    print(f"{'all regions, here, 1 process':44}{in_turn:8.2f}{loop / in_turn:8.2f}")
    print(f"{f'all regions, here, {options.workers} processes, start included':44}{pooled:8.2f}{loop / pooled:8.2f}")
    print(f"{f'MaZda, {len(sections)} sections of 279 features':44}{mazda:8.2f}{'':>8}")
    print(f"largest difference from pyradiomics: {max(map(largest_difference, first, theirs)):.1e} (relative)")
    between = max(abs(a[name] - b[name]) for a, b in zip(first, second, strict=True) for name in a)
    print(f"largest difference between 1 and {options.workers} processes: {between:.1e}")
    return 0
