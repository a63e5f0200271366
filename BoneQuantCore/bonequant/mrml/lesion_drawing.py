"""Lesions to draw in: a new segmentation on an image, further lesions, their copy on the other image, alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bonequant.errors import InputError
from bonequant.mrml.lesion_inputs import drawn_on
from bonequant.mrml.live import carried_node
from bonequant.mrml.marrow_nodes import align_node, undo_alignment
from bonequant.mrml.segments import colour_of

if TYPE_CHECKING:
    from bonequant.registration import RegistrationResult

_FILL = 0.25


def new_lesions(volume: Any, name: str = "Lesions") -> Any:
    """An empty segmentation node on the grid of a volume, lying where it lies.

    Raises InputError where there is no volume.
    """
    if volume is None:
        raise InputError("Select the image on which the lesions are to be drawn first.")
    node = volume.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetOpacity2DFill(_FILL)
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    return node


def add_lesion(lesions: Any) -> str:
    """An empty lesion with the next free number; the ID of its segment."""
    segmentation, number = lesions.GetSegmentation(), 1
    while segmentation.GetSegmentIdBySegmentName(f"lesion_{number}"):
        number += 1
    name = f"lesion_{number}"
    return str(segmentation.AddEmptySegment(name, name, colour_of(name, number - 1)))


def carried_lesions(lesions: Any, ct: Any, functional: Any) -> Any:
    """The segmentation that live propagation keeps on the image on which lesions were not drawn; None without one."""
    if lesions is None or ct is None or functional is None:
        return None
    return carried_node(lesions, functional if drawn_on(lesions, ct, functional) == "ct" else ct)


def align_lesions(registration: RegistrationResult, functional: Any, lesions: Any = None) -> None:
    """Lay the functional image on its CT; lesions that were drawn on it go along."""
    along = _lie_together(lesions, functional)
    align_node(registration, functional)
    if along:
        lesions.SetAndObserveTransformNodeID(functional.GetTransformNodeID())


def undo_alignment_of_lesions(functional: Any, lesions: Any = None) -> bool:
    """Put the functional image back where it lay before; lesions drawn on it go along. False where nothing was done."""
    along = _lie_together(lesions, functional)
    undone = undo_alignment(functional)
    if undone and along:
        lesions.SetAndObserveTransformNodeID(functional.GetTransformNodeID())
    return undone


def _lie_together(lesions: Any, functional: Any) -> bool:
    """Were the lesions drawn on the functional image, and do they lie where it lies?"""
    if lesions is None:
        return False
    on = lesions.GetNodeReference(lesions.GetReferenceImageGeometryReferenceRole())
    return on is functional and lesions.GetTransformNodeID() == functional.GetTransformNodeID()
