"""One date of the marrow job as a scene: the functional image laid on the CT, regions, maps and tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bonequant.mrml.bundle import write_scene

if TYPE_CHECKING:
    from bonequant.studies.marrow_perfusion.result import MarrowResult

_ALIGNMENT = "CT to functional"


def write_marrow_scene(result: MarrowResult, path: str | Path) -> Path:
    """Write ``result`` as an .mrb that Slicer opens; see :func:`bonequant.mrml.write_scene`.

    The CT and its regions lie where the scanner put them; the functional image, its maps and the regions drawn on it
    lie under the transform "CT to functional", with their voxels untouched.
    """
    volumes = {"Functional": result.functional, **{f"Map {name}": volume for name, volume in result.maps.items()}}
    on_functional = {
        f"{name} on functional" if name in result.masks_on_ct else name: mask
        for name, mask in result.masks_on_functional.items()
    }
    moved = [*volumes, *on_functional]
    if result.ct is not None:
        volumes["CT"] = result.ct
    aligned = result.transform is not None
    tables = {"Regions table": result.rows, "Lesions table": result.lesion_rows}
    return write_scene(
        path,
        volumes=volumes,
        masks={**result.masks_on_ct, **on_functional},
        transforms={_ALIGNMENT: result.transform} if result.transform is not None else {},
        tables={name: rows for name, rows in tables.items() if rows},
        parent=dict.fromkeys(moved, _ALIGNMENT) if aligned else {},
    )
