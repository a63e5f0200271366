"""What all exported objects share: who the patient is, who made the object, that it is for research, how it is saved.

Patient identity. DICOM objects carry the patient's name and ID so that archives file them with the images. They are
copied from the source series only where the caller says ``identified=True``; otherwise name, ID, birth date, accession
number, study ID and referring physician are taken out and Patient Identity Removed (0012,0062) says so. Study date and
the UIDs of the images that the object refers to stay: without them it could not be joined to its images.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from bonequant.errors import InputError
from bonequant.io.dicom_header import value
from bonequant.io.export.source import SourceSeries
from bonequant.io.files import written_whole

RESEARCH = "research use only"
CREATOR = "BoneQuant^"
LABEL = "RESEARCH USE"  # ContentLabel, a code string of at most 16 characters

_STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime")
_IDENTITY = {  # and what stands there without the patient's identity
    "PatientName": "Anonymous^",  # the caret marks a name of one component
    "PatientID": "",
    "PatientBirthDate": "",
    "AccessionNumber": "",
    "StudyID": "",
    "ReferringPhysicianName": "",
}


def patient_and_study(source: SourceSeries, identified: bool) -> Dataset:
    """Patient and general study modules (PS3.3 C.7.1.1, C.7.2.1) as the source has them, or without identity."""
    header, ds = source.header, Dataset()
    ds.SpecificCharacterSet = value(header, "SpecificCharacterSet") or "ISO_IR 192"
    for keyword in _STUDY:
        setattr(ds, keyword, value(header, keyword) or "")
    ds.PatientSex = value(header, "PatientSex") or ""
    for keyword, nobody in _IDENTITY.items():
        setattr(ds, keyword, (value(header, keyword) or "") if identified else nobody)
    return ds


def mark(ds: Dataset, description: str, identified: bool) -> None:
    """Series description with the research-use text, and the note on identity."""
    ds.SeriesDescription = research_text(description)
    if not identified:
        ds.PatientIdentityRemoved = "YES"
        ds.DeidentificationMethod = "BoneQuant: name, ID, birth date, accession, study ID left out"


def research_text(description: str, length: int = 64) -> str:
    """``description (research use only)``, cut so that the addition is never lost."""
    tail = f" ({RESEARCH})"
    return description[: length - len(tail)].rstrip() + tail


def equipment() -> dict[str, str]:
    """Manufacturer, model and version as highdicom's constructors take them."""
    import bonequant

    return {
        "manufacturer": "BoneQuant",
        "manufacturer_model_name": "BoneQuant",
        "software_versions": bonequant.__version__,
        "device_serial_number": "1",
    }


def new_uid() -> str:
    return str(generate_uid())


def tracking_uid(tracking_id: str, scope: str) -> str:
    """The UID of a lesion that is followed: the same at every date for the same id and scope.

    ``scope`` tells patients apart without naming them: the StudyInstanceUID of the first date.
    """
    return str(generate_uid(prefix="1.2.826.0.1.3680043.8.498.", entropy_srcs=[scope, tracking_id]))


def decimal(number: float) -> str:
    """The number as a decimal string of at most 16 characters (PS3.5 table 6.2-1), as exact as that allows."""
    for digits in range(17, 5, -1):
        written = f"{number:.{digits}g}"
        if len(written) <= 16:
            return written
    raise InputError(f"{number} does not fit a DICOM decimal string.")


def sequence_code(meaning: tuple[str, str, str]) -> Dataset:
    """A code sequence item from (value, scheme, meaning)."""
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = meaning
    return ds


@contextmanager
def dicom_file(path: str | os.PathLike[str], overwrite: bool) -> Iterator[Path]:
    """A temporary file that becomes ``path`` once it is whole. Raises InputError where ``path`` is there already."""
    target = Path(path)
    if target.exists() and not overwrite:
        raise InputError(f"{target} exists already; choose another name or give overwrite=True.")
    with written_whole(target, ".dcm") as temporary:
        yield temporary


def save(ds: Dataset, path: Path) -> None:
    """A Part 10 file, explicit little endian, with pydicom 2.4 and 3 alike."""
    import pydicom

    if not hasattr(ds, "file_meta") or "TransferSyntaxUID" not in ds.file_meta:
        meta = FileMetaDataset()
        meta.FileMetaInformationVersion = b"\x00\x01"
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = pydicom.uid.PYDICOM_IMPLEMENTATION_UID
        ds.file_meta = meta
    if int(pydicom.__version__.split(".")[0]) < 3:
        ds.is_little_endian, ds.is_implicit_VR = True, False
        ds.save_as(path, write_like_original=False)
    else:
        ds.save_as(path, enforce_file_format=True)
