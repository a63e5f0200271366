"""Every plane of a dynamic MR, CT or PET series with what could tell its phase and time, from classic slices or
enhanced multi-frame objects (DICOM PS3.3 C.7.6.16.2.2 frame content, C.7.6.16.2.3 temporal position).

Headers of classic slices are read tag by tag: a dynamic study has thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import AmbiguousInputError, InputError
from bonequant.io.dicom_enhanced import enhanced_planes, sequence_item
from bonequant.io.dicom_header import integer, number, read_header, tag, text
from bonequant.io.dicom_stack import PlaneForm
from bonequant.io.dicom_times import moment, parse_datetime, parse_time
from bonequant.io.dicom_volume import classic_plane, plane_form
from bonequant.io.dynamic_phases import TimedPlane
from bonequant.io.overrides import Overrides
from bonequant.io.series import SeriesInfo
from bonequant.progress import Progress

_NEEDED = """
    SOPClassUID Modality SeriesInstanceUID InstanceNumber AcquisitionNumber TemporalPositionIdentifier TriggerTime
    AcquisitionDateTime AcquisitionDate AcquisitionTime ContentDate ContentTime SeriesDate SeriesTime
    TimezoneOffsetFromUTC FrameReferenceTime ActualFrameDuration TemporalResolution ImagePositionPatient
    ImageOrientationPatient PixelSpacing SliceThickness SpacingBetweenSlices Rows Columns RescaleSlope RescaleIntercept
    RescaleType RealWorldValueMappingSequence Units SUVType FlipAngle RepetitionTime EchoTime KVP
    DetectorInformationSequence SpecificCharacterSet
