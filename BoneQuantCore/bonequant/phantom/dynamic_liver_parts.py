"""The anatomy of the liver CT phantom in LPS mm, its organs shifted as they are at one moment of the breath."""

from __future__ import annotations

import dataclasses

from bonequant.phantom.raster import Part
from bonequant.phantom.shapes import Drum, Ellipsoid, Leaf, Point, Solid, Trunk, rod_between

BASE_HU = {
    "fat": -100.0,
    "muscle": 52.0,
    "cavity": -60.0,
    "lung": -820.0,
    "liver": 55.0,
    "tumour": 42.0,
    "spleen": 48.0,
    "kidney": 35.0,
    "stomach": 20.0,
    "blood": 42.0,
    "bone": 280.0,
}
LIVER_REGIONS = ("aorta", "portal_vein", "spleen", "liver", "tumour_1", "tumour_2", "tumour_3")
_REACH_MM = 200.0
_ORIGIN: Point = (0.0, 0.0, 0.0)


def liver_parts(shift_mm: Point) -> tuple[Part, ...]:
    """Parts in painting order, the moving organs displaced by ``shift_mm``."""
    cavity = Trunk(_ORIGIN, inset=30.0)

    def moved(leaf: Leaf) -> Leaf:
        x, y, z = (c + d for c, d in zip(leaf.center, shift_mm, strict=True))
        return dataclasses.replace(leaf, center=(x, y, z))

    def organ(name: str, tissue: str, *leaves: Leaf) -> Part:
        return Part(name, tissue, Solid(tuple(moved(leaf) for leaf in leaves), within=(cavity,)))

    def still(name: str, tissue: str, *leaves: Leaf) -> Part:
        return Part(name, tissue, Solid(leaves))

    liver = (
        Ellipsoid((-62.0, 0.0, -12.0), radii=(72.0, 68.0, 60.0)),
        Ellipsoid((5.0, -42.0, 2.0), radii=(62.0, 32.0, 36.0)),
    )
    portal = (
        rod_between((-12.0, 4.0, -30.0), (-48.0, 0.0, -6.0), (7.0, 6.0)),
        rod_between((-48.0, 0.0, -6.0), (-78.0, 18.0, 2.0), (5.5, 4.0)),
    )
    ribs = [
        rod_between((side * 128.0, y, z), (side * 134.0, y + 26.0, z + 9.0), (5.0, 5.0))
        for side in (-1.0, 1.0)
        for y, z in ((-40.0, -50.0), (0.0, -20.0), (10.0, 10.0), (20.0, 40.0))
    ]
    return (
        still("fat", "fat", Trunk(_ORIGIN)),
        still("wall", "muscle", Trunk(_ORIGIN, inset=14.0)),
        still("cavity", "cavity", cavity),
        organ("lung", "lung", Drum((0.0, 0.0, 120.0), radii=(170.0, 120.0), half_height=100.0)),
        organ("diaphragm", "muscle", Ellipsoid((70.0, 5.0, -20.0), radii=(62.0, 66.0, 64.0))),
        organ("stomach", "stomach", Ellipsoid((62.0, -30.0, 0.0), radii=(36.0, 34.0, 34.0))),
        organ("liver", "liver", *liver),
        organ("spleen", "spleen", Ellipsoid((96.0, 40.0, -2.0), radii=(24.0, 32.0, 42.0))),
        organ("kidney", "kidney", *(Ellipsoid((s * 58.0, 58.0, -62.0), radii=(22.0, 24.0, 42.0)) for s in (-1.0, 1.0))),
        organ("portal_vein", "blood", *portal),
        organ("tumour_1", "tumour", Ellipsoid((-88.0, -24.0, 12.0), radii=(15.0, 15.0, 14.0))),
        organ("tumour_2", "tumour", Ellipsoid((-70.0, 34.0, -26.0), radii=(18.0, 17.0, 17.0))),
        organ("tumour_3", "tumour", Ellipsoid((8.0, -46.0, 2.0), radii=(13.0, 12.0, 12.0))),
        still("spine", "bone", Drum((0.0, 66.0, 0.0), radii=(24.0, 18.0), half_height=_REACH_MM)),
        still("ribs", "bone", *ribs),
        still("aorta", "blood", rod_between((6.0, 36.0, -_REACH_MM), (10.0, 36.0, _REACH_MM), (10.0, 11.5))),
        still("vena cava", "blood", rod_between((-24.0, 34.0, -_REACH_MM), (-24.0, 34.0, _REACH_MM), (11.0, 11.0))),
    )
