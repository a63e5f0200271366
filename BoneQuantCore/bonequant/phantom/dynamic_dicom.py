"""A dynamic series as classic MR or CT Image Storage objects, one file per slice and frame (PS3.3 A.4, A.3).

Scanners tell the time of a frame in different ways; ``timing`` writes each of them:

    "temporal_position"  TemporalPositionIdentifier, and AcquisitionTime per frame (the standard's way)
    "siemens"            AcquisitionTime and AcquisitionNumber per frame, no temporal position
    "philips"            TriggerTime since the start of the dynamic scan; AcquisitionTime is that of the whole series
    "ge"                 TriggerTime; AcquisitionNumber 1 for the first frame and 2 for all others
    "content_time"       ContentTime per frame and nothing else; AcquisitionNumber as "ge"
    "per_slice"          every slice its own AcquisitionTime, spread over the frame; no temporal position
    "series_per_frame"   a series for every frame, told by AcquisitionTime
    "none"               nothing tells the time; InstanceNumber orders the frames
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.phantom.dicom_common import (
    date_time,
    decimal,
    image_pixels,
    new_object,
    plane,
    position,
    save,
    uid,
)
from bonequant.phantom.dicom_ct import CT_IMAGE
from bonequant.progress import Progress, no_progress
from bonequant.volume import DynamicSeries, Volume

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
TIMINGS = (
    "temporal_position",
    "siemens",
    "philips",
    "ge",
    "content_time",
    "per_slice",
    "series_per_frame",
    "none",
)
_HU_INTERCEPT = -1024


def write_dynamic_series(
    series: DynamicSeries,
    folder: str | Path,
    *,
    timing: str = "temporal_position",
    name: str = "DCE",
    number: int = 5,
    step: float = 1.0,
    progress: Progress | None = None,
) -> Path:
    """Write an MR signal series or a CT series in HU, rounded to multiples of ``step``, into ``folder``; return it.

    Args:
        series: modality "MR" (0 to 65535) or "CT" (HU); facts and protocol come from its acquisition.
        folder: made if need be.
        timing: how the frames' times are told, see above.
        name: tells several series of one visit apart.
        number: SeriesNumber.
        step: RescaleSlope of CT, 1 HU as scanners write it; a finer one keeps what noise would carry through rounding.
        progress: may raise Cancelled.

    Raises InputError for another modality, an unknown ``timing`` or values that 16 bits do not hold.
    """
    if timing not in TIMINGS:
        raise InputError(f"There is no timing {timing!r}; choose one of {', '.join(TIMINGS)}.")
    if series.modality not in ("MR", "CT"):
        raise InputError(f"A dynamic series is written as MR or CT, not {series.modality}.")
    report = progress or no_progress
    folder = Path(folder)
    shift = _HU_INTERCEPT if series.modality == "CT" else 0
    if step <= 0 or (step != 1.0 and series.modality != "CT"):
        raise InputError(f"step is {step:g}; CT is stored in steps above 0, MR in steps of 1.")
    low, high, top = float(series.frames.min()), float(series.frames.max()), 65535 * step + shift
    if not (low >= shift - step / 2 and high <= top + step / 2):
        raise InputError(f"{series.name or 'The series'} spans {low:g} to {high:g}; {shift} to {top:g} fit.")
    start = series.acquisition.acquisition_start or datetime(2024, 3, 12, 10)
    count, slices = series.frames.shape[:2]
    for t in range(count):
        report(t / count, f"Writing frame {t + 1} of {count}")
        frame = series.frame(t)
        stored = np.rint((series.frames[t].astype(np.float64) - shift) / step).astype(np.uint16)
        for z in range(slices):
            own = f"{name} {t}" if timing == "series_per_frame" else name
            ds = new_object(frame, MR_IMAGE if shift == 0 else CT_IMAGE, series.modality, own, number, f"{t} {z}")
            if timing == "series_per_frame":
                ds.SeriesInstanceUID, ds.SeriesNumber = uid(ds.StudyInstanceUID, own), number + t
            _image(ds, frame, z)
            _protocol(ds, series, step)
            ds.InstanceNumber = t * slices + z + 1
            _time(ds, series, timing, start, t, z)
            image_pixels(ds, stored[z])
            save(ds, folder / f"{series.modality.lower()}_{t + 1:03d}_{z + 1:03d}.dcm")
    report(1.0, f"Wrote {count * slices} files")
    return folder


def write_mr_volume(volume: Volume, folder: str | Path, *, name: str, number: int = 4) -> Path:
    """One MR volume (signal) as a classic series: a flip angle of a T1 series."""
    series = DynamicSeries(
        volume.array[None], np.zeros(1), volume.geometry, "MR", volume.unit, volume.acquisition, name=volume.name
    )
    return write_dynamic_series(series, folder, timing="siemens", name=name, number=number)


def _image(ds: Dataset, frame: Volume, z: int) -> None:
    geometry = frame.geometry
    orientation, spacing, normal = plane(geometry)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"] if ds.Modality == "MR" else ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.ImageOrientationPatient, ds.PixelSpacing = orientation, spacing
    ds.ImagePositionPatient = position(geometry, z)
    ds.SliceThickness = ds.SpacingBetweenSlices = decimal(geometry.spacing[2])
    ds.SliceLocation = decimal(round(float(np.dot(normal, [float(v) for v in ds.ImagePositionPatient])), 9))


def _protocol(ds: Dataset, series: DynamicSeries, step: float) -> None:
    protocol = series.acquisition.protocol
    ds.ContrastBolusAgent = str(protocol.get("contrast_agent", ""))
    if series.modality == "CT":
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = str(_HU_INTERCEPT), f"{step:g}", "HU"
        ds.KVP = decimal(float(protocol.get("kvp", 100.0)))
        ds.ConvolutionKernel, ds.BodyPartExamined = "STANDARD", "ABDOMEN"
        return
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "GR", "SP", ""
    ds.MRAcquisitionType, ds.SequenceName, ds.EchoTrainLength = "3D", "fspgr3d", 1
    for keyword, key in (
        ("RepetitionTime", "repetition_time_ms"),
        ("EchoTime", "echo_time_ms"),
        ("FlipAngle", "flip_angle_deg"),
        ("MagneticFieldStrength", "field_strength_t"),
    ):
        if key in protocol:
            setattr(ds, keyword, decimal(float(protocol[key])))


def _time(ds: Dataset, series: DynamicSeries, timing: str, start: datetime, t: int, z: int) -> None:
    seconds = float(series.times_s[t])
    count, slices = series.frames.shape[:2]
    steps = np.diff(series.times_s)
    interval = float(np.median(steps)) if count > 1 else 1.0
    if timing == "per_slice":
        seconds += interval * z / slices
    moment = start + timedelta(seconds=seconds)
    ds.ContentDate, ds.ContentTime = date_time(moment if timing not in ("none", "philips") else start)
    ds.AcquisitionDate, ds.AcquisitionTime = date_time(start if timing in ("philips", "ge", "none") else moment)
    ds.AcquisitionNumber = 1
    if timing in ("temporal_position", "philips"):
        ds.TemporalPositionIdentifier, ds.NumberOfTemporalPositions = t + 1, count
    if timing in ("philips", "ge"):
        ds.TriggerTime = decimal(1000.0 * seconds)
    if timing == "siemens":
        ds.AcquisitionNumber = t + 1
    if timing in ("ge", "content_time"):
        ds.AcquisitionNumber = 1 if t == 0 else 2
    if timing == "content_time":
        del ds.AcquisitionDate, ds.AcquisitionTime


def with_first_gap(series: DynamicSeries, gap_s: float) -> DynamicSeries:
    """The same frames with ``gap_s`` more between the first and the second: a pre-contrast frame taken earlier."""
    times = series.times_s.copy()
    times[1:] += gap_s
    return dataclasses.replace(series, times_s=times)
