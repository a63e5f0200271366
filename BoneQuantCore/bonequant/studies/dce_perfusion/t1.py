"""T1 of tissue before contrast: one number, a given map, or mapped from volumes of several flip angles; B1 for it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError, MissingFactError
from bonequant.kinetics import t1_from_flip_angles
from bonequant.progress import Progress, no_progress
from bonequant.studies.dce_perfusion.inputs import DceInputs
from bonequant.studies.dce_perfusion.settings import SignalSettings
from bonequant.threads import thread_count
from bonequant.volume import DynamicSeries, Volume, image_from_array, resample_to, same_grid

_PLAUSIBLE_S = (0.05, 10.0)
_PLAUSIBLE_B1 = (0.2, 3.0)  # the limits of SignalSettings.b1
_BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class TissueT1:
    """``values`` (N,) in seconds of the voxels asked for, NaN where none was found; ``map``: the same as a Volume."""

    values: np.ndarray
    source: str
    map: Volume | None
    warnings: tuple[str, ...] = ()


def tissue_t1(
    inputs: DceInputs, settings: SignalSettings, voxels: np.ndarray, b1: np.ndarray, progress: Progress | None = None
) -> TissueT1:
    """T1 of the ``voxels`` (flat indices into the grid of the series).

    Args:
        b1: factor of the flip angle at the voxels, (N,).

    Raises:
        MissingFactError: nothing says T1, or a flip angle or TR of the T1 volumes is not known.
        InputError: fewer than two flip angles, or a T1 map whose values are no T1.
    """
    check_t1(inputs, settings)
    series = inputs.series
    if inputs.t1_volumes:
        return _mapped(inputs.t1_volumes, settings, series, voxels, b1, progress or no_progress)
    if inputs.t1_map is not None:
        return _given(inputs.t1_map, settings, series, voxels)
    assert settings.t1_s is not None
    return TissueT1(np.full(len(voxels), settings.t1_s), f"{settings.t1_s:g} s everywhere, given", None)


def check_t1(inputs: DceInputs, settings: SignalSettings) -> None:
    """Raise as :func:`tissue_t1` where nothing says T1, before long work begins."""
    if inputs.t1_volumes:
        _angles(inputs.t1_volumes, settings)
        for volume in inputs.t1_volumes:
            _tr_ms(volume, settings)
    elif inputs.t1_map is None and settings.t1_s is None:
        raise MissingFactError(
            f"{inputs.series.source or 'The series'}: T1 of the tissue before contrast is not known. Give volumes of "
            "several flip angles (--t1-series), a map (--t1-map), one value (--set signal.t1_s=SECONDS), or do without "
            "concentration: --set signal.quantity=relative."
        )


def check_b1(inputs: DceInputs) -> None:
    """Raise InputError for a B1 map whose values are no factor of the flip angle, before long work begins."""
    if inputs.b1_map is None:
        return
    label = inputs.b1_map.source or inputs.b1_map.name or "The B1 map"
    values = inputs.b1_map.array
    known = values[np.isfinite(values) & (values > 0.0)]
    due = "A factor of the flip angle is due, 1 = nominal"
    if not len(known):
        raise InputError(f"{label} holds no B1 above zero. {due}.")
    middle = float(np.median(known))
    if not _PLAUSIBLE_B1[0] <= middle <= _PLAUSIBLE_B1[1]:
        raise InputError(
            f"{label}: the median B1 is {middle:g}, outside {_PLAUSIBLE_B1[0]:g} to {_PLAUSIBLE_B1[1]:g}: is it in "
            f"percent? {due}: divide a map in percent by 100."
        )


def on_series(volume: Volume, series: DynamicSeries) -> np.ndarray:
    """The volume's voxels on the grid of the series, flat; NaN outside it."""
    like = series.geometry.apply_to(sitk.Image(series.geometry.size, sitk.sitkUInt8))
    image = volume.image if same_grid(volume.image, like) else resample_to(volume.image, like, None, "linear", np.nan)
    return Volume(image).array.reshape(-1)


