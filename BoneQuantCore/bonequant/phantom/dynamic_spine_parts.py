"""The anatomy of the spine DCE phantom: a slab around the spine in patient LPS mm, the middle vertebra at z = 0."""

from __future__ import annotations

from bonequant.phantom.raster import Part
from bonequant.phantom.shapes import Drum, Ellipsoid, Leaf, Solid, Trunk, rod_between

TISSUES = ("fat", "muscle", "disc", "csf", "marrow", "lesion", "aorta", "vein")
REGIONS_OF = {
    "marrow": ("marrow",),
    "lesion": ("lesion_1",),
    "aorta": ("aorta",),
    "vein": ("vein",),
    "muscle": ("muscle",),
    "disc": ("disc",),
    "csf": ("canal",),
}
PITCH_MM = 34.0
VERTEBRAE = 9
_BODY_Y = 20.0
_LESION_RADII_MM = (14.0, 12.0, 10.0)
_LESION_OFFSET_MM = (3.0, -1.0, 1.0)
_REACH_MM = 260.0


def spine_parts(lesion_size: float = 1.0) -> tuple[Part, ...]:
    """Parts in painting order. The lesion lies in the middle vertebra; its diameters scale with ``lesion_size``."""
    parts = [
        Part("fat", "fat", Solid((Trunk((0.0, 0.0, 0.0)),))),
        Part("muscle", "muscle", Solid((Trunk((0.0, 0.0, 0.0), inset=14.0),))),
        Part("discs", "disc", Solid((_column((21.0, 15.0)),))),
    ]
    middle = (VERTEBRAE - 1) // 2
    for number in range(VERTEBRAE):
        z = PITCH_MM * (middle - number)
        body = _vertebra(z)
        process = Ellipsoid((0.0, _BODY_Y + 49.0, z - 4.0), radii=(4.0, 14.0, 9.0))
        parts.append(
            Part(f"vertebra {number + 1}", "marrow", Solid((body, process)), regions=(f"vertebra_{number + 1}",))
        )
        if number == middle:
            x, y, dz = _LESION_OFFSET_MM
            a, b, c = (lesion_size * radius for radius in _LESION_RADII_MM)
            lesion = Ellipsoid((x, _BODY_Y + y, z + dz), radii=(a, b, c))
            inside = Solid((lesion,), within=(body,))
            parts.append(Part("lesion", "lesion", inside, regions=(f"vertebra_{number + 1}",)))
    ends = (_REACH_MM, -_REACH_MM)
    canal = rod_between((0.0, _BODY_Y + 27.0, ends[1]), (0.0, _BODY_Y + 27.0, ends[0]), (8.0, 8.0))
    aorta = rod_between((4.0, -7.0, ends[1]), (14.0, -12.0, ends[0]), (9.0, 10.5))
    vein = rod_between((-17.0, -8.0, ends[1]), (-15.0, -14.0, ends[0]), (10.5, 10.5))
    parts += [
        Part("canal", "csf", Solid((canal,))),
        Part("aorta", "aorta", Solid((aorta,))),
        Part("vein", "vein", Solid((vein,))),
    ]
    return tuple(parts)


def _vertebra(z: float) -> Leaf:
    return Drum((0.0, _BODY_Y, z), radii=(24.0, 17.0), half_height=13.0, rounding=3.0, waist=0.08)


def _column(radii: tuple[float, float]) -> Leaf:
    return Drum((0.0, _BODY_Y, 0.0), radii=radii, half_height=_REACH_MM)
