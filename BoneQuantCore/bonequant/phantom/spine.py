"""Vertebrae T6 to L5 with discs and canal, on a spine with lordosis, kyphosis and, if asked for, scoliosis.

Sizes of bodies and discs are of the order of the morphometry of Panjabi et al. (thoracic: Spine 1991;16:888; lumbar:
Spine 1992;17:299); the tilts are those of a man lying on his back (lordosis of L1 to S1 about 45 degrees).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bonequant.phantom.shapes import Drum, Leaf, Point, Rod, Solid, frame_from, rod_between


@dataclass(frozen=True)
class Level:
    """One level: half axes of the body and its height, the disc below it, all mm; sagittal tilt in degrees."""

    name: str
    half_width: float
    half_depth: float
    height: float
    disc: float
    tilt_deg: float  # positive: going up the spine goes backward

    @property
    def lumbar(self) -> bool:
        return self.name.startswith("L")


LEVELS = (
    Level("L5", 25.5, 17.0, 27.0, 10.5, -19.0),
    Level("L4", 24.5, 17.0, 27.0, 11.0, -9.0),
    Level("L3", 23.5, 17.0, 27.0, 10.5, 0.0),
    Level("L2", 22.0, 16.5, 26.5, 9.0, 6.0),
    Level("L1", 21.0, 16.0, 26.0, 8.0, 10.0),
    Level("T12", 19.5, 15.5, 24.5, 6.5, 11.0),
    Level("T11", 18.0, 15.0, 23.0, 5.5, 10.0),
    Level("T10", 16.5, 14.5, 22.0, 5.0, 7.0),
    Level("T9", 15.5, 14.0, 21.0, 4.5, 4.0),
    Level("T8", 14.8, 13.5, 20.5, 4.2, 0.0),
    Level("T7", 14.2, 13.2, 20.0, 4.0, -4.0),
    Level("T6", 13.8, 12.8, 19.5, 4.0, -8.0),
)


@dataclass(frozen=True)
class Vertebra:
    """A level placed: centre of its body in patient mm and its frame (left, back, up as columns, row-major)."""

    level: Level
    center: Point
    frame: tuple[float, ...]

    def at(self, left: float, back: float, up: float) -> Point:
        """Patient point of a local one."""
        point = np.asarray(self.center) + np.reshape(self.frame, (3, 3)) @ (left, back, up)
        return (float(point[0]), float(point[1]), float(point[2]))

    @property
    def up(self) -> Point:
        return (self.frame[2], self.frame[5], self.frame[8])


def place_spine(
    *, rng: np.random.Generator, curvature: float, scoliosis_deg: float, l3: Point = (0.0, 20.0, 0.0)
) -> tuple[Vertebra, ...]:
    """Stack the levels, lowest first, with the body of L3 at ``l3``.

    ``curvature`` scales lordosis and kyphosis; ``scoliosis_deg`` is the Cobb angle of a curve with its apex at L1.
    """
    grown = 1.0 + 0.02 * rng.standard_normal(len(LEVELS))
    nod = 1.0 * rng.standard_normal(len(LEVELS))
    levels = [
        Level(
            level.name,
            level.half_width * g,
            level.half_depth * g,
            level.height * (2.0 - g),
            level.disc,
            level.tilt_deg * curvature + n,
        )
        for level, g, n in zip(LEVELS, grown, nod, strict=True)
    ]
    apex = [level.name for level in levels].index("L1")
    # The coronal tilt falls from +Cobb/2 to -Cobb/2 across six levels about the apex and returns beyond them.
    lean = [0.5 * scoliosis_deg * np.sin(np.clip((apex - i) / 3.0, -2.0, 2.0) * np.pi / 2) for i in range(len(levels))]
    tangents = [_tangent(level.tilt_deg, angle) for level, angle in zip(levels, lean, strict=True)]
    centers = [np.zeros(3)]
    for i in range(1, len(levels)):
        below, here = levels[i - 1], levels[i]
        middle = tangents[i - 1] + tangents[i]
        step = middle / np.linalg.norm(middle) * here.disc
        centers.append(centers[-1] + tangents[i - 1] * below.height / 2 + step + tangents[i] * here.height / 2)
    shift = np.asarray(l3) - centers[[level.name for level in levels].index("L3")]
    return tuple(
        Vertebra(level, tuple((center + shift).tolist()), frame_from(tuple(tangent.tolist())))
        for level, center, tangent in zip(levels, centers, tangents, strict=True)
    )


def bone_of(v: Vertebra) -> Solid:
    """Body, pedicles, laminae, articular, transverse and spinous processes, with the canal left free."""
    lv = v.level
    b, h = lv.half_depth, lv.height / 2
    ca, cb = _canal_radii(lv)
    back = b + 2 * cb  # dorsal wall of the canal
    side = ca + 3.0
    leaves: list[Leaf] = [body_of(v)]
    for s in (-1.0, 1.0):
        leaves += [
            rod_between(v.at(s * side, 0.6 * b, 0.25 * h), v.at(s * side, b + cb, 0.2 * h), (4.2, 4.2), 1.5, v.up),
            rod_between(v.at(s * (side + 1), b + cb, 0), v.at(s * 2, back + 4, -0.45 * h), (3.6, 3.4), 2.2, v.up),
            rod_between(v.at(s * (side + 4.5), b + cb, 0), v.at(s * (side + 4.5), b + cb, h + 5), (4.0, 3.2)),
            rod_between(v.at(s * (side - 2), back + 3, -0.3 * h), v.at(s * (side - 2), back + 1.5, -h - 7), (3.6, 3.2)),
        ]
        reach, tip = (22.0, 4.0) if lv.lumbar else (13.0, 12.0)
        root, end = v.at(s * side, b + cb, 1), v.at(s * (side + reach), b + cb + tip, 3)
        leaves.append(rod_between(root, end, (3.8, 3.2), 1.3, v.up))
    length, drop = (24.0, 8.0) if lv.lumbar else (20.0, 24.0)
    leaves.append(rod_between(v.at(0, back + 4, -3), v.at(0, back + length, -3 - drop), (3.4, 3.2), 2.4, v.up))
    return Solid(tuple(leaves), without=(canal_of(v),))


def body_of(v: Vertebra) -> Drum:
    """The vertebral body alone."""
    lv = v.level
    radii = (lv.half_width, lv.half_depth)
    return Drum(v.center, radii=radii, half_height=lv.height / 2, rounding=2.5, waist=0.09, frame=v.frame)


def canal_of(v: Vertebra) -> Drum:
    """The spinal canal at this level, long enough to meet its neighbours'."""
    ca, cb = _canal_radii(v.level)
    center = v.at(0.0, v.level.half_depth + cb - 0.5, 0.0)
    return Drum(center, radii=(ca, cb), half_height=v.level.height / 2 + v.level.disc, frame=v.frame)


