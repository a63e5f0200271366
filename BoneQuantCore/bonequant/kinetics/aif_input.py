"""An input curve with its origin: found in the aorta, drawn as a region, from a population, or from a file.

An :class:`AIF` is a Curve and goes wherever a curve is taken. MR inputs (mM) are plasma concentration, whole blood
divided by (1 - hematocrit); the hematocrit used is kept with the curve. Everything else (HU, signal, Bq/mL) stays whole
blood, and ``hematocrit`` is None.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.kinetics.arrival import baseline_frames
from bonequant.kinetics.population_aif import blood_to_plasma, population_aif
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import Curve, DynamicSeries

DEFAULT_HEMATOCRIT = 0.42
_NEEDED_AREA = 1e-12


@dataclass(frozen=True, eq=False)
class SliceInput:
    """What one slice (index along z of the series) gave, for verification: mean curve of its ``n_voxels``.

    ``quality`` 0..1 is the product of its likeness to the curve of all slices (squared correlation), its peak relative
    to theirs (at most 1) and 1 - noise of its tail over its peak.
    """

    index: int
    n_voxels: int
    values: np.ndarray
    quality: float
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, eq=False)
class AIF(Curve):
    """An input curve and where it came from.

    Attributes:
        method: "automatic", "roi", "population" or "file".
        hematocrit: by which whole blood was divided to give plasma; None where nothing was divided.
        mask: the voxels it was taken from, uint8 on the grid of the series; None for population and file.
        slices: per slice, for automatic and drawn inputs; rejected slices do not count in the curve.
        shift_s: how far it was shifted by hand.
        quality: 0..1, voxel-weighted mean over the accepted slices; NaN for population and file.
        warnings: what the user should know.
    """

    method: str = "roi"
    hematocrit: float | None = None
    mask: sitk.Image | None = None
    slices: tuple[SliceInput, ...] = field(default=())
    shift_s: float = 0.0
    quality: float = float("nan")
    warnings: tuple[str, ...] = ()

    @property
    def n_voxels(self) -> int:
        return sum(one.n_voxels for one in self.slices if one.accepted)

    def shifted(self, seconds: float) -> AIF:
        """The curve moved ``seconds`` later, sampled at the same times; beyond its ends it stays level."""
        moved = np.interp(self.times_s - seconds, self.times_s, self.values)
        return dataclasses.replace(self, values=moved, shift_s=self.shift_s + seconds)

    def without_slices(self, vetoed: Collection[int]) -> AIF:
        """The curve of the other slices: the user's veto. Raises InputError where none is left or one is unknown."""
        known = {one.index for one in self.slices}
        unknown = sorted(set(vetoed) - known)
        if unknown:
            raise InputError(f"No input was taken from slice {unknown}; it was taken from {sorted(known)}.")
        slices = tuple(
            dataclasses.replace(one, accepted=False, reason="vetoed") if one.index in vetoed else one
            for one in self.slices
        )
        if not any(one.accepted for one in slices):
            raise InputError("No slice of the input is left; draw a region, or take a population AIF.")
        mask = None
        if self.mask is not None:
            array = sitk.GetArrayFromImage(self.mask)
            array[[one.index for one in slices if not one.accepted]] = 0
            mask = Geometry.of(self.mask).apply_to(sitk.GetImageFromArray(array))
        moved = dataclasses.replace(
            self, values=mean_of(slices), slices=slices, mask=mask, quality=quality_of(slices), shift_s=0.0
        )
        return moved.shifted(self.shift_s) if self.shift_s else moved


def population_input(
    times_s: np.ndarray, name: str = "parker", hematocrit: float = DEFAULT_HEMATOCRIT, delay_s: float = 0.0
) -> AIF:
    """A population AIF (see :func:`population_aif`) as an AIF, plasma mM."""
    curve = population_aif(times_s, name, hematocrit, delay_s)
    stated = None if name == "weinmann" else hematocrit
    return AIF(curve.times_s, curve.values, "mM", curve.name, method="population", hematocrit=stated)


def roi_input(
    series: DynamicSeries,
    mask: sitk.Image,
    name: str = "AIF",
    *,
    hematocrit: float = DEFAULT_HEMATOCRIT,
    baseline: int | None = None,
) -> AIF:
    """The mean curve of a drawn region: aorta, portal vein, spleen.

    Args:
        series: concentration in mM gives plasma; HU gives enhancement over the baseline; other units stay as they are.
        mask: voxels above 0, on the grid of the series.
        name: for tables and messages.
        hematocrit: of the patient's large vessels; used for mM alone.
        baseline: number of frames before the contrast, for HU; found from the curve by default.

    Raises GeometryError for a mask on another grid, InputError for an empty one or curves that are not finite.
    """
    own = Geometry.of(mask)
    if own.size != series.geometry.size or np.abs(own.corners() - series.geometry.corners()).max() > 1e-3:
        raise GeometryError(f"{name}: the region lies on another grid than the series; draw it on the series itself.")
    chosen = sitk.GetArrayViewFromImage(mask) > 0
    if not chosen.any():
        raise InputError(f"{name}: the region is empty.")
    slices = slices_of(series, chosen)
    return assemble(series, chosen, slices, name, "roi", hematocrit, baseline)


