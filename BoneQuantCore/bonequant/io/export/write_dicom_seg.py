"""Masks as a DICOM Segmentation (PS3.3 A.51) on the grid of the series on which they were drawn.

One segment per region, with category and type by code, the bone it lies in, and a tracking identifier that follows the
lesion over time. Binary masks become a BINARY object, with overlaps kept; where any mask has values between 0 and 1 all
become FRACTIONAL (occupancy, in steps of 1/255). Frames without a voxel are left out unless asked for.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io.export.codes import OWN, Concept, kind, site
from bonequant.io.export.dependency import highdicom, quiet
from bonequant.io.export.dicom_object import (
    CREATOR,
    LABEL,
    dicom_file,
    equipment,
    mark,
    new_uid,
    research_text,
    save,
    tracking_uid,
)
from bonequant.io.export.grid import on_grid
from bonequant.io.export.source import SourceSeries
from bonequant.io.export.stand_ins import point_to_sources, stand_ins

ALGORITHMS = ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC")
_FULL = 255
_COLOURS = (
    (55.0, 57.0, 40.0),
    (54.0, 5.0, -50.0),
    (62.0, -45.0, 30.0),
    (70.0, 10.0, 60.0),
    (50.0, 40.0, -40.0),
)  # L*a*b*
_FAMILIES: dict[str, Concept] = {
    "SEMIAUTOMATIC": ("123109", "DCM", "Manual Processing"),
    "AUTOMATIC": ("automatic", OWN, "Automatic processing"),
}


@dataclass(frozen=True, eq=False)
class Segment:
    """One region.

    Attributes:
        mask: 0/1, or 0..1, on the grid of the series (cropped, padded or flipped is allowed).
        label: name that readers show; ``load_masks`` gives it back.
        kind: "bone lesion", "bone metastasis", "vertebra", "liver", "reference region", ... (see ``codes.KINDS``).
        site: where it lies: "T8", "left femur", ...; "" where not known.
        tracking_id, tracking_uid: of a lesion that is followed; the UID is made from the id and the series' study
            where it is "" (give ``tracking_uid(id, uid of the first study)`` to follow it over studies).
        algorithm: "MANUAL", "SEMIAUTOMATIC" or "AUTOMATIC"; ``algorithm_name`` is due for the last two.
    """

    mask: sitk.Image
    label: str
    kind: str = "bone lesion"
    site: str = ""
    tracking_id: str = ""
    tracking_uid: str = ""
    algorithm: str = "SEMIAUTOMATIC"
    algorithm_name: str = "BoneQuant"


@dataclass(frozen=True)
class WrittenSegmentation:
    """A segmentation on disk, as a measurement report refers to it. ``segments``: label to segment number (from 1)."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str
    segments: Mapping[str, int]
    tracking: Mapping[str, tuple[str, str]]


def write_dicom_seg(
    segments: Mapping[str, sitk.Image] | Sequence[Segment],
    path: str | os.PathLike[str],
    source: SourceSeries,
    *,
    description: str = "BoneQuant regions",
    identified: bool = False,
    keep_empty_frames: bool = False,
    series_number: int = 900,
    overwrite: bool = False,
) -> WrittenSegmentation:
    """Write masks as one DICOM SEG.

    Args:
        segments: regions; a plain mapping of masks by name makes them bone lesions tracked under their names.
        path: the file to write.
        source: from :func:`bonequant.io.export.source_series`; frames refer to its images.
        identified: copy the patient's name, ID and birth date from the source (archives need them); False leaves them
            out and says so in the object.
        keep_empty_frames: store every slice of the series for every segment.

    Raises:
        GeometryError: a mask on another grid, or beyond the series.
        InputError: no segment, an empty mask, values outside 0..1, a label twice, an unknown kind or site, a file that
            exists.
        MissingDependencyError: highdicom is not installed.
    """
    hd = highdicom("Writing a DICOM segmentation")
    regions = _regions(segments)
    masks = [_voxels(region, source) for region in regions]
    fractional = any(mask.dtype.kind == "f" for mask in masks)
    pixels = _pixels(masks, fractional)
    tracking = {
        region.label: (region.tracking_id, region.tracking_uid or tracking_uid(region.tracking_id, source.study_uid))
        for region in regions
        if region.tracking_id
    }
    described = [_described(hd, number, region, tracking) for number, region in enumerate(regions, 1)]
    filled = np.flatnonzero(pixels.any(axis=tuple(range(1, pixels.ndim))))
    chosen = np.arange(len(source.planes)) if keep_empty_frames else filled
    stands = [stand for k, stand in enumerate(stand_ins(source, identified)) if k in set(chosen.tolist())]
    for region, colour in zip(described, itertools.cycle(_COLOURS), strict=False):
        region.RecommendedDisplayCIELabValue = list(hd.color.CIELabColor(*colour).value)
    with quiet():
        ds = hd.seg.Segmentation(
            source_images=stands,
            pixel_array=pixels[chosen],
            segmentation_type="FRACTIONAL" if fractional else "BINARY",
            segment_descriptions=described,
            fractional_type="OCCUPANCY",
            max_fractional_value=_FULL,
            series_instance_uid=new_uid(),
            series_number=series_number,
            sop_instance_uid=new_uid(),
            instance_number=1,
            content_creator_name=CREATOR,
            content_label=LABEL,
            content_description=research_text(description),
            omit_empty_frames=not keep_empty_frames,
            **equipment(),
        )
    point_to_sources(ds, stands, [source.planes[k] for k in chosen])
    mark(ds, description, identified)
    with dicom_file(path, overwrite) as temporary:
        save(ds, temporary)
    numbers = {region.label: number for number, region in enumerate(regions, 1)}
    return WrittenSegmentation(
        Path(path), str(ds.SOPClassUID), str(ds.SOPInstanceUID), str(ds.SeriesInstanceUID), numbers, tracking
    )