"""
_TAGS = _NEEDED.split()
_CONSTANT = {"FlipAngle": "flip angle", "RepetitionTime": "repetition time", "EchoTime": "echo time", "KVP": "voltage"}
_FRAME_CONSTANT = {
    "EffectiveEchoTime": ("MREchoSequence", "echo time"),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence", "flip angle"),
    "ComplexImageComponent": ("MRImageFrameTypeSequence", "image component"),
}
_HALF_DAY_S = 43200.0


@dataclass(frozen=True)
class PlaneSet:
    """All planes of a dynamic series, the headers they came from (the first one whole), and what they share."""

    planes: list[TimedPlane]
    form: PlaneForm
    headers: list[Dataset]
    interval_s: float | None
    warnings: tuple[str, ...] = ()


def classic_planes(
    members: Sequence[SeriesInfo], modality: str, overrides: Overrides, label: str, report: Progress
) -> PlaneSet:
    """Planes of slices, one per file. Raises InputError for a broken file or a protocol that changes between frames."""
    paths = [path for member in members for path in member.files]
    headers = []
    for count, path in enumerate(paths):
        if count % 32 == 0:
            report(count / len(paths), f"Reading headers, {count} of {len(paths)} slices")
        header = read_header(path, _TAGS)
        if header is None or "Rows" not in header:
            raise InputError(f"{path} is truncated or damaged: it ends before the description of its pixels.")
        headers.append(header)
    _refuse_changes(headers, label)
    clocks = _Clocks()
    for header in headers:
        clocks.read(header)
    series = {uid: place for place, uid in enumerate(dict.fromkeys(text(h, "SeriesInstanceUID") for h in headers))}
    planes = []
    for k, (path, header) in enumerate(zip(paths, headers, strict=True)):
        keys = clocks.keys(k)
        keys["SeriesInstanceUID"] = float(series[text(header, "SeriesInstanceUID")])
        for keyword in ("TemporalPositionIdentifier", "AcquisitionNumber", "InstanceNumber"):
            _put(keys, keyword, integer(header, keyword))
        for keyword in ("TriggerTime", "FrameReferenceTime"):
            _put(keys, keyword, number(header, keyword), 1e-3)
        duration = number(header, "ActualFrameDuration")
        planes.append(TimedPlane(classic_plane(path, header, modality), keys, _positive(duration, 1e-3)))
    whole = read_header(paths[0])
    first = headers[0] if whole is None else whole
    interval = _positive(number(first, "TemporalResolution"), 1e-3)
    return PlaneSet(planes, plane_form(first), [first, *headers[1:]], interval, clocks.warnings)


def multi_frame_planes(
    members: Sequence[SeriesInfo], modality: str, overrides: Overrides, label: str, report: Progress
) -> PlaneSet:
    """Planes of one enhanced object, or of several that each hold a phase."""
    headers: list[Dataset] = []
    found = []
    clocks = _Clocks()
    paths: list[Path] = [member.files[0] for member in members]
    for place, path in enumerate(paths):
        report(place / len(paths), f"Reading headers, {place} of {len(paths)} objects")
        header = read_header(path)
        if header is None:
            raise InputError(f"{path} is truncated or damaged.")
        headers.append(header)
        planes, form, groups = enhanced_planes(path, header, modality, overrides, label)
        _refuse_frame_changes(groups, label)
        for plane, group in zip(planes, groups, strict=True):
            clocks.read(header, sequence_item(group, "FrameContentSequence"))
            found.append((place, header, plane, group))
    timed = []
    for k, (place, header, plane, group) in enumerate(found):
        content = sequence_item(group, "FrameContentSequence")
        keys = clocks.keys(k)
        keys["SeriesInstanceUID"] = float(place)
        keys["InstanceNumber"] = float(plane.frame)
        _put(keys, "TemporalPositionIdentifier", integer(header, "TemporalPositionIdentifier"))
        _put(keys, "TemporalPositionIndex", integer(content, "TemporalPositionIndex"))
        offset = number(sequence_item(group, "TemporalPositionSequence"), "TemporalPositionTimeOffset")
        _put(keys, "TemporalPositionTimeOffset", offset)
        gate = sequence_item(group, "CardiacSynchronizationSequence")
        _put(keys, "TriggerTime", number(gate, "NominalCardiacTriggerDelayTime"), 1e-3)
        timed.append(TimedPlane(plane, keys, _positive(number(content, "FrameAcquisitionDuration"), 1e-3)))
    interval = _positive(number(headers[0], "TemporalResolution"), 1e-3)
    return PlaneSet(timed, form, headers, interval, clocks.warnings)


class _Clocks:
    """Dates and times of many planes as seconds from the earliest; a lone clock time may pass midnight once."""

    _NAMES = ("AcquisitionTime", "ContentTime", "FrameReferenceDateTime", "FrameAcquisitionDateTime")

    def __init__(self) -> None:
        self._found: dict[str, list[datetime | None]] = {name: [] for name in self._NAMES}
        self._seconds: dict[str, np.ndarray] | None = None
        self.warnings: tuple[str, ...] = ()

    def read(self, header: Dataset, frame: Dataset | None = None) -> None:
        for name in ("Acquisition", "Content"):
            when = moment(header, name)
            clock = parse_time(text(header, f"{name}Time"))
            if when is None and clock is not None:
                when = datetime.combine(date(2000, 1, 1), clock)
            self._found[f"{name}Time"].append(when)
        zone = text(header, "TimezoneOffsetFromUTC")
        for name in ("FrameReferenceDateTime", "FrameAcquisitionDateTime"):
            self._found[name].append(parse_datetime(text(frame, name), zone))

    def keys(self, k: int) -> dict[str, float]:
        if self._seconds is None:
            self._seconds = {name: self._since_first(name, found) for name, found in self._found.items()}
        return {name: float(values[k]) for name, values in self._seconds.items() if np.isfinite(values[k])}

    def _since_first(self, name: str, found: list[datetime | None]) -> np.ndarray:
        known = [when for when in found if when is not None]
        if not known:
            return np.full(len(found), np.nan)
        if len({when.date() for when in known}) == 1 and max(known) - min(known) > timedelta(seconds=_HALF_DAY_S):
            middle = min(known) + timedelta(seconds=_HALF_DAY_S)
            found = [when + timedelta(days=1) if when and when < middle else when for when in found]
            self.warnings += (f"{tag(name)} passes midnight without a change of date; taken as the next day",)
        first = min(when for when in found if when is not None)
        return np.array([np.nan if when is None else (when - first).total_seconds() for when in found])


def _put(keys: dict[str, float], keyword: str, value: float | None, factor: float = 1.0) -> None:
    if value is not None:
        keys[keyword] = float(value) * factor


def _positive(value: float | None, factor: float) -> float | None:
    return value * factor if value is not None and value > 0 else None


def _refuse_changes(headers: Sequence[Dataset], label: str) -> None:
    for keyword, name in _CONSTANT.items():
        values = sorted({value for header in headers if (value := number(header, keyword)) is not None})
        if values and values[-1] - values[0] > 1e-3 * abs(values[-1]):
            listed = ", ".join(f"{value:g}" for value in values[:12])
            raise InputError(
                f"{label}: {tag(keyword)} changes between the slices ({listed}): signals of one {name} each, no time "
                "series (flip angles for T1 mapping?). Choose with series=, or read each with load()."
            )


def _refuse_frame_changes(groups: Sequence[tuple[Dataset | None, ...]], label: str) -> None:
    for keyword, (holder, name) in _FRAME_CONSTANT.items():
        values = {text(sequence_item(group, holder), keyword) for group in groups}
        if len(values) > 1:
            listed = ", ".join(sorted(str(value) for value in values)[:12])
            raise AmbiguousInputError(
                f"{label} mixes frames of different {name} ({tag(keyword)} {listed}); export one {name} per object."
            )