def disc_below(upper: Vertebra, lower: Vertebra) -> Drum:
    """The disc between two neighbours; it reaches into both endplates, which are painted over it."""
    top, bottom = (
        np.asarray(upper.at(0, 0, -upper.level.height / 2)),
        np.asarray(lower.at(0, 0, lower.level.height / 2)),
    )
    axis = top - bottom
    radii = (
        0.5 * (upper.level.half_width + lower.level.half_width),
        0.5 * (upper.level.half_depth + lower.level.half_depth),
    )
    return Drum(
        tuple((0.5 * (top + bottom)).tolist()),
        radii=radii,
        half_height=float(np.linalg.norm(axis)) / 2 + 2.5,
        rounding=2.0,
        frame=frame_from(tuple(axis.tolist())),
    )


def tube_before(spine: tuple[Vertebra, ...], left: float, gap: float, radius: float) -> tuple[Rod, ...]:
    """A vessel that runs ``gap`` mm before the bodies and ``left`` mm to the left, lowest first: aorta, vena cava."""
    points = [v.at(left, -v.level.half_depth - gap - radius, 0.0) for v in spine]
    return tuple(rod_between(p, q, (radius, radius)) for p, q in pairwise(points))


def _canal_radii(level: Level) -> tuple[float, float]:
    return (11.5, 8.0) if level.lumbar else (8.8, 7.8)


def _tangent(tilt_deg: float, lean_deg: float) -> np.ndarray:
    tilt, lean = np.radians(tilt_deg), np.radians(lean_deg)
    return np.array([np.sin(lean) * np.cos(tilt), np.sin(tilt), np.cos(lean) * np.cos(tilt)])
