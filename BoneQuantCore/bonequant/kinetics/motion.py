"""Motion correction of the frames over time: ``correct_motion(series)``, rigid, or rigid and then deformable.

All frames are brought to the one that is nearest to the others, or to a named one. A first pass compares each frame
with that one; later passes compare it with its own motion-free model, rebuilt from the aligned frames (see
``motion_images``), so that arriving contrast is not taken for motion. Every frame is then sampled once, from the
original, with cubic B-splines.

Transforms take points of the corrected grid to points of the original frame.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import GeometryError, InputError
from bonequant.kinetics.motion_deform import Search, align_deformable, as_field
from bonequant.kinetics.motion_images import CoarseFrames, coarse_frames, medoid, motion_free
from bonequant.kinetics.motion_rigid import align_rigid, as_transform, rigid_field
from bonequant.progress import Progress, no_progress, part_of
from bonequant.registration.rigid import Motion
from bonequant.registration.transforms import chain
from bonequant.settings import Settings, setting
from bonequant.threads import thread_count
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import DynamicSeries, image_from_array

_BODY = 0.15  # of the window: what is above counts as body
_MINIMUM_SLICES = 4
_STEADY = 0.85  # share of the body's voxels, those that change least over time, by which MR frames are compared


@dataclass(frozen=True)
class MotionSettings(Settings):
    """What may move and how finely it is compared."""

    model: str = setting(
        "deformable", choices=("rigid", "deformable"), help="deformable for breathing; rigid for spine and head."
    )
    spacing_mm: float = setting(5.0, unit="mm", low=1, high=20, help="Grid on which frames are compared.")
    passes: int = setting(2, low=1, high=10, help="The first to one frame, the others to the motion-free model.")
    iterations: int = setting(4, low=1, high=100, help="Steps of the deformable alignment per level.")
    window: float = setting(
        3.0,
        unit="voxels",
        low=0.5,
        high=10,
        help="Gaussian window of the deformable alignment, of its level.",
    )


@dataclass(frozen=True, eq=False)
class MotionResult:
    """Frames on one grid, and how far each had moved.

    Attributes:
        series: corrected frames; NaN where a frame does not reach.
        transforms: per frame, points of the corrected grid to points of the original frame.
        displacement_mm: (T,) mean length of the displacement over the region.
        largest_mm: (T,) largest one there.
        reference: index of the frame that stayed.
        difference: root mean square of the difference from frame to frame over the region, before and after, in the
            series' unit.
    """

    series: DynamicSeries
    transforms: tuple[sitk.Transform, ...]
    displacement_mm: np.ndarray
    largest_mm: np.ndarray
    reference: int
    difference: tuple[float, float]
    settings: MotionSettings

    def table(self) -> list[dict[str, float]]:
        """One row per frame, for the report."""
        rows = zip(self.series.times_s, self.displacement_mm, self.largest_mm, strict=True)
        return [
            {"frame": t, "time_s": float(time), "mean_mm": float(mean), "largest_mm": float(largest)}
            for t, (time, mean, largest) in enumerate(rows)
        ]


def correct_motion(
    series: DynamicSeries,
    settings: MotionSettings | None = None,
    mask: sitk.Image | None = None,
    progress: Progress | None = None,
    *,
    reference: int | None = None,
) -> MotionResult:
    """Bring all frames onto one of them.

    Args:
        series: signal or HU (not parameter maps), any number of frames.
        settings: what may move.
        mask: region that counts, on the grid of the series: the rigid model follows it alone, and displacements are
            reported over it. The whole body by default.
        progress: may raise Cancelled.
        reference: index of the frame that stays, the one on which regions were drawn; by default the one that is
            nearest to the others.

    Raises:
        InputError: fewer than two frames, no frame ``reference``, an empty region, or too few slices for the
            deformable model.
        GeometryError: the mask lies on another grid.
    """
    s = MotionSettings.of(settings)
    report = progress or no_progress
    if len(series.times_s) < 2:
        raise InputError("One frame cannot move against another: motion correction needs two at least.")
    if reference is not None and not 0 <= reference < len(series.times_s):
        raise InputError(f"There is no frame {reference} to stay: frames are 0 to {len(series.times_s) - 1}.")
    if s.model == "deformable" and min(series.geometry.size) < _MINIMUM_SLICES:
        raise InputError(
            f"A series of {series.geometry.size} voxels is too thin for the deformable model; choose rigid."
        )
    report(0.0, "Preparing frames")
    coarse = coarse_frames(series, s.spacing_mm)
    weight = _weight(coarse, series, mask)
    named = reference is not None
    if reference is None:
        reference = medoid(coarse.frames * (weight > 0))
    transforms = _align(coarse, weight, reference, s, part_of(progress, 0.05, 0.8))
    if named:
        transforms = _seen_from(reference, transforms, coarse.geometry)
    corrected, missing = _resample(series, transforms, reference, part_of(progress, 0.8, 1.0))
    region = _region(series, coarse, mask)
    means, largest = _displacements(coarse.geometry, weight, transforms)
    warnings = list(series.warnings)
    if missing:
        warnings.append(f"{missing} voxels are outside some frame after motion correction; they are NaN there")
    moved = series.replace(frames=corrected, warnings=tuple(warnings))
    difference = (_difference(series.frames, region), _difference(corrected, region))
    report(1.0, f"Largest mean displacement {means.max():.1f} mm")
    return MotionResult(moved, tuple(transforms), means, largest, reference, difference, s)


def _weight(coarse: CoarseFrames, series: DynamicSeries, mask: sitk.Image | None) -> np.ndarray:
    body = coarse.frames.mean(axis=0) > _BODY
    if mask is not None:
        own = Geometry.of(mask)
        if own.size != series.geometry.size or np.abs(own.corners() - series.geometry.corners()).max() > 1e-3:
            raise GeometryError("The region of the motion correction lies on another grid than the series.")
        near = sitk.Resample(
            sitk.Cast(mask > 0, sitk.sitkFloat32), coarse.image(coarse.frames[0]), sitk.Transform(), sitk.sitkLinear
        )
        body = ndimage.binary_dilation(sitk.GetArrayFromImage(near) > 0.2, iterations=2)  # its edges tell the motion
    if not body.any():
        raise InputError("The region of the motion correction is empty.")
    if series.unit != "HU" and mask is None:
        # Vessels light up and fade more than anything moves; they would pull frames of the bolus towards themselves.
        change = coarse.frames.std(axis=0)
        body &= change <= np.quantile(change[body], _STEADY)
    return body.astype(np.float32)


def _region(series: DynamicSeries, coarse: CoarseFrames, mask: sitk.Image | None) -> np.ndarray:
    if mask is not None:
        return sitk.GetArrayFromImage(mask) > 0
    body = coarse.image((coarse.frames.mean(axis=0) > _BODY).astype(np.float32))
    like = image_from_array(np.zeros(series.geometry.shape, np.uint8), series.geometry)
    return sitk.GetArrayFromImage(sitk.Resample(body, like, sitk.Transform(), sitk.sitkLinear)) > 0.5


def _align(
    coarse: CoarseFrames, weight: np.ndarray, reference: int, s: MotionSettings, report: Progress
) -> list[sitk.Transform]:
    """One transform per frame. Frames of a pass do not depend on each other: they run in threads, with one result."""
    grid, count = coarse.geometry, len(coarse.frames)
    motions: list[Motion | None] = [None] * count
    fields = np.zeros((count, 3, *grid.shape), np.float32) if s.model == "deformable" else None
    transforms: list[sitk.Transform] = [sitk.AffineTransform(3) for _ in range(count)]
    aligned = coarse.frames

    def align(t: int, target: np.ndarray, first: bool) -> sitk.Transform:
        if first or fields is None:
            motions[t] = align_rigid(target, coarse.frames[t], grid, weight, motions[t])
        motion = motions[t]
        if fields is None:
            assert motion is not None
            return as_transform(motion)
        start = rigid_field(motion, grid) if first and motion is not None else fields[t]
        search = Search((4, 2, 1) if first else (2, 1), s.iterations, s.window)
        fields[t] = align_deformable(target, coarse.frames[t], grid.spacing, start, search)
        return as_field(fields[t], grid)

    with ThreadPoolExecutor(thread_count()) as pool:
        for number in range(s.passes):
            targets = None if number == 0 else motion_free(aligned, number)
            moving = [t for t in range(count) if targets is not None or t != reference]
            jobs = {
                t: pool.submit(align, t, coarse.frames[reference] if targets is None else targets[t], number == 0)
                for t in moving
            }
            try:
                for done, (t, job) in enumerate(jobs.items()):
                    report((number + done / count) / s.passes, f"Aligning frame {t + 1} of {count}, pass {number + 1}")
                    transforms[t] = job.result()
            except BaseException:
                for job in jobs.values():
                    job.cancel()
                raise
            if number + 1 < s.passes:
                aligned = _aligned(coarse, transforms)
    return transforms


def _seen_from(reference: int, transforms: list[sitk.Transform], grid: Geometry) -> list[sitk.Transform]:
    """The same alignment on the grid of the frame ``reference`` itself, which later passes move by a millimetre or two.

    Regions drawn on that frame then lie where they were drawn: points go to the common grid and on to each frame.
    """
    own = transforms[reference]
    if isinstance(own, sitk.DisplacementFieldTransform):
        field = sitk.TransformToDisplacementField(
            own, sitk.sitkVectorFloat64, grid.size, grid.origin, grid.spacing, grid.direction
        )
        back: sitk.Transform = sitk.DisplacementFieldTransform(sitk.InvertDisplacementField(field, 50, 0.01, 0.001))
    else:
        back = own.GetInverse()
    moved: list[sitk.Transform] = [chain(back, transform) for transform in transforms]
    moved[reference] = sitk.AffineTransform(3)
    return moved


def _aligned(coarse: CoarseFrames, transforms: list[sitk.Transform]) -> np.ndarray:
    frames = np.empty_like(coarse.frames)
    resample = sitk.ResampleImageFilter()
    resample.SetReferenceImage(coarse.image(coarse.frames[0]))
    resample.SetInterpolator(sitk.sitkLinear)
    resample.SetUseNearestNeighborExtrapolator(True)
    for t, transform in enumerate(transforms):
        resample.SetTransform(transform)
        frames[t] = sitk.GetArrayFromImage(resample.Execute(coarse.image(coarse.frames[t])))
    return frames


def _resample(
    series: DynamicSeries, transforms: list[sitk.Transform], reference: int, report: Progress
) -> tuple[np.ndarray, int]:
    """Corrected frames, and in how many voxels any frame does not reach."""
    frames = np.empty_like(series.frames)
    outside = np.zeros(series.geometry.shape, bool)
    resample = sitk.ResampleImageFilter()
    resample.SetInterpolator(sitk.sitkBSpline)
    resample.SetDefaultPixelValue(float("nan"))
    for t, transform in enumerate(transforms):
        report(t / len(transforms), f"Sampling frame {t + 1} of {len(transforms)}")
        image = image_from_array(series.frames[t], series.geometry)
        if t == reference and isinstance(transform, sitk.AffineTransform):
            frames[t] = series.frames[t]
            continue
        resample.SetReferenceImage(image)
        resample.SetTransform(transform)
        frames[t] = sitk.GetArrayFromImage(resample.Execute(image))
        outside |= np.isnan(frames[t]) & ~np.isnan(series.frames[t])
    return frames, int(outside.sum())


def _displacements(
    grid: Geometry, weight: np.ndarray, transforms: list[sitk.Transform]
) -> tuple[np.ndarray, np.ndarray]:
    means, largest = np.zeros(len(transforms)), np.zeros(len(transforms))
    inside = weight > 0
    for t, transform in enumerate(transforms):
        field = sitk.TransformToDisplacementField(
            transform, sitk.sitkVectorFloat64, grid.size, grid.origin, grid.spacing, grid.direction
        )
        length = np.linalg.norm(sitk.GetArrayViewFromImage(field)[inside], axis=1)
        means[t], largest[t] = float(length.mean()), float(length.max())
    return means, largest


def _difference(frames: np.ndarray, region: np.ndarray) -> float:
    total, count = 0.0, 0
    for before, after in pairwise(frames):
        change = (after[region] - before[region]).astype(np.float64)
        finite = change[np.isfinite(change)]
        total, count = total + float((finite**2).sum()), count + finite.size
    return float(np.sqrt(total / count)) if count else float("nan")
