"""Lesions of two dates matched: persistent, new, gone, merged, split.

Method: the earlier lesions are carried over by the registration; lesions that touch after dilation are edges of a
graph; its connected components are clusters; within each, linear assignment maximises overlap and nearness. Lesions
left over that lie within an assigned one have merged into it or split from it. Registration leaves smooth errors of
several millimetres: the pairs found show them, so matching runs again with each lesion shifted as its neighbours were,
and with less dilation the more neighbours say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bonequant.errors import InputError
from bonequant.response.lesion_clouds import LesionCloud, clouds_of
from bonequant.settings import Settings, setting

PERSISTENT, NEW, GONE, MERGED, SPLIT, REGROUPED = "persistent", "new", "gone", "merged", "split", "regrouped"
_PASSES = 3


@dataclass(frozen=True)
class MatchSettings(Settings):
    """How far apart two outlines of one lesion may lie."""

    dilation_mm: float = setting(15.0, unit="mm", low=0, high=100, help="Reach of a match where nothing else is known.")
    residual_mm: float = setting(6.0, unit="mm", low=0, high=100, help="Reach where neighbours show the local shift.")
    neighbourhood_mm: float = setting(70.0, unit="mm", low=1, help="How far neighbours tell of the local shift (sd).")
    within: float = setting(
        0.5, low=0, high=1, help="Share of a lesion within another that makes merging or splitting."
    )


@dataclass(frozen=True)
class LesionLink:
    """One lesion over two dates.

    Attributes:
        kind: "persistent", "new", "gone", "merged", "split", or "regrouped" (several into several).
        before, after: names; the first of each are the two that were assigned to each other.
        distance_mm: between their centroids after registration; NaN where one side is empty.
        overlap: share of the smaller within reach of the larger, 0..1; NaN where one side is empty.
        volume_before_ml, volume_after_ml: of all lesions of the link, 0 where there is none.
        manual: set by the reader.
    """

    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    distance_mm: float = float("nan")
    overlap: float = float("nan")
    volume_before_ml: float = 0.0
    volume_after_ml: float = 0.0
    manual: bool = False


@dataclass(frozen=True)
class LesionMatches:
    """All links, every lesion of both dates in exactly one."""

    links: tuple[LesionLink, ...]

    def of_kind(self, kind: str) -> tuple[LesionLink, ...]:
        return tuple(link for link in self.links if link.kind == kind)

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Every (before, after) pair of names that share a link."""
        return frozenset((early, late) for link in self.links for early in link.before for late in link.after)


ManualLink = tuple[Sequence[str], Sequence[str]]


def match_lesions(
    before: Mapping[str, sitk.Image],
    after: Mapping[str, sitk.Image],
    transform: sitk.Transform | None = None,
    settings: MatchSettings | None = None,
    *,
    manual: Sequence[ManualLink] = (),
) -> LesionMatches:
    """Match the lesions of two dates.

    Args:
        before, after: binary or fractional masks by name, each on its own grid (small grids cost least).
        transform: points of the space of ``before`` to points of the space of ``after``, which is
            ``register(after_image, before_image).transform``; None where both share a space.
        manual: links that the reader sets, (names before, names after); an empty side means gone or new. Their lesions
            take no part in the matching.

    Raises:
        InputError: an empty mask, or a manual link with an unknown or twice-used name.
    """
    return match_clouds(clouds_of(before, transform), clouds_of(after), settings, manual=manual)


def match_clouds(
    before: Mapping[str, LesionCloud],
    after: Mapping[str, LesionCloud],
    settings: MatchSettings | None = None,
    *,
    manual: Sequence[ManualLink] = (),
) -> LesionMatches:
    """As :func:`match_lesions`, for lesions that are clouds in one space already."""
    settings = MatchSettings.of(settings)
    _check_manual(before, after, manual)
    links = [_link(before, after, tuple(one), tuple(two), manual=True) for one, two in manual]
    early = [cloud for name, cloud in before.items() if not any(name in link.before for link in links)]
    late = [cloud for name, cloud in after.items() if not any(name in link.after for link in links)]
    links += [_link(before, after, one, two) for one, two in _match(early, late, settings)]
    return LesionMatches(tuple(links))


