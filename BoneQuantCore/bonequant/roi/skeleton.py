"""The skeleton from CT: bone, cortical bone and marrow cavity, by thresholds that follow the patient.

Source: hysteresis 130/300 HU and components above 2 mL; marrow by the inner ring (Sambuceti 2012). Osteoporosis
(trabecular bone below 130 HU) lowers the thresholds, iodine contrast raises them; both are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.roi.axial import AxialFrame, check_ct, crop, paste
from bonequant.roi.body import body_mask
from bonequant.roi.bone import denoised, filled, noise_sd, shell, trimmed
from bonequant.roi.canal import FRONT, Canal, find_canal
from bonequant.roi.contrast import blood_hu, without_enhanced_organs
from bonequant.roi.marrow import split_marrow
from bonequant.settings import Settings, setting
from bonequant.volume import Volume

_NORMAL_TRABECULAR_HU = 130.0
_MUSCLE_HU = 55.0
_LEAST_LOW_HU = 90.0


@dataclass(frozen=True)
class SkeletonSettings(Settings):
    """Settings of :func:`segment_skeleton`."""

    low_hu: float = setting(130.0, unit="HU", low=50, high=600, help="Bone is above this where it touches dense bone.")
    high_hu: float = setting(300.0, unit="HU", low=100, high=1500, help="Every piece of bone reaches above this.")
    min_component_ml: float = setting(2.0, unit="mL", low=0, high=100, help="Smaller pieces are left out.")
    closing_mm: float = setting(2.0, unit="mm", low=0, high=10, help="Gaps in the cortex up to twice this are closed.")
    ring_mm: float = setting(2.0, unit="mm", low=0.5, high=6, help="Width of the inner ring that sets the cut-off.")
    metal_hu: float = setting(2500.0, unit="HU", low=1200, high=30000, help="Above this lies metal, not bone.")
    adapt: bool = setting(True, help="Follow osteoporosis and contrast; off keeps the thresholds as given.")


@dataclass(frozen=True, eq=False)
class Skeleton:
    """``masks``: bone, cortical, marrow (uint8, on the CT's grid). ``thresholds``: the HU that were used.

    ``contrast`` is true where vessels are enhanced; ``warnings`` says so in words.
    """

    masks: dict[str, sitk.Image]
    thresholds: dict[str, float]
    warnings: tuple[str, ...] = ()
    contrast: bool = False
    settings: SkeletonSettings = field(default_factory=SkeletonSettings)


def skeleton(
    ct: Volume, settings: SkeletonSettings | None = None, progress: Progress | None = None
) -> dict[str, sitk.Image]:
    """Masks ``bone``, ``cortical`` and ``marrow`` on the CT's grid; see :func:`segment_skeleton`."""
    return segment_skeleton(ct, settings, progress).masks


def segment_skeleton(
    ct: Volume, settings: SkeletonSettings | None = None, progress: Progress | None = None
) -> Skeleton:
    """Segment the skeleton of a CT in HU, with the thresholds used and what the reader should know.

    Raises InputError where the volume is no CT, has no body or no bone in it.
    """
    settings, report = SkeletonSettings.of(settings), progress or no_progress
    check_ct(ct)
    report(0.0, "Body and table")
    frame = AxialFrame.of(ct.image)
    spacing = frame.spacing
    body = body_mask(frame.array, spacing)
    box = crop(body)
    hu, body = frame.array[box], body[box]

    report(0.2, "Bone")
    noise = noise_sd(hu, body)
    smooth = denoised(hu, spacing, noise)
    metal = hu > settings.metal_hu
    if metal.any():
        metal = ndimage.binary_dilation(metal, iterations=2)
        body = body & ~metal
    low, high = settings.low_hu, settings.high_hu
    hard = shell(smooth, body, spacing, low, high, settings.min_component_ml)
    if not hard.any():
        raise InputError(
            f"{ct.source or ct.name or 'The CT'}: no piece of bone of {settings.min_component_ml:g} mL above "
            f"{low:g} HU. Is it a CT in HU, and is there bone in it?"
        )
    report(0.35, "Spinal canal")
    canal = find_canal(smooth, hard, body, spacing)
    warnings = _remarks(ct, noise, metal, spacing, canal)

    report(0.5, "Contrast and bone density")
    blood = blood_hu(smooth, canal, spacing)
    trabecular = _spine_trabecular_hu(smooth, canal, spacing)
    if settings.adapt:
        low, high, remarks = _adapted(low, high, trabecular, blood, min(noise, 20.0))
        warnings += remarks
    if (low, high) != (settings.low_hu, settings.high_hu):
        hard = shell(smooth, body, spacing, low, high, settings.min_component_ml)
        canal = find_canal(smooth, hard, body, spacing) or canal
    if settings.adapt:
        hard, organs = without_enhanced_organs(hard, smooth, spacing)
        warnings += organs
    if not hard.any():
        raise InputError(
            f"{ct.source or ct.name or 'The CT'}: nothing above {low:.0f} HU is bone. {' '.join(warnings)}"
        )

    report(0.65, "Interior of the bones")
    forbidden = ~body if canal is None else ~body | (canal.mask(hu.shape, spacing) & ~hard)
    shell_only = low != settings.low_hu  # the interior is not seen for itself: wider gaps are closed
    closing = settings.closing_mm * (2.0 if shell_only else 1.0)
    bone = filled(hard, hu, spacing, closing, forbidden)
    bone = trimmed(bone, smooth, spacing)
    report(0.85, "Marrow")
    marrow, cutoff = split_marrow(bone, smooth, spacing, settings.ring_mm)

    masks = {"bone": bone, "cortical": bone & ~marrow, "marrow": marrow}
    thresholds = {
        "low_hu": low,
        "high_hu": high,
        "marrow_cutoff_hu": float(np.median(cutoff)),
        "spine_trabecular_hu": trabecular,
        "blood_hu": blood[0],
        "noise_hu": noise,
    }
    result = {name: frame.to_native(paste(mask, box, frame.array.shape)) for name, mask in masks.items()}
    report(1.0, "Skeleton")
    return Skeleton(result, thresholds, tuple(warnings), blood[0] > settings.low_hu, settings)


def _adapted(
    low: float, high: float, trabecular: float, blood: tuple[float, float], noise: float
) -> tuple[float, float, list[str]]:
    """Thresholds and remarks for this patient. ``blood`` is mean and sd of the aorta, NaN where it was not found."""
    mean, sd = blood
    if mean > low:
        raised = mean + 2.0 * max(sd, 10.0)
        remark = (
            f"Contrast medium: the aorta has {mean:.0f} HU. Bone was looked for above {raised:.0f} HU; check the "
            "regions, or give a bone region from an unenhanced CT."
        )
        return raised, max(high, raised + 100.0), [remark]
    if trabecular < _NORMAL_TRABECULAR_HU:
        # Half-way from muscle to the patient's own trabecular bone, but clear of the noise.
        lowered = max(0.5 * (trabecular + _MUSCLE_HU), _MUSCLE_HU + 3.0 * noise, _LEAST_LOW_HU)
        if lowered < low:
            remark = (
                f"Low bone density: trabecular bone of the spine has {trabecular:.0f} HU. The threshold was lowered "
                f"to {lowered:.0f} HU, and the interior taken from the closed cortex."
            )
            return lowered, max(high * 2.0 / 3.0, lowered + 50.0), [remark]
    return low, high, []


def _spine_trabecular_hu(hu: np.ndarray, canal: Canal | None, spacing: Sequence[float]) -> float:
    """Median over the slices of the mean of a 12 mm square in the middle of the vertebral body; NaN without a
    spine."""
    if canal is None:
        return float("nan")
    half = [max(int(6.0 / s), 1) for s in spacing[1:]]
    values = []
    for (z, y, x), radii in zip(canal.centre, canal.radii_mm, strict=True):
        row, column = int(y - (radii[FRONT] + 14.0) / spacing[1]), round(x)
        if row - half[0] >= 0:
            core = hu[int(z), row - half[0] : row + half[0] + 1, column - half[1] : column + half[1] + 1]
            values.append(float(core.mean()))
    return float(np.median(values)) if values else float("nan")


def _remarks(ct: Volume, noise: float, metal: np.ndarray, spacing: Sequence[float], canal: Canal | None) -> list[str]:
    found = list(ct.warnings)
    if noise > 60.0:
        found.append(f"The CT is very noisy ({noise:.0f} HU); the edges of marrow and cortex are uncertain.")
    metal_ml = float(metal.sum() * np.prod(spacing)) / 1000.0
    if metal_ml > 1.0:
        found.append(f"Metal: {metal_ml:.1f} mL left out of the bone; streaks around it may remain.")
    if spacing[0] > 6.0:
        found.append(f"Slices are {spacing[0]:.1f} mm apart; cortex and marrow mix, 5 mm or less is better.")
    if canal is None:
        found.append("No spine found in the field of view; spinal canal and bone density were not assessed.")
    return found