def _mapped(
    volumes: Sequence[Volume],
    settings: SignalSettings,
    series: DynamicSeries,
    voxels: np.ndarray,
    b1: np.ndarray,
    report: Progress,
) -> TissueT1:
    angles = _angles(volumes, settings)
    tr_s = np.array([_tr_ms(volume, settings) for volume in volumes]) / 1000.0
    order = np.argsort(angles, kind="stable")
    signals = np.stack([on_series(volumes[i], series)[voxels] for i in order], axis=1)
    t1 = np.empty(len(voxels))

    def work(start: int) -> None:
        part = slice(start, start + _BLOCK)
        t1[part] = t1_from_flip_angles(signals[part], angles[order], tr_s[order], b1[part]).t1_s

    starts = range(0, len(voxels), _BLOCK)
    with ThreadPoolExecutor(thread_count()) as pool:
        for start, _ in zip(starts, pool.map(work, starts), strict=True):
            report(start / len(voxels), "Mapping T1")
    array = np.full(int(np.prod(series.geometry.shape)), np.nan, np.float32)
    array[voxels] = t1
    image = image_from_array(array.reshape(series.geometry.shape), series.geometry)
    said = ", ".join(f"{angle:g}" for angle in angles[order])
    return TissueT1(
        t1, f"mapped from flip angles of {said} degrees", Volume(image, "MR", "s", series.acquisition, "t1")
    )


def _angles(volumes: Sequence[Volume], settings: SignalSettings) -> np.ndarray:
    given = settings.t1_flip_angles_deg
    if given and len(given) != len(volumes):
        raise InputError(f"{len(given)} flip angles (t1_flip_angles_deg) for {len(volumes)} T1 volumes; give one each.")
    found: list[float | None] = list(given) or [volume.acquisition.protocol.get("flip_angle_deg") for volume in volumes]
    for volume, angle in zip(volumes, found, strict=True):
        if angle is None:
            raise MissingFactError(
                f"{volume.source or volume.name}: the flip angle of a T1 volume is not known. Give those of all: "
                "--set signal.t1_flip_angles_deg=[2,5,10]."
            )
    angles = np.array(found, dtype=float)
    if len(np.unique(angles)) < 2:
        raise InputError(f"T1 needs volumes of two flip angles at least; {np.unique(angles).tolist()} given.")
    return angles


def _tr_ms(volume: Volume, settings: SignalSettings) -> float:
    found = settings.t1_tr_ms or volume.acquisition.protocol.get("repetition_time_ms")
    if found is None:
        raise MissingFactError(
            f"{volume.source or volume.name}: the repetition time of a T1 volume is not known. Give it: "
            "--set signal.t1_tr_ms=MS."
        )
    return float(found)


def _given(volume: Volume, settings: SignalSettings, series: DynamicSeries, voxels: np.ndarray) -> TissueT1:
    unit = volume.unit if volume.unit in ("s", "ms") else settings.t1_map_unit
    label = volume.source or volume.name or "The T1 map"
    t1 = on_series(volume, series)[voxels].astype(float) * (0.001 if unit == "ms" else 1.0)
    known = t1[t1 > 0.0]
    if not len(known):
        raise InputError(f"{label} holds no T1 above zero in the body; is it the map of this patient?")
    middle = float(np.median(known))
    if not _PLAUSIBLE_S[0] <= middle <= _PLAUSIBLE_S[1]:
        raise InputError(
            f"{label}: the median T1 is {middle:g} s, which no tissue has. Is it in another unit than {unit}? Give "
            "--set signal.t1_map_unit=ms (or s)."
        )
    wrong = int(np.count_nonzero(~(t1 > 0.0)))
    warnings = (
        (f"{label} is unknown, zero or negative in {wrong} voxels of the body: NaN in the maps.",) if wrong else ()
    )
    image = volume.replace(name="t1", unit=unit)
    return TissueT1(np.where(t1 > 0.0, t1, np.nan), f"map {volume.name or ''} in {unit}".strip(), image, warnings)
