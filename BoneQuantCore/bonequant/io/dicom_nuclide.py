"""The radionuclide of a DICOM object, by its code before any text, as sites fill in the text as they like."""

from __future__ import annotations

from pydicom.dataset import Dataset

from bonequant.io.dicom_header import item, text
from bonequant.radionuclides import nuclide_name


def nuclide_of(radiopharmaceutical: Dataset | None) -> str | None:
    """The nuclide, "99mTc", of an item of RadiopharmaceuticalInformationSequence; None where nothing names one.

    In this order: code and meaning of RadionuclideCodeSequence, Radiopharmaceutical, the radiopharmaceutical's code
    meaning.
    """
    code = item(radiopharmaceutical, "RadionuclideCodeSequence")
    agent = item(radiopharmaceutical, "RadiopharmaceuticalCodeSequence")
    written = (
        text(code, "CodeValue"),
        text(code, "CodeMeaning"),
        text(radiopharmaceutical, "Radiopharmaceutical"),
        text(agent, "CodeMeaning"),
    )
    return next((name for one in written if (name := nuclide_name(one)) is not None), None)
