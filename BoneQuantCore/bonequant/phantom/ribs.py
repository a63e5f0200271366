"""Ribs 5 to 12 on both sides: from the vertebra round an elliptic cage, falling forward; 11 and 12 float."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bonequant.phantom.shapes import Point, Solid, rod_between
from bonequant.phantom.spine import Vertebra

CAGE_MM = (138.0, 98.0)  # half axes of the cage on which the ribs run
_END_DEG = {5: 130, 6: 130, 7: 128, 8: 122, 9: 116, 10: 108, 11: 88, 12: 58}
_FALL_MM = {5: 80, 6: 85, 7: 88, 8: 86, 9: 82, 10: 78, 11: 62, 12: 42}
_SEGMENTS = 12


def rib(side: float, number: int, vertebra: Vertebra) -> Solid:
    """One rib; ``side`` is +1 for the left and -1 for the right. It keeps 1.5 mm from its vertebra's surface."""
    level = vertebra.level
    drop = 0.0
    if not level.name.endswith(str(number)):  # rib 5 hangs from the vertebra above the highest one modelled
        drop = level.height + level.disc
    head = vertebra.at(side * (level.half_width + 3.0), 0.75 * level.half_depth, 0.7 * level.height / 2 + drop)
    neck = vertebra.at(side * 34.0, level.half_depth + 22.0, 4.0 + drop)
    points: list[Point] = [head, neck]
    for t in np.linspace(0.0, 1.0, _SEGMENTS):
        angle = np.radians(24.0 + t * (_END_DEG[number] - 24.0))
        squeeze = 1.0 - 0.06 * (12 - number) / 7.0 * t
        points.append(
            (
                float(side * CAGE_MM[0] * squeeze * np.sin(angle)),
                float(CAGE_MM[1] * squeeze * np.cos(angle)),
                float(neck[2] - _FALL_MM[number] * t**0.9),
            )
        )
    return Solid(
        tuple(
            rod_between(p, q, (3.4, 3.4) if i else (3.6, 3.4), 1.8, (0.0, 0.0, 1.0))
            for i, (p, q) in enumerate(pairwise(points))
        )
    )
