"""Noise removal before the fit, as in T1 DCE-MRI of spine metastases: background mask, spatial and temporal smoothing.

Every step can be switched off, and the result says which steps ran and what each did. Smoothing blurs: spatial
smoothing mixes neighbouring tissues, temporal smoothing lowers the bolus peak of an input curve, so take the input from
the unsmoothed series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.settings import Settings, setting
from bonequant.volume.types import DynamicSeries, image_from_array

_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True)
class PreprocessSettings(Settings):
    """Which steps run, and how strongly."""

    background: bool = setting(True, help="Leave out voxels that hold noise only.")
    minimum_snr: float = setting(
        3.0, low=1, high=50, help="Least mean over noise of a tissue voxel; pure magnitude noise has 1.91."
    )
    air_hu: float = setting(-300.0, unit="HU", low=-1024, high=0, help="Below this CT voxels are air or lung.")
    spatial_fwhm_mm: float = setting(0.0, unit="mm", low=0, high=20, help="In-plane Gaussian; 0 for none.")
    temporal_frames: float = setting(
        0.0, unit="frames", low=0, high=10, help="FWHM of the Gaussian over time, by frame times; 0 for none."
    )


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """Smoothed frames, the voxels worth fitting, and one sentence per step that ran."""

    series: DynamicSeries
    mask: sitk.Image
    steps: tuple[str, ...]
    settings: PreprocessSettings


def preprocess(
    series: DynamicSeries, settings: PreprocessSettings | None = None, progress: Progress | None = None
) -> Preprocessed:
    """Run the steps that the settings ask for, in the order background, space, time.

    Args:
        series: signal, HU or concentration.
        settings: what runs.
        progress: may raise Cancelled.

    Raises InputError where no voxel is left.
    """
    s = PreprocessSettings.of(settings)
    report = progress or no_progress
    steps: list[str] = []
    report(0.0, "Finding the background")
    mask = np.isfinite(series.frames).all(axis=0)
    if s.background and series.unit == "HU":
        mask &= series.frames.mean(axis=0) > s.air_hu
        steps.append(f"background: mean below {s.air_hu:g} HU, {_left_out(mask)}")
    elif s.background:
        mask &= signal_to_noise(series.frames) > s.minimum_snr
        mask = np.stack([ndimage.binary_fill_holes(one) for one in ndimage.binary_opening(mask, np.ones((1, 2, 2)))])
        steps.append(f"background: mean less than {s.minimum_snr:g} times its noise over time, {_left_out(mask)}")
    if not mask.any():
        raise InputError("No voxel is above the noise; lower minimum_snr, or switch the background step off.")
    frames = series.frames
    if s.spatial_fwhm_mm > 0:
        frames = _smooth_space(series, s.spatial_fwhm_mm, report)
        steps.append(f"space: in-plane Gaussian of {s.spatial_fwhm_mm:g} mm FWHM")
    if s.temporal_frames > 0:
        report(0.7, "Smoothing over time")
        frames = smooth_time(frames, series.times_s, s.temporal_frames)
        steps.append(f"time: Gaussian of {s.temporal_frames:g} frames FWHM")
    report(1.0, "Preprocessing done")
    image = image_from_array(mask, series.geometry)
    return Preprocessed(series.replace(frames=frames), image, tuple(steps), s)


def signal_to_noise(frames: np.ndarray) -> np.ndarray:
    """Mean over noise of every voxel (z, y, x), the noise averaged over 3 x 3 voxels of the slice.

    The noise is that of second differences over time, which contrast that comes and goes hardly touches. For magnitude
    images of noise alone the ratio is sqrt(pi / (4 - pi)) = 1.91 whatever the scanner's scale (Rayleigh).
    """
    mean = np.mean(frames, axis=0, dtype=np.float64)
    power = np.zeros_like(mean)
    for before, now, after in zip(frames[:-2], frames[1:-1], frames[2:], strict=True):
        power += (before.astype(np.float64) - 2.0 * now + after) ** 2
    power /= 6.0 * max(1, len(frames) - 2)
    noise = np.sqrt(np.maximum(ndimage.uniform_filter(power, (1, 3, 3)), 0.0))
    return np.where(mean > 0, mean / np.maximum(noise, 1e-6 * np.maximum(mean, 1e-300)), 0.0)


def smooth_time(frames: np.ndarray, times_s: np.ndarray, fwhm_frames: float) -> np.ndarray:
    """Gaussian over time by the actual frame times; a straight line stays as it is, at its ends and in gaps too.

    Each frame becomes the value at its time of the weighted straight line through its neighbours, float32 (T, ...).
    """
    times = np.asarray(times_s, dtype=np.float64)
    sigma = fwhm_frames / _FWHM_PER_SIGMA * float(np.median(np.diff(times)))
    apart = times[None, :] - times[:, None]
    weight = np.exp(-0.5 * (apart / sigma) ** 2)
    s0, s1, s2 = weight.sum(1), (weight * apart).sum(1), (weight * apart**2).sum(1)
    determinant = s0 * s2 - s1 * s1
    alone = determinant < 1e-9 * s0 * np.maximum(s2, 1e-300)
    local = weight * (s2[:, None] - s1[:, None] * apart) / np.where(alone, 1.0, determinant)[:, None]
    kernel = np.where(alone[:, None], weight / s0[:, None], local).astype(np.float32)
    return (kernel @ frames.reshape(len(times), -1)).reshape(frames.shape)


def _smooth_space(series: DynamicSeries, fwhm_mm: float, report: Progress) -> np.ndarray:
    """In-plane only: slices are thick. NaN voxels stay NaN and do not spread."""
    sigma = [0.0, *(fwhm_mm / _FWHM_PER_SIGMA / h for h in series.geometry.spacing[1::-1])]
    frames = np.empty_like(series.frames)
    for t, frame in enumerate(series.frames):
        report(0.1 + 0.6 * t / len(frames), f"Smoothing frame {t + 1} of {len(frames)}")
        finite = np.isfinite(frame)
        if finite.all():
            ndimage.gaussian_filter(frame, sigma, output=frames[t], mode="nearest")
            continue
        share = ndimage.gaussian_filter(finite.astype(np.float32), sigma, mode="nearest")
        total = ndimage.gaussian_filter(np.where(finite, frame, 0.0), sigma, mode="nearest")
        frames[t] = np.where(finite, total / np.maximum(share, 1e-6), np.nan)
    return frames


def _left_out(mask: np.ndarray) -> str:
    return f"{np.count_nonzero(~mask)} of {mask.size} voxels left out"