def _regions(segments: Mapping[str, sitk.Image] | Sequence[Segment]) -> list[Segment]:
    if isinstance(segments, Mapping):
        segments = [Segment(mask, name, tracking_id=name) for name, mask in segments.items()]
    if not segments:
        raise InputError("There is no region to write.")
    labels = [region.label for region in segments]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise InputError(f"Segments need labels of their own; given twice: {', '.join(twice)}.")
    for region in segments:
        if not region.label or len(region.label) > 64:
            raise InputError(f"The label {region.label!r} should have 1 to 64 characters.")
        if region.algorithm not in ALGORITHMS:
            raise InputError(f"Segment {region.label}: algorithm {region.algorithm!r} is none of {ALGORITHMS}.")
    return list(segments)


def _voxels(region: Segment, source: SourceSeries) -> np.ndarray:
    """uint8 0/1, or float32 where there is anything between, on the grid of the series."""
    mask = on_grid(region.mask, source.geometry, f"The mask {region.label!r}")
    if not np.all((mask >= 0) & (mask <= 1)):
        raise InputError(f"The mask {region.label!r} holds values outside 0 to 1; give one mask per region.")
    if not mask.any():
        raise InputError(f"The mask {region.label!r} is empty. Leave it out.")
    return mask.astype(np.uint8) if np.all((mask == 0) | (mask == 1)) else mask.astype(np.float32)


def _pixels(masks: list[np.ndarray], fractional: bool) -> np.ndarray:
    """(z, y, x) with segment numbers where no two overlap, else (z, y, x, segments)."""
    if fractional:
        return np.stack([mask.astype(np.float32) for mask in masks], axis=-1)
    labels = np.zeros(masks[0].shape, np.uint16 if len(masks) > 255 else np.uint8)
    for number, mask in enumerate(masks, 1):
        inside = mask.astype(bool)
        if labels[inside].any():
            return np.stack(masks, axis=-1)
        labels[inside] = number
    return labels


def _described(hd: Any, number: int, region: Segment, tracking: Mapping[str, tuple[str, str]]) -> Any:
    category, what = kind(region.kind)
    regions = []
    if region.site:
        place, side = site(region.site)
        regions = [_coded(hd, place)]
        if side is not None:
            regions[0].AnatomicRegionModifierSequence = [_coded(hd, side)]
    algorithm = None
    if region.algorithm != "MANUAL":
        import bonequant

        algorithm = hd.AlgorithmIdentificationSequence(
            name=region.algorithm_name,
            family=_coded(hd, _FAMILIES[region.algorithm]),
            version=bonequant.__version__,
        )
    identifier, uid = tracking.get(region.label, (None, None))
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=region.label,
        segmented_property_category=_coded(hd, category),
        segmented_property_type=_coded(hd, what),
        algorithm_type=region.algorithm,
        algorithm_identification=algorithm,
        tracking_uid=uid,
        tracking_id=identifier,
        anatomic_regions=regions or None,
    )


def _coded(hd: Any, concept: Concept) -> Any:
    value, scheme, meaning = concept
    return hd.sr.CodedConcept(value, scheme, meaning)
