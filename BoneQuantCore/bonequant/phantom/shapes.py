"""Solids of the analytic torso, each described by its distance function: negative inside, positive outside, mm.

A :class:`Leaf` is one primitive in its own frame; a :class:`Solid` is a union of leaves, cut by others. Distances are
first-order (value over gradient length) where no closed form exists, which is exact at the surface itself, so that the
fraction of a voxel that lies inside follows from the distance and the voxel's width alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

FAR = 1e3  # mm, "nowhere near"
Point = tuple[float, float, float]
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Leaf:
    """A primitive at ``center`` (LPS mm). The columns of the row-major ``frame`` are its own axes in patient space."""

    center: Point
    frame: tuple[float, ...] = field(default=IDENTITY, kw_only=True)

    def distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Distance in mm at points whose coordinates broadcast against each other."""
        u, v, w = x - self.center[0], y - self.center[1], z - self.center[2]
        if self.frame != IDENTITY:
            r = self.frame
            u, v, w = (
                u * r[0] + v * r[3] + w * r[6],
                u * r[1] + v * r[4] + w * r[7],
                u * r[2] + v * r[5] + w * r[8],
            )
        return self.local(u, v, w)

    def local(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} describes no surface.")

    def half_size(self) -> Point:
        raise TypeError(f"{type(self).__name__} describes no surface.")

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the box in patient space that holds the leaf."""
        reach = np.abs(np.reshape(self.frame, (3, 3))) @ np.asarray(self.half_size())
        return np.asarray(self.center) - reach, np.asarray(self.center) + reach


@dataclass(frozen=True)
class Ellipsoid(Leaf):
    radii: Point = (1.0, 1.0, 1.0)

    def local(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        a, b, c = self.radii
        if a == b == c:
            return np.sqrt(u * u + v * v + w * w) - a
        u, v, w = u / a, v / b, w / c
        return _first_order(u * u + v * v + w * w, (u / a) ** 2 + (v / b) ** 2 + (w / c) ** 2, min(self.radii))

    def half_size(self) -> Point:
        return self.radii


@dataclass(frozen=True)
class Drum(Leaf):
    """An elliptic cylinder along its third axis with a waist and rounded rims: vertebral bodies, discs, sacrum.

    ``radii`` are the half axes at the rims; the middle is narrower by the fraction ``waist``. ``taper`` is the relative
    growth of the half axes from the middle to the top.
    """

    radii: tuple[float, float] = (1.0, 1.0)
    half_height: float = 1.0
    rounding: float = 0.0
    waist: float = 0.0
    taper: float = 0.0

    def local(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        a, b = self.radii
        if self.waist or self.taper:
            t = np.clip(w / self.half_height, -1.0, 1.0)
            size = 1.0 - self.waist * (1.0 - t * t) + self.taper * t
            u, v = u / size, v / size
        u, v = u / a, v / b
        side = _first_order(u * u + v * v, (u / a) ** 2 + (v / b) ** 2, min(a, b)) + self.rounding
        cap = np.abs(w) - (self.half_height - self.rounding)
        if not self.rounding:
            return np.maximum(side, cap)
        outside = np.sqrt(np.maximum(side, 0.0) ** 2 + np.maximum(cap, 0.0) ** 2)
        return outside + np.minimum(np.maximum(side, cap), 0.0) - self.rounding

    def half_size(self) -> Point:
        grown = 1.0 + abs(self.taper)
        return (self.radii[0] * grown, self.radii[1] * grown, self.half_height)


@dataclass(frozen=True)
class Rod(Leaf):
    """A round cone along its third axis from -``half_length`` to +``half_length``, ``stretch`` wider on the first.

    ``radii`` are those of the lower and the upper end.
    """

    half_length: float = 1.0
    radii: tuple[float, float] = (1.0, 1.0)
    stretch: float = 1.0

    def local(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        along = np.clip(w, -self.half_length, self.half_length)
        low, high = self.radii
        u = u / self.stretch
        distance = np.sqrt(u * u + v * v + (w - along) ** 2)
        return distance - (0.5 * (low + high) + (high - low) / (2.0 * max(self.half_length, 1e-6)) * along)

    def half_size(self) -> Point:
        r = max(self.radii)
        return (r * self.stretch, r, self.half_length + r)


@dataclass(frozen=True)
class Wing(Leaf):
    """The iliac wing: a curved plate. First axis forward, second outward (the plate's normal), third upward.

    ``radii`` outline the plate, ``depth`` is how far its middle bulges outward, ``thickness`` (middle, rim) is full.
    """

    radii: tuple[float, float] = (70.0, 60.0)
    depth: float = 15.0
    thickness: tuple[float, float] = (6.0, 16.0)

    def local(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        a, c = self.radii
        s, t = u / a, w / c
        rho2 = s * s + t * t
        rim = _first_order(rho2, (s / a) ** 2 + (t / c) ** 2, min(a, c))
        middle, edge = self.thickness
        half = 0.5 * (middle + (edge - middle) * np.minimum(rho2, 1.0))
        bulge = self.depth * (1.0 - rho2)
        slope2 = (2.0 * self.depth) ** 2 * ((s / a) ** 2 + (t / c) ** 2)
        plate = (np.abs(v - bulge) - half) / np.sqrt(1.0 + slope2)
        rounding = 0.4 * edge
        side, cap = rim + rounding, plate + 0.3 * middle
        outside = np.hypot(np.maximum(side, 0.0), np.maximum(cap, 0.0))
        return outside + np.minimum(np.maximum(side, cap), 0.0) - 0.3 * middle

    def half_size(self) -> Point:
        return (self.radii[0] + 8.0, abs(self.depth) + max(self.thickness), self.radii[1] + 8.0)


@dataclass(frozen=True)
class Trunk(Leaf):
    """The outline of the body: a superellipse of power 5/2, wider at chest and hips.

    ``inset`` shrinks it by that many mm: layers of skin, fat and wall are the same trunk with growing inset.
    """

    radii: tuple[float, float] = (170.0, 112.0)
    half_height: float = 400.0
    inset: float = 0.0

    def local(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        hip = np.exp(-(((w + 150.0) / 90.0) ** 2))
        chest = 1.0 / (1.0 + np.exp(-(w - 130.0) / 40.0))
        a = self.radii[0] * (1.0 + 0.07 * hip + 0.03 * chest) - self.inset
        b = self.radii[1] * (1.0 + 0.03 * hip + 0.04 * chest) - self.inset
        s, t = np.abs(u) / a, np.abs(v) / b
        s32, t32 = s * np.sqrt(s), t * np.sqrt(t)
        return (s32 * s + t32 * t - 1.0) / np.sqrt((2.5 / a * s32) ** 2 + (2.5 / b * t32) ** 2 + 1e-8)

    def half_size(self) -> Point:
        return (self.radii[0] * 1.1, self.radii[1] * 1.08, self.half_height)


@dataclass(frozen=True)
class Cradle(Leaf):
    """The patient table: an arc of a cylinder along z centred above it; ``radii`` inner and outer."""

    radii: tuple[float, float] = (400.0, 414.0)
    half_width: float = 210.0

    def local(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        inner, outer = self.radii
        rho = np.sqrt(u * u + v * v)
        ring = np.abs(rho - 0.5 * (inner + outer)) - 0.5 * (outer - inner)
        return np.maximum(np.maximum(ring, np.abs(u) - self.half_width), -v) + 0.0 * w

    def half_size(self) -> Point:
        return (self.half_width, self.radii[1], 2000.0)


@dataclass(frozen=True)
class Solid:
    """Union of ``leaves``, inside all of ``within``, at least ``gap_mm`` away from all of ``without``."""

    leaves: tuple[Leaf, ...]
    within: tuple[Leaf | Solid, ...] = ()
    without: tuple[Leaf | Solid, ...] = ()
    gap_mm: float = 0.0

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        boxes = [leaf.bounds() for leaf in self.leaves]
        return np.min([low for low, _ in boxes], axis=0), np.max([high for _, high in boxes], axis=0)

    def distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Distance in mm at points whose coordinates broadcast against each other."""
        distance = self.leaves[0].distance(x, y, z)
        for leaf in self.leaves[1:]:
            distance = np.minimum(distance, leaf.distance(x, y, z))
        return self.cut(distance, x, y, z)

    def cut(self, distance: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Apply ``within`` and ``without`` to the distance of the bare union."""
        for shape in self.within:
            distance = np.maximum(distance, shape.distance(x, y, z))
        for shape in self.without:
            distance = np.maximum(distance, self.gap_mm - shape.distance(x, y, z))
        return distance


def frame_from(third: Point, first: Point = (1.0, 0.0, 0.0)) -> tuple[float, ...]:
    """Right-handed frame whose third axis is ``third`` and whose first is ``first`` made square to it; row-major."""
    w = np.asarray(third, dtype=float) / np.linalg.norm(third)
    u = np.asarray(first, dtype=float)
    u = u - (u @ w) * w
    if np.linalg.norm(u) < 1e-6:
        u = np.cross(w, (0.0, 1.0, 0.0) if abs(w[1]) < 0.9 else (1.0, 0.0, 0.0))
    u = u / np.linalg.norm(u)
    return tuple(np.column_stack([u, np.cross(w, u), w]).ravel().tolist())


def rod_between(
    start: Point, end: Point, radii: tuple[float, float], stretch: float = 1.0, wide: Point = (0.0, 0.0, 1.0)
) -> Rod:
    """A rod from ``start`` to ``end`` with those end radii, wider by ``stretch`` towards ``wide``."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    center = tuple((0.5 * (a + b)).tolist())
    length = float(np.linalg.norm(b - a))
    return Rod(
        center, half_length=0.5 * length, radii=radii, stretch=stretch, frame=frame_from(tuple((b - a).tolist()), wide)
    )


def _first_order(rho2: np.ndarray, gradient2: np.ndarray, smallest: float) -> np.ndarray:
    """Distance of an ellipse or ellipsoid from rho^2 = sum (x/r)^2 and sum (x/r^2)^2: (rho - 1) / |grad rho|."""
    rho = np.sqrt(rho2)
    return (rho - 1.0) * (rho + 1e-6) / (np.sqrt(gradient2) + 1e-6 / smallest)
