"""The spine at two dates: one rigid motion of the whole, then one of every piece of the spine, blended between them.

    result = register_spine(later, first, centres_mm)          # lesions and vertebrae that are to be carried
    roi.measure(later_map, mask_of_first, result.transform)

Vertebrae are rigid, the spine is not: lying otherwise it bends between them. Around each centre, and one vertebral
pitch above and below it, the images are aligned once more by themselves, beginning where the whole and the neighbour
lie; between these nodes the motions are blended by the distance along the spine. A spine that did not bend keeps the
one rigid motion, and a piece whose own search is not to be trusted keeps that of the whole and says so. Repositioning
of one patient is a matter of centimetres: the search begins at the scanner's geometry and its shifts, and a position
where the slabs hardly overlap is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import RegistrationError
from bonequant.progress import Progress, no_progress
from bonequant.registration.levels import make_pair
from bonequant.registration.metric import MutualInformation
from bonequant.registration.rigid import Motion, Tick, information_of
from bonequant.registration.settings import RegistrationSettings
from bonequant.registration.spine_pieces import (
    SpinePiece,
    SpineSettings,
    agreement_at,
    blended,
    climbed,
    move_pieces,
    nodes_along,
    turn_deg_of,
    value_of,
)
from bonequant.volume import Volume

_LEVELS_MM = (12.0, 6.0, 3.0)  # smoothing of the whole, FWHM, from coarse to fine
_LOCAL_MM = (6.0, 3.0)
_SHIFTS_MM = (10.0, 20.0)
_ALIKE = 0.1  # of the metric: answers that fit about as well
_ANOTHER_MM = 10.0


@dataclass(frozen=True, eq=False)
class SpineRegistration:
    """``transform``: points of the fixed image to points of the moving one; ``inverse`` the other way (LPS, mm).

    ``rigid``: the motion of the whole; ``bent`` tells whether pieces moved by themselves. ``overlap`` is the share of
    the fixed body inside the moving image, ``metric`` the mutual information (nat) of the whole and ``metric_scanner``
    that of the scanner's geometry; ``shift_mm`` and ``turn_deg`` describe the whole at the centre of the pieces.
    """

    transform: sitk.Transform
    inverse: sitk.Transform
    rigid: sitk.Transform
    bent: bool
    pieces: tuple[SpinePiece, ...]
    overlap: float
    metric: float
    metric_scanner: float
    agreement_mm: float
    shift_mm: float
    turn_deg: float
    settings: SpineSettings
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The measures, without the transforms."""
        names = ("bent", "overlap", "metric", "metric_scanner", "agreement_mm", "shift_mm", "turn_deg", "pieces")
        return {name: getattr(self, name) for name in names}


