"""Reading and writing: DICOM (CT, PT, MR, NM), NRRD, NIfTI, MetaImage, and masks of every usual kind.

spect = bonequant.io.load("NM/recon.dcm")
dce = bonequant.io.load_dynamic("DCE/")
masks = bonequant.io.load_masks("structures.dcm", like=ct)
"""

from bonequant.io.dynamic import load_dynamic
from bonequant.io.dynamic_write import write_dynamic
from bonequant.io.findings import SeriesReport, info
from bonequant.io.image_files import write_volume
from bonequant.io.mask_slicer_seg import write_segmentation
from bonequant.io.masks import load_masks
from bonequant.io.overrides import Overrides
from bonequant.io.references import referenced_series
from bonequant.io.series import SeriesInfo
from bonequant.io.sorting import scan
from bonequant.io.volumes import load

__all__ = [
    "Overrides",
    "SeriesInfo",
    "SeriesReport",
    "info",
    "load",
    "load_dynamic",
    "load_masks",
    "referenced_series",
    "scan",
    "write_dynamic",
    "write_segmentation",
    "write_volume",
]
