"""Nodes as the inputs of the lesion radiomics job: images on their own grids, lesions, readings, the way between.

Every segment that is not empty is a lesion, by its name. Its level, label and readers' grades are tags of the segment,
saved with it. A carried copy that the user adjusted goes before the carried one.
"""

from __future__ import annotations

from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.found_regions import space_of
from bonequant.mrml.live import ADJUSTED
from bonequant.mrml.patches import patch_of, tag_of
from bonequant.mrml.segments import masks_from_node
from bonequant.mrml.transforms import transform_between
from bonequant.mrml.volumes import volume_from_node
from bonequant.studies.lesion_radiomics import GRADES, Lesion, LesionInputs
from bonequant.studies.lesion_radiomics.inputs import Space

LEVEL, LABEL = "BoneQuant.Level", "BoneQuant.Label"
READER, SECOND_READER = "BoneQuant.Reader", "BoneQuant.SecondReader"  # grades 1 to 5


def lesion_inputs(
    lesions: Any,
    ct: Any = None,
    functional: Any = None,
    carried: Any = None,
    second: Any = None,
    *,
    patient: str = "",
    confirmed: bool = False,
) -> LesionInputs:
    """One patient at one date.

    Args:
        lesions: segmentation node; it lies in the space of the image on which it was drawn.
        ct, functional: volume nodes; a transform between them is taken as their alignment.
        carried: the segmentation that live propagation keeps on the other image; adjusted segments of it count.
        second: segmentation node of a second reader: the same lesions, by the same names, on the same image.
        patient: pseudonym.
        confirmed: the images show one patient although their facts differ.

    Raises:
        InputError: no segmentation or image, a segmentation in neither space, or readers who drew on different images.
    """
    if lesions is None:
        raise InputError("Select or draw lesions first: there is no segmentation to measure.")
    images: dict[Space, Any] = {"ct": ct, "functional": functional}
    space = drawn_on(lesions, ct, functional)
    masks = masks_from_node(lesions)
    empty = [name for name, segment_id in _ids(lesions).items() if not _is_drawn(lesions, segment_id)]
    if len(empty) == len(masks):
        raise InputError(f"Nothing is drawn in segmentation '{lesions.GetName()}': draw a lesion first.")
    apart = None not in images.values() and ct.GetParentTransformNode() is not functional.GetParentTransformNode()
    adjusted = adjusted_masks(lesions, carried)
    drawn = tuple(
        Lesion(
            name,
            masks[name],
            space,
            tag(lesions, segment_id, LEVEL),
            tag(lesions, segment_id, LABEL),
            adjusted.get(name),
        )
        for name, segment_id in _ids(lesions).items()
        if name not in empty
    )
    readings = {}
    if second is not None:
        if drawn_on(second, ct, functional) != space:
            raise InputError(
                f"Segmentation '{second.GetName()}' was not drawn on '{images[space].GetName()}', as the first one "
                "was: stability compares drawings on the same image."
            )
        again = masks_from_node(second)
        readings["second reader"] = {
            name: again[name] for name, segment_id in _ids(second).items() if _is_drawn(second, segment_id)
        }
    return LesionInputs(
        lesions=drawn,
        ct=volume_from_node(ct) if ct is not None else None,
        functional=volume_from_node(functional) if functional is not None else None,
        transform=transform_between(ct, functional) if apart else None,
        readings=readings,
        patient=patient,
        same_patient_confirmed=confirmed,
        warnings=(f"Segments in which nothing is drawn were left out: {', '.join(empty)}.",) if empty else (),
    )


def drawn_on(lesions: Any, ct: Any, functional: Any) -> Space:
    """The image on which lesions were drawn: by the volume their geometry refers to, else by their parent transform.

    Raises InputError where there is no image, or none fits.
    """
    if ct is None and functional is None:
        raise InputError("Select a CT, a SPECT or PET, or both: there is no image to measure.")
    return "ct" if space_of(lesions, {"ct": ct, "functional": functional}) == "ct" else "functional"


def adjusted_masks(lesions: Any, carried: Any) -> dict[str, sitk.Image]:
    """The user's own masks on the other image, by lesion."""
    if carried is None:
        return {}
    wanted = {name for name, segment_id in _ids(lesions).items() if is_adjusted(carried, segment_id)}
    return {name: mask for name, mask in masks_from_node(carried).items() if name in wanted} if wanted else {}


def is_adjusted(carried: Any, segment_id: str) -> bool:
    """Did the user change the carried copy of a segment?"""
    segment = carried.GetSegmentation().GetSegment(segment_id) if carried is not None else None
    return segment is not None and segment.HasTag(ADJUSTED)


def tag(lesions: Any, segment_id: str, name: str) -> str:
    """A tag of a segment; "" where it has none."""
    return tag_of(lesions.GetSegmentation().GetSegment(segment_id), name)


def set_tag(lesions: Any, segment_id: str, name: str, text: str) -> None:
    """Write a tag, or take it away where ``text`` is empty."""
    segment = lesions.GetSegmentation().GetSegment(segment_id)
    if text == tag_of(segment, name):
        return
    if text:
        segment.SetTag(name, text)
    else:
        segment.RemoveTag(name)
    lesions.Modified()


def grades(lesions: Any, reader: str = READER) -> dict[str, int]:
    """The grades of a reader, by lesion.

    Raises InputError for a tag that is no grade.
    """
    found = {}
    for name, segment_id in _ids(lesions).items():
        text = tag(lesions, segment_id, reader)
        if text and text not in map(str, GRADES):
            raise InputError(f"Lesion {name} of '{lesions.GetName()}' has the grade {text!r}; grades are 1 to 5.")
        if text:
            found[name] = int(text)
    return found


def _ids(node: Any) -> dict[str, str]:
    """Segment ID by name, in the node's order."""
    segmentation = node.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]
    return {segmentation.GetSegment(segment_id).GetName(): segment_id for segment_id in ids}


def _is_drawn(node: Any, segment_id: str) -> bool:
    patch = patch_of(node, segment_id)
    return patch is None or bool(patch.voxels.size)  # None: a surface or contour, which is never empty
