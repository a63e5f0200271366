"""The dates laid on each other: one anatomy per date, registered once to the date on which the lesions were drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError, RegistrationError
from bonequant.kinetics import baseline_frames
from bonequant.progress import Progress, no_progress, part_of
from bonequant.registration import SpineRegistration, chain, register, register_spine
from bonequant.studies.treatment_response.inputs import DCE, DateInputs
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.volume import Geometry, Volume, image_from_array, same_grid

_BRIGHTEST = 0.002  # share of the voxels whose change tells when the contrast arrives


@dataclass(frozen=True, eq=False)
class Alignment:
    """``between(i, j)``: points of date ``i`` to points of date ``j``; None where they are one and the same space.

    ``home`` is the date that all others were registered to; ``facts`` per other date, for the report.
    """

    home: int
    to_date: tuple[sitk.Transform | None, ...]
    back: tuple[sitk.Transform | None, ...]
    facts: Mapping[int, dict[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def between(self, first: int, second: int) -> sitk.Transform | None:
        if first == second:
            return None
        steps = [step for step in (self.back[first], self.to_date[second]) if step is not None]
        return steps[0] if len(steps) == 1 else chain(*steps) if steps else None


def anatomy_of(one: DateInputs) -> tuple[str, Volume]:
    """Role and image by which a date is aligned and shown: the DCE series before contrast, else CT, else the first."""
    if one.dce is not None:
        series = one.dce.series
        count = _frames_before(series.frames, series.times_s)
        mean = series.frames[:count].mean(axis=0, dtype=np.float64)
        image = image_from_array(np.nan_to_num(mean).astype(np.float32), series.geometry)
        return DCE, Volume(image, series.modality, series.unit, series.acquisition, f"{one.name}, before contrast")
    role = "ct" if "ct" in one.images else next(iter(one.images))
    return role, one.images[role].replace(name=f"{one.name}, {role}")


def home_of(dates: Sequence[DateInputs]) -> int:
    """Index of the first date with lesions drawn."""
    return next(k for k, one in enumerate(dates) if one.lesions)


def align(
    dates: Sequence[DateInputs],
    anatomies: Sequence[tuple[str, Volume]],
    settings: ResponseSettings,
    progress: Progress | None = None,
) -> Alignment:
    """Register every date to the first one with lesions drawn.

    Raises InputError where two dates share no kind of image, RegistrationError as the registration.
    """
    report, home = progress or no_progress, home_of(dates)
    centres = [_centre(mask) for mask in (*dates[home].lesions.values(), *dates[home].references.values())]
    to_date: list[sitk.Transform | None] = [None] * len(dates)
    back: list[sitk.Transform | None] = [None] * len(dates)
    facts: dict[int, dict[str, Any]] = {}
    warnings: list[str] = []
    others = [k for k in range(len(dates)) if k != home]
    for number, k in enumerate(others):
        (role, fixed), (other, moving) = anatomies[home], anatomies[k]
        if role != other:
            raise InputError(
                f"{dates[home].name} would be aligned by its {role} and {dates[k].name} by its {other}: give one kind "
                "of image (a DCE series, or a CT) at every date."
            )
        span = part_of(report, number / len(others), (number + 1) / len(others))
        label = f"{dates[k].name} on {dates[home].name}"
        found: Any
        try:
            if fixed.modality == "MR":
                found = register_spine(moving, fixed, centres, settings.spine, span)
                facts[k] = {"method": "spine, rigid by pieces" if found.bent else "spine, rigid", **found.to_dict()}
            else:
                found = register(moving, fixed, settings.registration, span)
                facts[k] = {"method": settings.registration.model, **found.quality.to_dict()}
        except RegistrationError as error:
            if not dates[k].lesions:
                raise  # nothing could be measured there
            warnings.append(f"{label}: {error} Lesions drawn at both are matched by the scanner's geometry.")
            facts[k] = {"method": "scanner's geometry, since alignment failed"}
            continue
        to_date[k], back[k] = found.transform, found.inverse
        warnings += [f"{label}: {text}" for text in found.warnings]
        if isinstance(found, SpineRegistration) and found.shift_mm > 25.0:
            warnings.append(f"{label}: the patient lies {found.shift_mm:.0f} mm from the scanner's geometry.")
    return Alignment(home, tuple(to_date), tuple(back), facts, tuple(warnings))


def to_image(
    role: str, image: Volume, anatomy: Volume, settings: ResponseSettings, progress: Progress | None = None
) -> tuple[sitk.Transform | None, tuple[str, ...]]:
    """Points of a date's anatomy to points of another image of that date, and warnings.

    One frame of reference, or one grid, counts as aligned by the scanner; else the two are registered.
    """
    uids = (anatomy.acquisition.frame_of_reference_uid, image.acquisition.frame_of_reference_uid)
    if (uids[0] is not None and uids[0] == uids[1]) or same_grid(anatomy.image, image.image):
        return None, ()
    if None in uids:
        return None, (f"{role}: the file names no frame of reference; it was taken to lie as the {anatomy.name} does.",)
    found = register(image, anatomy, settings.registration, progress)
    return found.transform, tuple(f"{role}: {text}" for text in found.warnings)


def _frames_before(frames: np.ndarray, times_s: np.ndarray) -> int:
    """Frames before the contrast, by the voxels that change most."""
    if len(times_s) < 3:
        return 1
    flat = frames.reshape(len(times_s), -1)
    change = flat.max(axis=0) - flat[0]
    change = np.where(np.isfinite(change), change, -np.inf)
    count = max(1, min(2000, round(_BRIGHTEST * change.size)))
    chosen = np.argpartition(change, -count)[-count:]
    return baseline_frames(times_s, np.median(flat[:, chosen], axis=1))


def _centre(mask: sitk.Image) -> np.ndarray:
    return Geometry.of(mask).points_of(np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)).mean(axis=0)
