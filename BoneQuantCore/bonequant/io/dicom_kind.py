"""What a DICOM object is, judged by its SOP class and content, not by its Modality tag alone.

SPECT travels under many names: as NM, as SOP class PET (Siemens xSPECT), with Modality "OT". The collimator tells
first (parallel holes do not make a PET), then the nuclide, then the energy window, last the SOP class.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from bonequant.io.dicom_header import integer, item, number, text, texts
from bonequant.io.dicom_nuclide import nuclide_of
from bonequant.radionuclides import POSITRON, SINGLE_PHOTON

_PREFIX = "1.2.840.10008.5.1.4.1.1."
NM = f"{_PREFIX}20"
RTSTRUCT = f"{_PREFIX}481.3"
SEG = (f"{_PREFIX}66.4", f"{_PREFIX}66.7")  # bit map and label map segmentations
_MODALITY_OF_CLASS = {
    "CT": ("2", "2.1", "2.2"),
    "MR": ("4", "4.1", "4.3", "4.4"),
    "PT": ("128", "128.1", "130"),
    "NM": ("20",),
}
_CLASSES = {f"{_PREFIX}{end}": modality for modality, ends in _MODALITY_OF_CLASS.items() for end in ends}
# Multi-hole and pinhole collimators of PS3.3 C.8.4.10; a PET has "RING" or "NONE".
_GAMMA_CAMERA_COLLIMATORS = ("PARA", "FANB", "CONE", "PINH", "SLNT", "ASTG", "DIVG")


def modality_of(header: Dataset) -> str:
    """ "CT", "MR", "PT", "NM" or "OT"."""
    modality = _CLASSES.get(text(header, "SOPClassUID") or "")
    if modality in ("CT", "MR", "NM"):
        return modality
    if modality is None:
        modality = text(header, "Modality") or "OT"
        modality = "PT" if modality == "PET" else modality
    if modality in ("CT", "MR"):
        return modality
    emission = _emission(header)
    if emission:
        return emission
    return modality if modality in ("PT", "NM") else "OT"


def kind_of(header: Dataset) -> str:
    """ "slice", "multi-frame", "nuclear medicine", "structure set", "segmentation", "other" or "damaged"."""
    sop_class = text(header, "SOPClassUID")
    if sop_class is None:
        return "damaged"
    if sop_class == RTSTRUCT:
        return "structure set"
    if sop_class in SEG:
        return "segmentation"
    if integer(header, "Rows") is None:
        # CT, MR, PET and NM objects without rows broke off before the pixel description.
        return "damaged" if sop_class in _CLASSES else "other"
    frames = integer(header, "NumberOfFrames") or 1
    if sop_class == NM or (frames > 1 and "DetectorInformationSequence" in header):
        return "nuclear medicine" if frames > 1 or not is_reconstruction(header) else "slice"
    return "multi-frame" if frames > 1 or "PerFrameFunctionalGroupsSequence" in header else "slice"


def is_reconstruction(header: Dataset) -> bool:
    """Is this NM image a reconstructed one (ImageType value 3), or does its slice vector say so?"""
    image_type = texts(header, "ImageType")
    if len(image_type) > 2 and image_type[2]:
        return image_type[2].upper().startswith("RECON")
    return "SliceVector" in header


def is_localizer(header: Dataset) -> bool:
    return any(part.upper() in ("LOCALIZER", "SCOUT") for part in texts(header, "ImageType"))


def is_colour(header: Dataset) -> bool:
    photometric = text(header, "PhotometricInterpretation") or "MONOCHROME2"
    return (integer(header, "SamplesPerPixel") or 1) > 1 or not photometric.startswith("MONOCHROME")


def _emission(header: Dataset) -> str | None:
    collimator = text(header, "CollimatorType") or text(item(header, "DetectorInformationSequence"), "CollimatorType")
    if collimator and collimator.upper() in _GAMMA_CAMERA_COLLIMATORS:
        return "NM"
    if collimator and collimator.upper() == "RING":
        return "PT"
    nuclide = nuclide_of(item(header, "RadiopharmaceuticalInformationSequence"))
    if nuclide in SINGLE_PHOTON:
        return "NM"
    if nuclide in POSITRON:
        return "PT"
    window = item(header, "EnergyWindowRangeSequence") or item(
        header, "EnergyWindowInformationSequence", "EnergyWindowRangeSequence"
    )
    low, high = number(window, "EnergyWindowLowerLimit"), number(window, "EnergyWindowUpperLimit")
    if low and high:
        return "PT" if low < 511 < high else "NM"
    return None
