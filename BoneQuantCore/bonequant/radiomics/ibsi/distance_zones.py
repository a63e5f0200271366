"""Grey level distance zone matrix (GLDZM), which pyradiomics does not have.

Source: IBSI reference manual, section 3.6.5. A zone is a 26- (in a slice 8-) connected group of voxels of one level;
its distance is the smallest number of face steps from a voxel of it to the outside of the morphological mask.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components


def distance_zones(levels: np.ndarray, mask: np.ndarray, dimensions: str) -> dict[str, float]:
    """Features of levels (int, 0 outside the intensity mask) and of the morphological mask, both (z, y, x)."""
    flat = dimensions != "3d"
    distance = _distance(mask, flat)
    grey, reach, plane = _zones(levels, distance, flat)
    if dimensions != "2d":
        return _features(grey, reach, int((levels > 0).sum()))
    rows = [_features(grey[plane == z], reach[plane == z], int((levels[z] > 0).sum())) for z in np.unique(plane)]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _distance(mask: np.ndarray, flat: bool) -> np.ndarray:
    """Face steps to the outside: 1 for a voxel at the edge."""
    if flat:
        return np.stack([_city_block(plane) for plane in mask])
    return _city_block(mask)


def _city_block(mask: np.ndarray) -> np.ndarray:
    inside = tuple(slice(1, -1) for _ in range(mask.ndim))
    return ndimage.distance_transform_cdt(np.pad(mask, 1), metric="taxicab")[inside]


def _zones(levels: np.ndarray, distance: np.ndarray, flat: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey level, distance and slice of every zone."""
    number = np.full(levels.shape, -1)
    filled = levels > 0
    grey = levels[filled]
    number[filled] = np.arange(len(grey))
    pairs = []
    for step in np.ndindex(3, 3, 3):
        shift = np.array(step) - 1
        if tuple(shift) <= (0, 0, 0) or (flat and shift[0] != 0):
            continue
        here = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(shift, levels.shape, strict=True))
        there = tuple(slice(max(0, s), n - max(0, -s)) for s, n in zip(shift, levels.shape, strict=True))
        same = (levels[here] == levels[there]) & filled[here]
        pairs.append((number[here][same], number[there][same]))
    first, second = (np.concatenate(part) for part in zip(*pairs, strict=True))
    graph = sparse.coo_matrix((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(grey), len(grey)))
    count, zone = connected_components(graph, directed=False)
    reach = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(reach, zone, distance[filled])
    level, plane = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    level[zone] = grey
    plane[zone] = np.nonzero(filled)[0]
    return level, reach, plane


def _features(grey: np.ndarray, distance: np.ndarray, voxels: int) -> dict[str, float]:
    """The sixteen features of zones (N,), each a mean over zones or a sum over the matrix."""
    zones = len(grey)
    i, j = grey.astype(np.float64), distance.astype(np.float64)
    by_level, by_distance = np.bincount(grey), np.bincount(distance)
    _, cells = np.unique(np.stack([grey, distance]), axis=1, return_counts=True)
    share = cells / zones
    return {
        "SmallDistanceEmphasis": float((1 / j**2).mean()),
        "LargeDistanceEmphasis": float((j**2).mean()),
        "LowGrayLevelZoneEmphasis": float((1 / i**2).mean()),
        "HighGrayLevelZoneEmphasis": float((i**2).mean()),
        "SmallDistanceLowGrayLevelEmphasis": float((1 / (i * j) ** 2).mean()),
        "SmallDistanceHighGrayLevelEmphasis": float(((i / j) ** 2).mean()),
        "LargeDistanceLowGrayLevelEmphasis": float(((j / i) ** 2).mean()),
        "LargeDistanceHighGrayLevelEmphasis": float(((i * j) ** 2).mean()),
        "GrayLevelNonUniformity": float((by_level**2).sum() / zones),
        "GrayLevelNonUniformityNormalized": float((by_level**2).sum() / zones**2),
        "ZoneDistanceNonUniformity": float((by_distance**2).sum() / zones),
        "ZoneDistanceNonUniformityNormalized": float((by_distance**2).sum() / zones**2),
        "ZonePercentage": zones / voxels,
        "GrayLevelVariance": float(i.var()),
        "ZoneDistanceVariance": float(j.var()),
        "ZoneDistanceEntropy": float(-(share * np.log2(share)).sum()) + 0.0,
    }
