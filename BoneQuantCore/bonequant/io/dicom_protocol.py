"""The protocol record of a series: what a standard acquisition protocol asks about, under one set of keys.

Only what the file holds appears. ``PROTOCOL`` is the documentation: key -> (DICOM keyword, how it is read).
"""

from __future__ import annotations

import re
from typing import Any

from pydicom.dataset import Dataset

from bonequant.io.dicom_header import integer, item, items, number, numbers, text

# How values are read: "text", "number" (float), "integer", "numbers" (tuple), "seconds" (from milliseconds).
PROTOCOL: dict[str, tuple[str, str]] = {
    "file_modality": ("Modality", "text"),
    "image_type": ("ImageType", "text"),
    "protocol_name": ("ProtocolName", "text"),
    "patient_position": ("PatientPosition", "text"),
    "body_part": ("BodyPartExamined", "text"),
    "slice_thickness_mm": ("SliceThickness", "number"),
    "contrast_agent": ("ContrastBolusAgent", "text"),
    # CT
    "kvp": ("KVP", "number"),
    "tube_current_ma": ("XRayTubeCurrent", "number"),
    "exposure_mas": ("Exposure", "number"),
    "exposure_time_ms": ("ExposureTime", "number"),
    "pitch": ("SpiralPitchFactor", "number"),
    "ctdi_vol_mgy": ("CTDIvol", "number"),
    "kernel": ("ConvolutionKernel", "text"),
    "reconstruction_diameter_mm": ("ReconstructionDiameter", "number"),
    "gantry_tilt_deg": ("GantryDetectorTilt", "number"),
    # MR
    "field_strength_t": ("MagneticFieldStrength", "number"),
    "repetition_time_ms": ("RepetitionTime", "number"),
    "echo_time_ms": ("EchoTime", "number"),
    "inversion_time_ms": ("InversionTime", "number"),
    "flip_angle_deg": ("FlipAngle", "number"),
    "sequence_name": ("SequenceName", "text"),
    "scanning_sequence": ("ScanningSequence", "text"),
    # PET and SPECT
    "units": ("Units", "text"),
    "counts_source": ("CountsSource", "text"),
    "series_type": ("SeriesType", "text"),
    "collimator": ("CollimatorGridName", "text"),
    "collimator_type": ("CollimatorType", "text"),
    "attenuation_correction": ("AttenuationCorrectionMethod", "text"),
    "scatter_correction": ("ScatterCorrectionMethod", "text"),
    "reconstruction_method": ("ReconstructionMethod", "text"),
    "dose_calibration_factor": ("DoseCalibrationFactor", "number"),
    "frame_reference_time_s": ("FrameReferenceTime", "seconds"),
    "acquisition_termination": ("AcquisitionTerminationCondition", "text"),
    "zoom": ("ZoomFactor", "numbers"),
    "radial_position_mm": ("RadialPosition", "numbers"),
    "projections": ("NumberOfFramesInRotation", "integer"),
    "seconds_per_projection": ("ActualFrameDuration", "seconds"),
    "scan_arc_deg": ("ScanArc", "number"),
    "angular_step_deg": ("AngularStep", "number"),
    "rotation_direction": ("RotationDirection", "text"),
    "heart_rate_bpm": ("HeartRate", "number"),
}
# Beyond the table: matrix (rows, columns), energy_windows_kev ((low, high), ...), iterations, subsets,
# post_filter (as the reconstruction method or kernel states them), philips_suv_scale_factor,
# philips_activity_scale_factor (Bq/mL per stored unit; private (7053,1009)).
_GAUSS_ABOVE = 100.0
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_NM_GROUPS = ("DetectorInformationSequence", "RotationInformationSequence", "EnergyWindowInformationSequence")


def protocol_of(header: Dataset) -> dict[str, Any]:
    """Every protocol fact that the header holds."""
    holders = _holders(header)
    found: dict[str, Any] = {}
    for key, (keyword, form) in PROTOCOL.items():
        holder = next((one for one in holders if keyword in one), None)
        read = _read(holder, keyword, form)
        if read is not None:
            found[key] = read
    if found.get("field_strength_t", 0.0) > _GAUSS_ABOVE:  # old GE scanners write gauss
        found["field_strength_t"] /= 1e4
    if not _is_tomographic(header):
        found.pop("seconds_per_projection", None)
    rows, columns = integer(header, "Rows"), integer(header, "Columns")
    if rows and columns:
        found["matrix"] = (rows, columns)
    windows = _energy_windows(header)
    if windows:
        found["energy_windows_kev"] = windows
    found.update(_reconstruction(" ".join(str(found.get(key, "")) for key in ("reconstruction_method", "kernel"))))
    found.update(_philips(header))
    return found


def _holders(header: Dataset) -> list[Dataset]:
    """The header, then the items of the sequences in which NM and enhanced objects keep the same attributes."""
    found = [header]
    for keyword in (*_NM_GROUPS, *_GROUPS):
        inner = item(header, keyword)
        if inner is not None:
            found.append(inner)
            if keyword in _GROUPS:
                found += [element.value[0] for element in inner if element.VR == "SQ" and element.value]
    return found


def _read(holder: Dataset | None, keyword: str, form: str) -> Any:
    if holder is None:
        return None
    if form == "text":
        return text(holder, keyword)
    if form == "numbers":
        return numbers(holder, keyword)
    found = number(holder, keyword)
    if found is None:
        return None
    return int(found) if form == "integer" else found / 1000 if form == "seconds" else found


def _is_tomographic(header: Dataset) -> bool:
    return "RotationInformationSequence" in header


def _energy_windows(header: Dataset) -> tuple[tuple[float, float], ...]:
    ranges = [
        limits
        for window in (items(header, "EnergyWindowInformationSequence") or [header])
        for limits in items(window, "EnergyWindowRangeSequence")
    ]
    pairs = [(number(one, "EnergyWindowLowerLimit"), number(one, "EnergyWindowUpperLimit")) for one in ranges]
    return tuple((low, high) for low, high in pairs if low is not None and high is not None)


def _reconstruction(described: str) -> dict[str, Any]:
    """Iterations, subsets and post filter where the text names them: "OSEM 8i4s Gauss 5.00mm", "4 iterations"."""
    found: dict[str, Any] = {}
    if match := re.search(r"(\d+)\s*(?:i(?![a-z])|it\b|iter\w*)", described, re.IGNORECASE):
        found["iterations"] = int(match[1])
    if match := re.search(r"(?<![\d.])(\d+)\s*(?:s(?![a-z])|subsets?)", described, re.IGNORECASE):
        found["subsets"] = int(match[1])
    if match := re.search(r"(?:gauss\w*|butterworth|hann\w*|metz)[^\\]*", described, re.IGNORECASE):
        found["post_filter"] = match[0].strip()
    return found


def _philips(header: Dataset) -> dict[str, float]:
    if "Philips PET Private Group" not in str(header.get((0x7053, 0x0010), "")):
        return {}
    found = {}
    for key, address in (("philips_suv_scale_factor", 0x1000), ("philips_activity_scale_factor", 0x1009)):
        element = header.get((0x7053, address))
        raw = element.value if element is not None else None
        try:
            factor = float(raw.decode("ascii").strip("\0 ") if isinstance(raw, bytes) else str(raw))
        except (TypeError, ValueError):
            continue
        if factor > 0:
            found[key] = factor
    return found
