"""Everything of the torso that is not bone: outline, muscles, lungs, abdominal organs, vessels, bowel and the table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bonequant.phantom.ribs import CAGE_MM
from bonequant.phantom.shapes import Cradle, Drum, Ellipsoid, Leaf, Point, Solid, Trunk, rod_between
from bonequant.phantom.spine import Vertebra, tube_before

WALL_MM = 16.0
_INNER_CAGE = Drum((0.0, 0.0, 100.0), radii=(CAGE_MM[0] - 7.0, CAGE_MM[1] - 7.0), half_height=400.0)
_DOMES = (
    Ellipsoid((-72.0, -6.0, 92.0), radii=(77.0, 84.0, 79.0)),
    Ellipsoid((70.0, -4.0, 84.0), radii=(72.0, 84.0, 76.0)),
)
HEART = Ellipsoid((14.0, -34.0, 214.0), radii=(58.0, 46.0, 46.0))

Named = tuple[str, str, Solid]  # part name, tissue, shape


def outline(fat_mm: float) -> list[Named]:
    """Table, subcutaneous fat, muscle wall and the fat-filled cavity inside it, outermost first."""
    cavity = Drum((0.0, -18.0, 60.0), radii=(136.0, 80.0), half_height=235.0, rounding=40.0)
    gluteal = tuple(Ellipsoid((s * 80.0, 82.0, -150.0), radii=(72.0, 52.0, 120.0)) for s in (-1.0, 1.0))
    pelvic_floor = Ellipsoid((0.0, 0.0, -330.0), radii=(200.0, 130.0, 150.0))
    return [
        ("table", "table", Solid((Cradle((0.0, -288.0, 0.0)),))),
        ("fat", "fat", Solid((Trunk((0.0, 0.0, 0.0)),))),
        ("muscle", "muscle", Solid((Trunk((0.0, 0.0, 0.0), inset=fat_mm),))),
        ("cavity", "cavity", Solid((cavity,), without=(*gluteal, pelvic_floor))),
    ]


def muscles(spine: tuple[Vertebra, ...]) -> list[Named]:
    """Erector spinae behind and psoas beside the spine."""
    erector: list[Leaf] = []
    psoas: list[Leaf] = []
    for low, high in pairwise(spine):
        for s in (-1.0, 1.0):
            ends = [v.at(s * 33.0, v.level.half_depth + 24.0, 0.0) for v in (low, high)]
            erector.append(rod_between(ends[0], ends[1], (22.0, 22.0), 1.35, (1.0, 0.0, 0.0)))
            if low.level.lumbar:
                ends = [v.at(s * (v.level.half_width + 11.0), 4.0, 0.0) for v in (low, high)]
                size = {"L5": 19.0, "L4": 18.0, "L3": 16.0, "L2": 13.0, "L1": 10.0, "T12": 6.0}
                psoas.append(rod_between(ends[0], ends[1], (size[low.level.name], size[high.level.name])))
    l5 = spine[0]
    psoas += [
        rod_between((s * 95.0, -20.0, l5.center[2] - 120.0), l5.at(s * 37.0, 4.0, 0.0), (15.0, 19.0))
        for s in (-1.0, 1.0)
    ]
    return [("back_muscle", "muscle", Solid(tuple(erector))), ("psoas", "muscle", Solid(tuple(psoas)))]


def organs(rng: np.random.Generator) -> list[Named]:
    """Lungs, domes, liver, spleen, kidneys, stomach, bowel, bladder, heart; later ones lie over earlier ones."""
    mediastinum = (HEART, Ellipsoid((0.0, 38.0, 240.0), radii=(34.0, 48.0, 300.0)))
    found: list[Named] = []
    for side, name in ((-1.0, "lung_right"), (1.0, "lung_left")):
        body = Drum((side * 68.0, 6.0, 258.0), radii=(68.0, 88.0), half_height=150.0, rounding=20.0)
        found.append((name, "lung", Solid((body,), within=(_INNER_CAGE,), without=(*_DOMES, *mediastinum), gap_mm=3.0)))
    found.append(("mediastinum", "muscle", Solid((Ellipsoid((4.0, -4.0, 240.0), radii=(36.0, 50.0, 80.0)),))))
    found += _bowel(rng)
    right = Ellipsoid((-72.0, -8.0, 92.0), radii=(71.0, 78.0, 74.0))
    left = Ellipsoid((5.0, -48.0, 118.0), radii=(72.0, 34.0, 38.0))
    hilum = Ellipsoid((-30.0, 25.0, 45.0), radii=(42.0, 40.0, 50.0))
    found += [
        ("stomach", "bowel", Solid((Ellipsoid((60.0, -38.0, 92.0), radii=(44.0, 34.0, 50.0)),), within=(_INNER_CAGE,))),
        ("stomach_gas", "gas", Solid((Ellipsoid((58.0, -56.0, 98.0), radii=(24.0, 11.0, 28.0)),))),
        ("liver", "liver", Solid((right, left), within=(_INNER_CAGE,), without=(hilum,))),
        ("spleen", "spleen", Solid((Ellipsoid((98.0, 40.0, 104.0), radii=(27.0, 38.0, 52.0)),), within=(_INNER_CAGE,))),
    ]
    for s, name, up in ((-1.0, "kidney_right", 18.0), (1.0, "kidney_left", 30.0)):
        frame = _tilted(s * 12.0)
        sinus = Ellipsoid((s * 52.0, 30.0, up), radii=(14.0, 9.0, 20.0), frame=frame)
        kidney = Ellipsoid((s * 71.0, 34.0, up), radii=(27.0, 23.0, 54.0), frame=frame)
        found.append((name, "kidney", Solid((kidney,), without=(sinus,))))
    found.append(("bladder", "urine", Solid((Ellipsoid((0.0, -28.0, -222.0), radii=(40.0, 32.0, 30.0)),))))
    return found


def vessels(spine: tuple[Vertebra, ...]) -> list[Named]:
    """Heart, aorta with the common iliac arteries, inferior vena cava."""
    by_name = {v.level.name: v for v in spine}
    l4 = by_name["L4"]
    fork = l4.at(5.0, -l4.level.half_depth - 12.0, 0.0)
    iliac = tuple(rod_between((s * 52.0, -8.0, fork[2] - 100.0), fork, (5.0, 6.5)) for s in (-1.0, 1.0))
    aorta = tube_before(spine[1:], left=8.0, gap=2.0, radius=10.0)
    cava = tube_before(tuple(v for v in spine if v.level.lumbar), left=-15.0, gap=1.0, radius=10.5)
    start = cava[-1]
    top = by_name["L1"].at(-15.0, -by_name["L1"].level.half_depth - 11.5, 0.0)
    cava = (*cava, rod_between(top, (-28.0, 0.0, 185.0), (start.radii[1], 11.5)))
    return [
        ("heart", "blood", Solid((HEART,))),
        ("vena_cava", "blood", Solid(cava)),
        ("iliac_artery", "blood", Solid(iliac)),
        ("aorta", "blood", Solid(aorta)),
    ]


def _bowel(rng: np.random.Generator) -> list[Named]:
    """Loops of bowel scattered in the abdomen; every fourth holds gas at its front."""
    loops: list[Leaf] = []
    gas: list[Leaf] = []
    for index in range(44):
        radius = rng.uniform(11.0, 19.0)
        angle, reach = rng.uniform(0.0, 2.0 * np.pi), np.sqrt(rng.uniform(0.05, 1.0))
        center: Point = (
            float(108.0 * reach * np.cos(angle)),
            float(-52.0 + 28.0 * reach * np.sin(angle)),
            float(rng.uniform(-135.0, 45.0)),
        )
        radii = (radius * rng.uniform(1.0, 1.6), radius, radius * rng.uniform(1.0, 1.6))
        loops.append(Ellipsoid(center, radii=radii))
        if index % 4 == 0:
            bubble = (center[0], center[1] - 0.4 * radius, center[2])
            gas.append(Ellipsoid(bubble, radii=(0.6 * radii[0], 0.4 * radius, 0.6 * radii[2])))
    return [("bowel", "bowel", Solid(tuple(loops))), ("bowel_gas", "gas", Solid(tuple(gas)))]


def _tilted(angle_deg: float) -> tuple[float, ...]:
    c, s = float(np.cos(np.radians(angle_deg))), float(np.sin(np.radians(angle_deg)))
    return (c, 0.0, s, 0.0, 1.0, 0.0, -s, 0.0, c)
