"""Registration of a moving to a fixed image: SPECT or PET with CT or MR, CT with MR, CT with CT.

    result = register(spect, ct)
    on_ct = resample_to(spect.image, ct.image, result.transform)

From the scanner's geometry and scored alternatives (``starts``) over a coarse level to the optimum of the fine one
(``rigid``, then ``deformable`` where asked for), with measures of trust (``quality``). One thread, no random numbers:
the same images and settings give the same transform to the bit.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import SimpleITK as sitk

from bonequant.errors import RegistrationError
from bonequant.progress import Progress, part_of
from bonequant.registration.deformable import bend, inverse_of
from bonequant.registration.levels import Pair, make_pair
from bonequant.registration.prepare import bone_fraction
from bonequant.registration.quality import agreement_mm, assess, bone_overlaps, value_or_nan
from bonequant.registration.result import RegistrationResult
from bonequant.registration.rigid import Motion, Tick, climb
from bonequant.registration.settings import RegistrationSettings
from bonequant.registration.starts import best_start
from bonequant.registration.transforms import chain
from bonequant.volume import Volume

_FINE_STEP_MM = 1.0
_BENT_BY_UPTAKE = (
    "A deformable alignment of SPECT or PET follows noise where there is little uptake (measured: 7 mm at the worst "
    "bone point); bend the CT of the SPECT/CT to the other image instead and carry the SPECT (register_via)."
)


def register(
    moving: Volume, fixed: Volume, settings: RegistrationSettings | None = None, progress: Progress | None = None
) -> RegistrationResult:
    """Align ``moving`` with ``fixed``; ``.transform`` takes fixed points to moving points.

    Raises RegistrationError for images without overlap, body or contrast, with NaN, or too thin; Cancelled where
    ``progress`` raises it.
    """
    settings = RegistrationSettings.of(settings)
    part_of(progress, 0.0, 1.0)(0.0, "Preparing the images")
    pair = make_pair(moving, fixed, settings)
    points = pair.sampled.body_points().T
    one_frame = _one_frame(moving, fixed)

    tick = _ticker(part_of(progress, 0.15, 0.5), "Comparing starts")
    start = best_start(pair.coarse(), _bases(pair, settings, one_frame), tick)
    fine = pair.fine()
    tick = _ticker(part_of(progress, 0.5, 0.7), "Aligning")
    rigid, value = climb(fine, start, _FINE_STEP_MM, tick)
    motion = rigid
    if settings.model == "affine":
        motion, value = climb(fine, rigid.as_affine(), _FINE_STEP_MM, tick)

    scanner = Motion(np.zeros(6), motion.centre)
    scanner_value = value_or_nan(fine, scanner)
    kept = one_frame and value <= scanner_value * (1.0 + settings.minimum_gain)
    tick = _ticker(part_of(progress, 0.7, 0.9), "Checking from other starts")
    agreement = agreement_mm(fine, rigid, points, tick)
    if kept:
        motion, value = scanner, scanner_value

    transform: sitk.Transform = motion.transform()
    inverse = transform.GetInverse()
    if not pair.sampled_is_fixed:
        transform, inverse = inverse, transform
    if settings.model == "bspline":
        kept = False
        tick = _ticker(part_of(progress, 0.9, 1.0), "Bending")
        transform, inverse, value, scanner_value = _bent(moving, fixed, settings, transform, tick)

    quality = assess(
        value=value,
        scanner_value=scanner_value,
        agreement=agreement,
        bone_overlaps=bone_overlaps(fine, _bone(moving, fixed, pair), motion, scanner),
        displacements=_displacements(transform if pair.sampled_is_fixed else inverse, points),
        voxel_mm=max(*moving.geometry.spacing, *fixed.geometry.spacing),
        inside=fine.overlap(motion.apply(fine.samples.points)),
        kept=kept,
        one_frame=one_frame,
    )
    part_of(progress, 0.0, 1.0)(1.0, "Aligned")
    warnings = [] if quality.level == "ok" else [quality.text]
    if settings.model == "bspline" and pair.functional:
        warnings.append(_BENT_BY_UPTAKE)
    return RegistrationResult(transform, inverse, quality, kept, settings, tuple(warnings))


def register_via(
    moving: Volume,
    companion: Volume,
    fixed: Volume,
    settings: RegistrationSettings | None = None,
    progress: Progress | None = None,
    *,
    companion_to_moving: sitk.Transform | None = None,
) -> RegistrationResult:
    """Align ``moving`` with ``fixed`` through its ``companion``: a SPECT with a diagnostic CT through its own CT.

    ``companion_to_moving`` takes companion points to moving points, e.g. ``register(spect, ct_of_spect).transform``;
    without it the scanner's own alignment of the two counts. The quality is that of companion to fixed.

    Raises RegistrationError as :func:`register` does, and where no such transform is given for two frames of reference.
    """
    if companion_to_moving is None and not _one_frame(moving, companion):
        raise RegistrationError(
            f"{moving.name or 'The moving image'} and its companion are of different frames of reference: "
            "register them with each other first and give the result's transform as companion_to_moving."
        )
    result = register(companion, fixed, settings, progress)
    if companion_to_moving is None:
        return result
    return dataclasses.replace(
        result,
        transform=chain(result.transform, companion_to_moving),
        inverse=chain(companion_to_moving.GetInverse(), result.inverse),
    )


def _bases(pair: Pair, settings: RegistrationSettings, one_frame: bool) -> list[Motion]:
    """Motions from which starts are made: the scanner's geometry, the centroids laid on each other, or both."""
    centre = pair.sampled.centroid()
    scanner = Motion(np.zeros(6), centre)
    centroid = scanner.moved(np.concatenate([np.zeros(3), pair.other.centroid() - centre]))
    if settings.start == "centroid":
        return [centroid]
    if settings.start == "scanner" or one_frame:
        return [scanner]
    return [scanner, centroid]