def _match(
    early: list[LesionCloud], late: list[LesionCloud], settings: MatchSettings
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Groups of names, the assigned pair first."""
    shift = np.zeros((len(early), 3))
    reach = np.full(len(early), settings.dilation_mm)
    for number in range(_PASSES):
        moved = [cloud.shifted(by) for cloud, by in zip(early, shift, strict=True)]
        gap, within_late, within_early = _overlaps(moved, late, reach)
        pairs = _assign(moved, late, gap, within_late, within_early, reach)
        if number < _PASSES - 1:
            shift, reach = _local_shift(early, late, pairs, gap, settings)
    return _groups(early, late, pairs, within_late, within_early, settings.within)


def _overlaps(
    early: list[LesionCloud], late: list[LesionCloud], reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smallest distance (mm, infinite beyond reach) of every pair, and the share of the early lesion within half the
    reach of the late one, and of the late within half the reach of the early; each (early, late)."""
    shape = (len(early), len(late))
    gap, within_late, within_early = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)
    for i, one in enumerate(early):
        for j, two in enumerate(late):
            if not one.near(two, reach[i]):
                continue
            there, back = one.distances_to(two, reach[i]), two.distances_to(one, reach[i])
            gap[i, j] = there.min()
            within_late[i, j] = np.mean(there <= reach[i] / 2)
            within_early[i, j] = np.mean(back <= reach[i] / 2)
    return gap, within_late, within_early


def _assign(
    early: list[LesionCloud],
    late: list[LesionCloud],
    gap: np.ndarray,
    within_late: np.ndarray,
    within_early: np.ndarray,
    reach: np.ndarray,
) -> list[tuple[int, int]]:
    """One-to-one pairs by cluster: the largest sum of overlap and nearness of centroids."""
    from scipy.optimize import linear_sum_assignment

    pairs = []
    rows, columns = np.nonzero(np.isfinite(gap))
    for cluster_rows, cluster_columns in _clusters(rows, columns, gap.shape):
        affinity = np.zeros((len(cluster_rows), len(cluster_columns)))
        for a, i in enumerate(cluster_rows):
            for b, j in enumerate(cluster_columns):
                if np.isfinite(gap[i, j]):
                    apart = np.linalg.norm(early[i].centroid - late[j].centroid) / max(reach[i], 1e-6)
                    overlap = (within_late[i, j] + within_early[i, j]) / 2
                    affinity[a, b] = overlap + np.exp(-0.5 * apart**2)
        chosen = zip(*linear_sum_assignment(affinity, maximize=True), strict=True)
        pairs += [(int(cluster_rows[a]), int(cluster_columns[b])) for a, b in chosen if affinity[a, b] > 0]
    return sorted(pairs)


