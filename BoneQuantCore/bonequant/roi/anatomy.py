"""All regions of bone that a CT shows, in one go: skeleton, vertebral bodies, spine, pelvis, ribs, femora and the
rest.

The bodies of vertebrae are solid: a lytic lesion that the threshold left out is given back to bone, marrow and spine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress, part_of
from bonequant.roi.axial import AxialFrame
from bonequant.roi.body import body_mask, lung_mask
from bonequant.roi.bones import bone_parts
from bonequant.roi.skeleton import Skeleton, SkeletonSettings, segment_skeleton
from bonequant.roi.vertebrae import Place, Vertebrae, find_spine, label_bodies
from bonequant.volume import Volume


@dataclass(frozen=True, eq=False)
class Anatomy:
    """``masks`` by region name, uint8 on the CT's grid: bone, cortical, marrow, spine, pelvis, ribs, femora,
    other_bone and the vertebral bodies; what is not in the field of view is left out. ``vertebrae`` is None where
    none could be separated."""

    masks: dict[str, sitk.Image]
    skeleton: Skeleton
    vertebrae: Vertebrae | None
    warnings: tuple[str, ...]


def anatomical_regions(
    ct: Volume,
    skeleton: Skeleton | None = None,
    settings: SkeletonSettings | None = None,
    *,
    cuts: Sequence[float | tuple[Sequence[float], Sequence[float]]] | None = None,
    level: tuple[str, Place] | None = None,
    progress: Progress | None = None,
) -> Anatomy:
    """Bone regions of a CT. ``cuts`` and ``level`` as in :func:`bonequant.roi.vertebrae`.

    Raises InputError where there is no bone, or where the user's cuts or level cannot be used.
    """
    if skeleton is None:
        skeleton = segment_skeleton(ct, settings, part_of(progress, 0.0, 0.5))
    report = part_of(progress, 0.5, 1.0)
    report(0.0, "Spine")
    frame = AxialFrame.of(ct.image)
    body = body_mask(frame.array, frame.spacing)
    masks = {name: frame.mask_of(mask) for name, mask in skeleton.masks.items()}
    spine = find_spine(frame, masks["bone"], body, cuts)
    warnings = list(skeleton.warnings)
    vertebrae = None
    if spine is not None:
        report(0.4, "Vertebrae")
        try:
            vertebrae = label_bodies(spine, frame, level)
        except InputError as error:
            if cuts is not None or level is not None:
                raise
            warnings.append(str(error))
        else:
            warnings += vertebrae.warnings
    elif cuts is not None or level is not None:
        raise InputError(
            "No spinal canal of 4 cm or more in the field of view: cuts and levels have nothing to apply to."
        )
    report(0.6, "Pelvis and ribs")
    sacral_disc = None if spine is None else spine.sacral_disc
    lungs = lung_mask(frame.array, body, frame.spacing)
    masks |= bone_parts(masks["bone"], lungs, None if spine is None else spine.axis, sacral_disc, frame.spacing)
    if vertebrae is not None:
        bodies = np.zeros(frame.array.shape, dtype=bool)
        for mask in vertebrae.masks.values():
            bodies |= frame.mask_of(mask)
        added = bodies & ~masks["bone"]
        for name in ("bone", "marrow", "spine"):
            masks[name] = masks[name] | added
    found = {name: frame.to_native(mask) for name, mask in masks.items()}
    if vertebrae is not None:
        found |= vertebrae.masks
    report(1.0, "Regions")
    return Anatomy(found, skeleton, vertebrae, tuple(warnings))