def file_input(
    path: str | Path, name: str = "AIF", *, hematocrit: float | None = None, unit: str = "mM", per_minute: bool = False
) -> AIF:
    """An input from a text file of two columns, time and value, separated by comma, semicolon, tab or blanks.

    Args:
        path: lines without two numbers (headings) are passed over.
        name: for tables and messages.
        hematocrit: given where the file holds whole blood, which is divided by (1 - hematocrit); None for plasma.
        unit: of the values.
        per_minute: the times are minutes.

    Raises InputError for a file without two rows of numbers, or times that do not increase.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}.") from error
    rows = []
    for line in lines:
        cells = next(csv.reader([line.replace(";", ",").replace("\t", ",")])) if line.strip() else []
        cells = cells if len(cells) > 1 else line.split()
        try:
            rows.append((float(cells[0]), float(cells[1])))
        except (IndexError, ValueError):
            continue
    if len(rows) < 2:
        raise InputError(f"{path} holds {len(rows)} rows of two numbers; a time and a value per line are due.")
    times, values = np.array(rows).T
    times = times * (60.0 if per_minute else 1.0)
    if np.any(np.diff(times) <= 0) or not np.all(np.isfinite(values)):
        raise InputError(f"{path}: times must increase from line to line, and values be finite.")
    if hematocrit is not None:
        values = blood_to_plasma(values, hematocrit)
    return AIF(times, values, unit, name, method="file", hematocrit=hematocrit)


def slices_of(series: DynamicSeries, chosen: np.ndarray) -> tuple[SliceInput, ...]:
    """Mean raw curve of each slice that has chosen voxels, with its quality against all of them."""
    found = []
    for z in np.flatnonzero(chosen.any(axis=(1, 2))).tolist():
        curves = series.frames[:, z][:, chosen[z]].astype(np.float64)
        found.append((z, curves.shape[1], curves.mean(axis=1)))
    weights = np.array([count for _, count, _ in found], dtype=float)
    overall = np.average([curve for _, _, curve in found], axis=0, weights=weights)
    if not np.all(np.isfinite(overall)):
        raise InputError("The region holds values that are not finite; leave those voxels out.")
    return tuple(
        SliceInput(z, count, curve, slice_quality(series.times_s, curve, overall), True) for z, count, curve in found
    )


def slice_quality(times_s: np.ndarray, curve: np.ndarray, overall: np.ndarray) -> float:
    """0..1, see :class:`SliceInput`."""
    count = baseline_frames(times_s, overall)
    a, b = curve - curve[:count].mean(), overall - overall[:count].mean()
    scale = float(np.sqrt(((a - a.mean()) ** 2).sum() * ((b - b.mean()) ** 2).sum()))
    if scale < _NEEDED_AREA or a.max() <= 0 or b.max() <= 0:
        return 0.0
    likeness = max(0.0, float(((a - a.mean()) * (b - b.mean())).sum()) / scale) ** 2
    height = min(1.0, float(a.max() / b.max()))
    return likeness * height * max(0.0, 1.0 - float(tail_noise(a)) / float(a.max()))


def tail_noise(curves: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise in the last third of curves (..., T), by second differences: blind to trends."""
    tail = curves[..., -max(4, curves.shape[-1] // 3) :]
    return np.sqrt((np.diff(tail, n=2, axis=-1) ** 2).mean(axis=-1) / 6.0)


def mean_of(slices: Collection[SliceInput]) -> np.ndarray:
    """Voxel-weighted mean of the accepted slices' curves (T,)."""
    kept = [one for one in slices if one.accepted]
    return np.average([one.values for one in kept], axis=0, weights=[one.n_voxels for one in kept])


def quality_of(slices: Collection[SliceInput]) -> float:
    kept = [one for one in slices if one.accepted]
    return float(np.average([one.quality for one in kept], weights=[one.n_voxels for one in kept]))


def assemble(
    series: DynamicSeries,
    chosen: np.ndarray,
    slices: tuple[SliceInput, ...],
    name: str,
    method: str,
    hematocrit: float,
    baseline: int | None = None,
    warnings: tuple[str, ...] = (),
) -> AIF:
    """The AIF in its own terms: plasma for mM, enhancement for HU."""
    stated: float | None = None
    if series.unit == "mM":
        stated = hematocrit
        slices = tuple(dataclasses.replace(s, values=blood_to_plasma(s.values, hematocrit)) for s in slices)
    elif series.unit == "HU":
        count = baseline or baseline_frames(series.times_s, mean_of(slices))
        slices = tuple(dataclasses.replace(s, values=s.values - s.values[:count].mean()) for s in slices)
    for one in slices:
        if not one.accepted:
            chosen[one.index] = False
    mask = series.geometry.apply_to(sitk.GetImageFromArray(chosen.astype(np.uint8)))
    return AIF(
        series.times_s,
        mean_of(slices),
        series.unit,
        name,
        method=method,
        hematocrit=stated,
        mask=mask,
        slices=slices,
        quality=quality_of(slices),
        warnings=warnings,
    )
