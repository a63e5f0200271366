"""Lesions with known place, kind, size and uptake, and where the standard patient has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import SettingsError
from bonequant.phantom.shapes import Ellipsoid, Leaf, Point, Solid

_ATTEMPTS = 5000
KINDS = ("lytic", "blastic", "mixed", "liver_tumour")


@dataclass(frozen=True)
class Lesion:
    """An ellipsoid inside its host, cut off at the host's surface.

    Attributes:
        host: name of a vertebra ("L2"), "sacrum", "ilium_left", "ilium_right", "rib_left_8" ..., or "liver".
        kind: "lytic" (soft tissue density), "blastic" (dense), "mixed" (lytic with a dense core), "liver_tumour".
        center: LPS mm in the torso's own space (before scale and pose).
        radii: half axes, mm.
        uptake_ratio: activity concentration over that of the normal host: vertebral marrow, or liver.
    """

    host: str
    kind: str
    center: Point
    radii: Point
    uptake_ratio: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"A lesion is {', '.join(KINDS)}, not {self.kind!r}.")

    def solid(self, host: Solid) -> Solid:
        return Solid((Ellipsoid(self.center, radii=self.radii),), within=(host,))


# host, kind, place in the host's box (-1..1 left, back, up), half axes mm, uptake ratio with a bone tracer
_STANDARD: tuple[tuple[str, str, Point, Point, float], ...] = (
    ("T11", "blastic", (0.08, -0.50, 0.0), (11.0, 11.0, 9.0), 4.0),
    ("L2", "lytic", (0.12, -0.45, 0.0), (13.0, 12.0, 11.0), 2.0),
    ("L4", "mixed", (-0.12, -0.45, 0.0), (15.0, 13.0, 11.0), 3.0),
    ("ilium_left", "blastic", (-0.35, 0.5, 0.55), (20.0, 16.0, 22.0), 4.5),
    ("ilium_right", "lytic", (0.0, -0.05, 0.60), (18.0, 18.0, 18.0), 1.8),
    ("rib_left_8", "blastic", (0.80, 0.25, 0.32), (16.0, 16.0, 16.0), 5.0),
)


def standard_lesions(hosts: dict[str, Solid]) -> tuple[Lesion, ...]:
    """The six lesions of the demonstration patient: lytic, blastic and mixed in vertebrae, iliac wings and a rib."""
    return tuple(
        Lesion(host, kind, _place(hosts[host], place), radii, ratio) for host, kind, place, radii, ratio in _STANDARD
    )


def random_lesions(hosts: dict[str, Solid], count: int, rng: np.random.Generator) -> tuple[Lesion, ...]:
    """``count`` lesions in different vertebrae, for cohorts."""
    vertebrae = [name for name in hosts if name[0] in "TL" and name[1:].isdigit()]
    if count > len(vertebrae):
        raise SettingsError(f"{count} lesions were asked for; there are {len(vertebrae)} vertebrae to hold one each.")
    found = []
    for host in rng.permutation(vertebrae)[:count].tolist():
        kind = str(rng.choice(["lytic", "blastic", "mixed"]))
        place = (rng.uniform(-0.15, 0.15), rng.uniform(-0.6, -0.35), rng.uniform(-0.1, 0.1))
        low, high = {"lytic": (0.5, 2.5), "blastic": (2.0, 6.0), "mixed": (1.5, 4.0)}[kind]
        radius = rng.uniform(7.0, 12.0)
        radii = (radius * rng.uniform(0.9, 1.1), radius * rng.uniform(0.9, 1.1), 0.85 * radius)
        found.append(Lesion(host, kind, _place(hosts[host], place), radii, float(rng.uniform(low, high))))
    return tuple(found)


def liver_tumours(count: int, rng: np.random.Generator) -> tuple[Lesion, ...]:
    """``count`` spheres of 9 to 24 mm radius in the right lobe, uptake 1.6 to 14 times the liver's (Reiner 2012).

    Raises SettingsError where they find no room (from some 16 on).
    """
    found: list[Lesion] = []
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            break
        direction = rng.standard_normal(3)
        point = np.array([-75.0, -10.0, 95.0]) + 44.0 * rng.uniform() ** (1 / 3) * direction / np.linalg.norm(direction)
        radius = float(rng.uniform(9.0, 24.0))
        apart = [np.linalg.norm(point - other.center) > radius + other.radii[0] + 4.0 for other in found]
        if all(apart):
            ratio = float(np.exp(rng.uniform(np.log(1.6), np.log(14.0))))
            center = (float(point[0]), float(point[1]), float(point[2]))
            found.append(Lesion("liver", "liver_tumour", center, (radius, radius, radius), ratio))
    if len(found) < count:
        raise SettingsError(f"{count} liver tumours find no room in the right lobe; ask for fewer.")
    return tuple(found)


def _place(host: Solid, place: Point) -> Point:
    """The point of the host nearest to ``place`` in its box, a little inside its surface."""
    low, high = _span(host.leaves)
    target = 0.5 * (low + high) + 0.5 * (high - low) * np.asarray(place)
    axes = [np.arange(t - 24.0, t + 24.1, 2.0) for t in target]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    inside = np.broadcast_to(host.distance(x, y, z), x.shape) < -2.5
    if not inside.any():
        return (float(target[0]), float(target[1]), float(target[2]))
    points = np.column_stack([x[inside], y[inside], z[inside]])
    best = points[np.argmin(np.sum((points - target) ** 2, axis=1))]
    return (float(best[0]), float(best[1]), float(best[2]))


def _span(leaves: tuple[Leaf, ...]) -> tuple[np.ndarray, np.ndarray]:
    boxes = [leaf.bounds() for leaf in leaves]
    return np.min([low for low, _ in boxes], axis=0), np.max([high for _, high in boxes], axis=0)
