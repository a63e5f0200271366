"""What leaves the program as DICOM: segmentations, structured reports, parametric maps, contours. Research use only.

source = source_series("DCE/")                                   # the images that the objects refer to
seg = write_dicom_seg({"L01": mask}, "lesions.dcm", source)
write_measurement_report([MeasuredLesion("L01", {"vp_mean": 0.08}, segment="L01")], "report.dcm", source, seg)
write_parametric_map(vp, "vp.dcm", source, "vp")
write_rtstruct({"L01": mask}, "contours.dcm", source)

Nobody's name is written unless ``identified=True`` asks for it (:mod:`bonequant.io.export.dicom_object`).
"""

from bonequant.io.export.codes import Quantity, quantity
from bonequant.io.export.dicom_object import tracking_uid
from bonequant.io.export.source import SourcePlane, SourceSeries, source_series
from bonequant.io.export.write_derived_series import write_derived_series
from bonequant.io.export.write_dicom_seg import Segment, WrittenSegmentation, write_dicom_seg
from bonequant.io.export.write_measurement_report import MeasuredLesion, Response, write_measurement_report
from bonequant.io.export.write_parametric_map import write_parametric_map
from bonequant.io.export.write_rtstruct import write_rtstruct

__all__ = [
    "MeasuredLesion",
    "Quantity",
    "Response",
    "Segment",
    "SourcePlane",
    "SourceSeries",
    "WrittenSegmentation",
    "quantity",
    "source_series",
    "tracking_uid",
    "write_derived_series",
    "write_dicom_seg",
    "write_measurement_report",
    "write_parametric_map",
    "write_rtstruct",
]
