"""On which series a DICOM mask was drawn, as the object itself says."""

from __future__ import annotations

import os
from pathlib import Path

from bonequant.io.dicom_header import item, items, read_header, reader, text
from bonequant.io.series import image_suffix
from bonequant.io.sorting import scan
from bonequant.io.volumes import choose


@reader
def referenced_series(path: str | os.PathLike[str], *, series: str | int | None = None) -> str | None:
    """SeriesInstanceUID of the images that an RTSTRUCT or DICOM SEG refers to.

    Returns None for masks with a grid of their own that name no series (label images, .seg.nrrd, a SEG without
    reference), "" for an RTSTRUCT that names none or more than one.

    Raises InputError or AmbiguousInputError as :func:`bonequant.io.load_masks` does.
    """
    source = Path(path)
    if source.is_file() and image_suffix(source):
        return None
    found = scan(source)
    masks = [info for info in found if info.kind in ("structure set", "segmentation")]
    if not [info for info in masks if not image_suffix(info.files[0])] and any(i.kind == "image file" for i in found):
        return None
    info, _ = choose(found, series, source, ("structure set", "segmentation"), "mask")
    if image_suffix(info.files[0]):
        return None
    header = read_header(info.files[0])
    if info.kind == "segmentation":
        return text(item(header, "ReferencedSeriesSequence"), "SeriesInstanceUID")
    named = {
        text(series_item, "SeriesInstanceUID")
        for frame in items(header, "ReferencedFrameOfReferenceSequence")
        for study in items(frame, "RTReferencedStudySequence")
        for series_item in items(study, "RTReferencedSeriesSequence")
    } - {None}
    return (named.pop() or "") if len(named) == 1 else ""