def _clusters(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Connected components of the overlap graph with at least one edge, as (early indices, late indices)."""
    size = sum(shape)
    edges = coo_array((np.ones(len(rows)), (rows, columns + shape[0])), shape=(size, size))
    _, label = connected_components(edges, directed=False)
    first, second = label[: shape[0]], label[shape[0] :]
    return [(np.flatnonzero(first == one), np.flatnonzero(second == one)) for one in np.unique(first[rows])]


def _local_shift(
    early: list[LesionCloud],
    late: list[LesionCloud],
    pairs: list[tuple[int, int]],
    gap: np.ndarray,
    settings: MatchSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Shift (N, 3) of each early lesion as its neighbours' pairs show it, and the reach (N,) that is left to it.

    Only pairs without a rival count. The weight falls with distance as a Gaussian; no shift at all has the weight of
    one neighbour, and a lesion's own pair says nothing about itself.
    """
    edges = np.isfinite(gap)
    clear = [(i, j) for i, j in pairs if edges[i].sum() == 1 and edges[:, j].sum() == 1]
    shift, reach = np.zeros((len(early), 3)), np.full(len(early), settings.dilation_mm)
    if not clear:
        return shift, reach
    seen = np.array([late[j].centroid - early[i].centroid for i, j in clear])
    where = np.array([early[i].centroid for i, _ in clear])
    own = np.array([i for i, _ in clear])
    for i, cloud in enumerate(early):
        apart = np.linalg.norm(where - cloud.centroid, axis=1) / settings.neighbourhood_mm
        weight = np.where(own == i, 0.0, np.exp(-0.5 * apart**2))
        known = weight.sum() / (weight.sum() + 1.0)
        shift[i] = (weight[:, None] * seen).sum(axis=0) / (weight.sum() + 1.0)
        reach[i] = known * settings.residual_mm + (1.0 - known) * settings.dilation_mm
    return shift, reach


def _groups(
    early: list[LesionCloud],
    late: list[LesionCloud],
    pairs: list[tuple[int, int]],
    within_late: np.ndarray,
    within_early: np.ndarray,
    least: float,
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The pairs with the lesions that merged into them or split from them, then those gone, then the new."""
    groups = [([i], [j]) for i, j in pairs]
    gone, new = [], []
    of_early = {i: group for group in groups for i in group[0]}
    of_late = {j: group for group in groups for j in group[1]}
    for i in sorted(set(range(len(early))) - of_early.keys()):
        home = [j for j in of_late if within_late[i, j] >= least]
        if home:
            of_late[max(home, key=lambda j: within_late[i, j])][0].append(i)
        else:
            gone.append(i)
    for j in sorted(set(range(len(late))) - of_late.keys()):
        home = [i for i in of_early if within_early[i, j] >= least]
        if home:
            of_early[max(home, key=lambda i: within_early[i, j])][1].append(j)
        else:
            new.append(j)
    everything = [*groups, *(([i], []) for i in gone), *(([], [j]) for j in new)]
    return [(tuple(early[i].name for i in one), tuple(late[j].name for j in two)) for one, two in everything]


def _link(
    before: Mapping[str, LesionCloud],
    after: Mapping[str, LesionCloud],
    one: tuple[str, ...],
    two: tuple[str, ...],
    manual: bool = False,
) -> LesionLink:
    distance = overlap = float("nan")
    if one and two:
        first, second = before[one[0]], after[two[0]]
        distance = float(np.linalg.norm(first.centroid - second.centroid))
        small, large = sorted((first, second), key=lambda cloud: cloud.volume_ml)
        overlap = float(np.mean(np.isfinite(small.distances_to(large, 2.0))))
    return LesionLink(
        kind=_kind(len(one), len(two)),
        before=one,
        after=two,
        distance_mm=distance,
        overlap=overlap,
        volume_before_ml=float(sum(before[name].volume_ml for name in one)),
        volume_after_ml=float(sum(after[name].volume_ml for name in two)),
        manual=manual,
    )


def _kind(before: int, after: int) -> str:
    if not before or not after:
        return GONE if before else NEW
    if before == 1 and after == 1:
        return PERSISTENT
    if before > 1 and after > 1:
        return REGROUPED
    return MERGED if before > 1 else SPLIT


def _check_manual(before: Mapping[str, object], after: Mapping[str, object], manual: Sequence[ManualLink]) -> None:
    for side, known, when in ((0, before, "earlier"), (1, after, "later")):
        names = [name for link in manual for name in link[side]]
        for name in names:
            if name not in known:
                raise InputError(f"A manual link names {name!r}; the {when} lesions are {', '.join(known) or 'none'}.")
            if names.count(name) > 1:
                raise InputError(f"Manual links use {name!r} of the {when} lesions twice; put it into one link.")
    if any(not link[0] and not link[1] for link in manual):
        raise InputError("A manual link holds no lesion at either date; remove it.")
