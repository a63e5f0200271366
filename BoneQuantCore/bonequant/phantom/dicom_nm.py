"""A SPECT reconstruction as one multi-frame NM Image Storage object (PS3.3 A.5), ImageType RECON TOMO.

Geometry as C.8.4.15 has it: position and orientation of the first frame in DetectorInformationSequence, frames along
SpacingBetweenSlices x (row x column), a spacing that may be negative.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from bonequant.errors import InputError
from bonequant.phantom.dicom_common import (
    code,
    decimal,
    image_pixels,
    new_object,
    plane,
    position,
    radiopharmaceutical,
    save,
)
from bonequant.volume import Acquisition, Volume

NM_IMAGE = "1.2.840.10008.5.1.4.1.1.20"
_SLICE_VECTOR = Tag(0x0054, 0x0080)


def write_nm(
    volume: Volume,
    path: str | Path,
    *,
    series: str = "SPECT",
    negative_spacing: bool = False,
    bq_per_ml_per_count: float | None = None,
) -> Path:
    """Write ``volume`` (counts) as a RECON TOMO object.

    Args:
        volume: counts; patient, dose and times come from its acquisition. Whole numbers up to 65535 are stored as they
            are, all else with a RescaleSlope that uses the 16 bits.
        path: file to write.
        series: name of the series, which tells several of one study apart.
        negative_spacing: write the frames from the last slice to the first, with a negative SpacingBetweenSlices.
        bq_per_ml_per_count: adds a real world value mapping from counts to Bq/mL.

    Raises InputError where the volume is not in counts or holds negative or non-finite values, GeometryError for a
    left-handed grid.
    """
    if volume.unit != "counts":
        raise InputError(f"An NM object holds counts; {volume.name or 'this volume'} is in {volume.unit or 'no unit'}.")
    stored, slope = as_uint16(volume)
    geometry, facts = volume.geometry, volume.acquisition
    count = geometry.size[2]
    orientation, spacing, _ = plane(geometry)
    ds = new_object(volume, NM_IMAGE, "NM", series, 3, "reconstruction")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    ds.InstanceNumber = 1
    ds.NumberOfFrames = count
    ds.FrameIncrementPointer = _SLICE_VECTOR
    ds.NumberOfSlices = count
    ds.SliceVector = list(range(1, count + 1))
    ds.PixelSpacing = spacing
    ds.SliceThickness = decimal(geometry.spacing[2])
    ds.SpacingBetweenSlices = decimal(-geometry.spacing[2] if negative_spacing else geometry.spacing[2])
    first = position(geometry, count - 1 if negative_spacing else 0)
    heads = facts.number_of_detectors or 1
    ds.NumberOfDetectors = heads
    ds.DetectorInformationSequence = [_detector(orientation, first) for _ in range(heads)]
    ds.RotationInformationSequence = [_rotation(facts)]
    ds.NumberOfRotations = 1
    ds.NumberOfEnergyWindows = 1
    ds.EnergyWindowInformationSequence = [_window()]
    mbq = None if facts.injected_activity_bq is None else facts.injected_activity_bq / 1e6
    ds.RadiopharmaceuticalInformationSequence = [radiopharmaceutical(facts, total_dose=mbq)]
    ds.PatientOrientationCodeSequence = [code("102538003", "SCT", "recumbent")]
    ds.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = [code("40199007", "SCT", "supine")]
    ds.PatientGantryRelationshipCodeSequence = [code("102540008", "SCT", "headfirst")]
    ds.AcquisitionContextSequence = []
    ds.CountsSource = "EMISSION"
    ds.Units = "CNTS"
    if facts.corrections:
        ds.CorrectedImage = list(facts.corrections)
    if facts.decay_correction is not None:  # a PET attribute, which NM files of some vendors carry as well
        ds.DecayCorrection = facts.decay_correction
    if facts.acquisition_duration_s is not None:
        ds.AcquisitionDuration = float(facts.acquisition_duration_s)
    ds.CountsAccumulated = int(min(round(float(volume.array.sum(dtype=float))), 2**31 - 1))
    ds.AcquisitionTerminationCondition = "TIME"
    if slope != 1.0:
        ds.RescaleIntercept, ds.RescaleSlope = "0", decimal(slope)
    if bq_per_ml_per_count is not None:
        ds.RealWorldValueMappingSequence = [_mapping(bq_per_ml_per_count * slope)]
    image_pixels(ds, stored[::-1] if negative_spacing else stored)
    return save(ds, Path(path))


def as_uint16(volume: Volume) -> tuple[np.ndarray, float]:
    """Stored values (uint16) and the slope that brings them back; slope 1 for whole numbers that fit."""
    array = volume.array
    low, high = float(np.min(array)), float(np.max(array))
    if not (np.isfinite(low) and np.isfinite(high) and low >= 0):
        raise InputError(f"{volume.name or 'The SPECT'} spans {low:g} to {high:g}; 0 and above can be written.")
    if high <= 65535 and np.array_equal(array, np.rint(array)):
        return array.astype(np.uint16), 1.0
    slope = float(decimal(high / 65535.0))
    return np.minimum(np.rint(array / np.float64(slope)), 65535).astype(np.uint16), slope


def _detector(orientation: list[str], first: list[str]) -> Dataset:
    item = Dataset()
    item.CollimatorType = "PARA"
    item.CollimatorGridName = "LEHR"
    item.FieldOfViewShape = "RECTANGLE"
    item.ZoomFactor = ["1", "1"]
    item.ImageOrientationPatient, item.ImagePositionPatient = orientation, first
    item.ViewCodeSequence = []
    return item


def _rotation(facts: Acquisition) -> Dataset:
    views = facts.number_of_projections or 60
    arc = 360.0 / (facts.number_of_detectors or 1)  # the heads share the circle
    item = Dataset()
    item.TableHeight, item.TableTraverse = "0", "0"
    item.RotationDirection = "CW"
    item.RadialPosition = "250"
    item.ScanArc = decimal(arc)
    item.StartAngle = "0"
    item.AngularStep = decimal(arc / views)
    item.NumberOfFramesInRotation = views
    item.ActualFrameDuration = round(1000.0 * (facts.frame_duration_s or 0.0))
    return item


def _window() -> Dataset:
    limits = Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = "129.5", "150.5"
    item = Dataset()
    item.EnergyWindowName = "Tc-99m"
    item.EnergyWindowRangeSequence = [limits]
    return item


def _mapping(slope: float) -> Dataset:
    item = Dataset()
    item.LUTLabel = "BQML"
    item.LUTExplanation = "Activity concentration"
    item.RealWorldValueIntercept, item.RealWorldValueSlope = 0.0, float(slope)
    item.RealWorldValueFirstValueMapped, item.RealWorldValueLastValueMapped = 0, 65535
    item["RealWorldValueFirstValueMapped"].VR = item["RealWorldValueLastValueMapped"].VR = "US"
    item.MeasurementUnitsCodeSequence = [code("Bq/ml", "UCUM", "Becquerels/milliliter")]
    return item