def _one_frame(first: Volume, second: Volume) -> bool:
    """Do the two claim one frame of reference? An image that says nothing is believed where its header puts it."""
    uids = first.acquisition.frame_of_reference_uid, second.acquisition.frame_of_reference_uid
    return None in uids or uids[0] == uids[1]


def _bent(
    moving: Volume, fixed: Volume, settings: RegistrationSettings, rigid: sitk.Transform, tick: Tick
) -> tuple[sitk.Transform, sitk.Transform, float, float]:
    """The transform with displacements, its inverse, and the metric with it and with the scanner's geometry."""
    fine = make_pair(moving, fixed, settings, sample_fixed=True).fine()
    motion = Motion.of(rigid)
    spline, value = bend(fine, motion, settings.grid_mm, settings.stiffness, tick)
    scanner_value = value_or_nan(fine, Motion(np.zeros(6), motion.centre))
    return chain(spline, rigid), inverse_of(spline, rigid), value, scanner_value


def _bone(moving: Volume, fixed: Volume, pair: Pair) -> np.ndarray | None:
    """Share of bone on the grid of the pair's CT; None unless one image is a CT and the other functional."""
    if pair.sampled.kind != "functional" or pair.other.kind != "ct":
        return None
    ct = moving if pair.sampled_is_fixed else fixed
    return bone_fraction(ct, pair.other, pair.settings.functional_fwhm_mm)


def _displacements(transform: sitk.Transform, points: np.ndarray) -> np.ndarray:
    """How far ``transform`` moves each of ``points`` (3, N), mm."""
    columns = points.T
    there = np.array([transform.TransformPoint(point) for point in columns.tolist()])
    return np.sqrt(((there - columns) ** 2).sum(axis=1))


def _ticker(progress: Progress, message: str) -> Tick:
    """Progress for a search whose length is unknown: each evaluation takes a fortieth of what is left."""
    calls = itertools.count(1)

    def tick() -> None:
        progress(1.0 - 0.975 ** next(calls), message)

    return tick
