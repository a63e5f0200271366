"""The images features are taken from: the original, wavelets, Laplacian of Gaussian, gradient and intensity transforms.

Source: pyradiomics 3.0.1 for names and conventions (stationary wavelet transform, LoG with a factor sigma^2, transforms
scaled to the image's largest absolute value). Each filter works on the region's box and the margin it needs, which
gives the same numbers as the whole image; where that ends, wavelets see it mirrored (pyradiomics wraps it around).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk

from bonequant.errors import MissingDependencyError, SettingsError
from bonequant.radiomics.ibsi.prepare import PEAK_RADIUS_MM, Prepared, tight_box
from bonequant.radiomics.settings import IbsiSettings

_LOG_REACH = 10.0  # sigmas: the recursive Gaussian has decayed to 3e-8 there
_LOG_SHORTEST = 4  # voxels: ITK's recursive filter needs that many along each axis
_TRANSFORMS = ("square", "squareroot", "logarithm", "exponential")


def margin_mm(settings: IbsiSettings, coarsest_mm: float) -> float:
    """Image needed around the region for all the filters of ``settings`` at voxels of up to ``coarsest_mm``."""
    margin = max(PEAK_RADIUS_MM, 2.0 * coarsest_mm)
    if "log" in settings.image_types:
        margin = max(margin, _LOG_REACH * max(settings.log_sigma_mm) + 2.0 * coarsest_mm)
    if "wavelet" in settings.image_types:
        margin = max(margin, (_wavelet(settings.wavelet).dec_len + 2) * coarsest_mm)
    return margin


def image_names(settings: IbsiSettings) -> tuple[str, ...]:
    """Names of the images, in the order of the result."""
    found: list[str] = []
    for kind in settings.image_types:
        if kind == "wavelet":
            found += [f"wavelet-{band}" for band in _bands(settings)]
        elif kind == "log":
            found += [_log_name(sigma) for sigma in settings.log_sigma_mm]
        else:
            found.append(kind)
    return tuple(found)


def filtered(prepared: Prepared, settings: IbsiSettings) -> Iterator[tuple[str, np.ndarray | None]]:
    """(name, voxels of the region's tight box) of every image; None where the image is too small for the filter."""
    box = tight_box(prepared)
    for kind in settings.image_types:
        if kind == "original":
            yield kind, prepared.image[box]
        elif kind == "wavelet":
            yield from _wavelets(prepared, settings)
        elif kind == "log":
            for sigma in settings.log_sigma_mm:
                yield _log_name(sigma), _laplacian_of_gaussian(prepared, sigma, settings.log_normalised)
        elif kind == "gradient":
            yield kind, _gradient(prepared)
        else:
            yield kind, _transform(prepared.image[box], kind, prepared.largest)


def _bands(settings: IbsiSettings) -> list[str]:
    """Sub-bands by the filter along x, y (and z), the approximation last."""
    axes = 3 if settings.dimensions == "3d" else 2
    words = ["".join("LH"[int(bit)] for bit in f"{number:0{axes}b}") for number in range(2**axes)]
    return [*words[1:], words[0]]


def _log_name(sigma: float) -> str:
    return f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D"


def _wavelets(prepared: Prepared, settings: IbsiSettings) -> Iterator[tuple[str, np.ndarray]]:
    import pywt

    wavelet = _wavelet(settings.wavelet)
    axes = (2, 1, 0) if settings.dimensions == "3d" else (2, 1)
    reach = wavelet.dec_len + 1
    box = tight_box(prepared)
    widths, slices = [], []
    for axis, part in enumerate(box):
        if axis not in axes:
            widths.append((0, 0))
            slices.append(slice(None))
            continue
        before, after = reach - part.start, reach - (prepared.image.shape[axis] - part.stop)
        odd = (part.stop - part.start) % 2
        widths.append((max(before, 0), max(after + odd, 0)))
        slices.append(slice(max(-before, 0), prepared.image.shape[axis] - max(-after - odd, 0)))
    if len(axes) == 2:
        widths[0], slices[0] = (0, 0), box[0]
    data = np.pad(prepared.image[tuple(slices)], widths, mode="symmetric")
    bands = pywt.swtn(data, wavelet, level=1, axes=axes)[0]
    inner = [
        slice(reach, reach + part.stop - part.start) if axis in axes else slice(None) for axis, part in enumerate(box)
    ]
    for name in _bands(settings):
        yield f"wavelet-{name}", bands[name.replace("L", "a").replace("H", "d")][tuple(inner)]


def _laplacian_of_gaussian(prepared: Prepared, sigma_mm: float, normalise: bool) -> np.ndarray | None:
    """Laplacian of the Gaussian by ITK's recursive filters, axis by axis, cut to the box on the way.

    ``normalise`` gives what pyradiomics has from ITK, sigma^2 times the Laplacian per mm^2; otherwise it is IBSI-2's,
    with derivatives per voxel. ITK's second derivative is the one per voxel times sigma^2.
    """
    box = tight_box(prepared)
    reach = np.ceil(_LOG_REACH * sigma_mm / prepared.spacing_mm).astype(int)
    wide = tuple(
        slice(max(part.start - r, 0), min(part.stop + r, n))
        for part, r, n in zip(box, reach, prepared.image.shape, strict=True)
    )
    if min(part.stop - part.start for part in wide) < _LOG_SHORTEST:
        return None
    image = sitk.GetImageFromArray(prepared.image[wide].astype(np.float32))
    image.SetSpacing(prepared.spacing_mm[::-1].tolist())
    smooth, curved = image, None  # without a derivative so far, and the sum of those with one
    for axis in (2, 1, 0):
        part = int(box[axis].start - wide[axis].start), int(box[axis].stop - box[axis].start)
        bent = _recursive(smooth, sigma_mm, axis, 2, part) * float(
            prepared.spacing_mm[axis] ** -2 if normalise else sigma_mm**-2
        )
        curved = bent if curved is None else bent + _recursive(curved, sigma_mm, axis, 0, part)
        smooth = _recursive(smooth, sigma_mm, axis, 0, part)
    assert curved is not None
    return sitk.GetArrayFromImage(curved).astype(np.float64)


def _recursive(image: sitk.Image, sigma_mm: float, axis: int, order: int, part: tuple[int, int]) -> sitk.Image:
    """Gaussian (order 0) or sigma^2 times its second derivative (order 2) along ``axis``, of which ``part`` is kept."""
    size, start = list(image.GetSize()), [0, 0, 0]
    start[2 - axis], size[2 - axis] = part
    return sitk.RegionOfInterest(sitk.RecursiveGaussian(image, sigma_mm, True, order, 2 - axis), size, start)


def _gradient(prepared: Prepared) -> np.ndarray:
    """Magnitude of the gradient per mm, by central differences."""
    box = tight_box(prepared)
    wide = tuple(
        slice(max(part.start - 1, 0), min(part.stop + 1, n)) for part, n in zip(box, prepared.image.shape, strict=True)
    )
    image = sitk.GetImageFromArray(prepared.image[wide])
    image.SetSpacing(prepared.spacing_mm[::-1].tolist())
    inner = tuple(slice(part.start - w.start, part.stop - w.start) for part, w in zip(box, wide, strict=True))
    return sitk.GetArrayFromImage(sitk.GradientMagnitude(image, True)).astype(np.float64)[inner]


def _transform(image: np.ndarray, kind: str, largest: float) -> np.ndarray:
    """An intensity transform that keeps the range of the image; ``largest`` is the image's largest absolute value."""
    if largest == 0:
        return np.zeros(image.shape)
    size = np.abs(image)
    if kind == "square":
        return image**2 / largest
    if kind == "squareroot":
        return np.sign(image) * np.sqrt(size * largest)
    if kind == "logarithm":
        return np.sign(image) * np.log1p(size) * (largest / np.log1p(largest))
    return np.exp(np.log(largest) / largest * image)


def _wavelet(name: str):  # type: ignore[no-untyped-def]
    try:
        import pywt
    except ImportError as error:
        raise MissingDependencyError(
            "Wavelet images need PyWavelets, which is not installed: pip install PyWavelets."
        ) from error
    try:
        return pywt.Wavelet(name)
    except ValueError as error:
        raise SettingsError(f"IbsiSettings.wavelet {name!r} is no wavelet that PyWavelets knows; try coif1.") from error
