"""From headers to an Acquisition: patient, times, dose, corrections. What the file does not hold stays None.

Rules that a reader of numbers must know:

- Injected activity: RadionuclideTotalDose (0018,1074) is in Bq in PET objects and in MBq in NM objects (PS3.3 C.8.9.2
  and C.8.4.10). A value that is impossible in that unit and usual in the other is taken in the other, with a warning.
- A radiopharmaceutical start time without a date is the last such time not after the acquisition: on the day before
  if need be (injection before midnight), with a warning. A nuclide that lives long (177Lu, 131I) is imaged for days:
  then the date is a warning in any case.
- Start of acquisition, the reference of decay correction START: SeriesDate and SeriesTime, which PS3.3 C.8.9.1 makes
  the reference of a PET series, unless they are later than a slice's acquisition time: then the series was stored
  anew, and the scanner's private scan time (GE) or the earliest acquisition time counts. For NM the earliest
  acquisition time.
- Decay correction: DecayCorrection (0054,1102). NM has no such attribute: CorrectedImage (0028,0051) with DECY does
  not say to when, so it stays None; a filled CorrectedImage without DECY says that there was none, "NONE".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.io.dicom_header import integer, item, items, number, tag, text, texts
from bonequant.io.dicom_kind import NM
from bonequant.io.dicom_nuclide import nuclide_of
from bonequant.io.dicom_protocol import protocol_of
from bonequant.io.dicom_times import before, earliest, moment, parse_date, parse_datetime, parse_time
from bonequant.radionuclides import radionuclide
from bonequant.volume import Acquisition

_IMAGED_FOR_DAYS_S = 12 * 3600.0  # half-life; 99mTc and the PET nuclides of a day's work are below, 123I above
_CLINICAL_BQ = (5e4, 1e11)  # 0.05 MBq to 100 GBq spans every administered activity


def acquisition_of(
    headers: Sequence[Dataset], modality: str, *, dynamic: bool = False
) -> tuple[Acquisition, list[str]]:
    """Facts of one series from the headers of its files, and what the reader wants to say about them.

    ``dynamic``: the headers are of frames over time, whose acquisition times differ because that is what they are.
    """
    header = headers[0]
    warnings: list[str] = []
    emission = modality in ("PT", "NM")
    start = _acquisition_start(headers, modality, warnings)
    tracer = item(header, "RadiopharmaceuticalInformationSequence") if emission else None
    if len(items(header, "RadiopharmaceuticalInformationSequence")) > 1 and emission:
        warnings.append(f"{tag('RadiopharmaceuticalInformationSequence')} has several items; the first was taken")
    rotations = items(header, "RotationInformationSequence") or [header]
    frame_ms = number(rotations[0], "ActualFrameDuration") or number(header, "ActualFrameDuration")
    views = [integer(rotation, "NumberOfFramesInRotation") for rotation in rotations]
    projections = sum(view or 0 for view in views) or None
    frame_s = None if frame_ms is None else frame_ms / 1000
    detectors = len(items(header, "DetectorInformationSequence")) or integer(header, "NumberOfDetectors")
    duration_s = number(header, "AcquisitionDuration")
    if duration_s is None and frame_s is not None and projections is not None:
        duration_s = frame_s * projections
    facts = Acquisition(
        patient_id=text(header, "PatientID"),
        patient_name=text(header, "PatientName"),
        patient_sex=text(header, "PatientSex"),
        patient_weight_kg=_weight(header, warnings),
        patient_height_m=_height(header, warnings),
        patient_age_years=_age(header),
        study_uid=text(header, "StudyInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
        study_description=text(header, "StudyDescription"),
        series_description=text(header, "SeriesDescription"),
        manufacturer=text(header, "Manufacturer"),
        scanner=text(header, "ManufacturerModelName"),
        software=text(header, "SoftwareVersions"),
        study_datetime=moment(header, "Study"),
        series_datetime=moment(header, "Series"),
        acquisition_start=start,
        frame_duration_s=frame_s,
        acquisition_duration_s=duration_s,
        radionuclide=nuclide_of(tracer),
        half_life_s=number(tracer, "RadionuclideHalfLife") or None,
        radiopharmaceutical=_tracer_name(tracer),
        injected_activity_bq=_injected(header, tracer, warnings),
        injection_time=_injection_time(header, tracer, start, warnings),
        decay_correction=_decay_correction(header, modality, warnings) if emission else None,
        corrections=texts(header, "CorrectedImage"),
        number_of_projections=projections,
        number_of_detectors=detectors,
        counts_kind=text(header, "Units"),
        protocol=protocol_of(header),
    )
    beds = [at for one in headers if (at := moment(one, "Acquisition")) is not None]
    if not dynamic and facts.decay_correction == "NONE" and len(set(beds)) > 1:
        warnings.append(
            f"slices were acquired from {min(beds):%H:%M:%S} to {max(beds):%H:%M:%S} (bed positions?) and are not "
            "decay corrected: SUV takes all of them as of the first"
        )
    return facts, warnings


def _acquisition_start(headers: Sequence[Dataset], modality: str, warnings: list[str]) -> datetime | None:
    acquired = earliest(headers, "Acquisition")
    if modality != "PT":
        return acquired
    series = earliest(headers, "Series")
    if series is None or acquired is None or series <= acquired:
        return series or acquired
    scanned = _ge_scan_time(headers[0])
    warnings.append(
        f"Series Time ({series:%H:%M:%S}) is later than the first acquisition ({acquired:%H:%M:%S}): the series was "
        f"stored anew; its start was taken from {'the private scan time' if scanned else 'the first acquisition'}"
    )
    return scanned or acquired


def _ge_scan_time(header: Dataset) -> datetime | None:
    if "GEMS_PETD_01" not in str(header.get((0x0009, 0x0010), "")):
        return None
    element = header.get((0x0009, 0x100D))
    raw = element.value if element is not None else None
    return parse_datetime(raw.decode("ascii", "ignore").strip("\0 ") if isinstance(raw, bytes) else str(raw or ""))


def _injection_time(
    header: Dataset, tracer: Dataset | None, start: datetime | None, warnings: list[str]
) -> datetime | None:
    whole = parse_datetime(text(tracer, "RadiopharmaceuticalStartDateTime"), text(header, "TimezoneOffsetFromUTC"))
    if whole is not None:
        return whole
    clock = parse_time(text(tracer, "RadiopharmaceuticalStartTime"))
    if clock is None:
        return None
    if start is not None:
        found, day_before = before(clock, start)
        if day_before:
            warnings.append(
                f"{tag('RadiopharmaceuticalStartTime')} {clock:%H:%M:%S} has no date and is later than the acquisition "
                f"at {start:%H:%M:%S}: taken as the day before; give injection_time if that is wrong"
            )
        if (_half_life_s(tracer) or 0.0) > _IMAGED_FOR_DAYS_S:
            warnings.append(
                f"{tag('RadiopharmaceuticalStartTime')} has no date: taken as {found:%Y-%m-%d %H:%M}, though "
                f"{nuclide_of(tracer) or 'this nuclide'} may have been given days before; give injection_time if so"
            )
        return found
    days = (parse_date(text(header, f"{name}Date")) for name in ("Acquisition", "Series", "Study"))
    day = next((one for one in days if one is not None), None)
    return datetime.combine(day, clock) if day else None


def _half_life_s(tracer: Dataset | None) -> float | None:
    """The file's half-life, or the table's of the nuclide it names; None where neither is known."""
    given = number(tracer, "RadionuclideHalfLife")
    try:
        return given or radionuclide(nuclide_of(tracer) or "").half_life_s
    except InputError:
        return None


def _injected(header: Dataset, tracer: Dataset | None, warnings: list[str]) -> float | None:
    dose = number(tracer, "RadionuclideTotalDose")
    if dose is None:
        return None
    in_mbq = text(header, "SOPClassUID") == NM
    standard, other = (dose * 1e6, dose) if in_mbq else (dose, dose * 1e6)
    low, high = _CLINICAL_BQ
    if dose > 0 and not low <= standard <= high and low <= other <= high:
        warnings.append(
            f"{tag('RadionuclideTotalDose')} is {dose:g}, impossible in {'MBq' if in_mbq else 'Bq'}, the standard's "
            f"unit here: taken in {'Bq' if in_mbq else 'MBq'}; give injected_activity_bq if that is wrong"
        )
        return other
    return standard


def _decay_correction(header: Dataset, modality: str, warnings: list[str]) -> str | None:
    said = (text(header, "DecayCorrection") or "").upper()
    corrections = [code.upper() for code in texts(header, "CorrectedImage")]
    if said in ("START", "ADMIN", "NONE"):
        if said == "NONE" and "DECY" in corrections:
            warnings.append(f"{tag('DecayCorrection')} is NONE, yet {tag('CorrectedImage')} lists DECY: taken as NONE")
        return said
    if modality == "NM" and corrections:
        if "DECY" not in corrections:
            return "NONE"
        warnings.append(
            f"{tag('CorrectedImage')} lists DECY but nothing says to which time: give decay_correction, START or ADMIN"
        )
    return None


def _weight(header: Dataset, warnings: list[str]) -> float | None:
    weight = number(header, "PatientWeight")
    if weight == 0:
        warnings.append(f"{tag('PatientWeight')} is 0: taken as unknown")
    return weight or None


def _height(header: Dataset, warnings: list[str]) -> float | None:
    height = number(header, "PatientSize")
    if height is not None and 30 <= height <= 250:
        warnings.append(f"{tag('PatientSize')} is {height:g}, impossible in metres: taken in centimetres")
        return height / 100
    return height or None


def _age(header: Dataset) -> float | None:
    match = re.fullmatch(r"(\d{1,3})([DWMY])", (text(header, "PatientAge") or "").upper())
    if match:
        return int(match[1]) * {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}[match[2]]
    born, studied = parse_date(text(header, "PatientBirthDate")), parse_date(text(header, "StudyDate"))
    return (studied - born).days / 365.25 if born and studied else None


def _tracer_name(tracer: Dataset | None) -> str | None:
    return text(tracer, "Radiopharmaceutical") or text(item(tracer, "RadiopharmaceuticalCodeSequence"), "CodeMeaning")