def register_spine(
    moving: Volume,
    fixed: Volume,
    centres_mm: Sequence[Sequence[float]] | Sequence[np.ndarray],
    settings: SpineSettings | None = None,
    progress: Progress | None = None,
) -> SpineRegistration:
    """Align two images of one spine (MR slabs, or CT).

    Args:
        moving, fixed: anatomy before contrast, or anything that looks alike at both dates.
        centres_mm: points of the fixed image near the spine, LPS: centroids of the lesions and reference vertebrae.
        progress: may raise Cancelled.

    Raises RegistrationError for images without body or contrast, too thin, or that do not show the same part.
    """
    s, report = SpineSettings.of(settings), progress or no_progress
    report(0.0, "Preparing the images")
    pair = make_pair(moving, fixed, RegistrationSettings(), sample_fixed=True)
    centres = np.atleast_2d(np.asarray(centres_mm, dtype=np.float64))
    middle = centres.mean(axis=0)
    tick = _ticker(report, "Aligning the spine")
    levels = [pair.metric(fwhm, s.samples) for fwhm in _LEVELS_MM]
    whole, doubt = _whole(levels, middle, s.least_overlap, tick)
    fine = levels[-1]
    overlap = fine.overlap(whole.apply(fine.samples.points))
    if overlap < s.least_overlap:
        raise RegistrationError(
            f"Only {overlap:.0%} of the body in {_name(fixed)} is found in {_name(moving)}: do they show the same part "
            "of the spine? Give masks drawn at both dates."
        )
    agreement = agreement_at(fine, whole, middle, tick)
    warnings = [doubt] if doubt else []
    voxel = max(*moving.geometry.spacing, *fixed.geometry.spacing)
    if agreement > 0.5 * voxel:
        warnings.append(
            f"Alignment of the two dates is doubtful: searches from other starts end {agreement:.1f} mm apart. Look at "
            "the pictures, or draw the masks at both dates."
        )
    pieces: list[tuple[SpinePiece, Motion]] = []
    if s.bends:
        local = [pair.metric(fwhm, 10 * s.samples) for fwhm in _LOCAL_MM]
        nodes = nodes_along(centres, fixed.geometry, s.pitch_mm)
        pieces = move_pieces(local, nodes, whole, s, voxel, tick)
    warnings += [piece.text for piece, _ in pieces if piece.kept and piece.text]
    bent = any(not piece.kept and piece.bend_mm >= s.least_bend_mm for piece, _ in pieces)
    rigid = whole.transform()
    transform: sitk.Transform = rigid
    inverse: sitk.Transform = rigid.GetInverse()
    if bent:
        transform, inverse = blended(pieces, whole, fixed.geometry)
    report(1.0, "Aligned")
    there = whole.apply(middle[:, None])[:, 0]
    return SpineRegistration(
        transform=transform,
        inverse=inverse,
        rigid=rigid,
        bent=bent,
        pieces=tuple(piece for piece, _ in pieces),
        overlap=overlap,
        metric=information_of(fine, whole),
        metric_scanner=value_of(fine, Motion(np.zeros(6), middle), 0.0),
        agreement_mm=agreement,
        shift_mm=float(np.linalg.norm(there - middle)),
        turn_deg=turn_deg_of(whole.matrix),
        settings=s,
        warnings=tuple(warnings),
    )


def _whole(levels: list[MutualInformation], middle: np.ndarray, least_overlap: float, tick: Tick) -> tuple[Motion, str]:
    """The rigid motion of the whole, and a warning where another one fits about as well.

    Vertebrae look alike, and one vertebra off may fit a bent spine better than the truth: of the answers from several
    starts that fit about as well, the one nearest to the scanner's geometry stands.
    """
    scanner = Motion(np.zeros(6), middle)
    answers: list[tuple[float, float, Motion]] = []  # value, distance from the scanner's geometry, motion
    for start in [scanner, *(_best_shift(levels[0], scanner, by, least_overlap) for by in _SHIFTS_MM)]:
        motion = start
        for metric, step in zip(levels, (2.0, 1.0, 1.0), strict=True):
            motion = climbed(metric, motion, step, tick)
        answers.append((value_of(levels[-1], motion, least_overlap), float(np.linalg.norm(motion.shift)), motion))
    best = max(value for value, _, _ in answers)
    if not np.isfinite(best):
        raise RegistrationError("The two dates could not be aligned: their images hardly overlap. Draw masks at both.")
    good = sorted((answer for answer in answers if answer[0] > (1.0 - _ALIKE) * best), key=lambda answer: answer[1])
    chosen = good[0][2]
    apart = max(float(np.linalg.norm(motion.shift - chosen.shift)) for _, _, motion in good)
    if apart > _ANOTHER_MM:
        return chosen, (
            f"Another alignment, {apart:.0f} mm away, fits about as well: is each lesion carried to its own vertebra, "
            "not to the next one? Look at the pictures, or draw the masks at both dates."
        )
    return chosen, ""


def _best_shift(metric: MutualInformation, scanner: Motion, by_mm: float, least_overlap: float) -> Motion:
    """The best of the shifts by ``by_mm`` along any of the axes."""
    shifts = [np.array(shift) for shift in itertools.product((-by_mm, 0.0, by_mm), repeat=3)]
    motions = [scanner.moved(np.concatenate([np.zeros(3), shift])) for shift in shifts]
    return max(motions, key=lambda motion: value_of(metric, motion, least_overlap))


def _name(volume: Volume) -> str:
    return volume.name or volume.source or "one image"


def _ticker(progress: Progress, message: str) -> Tick:
    """Progress of searches whose length is unknown: each evaluation takes a four-hundredth of what is left."""
    calls = itertools.count(1)

    def tick() -> None:
        progress(1.0 - 0.9975 ** next(calls), message)

    return tick
