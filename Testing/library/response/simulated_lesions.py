"""Simulated follow-ups with known truth: lesions along a skeleton, some gone, new, merged and split, and a smooth
deformation that registration left behind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

SPACING_MM = 2.0


@dataclass(frozen=True)
class Ellipsoid:
    centre: np.ndarray
    radii: np.ndarray

    def holds(self, points: np.ndarray) -> np.ndarray:
        return (((points - self.centre) / self.radii) ** 2).sum(axis=-1) <= 1.0

    def grown(self, factor: float) -> Ellipsoid:
        return Ellipsoid(self.centre, self.radii * factor)


class Deformation:
    """A shift and a sum of low-frequency waves, about half each; the largest displacement in the body is
    ``largest_mm``, the median about two thirds of it."""

    def __init__(self, rng: np.random.Generator, largest_mm: float) -> None:
        self.waves = rng.normal(size=(6, 3)) * (2 * np.pi / 350.0)  # wavelengths of about 350 mm and more
        self.phases = rng.uniform(0, 2 * np.pi, 6)
        self.directions = rng.normal(size=(6, 3))
        self.shift = np.zeros(3)
        body = rng.uniform((-180, -60, -350), (180, 60, 350), size=(4000, 3))
        shift = rng.normal(size=3)
        self.directions /= np.linalg.norm(self.at(body), axis=1).max()
        self.shift = shift / np.linalg.norm(shift)
        scale = largest_mm / np.linalg.norm(self.at(body), axis=1).max()
        self.directions, self.shift = self.directions * scale, self.shift * scale

    def at(self, points: np.ndarray) -> np.ndarray:
        return self.shift + np.sin(points @ self.waves.T + self.phases) @ self.directions


@dataclass(frozen=True)
class FollowUp:
    before: dict[str, sitk.Image]
    after: dict[str, sitk.Image]
    pairs: frozenset[tuple[str, str]]
    kinds: dict[tuple[str, ...], str]


def _places(rng: np.random.Generator, count: int) -> np.ndarray:
    """Points in a spine of 17 vertebrae, ribs and a pelvis, mm."""
    spots = []
    for _ in range(count):
        part = rng.choice(3, p=(0.5, 0.25, 0.25))
        if part == 0:
            spots.append(
                (rng.uniform(-18, 18), rng.uniform(-15, 15), 27.0 * rng.integers(0, 17) - 200 + rng.uniform(-8, 8))
            )
        elif part == 1:
            angle = rng.uniform(0, np.pi)
            spots.append((150 * np.cos(angle), 60 - 110 * np.sin(angle), rng.uniform(0, 230)))
        else:
            spots.append((rng.choice((-1, 1)) * rng.uniform(40, 120), rng.uniform(-30, 40), rng.uniform(-330, -220)))
    return np.array(spots)


def _separate(rng: np.random.Generator, count: int, gap_mm: float, taken: list[Ellipsoid]) -> list[Ellipsoid]:
    """Ellipsoids of 4 to 13 mm radius whose outlines keep ``gap_mm`` from all others."""
    found: list[Ellipsoid] = []
    while len(found) < count:
        lesion = Ellipsoid(_places(rng, 1)[0], rng.uniform(4, 13) * rng.uniform(0.8, 1.25, 3))
        others = [*taken, *found]
        if all(
            np.linalg.norm(lesion.centre - other.centre) > gap_mm + lesion.radii.max() + other.radii.max()
            for other in others
        ):
            found.append(lesion)
    return found


def _mask(parts: list[Ellipsoid], deformation: Deformation | None) -> sitk.Image:
    """The union of the parts on its own small grid, deformed."""
    margin = 22.0
    low = np.min([part.centre - part.radii for part in parts], axis=0) - margin
    high = np.max([part.centre + part.radii for part in parts], axis=0) + margin
    origin = np.floor(low / SPACING_MM) * SPACING_MM
    size = np.ceil((high - origin) / SPACING_MM).astype(int)
    z, y, x = np.indices(size[::-1])
    points = np.stack([x, y, z], axis=-1) * SPACING_MM + origin
    if deformation is not None:
        points = points - deformation.at(points)
    inside = np.logical_or.reduce([part.holds(points) for part in parts])
    image = sitk.GetImageFromArray(inside.astype(np.uint8))
    image.SetOrigin(origin.tolist())
    image.SetSpacing([SPACING_MM] * 3)
    return image


def simulate(seed: int, lesions: int = 30, largest_mm: float = 15.0, gap_mm: float = 4.0) -> FollowUp:
    """30 lesions: 20 % gone, 20 % new, two pairs merged, two split, the rest grown or shrunk."""
    rng = np.random.default_rng(seed)
    deformation = Deformation(rng, largest_mm)
    merged_from = _separate(rng, 2, gap_mm + 20, [])
    partners = []
    for lesion in merged_from:  # a partner 3 mm beside it
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        radii = lesion.radii * rng.uniform(0.8, 1.1)
        reach = 1.0 / np.linalg.norm(direction / lesion.radii) + 1.0 / np.linalg.norm(direction / radii)
        partners.append(Ellipsoid(lesion.centre + direction * (reach + 3.0), radii))
    taken = [*merged_from, *partners]
    others = _separate(rng, lesions - 4, gap_mm, taken)
    new = _separate(rng, lesions // 5, gap_mm, [*taken, *others])
    gone, split, kept = others[: lesions // 5], others[lesions // 5 : lesions // 5 + 2], others[lesions // 5 + 2 :]

    before: dict[str, sitk.Image] = {}
    after: dict[str, sitk.Image] = {}
    pairs: set[tuple[str, str]] = set()
    kinds: dict[tuple[str, ...], str] = {}

    def add(kind: str, early: list[list[Ellipsoid]], late: list[list[Ellipsoid]]) -> None:
        first = [f"b{len(before) + i}" for i in range(len(early))]
        second = [f"a{len(after) + i}" for i in range(len(late))]
        before.update({name: _mask(parts, None) for name, parts in zip(first, early, strict=True)})
        after.update({name: _mask(parts, deformation) for name, parts in zip(second, late, strict=True)})
        pairs.update((one, two) for one in first for two in second)
        kinds[(*first, *second)] = kind

    for one, two in zip(merged_from, partners, strict=True):
        add("merged", [[one], [two]], [[one.grown(1.25), two.grown(1.25)]])
    for lesion in gone:
        add("gone", [[lesion]], [])
    for lesion in split:  # into two halves along x
        long = Ellipsoid(lesion.centre, lesion.radii * (1.5, 1.0, 1.0))
        half = long.radii * (0.4, 0.8, 0.8)
        step = np.array([0.55 * long.radii[0], 0.0, 0.0])
        add("split", [[long]], [[Ellipsoid(long.centre - step, half)], [Ellipsoid(long.centre + step, half)]])
    for lesion in kept:
        add("persistent", [[lesion]], [[lesion.grown(rng.uniform(0.75, 1.2))]])
    for lesion in new:
        add("new", [], [[lesion]])
    order = rng.permutation(list(after))
    return FollowUp(before, {name: after[name] for name in order}, frozenset(pairs), kinds)


def f1(found: frozenset[tuple[str, str]], truth: frozenset[tuple[str, str]]) -> float:
    return 2 * len(found & truth) / (len(found) + len(truth))


def ball(centre: tuple[float, float, float], radius: float = 8.0, spacing: float = 2.0) -> sitk.Image:
    """A ball on a small grid of its own."""
    origin = np.floor(np.array(centre) - radius - 4)
    size = np.full(3, math.ceil((2 * radius + 8) / spacing) + 1)
    z, y, x = np.indices(size)
    points = np.stack([x, y, z], axis=-1) * spacing + origin
    image = sitk.GetImageFromArray((((points - centre) ** 2).sum(axis=-1) <= radius**2).astype(np.uint8))
    image.SetOrigin(origin.tolist())
    image.SetSpacing([spacing] * 3)
    return image


def union(*images: sitk.Image) -> sitk.Image:
    """The union of balls on one grid of 2 mm."""
    size, origin = [160, 60, 60], (-60.0, -60.0, -60.0)
    like = sitk.Image(size, sitk.sitkUInt8)
    like.SetOrigin(origin)
    like.SetSpacing([2.0] * 3)
    whole = sitk.Resample(images[0], like, sitk.Transform(), sitk.sitkNearestNeighbor)
    for image in images[1:]:
        whole = sitk.Or(whole, sitk.Resample(image, like, sitk.Transform(), sitk.sitkNearestNeighbor))
    return whole
