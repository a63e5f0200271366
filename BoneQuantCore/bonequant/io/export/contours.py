"""The outline of a binary mask, slice by slice, as closed polygons along the edges of its voxels.

Every part (voxels joined by an edge) is one polygon. A hole is joined to the outline around it by a keyhole, a channel
of no width along a row of voxel edges (PS3.3 C.8.8.6.3), so that readers that know no holes draw it right as well. No
edge passes a voxel centre: filling the polygons at voxel centres gives the mask back, whatever the fill rule.
"""

from __future__ import annotations

import numpy as np

_TURNS = {  # direction of travel with the region on the right hand (x to the right, y down): steps to try, in order
    (1, 0): ((0, 1), (1, 0), (0, -1)),
    (0, 1): ((-1, 0), (0, 1), (1, 0)),
    (-1, 0): ((0, -1), (-1, 0), (0, 1)),
    (0, -1): ((1, 0), (0, -1), (-1, 0)),
}
Point = tuple[int, int]


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Polygons of a 2-D mask (rows, columns).

    Returns arrays (N, 2) of x, y in continuous voxel indices: edges lie at half-integers. A hole is inside its polygon
    as a keyhole.
    """
    from scipy import ndimage

    parts, _ = ndimage.label(mask)
    loops = _loops(np.pad(np.asarray(mask, dtype=bool), 1))
    owned: dict[int, list[list[Point]]] = {}
    for loop in loops:
        owned.setdefault(_part_right_of(loop, parts), []).append(loop)
    polygons = []
    for _, own in sorted(owned.items()):
        outer = max(own, key=lambda loop: abs(_area(loop)))
        holes = [loop for loop in own if loop is not outer]
        polygons.append(np.array(_straight(_joined(outer, holes)), float) - 0.5)
    return polygons


def _loops(padded: np.ndarray) -> list[list[Point]]:
    """All boundary loops, in voxel corners (x, y) with (0, 0) the outer corner of the first voxel of the mask."""
    after: dict[Point, list[Point]] = {}
    inner = padded[1:-1, 1:-1]
    for dy, dx, start, step in (
        (-1, 0, (0, 0), (1, 0)),  # upper edge, travelled to the right
        (0, 1, (1, 0), (0, 1)),  # right edge, downwards
        (1, 0, (1, 1), (-1, 0)),  # lower edge, to the left
        (0, -1, (0, 1), (0, -1)),  # left edge, upwards
    ):
        beyond = padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx]
        rows, columns = np.nonzero(inner & ~beyond)
        for x, y in zip((columns + start[0]).tolist(), (rows + start[1]).tolist(), strict=True):
            after.setdefault((x, y), []).append(step)
    loops = []
    while after:
        first = min(after)  # the leftmost corner: no two loops share it
        step = after[first][0]
        loop, place = [], first
        while True:
            loop.append(place)
            _take(after, place, step)
            place = (place[0] + step[0], place[1] + step[1])
            if place not in after:
                break
            # Turning towards the region keeps voxels apart that touch at a corner only.
            step = next(turn for turn in _TURNS[step] if turn in after[place])
        loops.append(loop)
    return loops


def _take(after: dict[Point, list[Point]], place: Point, step: Point) -> None:
    after[place].remove(step)
    if not after[place]:
        del after[place]


def _area(loop: list[Point]) -> float:
    x, y = np.array(loop, float).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _part_right_of(loop: list[Point], parts: np.ndarray) -> int:
    """The part of the mask that the loop bounds: the voxel on the right hand of its first step."""
    (x, y), (to_x, to_y) = loop[0], loop[1 % len(loop)]
    step = (to_x - x, to_y - y)
    column = {(1, 0): x, (0, 1): x - 1, (-1, 0): x - 1, (0, -1): x}[step]
    row = {(1, 0): y, (0, 1): y, (-1, 0): y - 1, (0, -1): y - 1}[step]
    return int(parts[row, column])


def _joined(outer: list[Point], holes: list[list[Point]]) -> list[Point]:
    """One polygon: each hole is reached from the left along a row of voxel edges, and left the same way."""
    polygon = list(outer)
    for hole in sorted(holes, key=min):
        start = hole.index(min(hole))
        x, y = hole[start]
        at = {point: place for place, point in enumerate(polygon)}
        while (x, y) not in at:
            x -= 1
        place = at[(x, y)]
        ring = hole[start:] + hole[:start]
        polygon = [*polygon[: place + 1], *ring, ring[0], *polygon[place:]]
    return polygon


def _straight(polygon: list[Point]) -> list[Point]:
    """Without the points in the middle of straight lines, and without points given twice in a row."""
    points = np.array([point for k, point in enumerate(polygon) if point != polygon[k - 1]])
    into, out_of = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    cross = into[:, 0] * out_of[:, 1] - into[:, 1] * out_of[:, 0]
    forward = (into * out_of).sum(axis=1) > 0
    return [tuple(point) for point in points[(cross != 0) | ~forward].tolist()]
