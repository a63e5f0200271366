"""Reading and writing: DICOM (CT, PT, MR, NM), NRRD, NIfTI, MetaImage; masks from RTSTRUCT, DICOM SEG, .seg.nrrd and labels.

    spect = bonequant.io.load("NM/recon.dcm")
    masks = bonequant.io.load_masks("structures.dcm", like=ct)
"""

from bonequant.io.image_files import write_volume
from bonequant.io.overrides import Overrides
from bonequant.io.series import SeriesInfo, scan
from bonequant.io.volumes import load

__all__ = ["Overrides", "SeriesInfo", "load", "scan", "write_volume"]
