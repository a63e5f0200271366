"""Measurements of lesions as a DICOM Structured Report, TID 1500 (PS3.16), Comprehensive 3D SR.

One measurement group per lesion: tracking identifier and UID, finding, finding site, the segment of the SEG that was
measured, coded numbers in UCUM units, and what the response criteria say of it: category by code, the rule that fired
as text. Calls about the whole patient are groups of their own.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.io.export.codes import OWN, Concept, Quantity, kind, quantity, site
from bonequant.io.export.dependency import highdicom, quiet
from bonequant.io.export.dicom_object import dicom_file, equipment, mark, new_uid, patient_and_study, save, tracking_uid
from bonequant.io.export.source import SourceSeries
from bonequant.io.export.write_dicom_seg import WrittenSegmentation

_REPORT: Concept = ("126000", "DCM", "Imaging Measurement Report")
_RESPONSE: Concept = ("C50995", "NCIt", "Disease Response")
_COMMENT: Concept = ("121106", "DCM", "Comment")
_RULE: Concept = ("rule", OWN, "Rule that fired")
_PROCEDURES: dict[str, Concept] = {
    "MR": ("113014", "DCM", "MR Imaging"),
    "CT": ("77477000", "SCT", "Computed Tomography"),
    "PT": ("82918005", "SCT", "Positron emission tomography"),
    "NM": ("105371005", "SCT", "Single photon emission computed tomography"),
}
_ANY_IMAGING: Concept = ("363679005", "SCT", "Imaging procedure")
_CATEGORIES: dict[str, Concept] = {  # the codes that CDISC's response codelist uses
    "CR": ("C4870", "NCIt", "Complete Response"),
    "PR": ("C18058", "NCIt", "Partial Response"),
    "SD": ("C18213", "NCIt", "Stable Disease"),
    "PD": ("C35571", "NCIt", "Progressive Disease"),
    "NE": ("C62222", "NCIt", "Not Evaluable"),
}


@dataclass(frozen=True)
class Response:
    """What one criterion says: its title, the category in its own words, the rule that fired."""

    criterion: str
    category: str
    rule: str


@dataclass(frozen=True)
class MeasuredLesion:
    """One measurement group.

    Attributes:
        tracking_id: as in the segmentation and at every other date.
        values: measure name (see ``codes.quantity``) or Quantity to number; NaN is left out and said in a comment.
        segment: label of the segment that was measured, "" for a lesion (or the patient) without one.
        tracking_uid: the segment's, or made from the id and the study, where "".
        kind, site: as for :class:`bonequant.io.export.Segment`.
        responses: calls about this lesion.
        comments: further plain text.
    """

    tracking_id: str
    values: Mapping[str | Quantity, float] = field(default_factory=dict)
    segment: str = ""
    tracking_uid: str = ""
    kind: str = "bone lesion"
    site: str = ""
    responses: Sequence[Response] = ()
    comments: Sequence[str] = ()


def write_measurement_report(
    lesions: Sequence[MeasuredLesion],
    path: str | os.PathLike[str],
    source: SourceSeries,
    segmentation: WrittenSegmentation | None = None,
    *,
    description: str = "BoneQuant measurements",
    observer: str = "BoneQuant",
    identified: bool = False,
    series_number: int = 920,
    overwrite: bool = False,
) -> Path:
    """Write one structured report and return its path.

    Args:
        lesions: measurement groups; one with tracking_id "patient" and no segment holds calls about the patient.
        source: the series that was measured.
        segmentation: what :func:`bonequant.io.export.write_dicom_seg` returned for the same series.
        observer: name of the device that measured.
        identified: as for :func:`bonequant.io.export.write_dicom_seg`.

    Raises:
        InputError: no lesion, a tracking id twice, a segment that the segmentation lacks, an unknown measure, kind or
            site, an infinite value, a file that exists.
        MissingDependencyError: highdicom is not installed.
    """
    hd = highdicom("Writing a DICOM structured report")
    _check(lesions, segmentation)
    evidence = _evidence(source, segmentation, identified)
    groups = [_group(hd, lesion, source, segmentation) for lesion in lesions]
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=new_uid(), name=observer, manufacturer_name="BoneQuant", model_name="BoneQuant"
    )
    report = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(
            observer_device_context=hd.sr.ObserverContext(
                observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
                observer_identifying_attributes=device,
            )
        ),
        procedure_reported=hd.sr.CodedConcept(*_PROCEDURES.get(str(evidence[0].Modality), _ANY_IMAGING)),
        imaging_measurements=groups,
        title=hd.sr.CodedConcept(*_REPORT),
    )
    maker = equipment()
    with quiet():
        ds = hd.sr.Comprehensive3DSR(
            evidence=evidence,
            content=report[0],
            series_instance_uid=new_uid(),
            series_number=series_number,
            sop_instance_uid=new_uid(),
            instance_number=1,
            manufacturer=maker["manufacturer"],
            is_complete=True,
        )
    ds.ManufacturerModelName, ds.SoftwareVersions = maker["manufacturer_model_name"], maker["software_versions"]
    mark(ds, description, identified)
    with dicom_file(path, overwrite) as temporary:
        save(ds, temporary)
    return Path(path)


def _check(lesions: Sequence[MeasuredLesion], segmentation: WrittenSegmentation | None) -> None:
    if not lesions:
        raise InputError("There is no lesion to report.")
    ids = [lesion.tracking_id for lesion in lesions]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice or not all(ids):
        raise InputError(f"Every lesion needs a tracking id of its own; given twice: {', '.join(twice) or 'none'}.")
    known = segmentation.segments if segmentation is not None else {}
    for lesion in lesions:
        if lesion.segment and lesion.segment not in known:
            raise InputError(
                f"Lesion {lesion.tracking_id}: the segmentation has no segment {lesion.segment!r}; "
                f"it has {', '.join(known) or 'none'}."
            )


def _evidence(source: SourceSeries, segmentation: WrittenSegmentation | None, identified: bool) -> list[Dataset]:
    """Headers of every object that the report may refer to, without more of the patient than is wanted."""
    common = patient_and_study(source, identified)
    common.SeriesInstanceUID = source.series_uid
    common.Modality = source.header.get("Modality", "OT")
    found: dict[str, Dataset] = {}
    for plane in source.planes:
        uid = str(plane.header.SOPInstanceUID)
        if uid not in found:
            found[uid] = Dataset()
            found[uid].update(common)
            found[uid].SOPClassUID, found[uid].SOPInstanceUID = plane.header.SOPClassUID, uid
    if segmentation is not None:
        seg = Dataset()
        seg.update(common)
        seg.SeriesInstanceUID, seg.Modality = segmentation.series_uid, "SEG"
        seg.SOPClassUID, seg.SOPInstanceUID = segmentation.sop_class_uid, segmentation.sop_instance_uid
        found[segmentation.sop_instance_uid] = seg
    return list(found.values())


def _group(hd: Any, lesion: MeasuredLesion, source: SourceSeries, segmentation: WrittenSegmentation | None) -> Any:
    """TID 1411 for a lesion with a segment, TID 1501 for one without."""
    uid = lesion.tracking_uid
    if segmentation is not None and lesion.segment and not uid:
        uid = segmentation.tracking.get(lesion.segment, ("", ""))[1]
    common = {
        "tracking_identifier": hd.sr.TrackingIdentifier(
            uid=uid or tracking_uid(lesion.tracking_id, source.study_uid), identifier=lesion.tracking_id
        ),
        "finding_type": hd.sr.CodedConcept(*kind(lesion.kind)[1]),
        "finding_sites": _sites(hd, lesion) or None,
        "measurements": [_number(hd, name, value) for name, value in lesion.values.items() if value == value] or None,
        "qualitative_evaluations": [_response(hd, response) for response in lesion.responses] or None,
    }
    if segmentation is not None and lesion.segment:
        referenced = hd.sr.ReferencedSegment(
            sop_class_uid=segmentation.sop_class_uid,
            sop_instance_uid=segmentation.sop_instance_uid,
            segment_number=segmentation.segments[lesion.segment],
            source_series=hd.sr.SourceSeriesForSegmentation(source.series_uid),
        )
        group = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=referenced, **common)
    else:
        group = hd.sr.MeasurementsAndQualitativeEvaluations(**common)
    for name, text in _texts(lesion):
        item = hd.sr.TextContentItem(
            name=hd.sr.CodedConcept(*name), value=text, relationship_type=hd.sr.RelationshipTypeValues.CONTAINS
        )
        group[0].ContentSequence.append(item)
    return group


def _sites(hd: Any, lesion: MeasuredLesion) -> list[Any]:
    if not lesion.site:
        return []
    place, side = site(lesion.site)
    laterality = hd.sr.CodedConcept(*side) if side is not None else None
    return [hd.sr.FindingSite(anatomic_location=hd.sr.CodedConcept(*place), laterality=laterality)]


def _number(hd: Any, name: str | Quantity, value: float) -> Any:
    if math.isinf(value):
        raise InputError(f"The measure {name} is infinite and cannot be reported.")
    meant = quantity(name) if isinstance(name, str) else name
    return hd.sr.Measurement(
        name=hd.sr.CodedConcept(*meant.concept),
        value=float(value),
        unit=hd.sr.CodedConcept(*meant.unit),
        derivation=hd.sr.CodedConcept(*meant.derivation) if meant.derivation else None,
    )


def _response(hd: Any, response: Response) -> Any:
    own = (response.category.upper().replace(" ", "_")[:16], OWN, response.category[:64])
    return hd.sr.QualitativeEvaluation(
        name=hd.sr.CodedConcept(*_RESPONSE), value=hd.sr.CodedConcept(*_CATEGORIES.get(response.category, own))
    )


def _texts(lesion: MeasuredLesion) -> list[tuple[Concept, str]]:
    texts = [(_RULE, f"{one.criterion}: {one.category}; {one.rule}") for one in lesion.responses]
    absent = [
        name if isinstance(name, str) else name.concept[2] for name, value in lesion.values.items() if value != value
    ]
    if absent:
        texts.append((_COMMENT, f"Not measured: {', '.join(absent)}"))
    return [*texts, *((_COMMENT, comment) for comment in lesion.comments)]
