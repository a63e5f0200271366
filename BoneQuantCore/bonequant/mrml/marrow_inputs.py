"""Nodes as the inputs of the marrow job: images on their own grids, edited segments, the transform between."""

from __future__ import annotations

from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.found_regions import drawn_masks, space_of
from bonequant.mrml.transforms import transform_between
from bonequant.mrml.volumes import volume_from_node
from bonequant.studies.marrow_perfusion import MarrowInputs


def marrow_inputs(
    functional: Any,
    ct: Any = None,
    regions: Any = None,
    *,
    name: str = "baseline",
    confirmed: bool = False,
    registered: bool = False,
) -> MarrowInputs:
    """One date.

    Args:
        functional: volume node of a SPECT or PET.
        ct: volume node of its CT.
        regions: segmentation node; what was drawn or changed in it goes before what the job finds. It lies in the space
            of the CT or of the functional image.
        confirmed: the images show one patient although their facts differ.
        registered: the alignment of the nodes is what a registration found, which the caller hands to the job itself.

    A transform between the two nodes is taken as the user's alignment; without one the job registers.

    Raises:
        InputError: no functional image, a node without voxels, or a segmentation in neither space.
    """
    if functional is None:
        raise InputError("Select a SPECT or PET first: there is nothing to measure.")
    on: dict[str, dict[str, sitk.Image]] = {"ct": {}, "functional": {}}
    if regions is not None:
        space = space_of(regions, {"ct": ct, "functional": functional})
        on[space] = drawn_masks(regions)
    apart = ct is not None and ct.GetParentTransformNode() is not functional.GetParentTransformNode()
    return MarrowInputs(
        functional=volume_from_node(functional),
        ct=volume_from_node(ct) if ct is not None else None,
        masks_on_ct=on["ct"],
        masks_on_functional=on["functional"],
        transform=transform_between(ct, functional) if apart and not registered else None,
        same_patient_confirmed=confirmed,
        name=name,
        lesion_suffix="" if name == "baseline" else f"_{name}",
    )
