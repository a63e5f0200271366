"""Sacrum, hip bones and the upper ends of the femora, hung below L5 of the torso's spine."""

from __future__ import annotations

import numpy as np

from bonequant.phantom.shapes import Drum, Ellipsoid, Leaf, Point, Rod, Solid, Wing, frame_from, rod_between
from bonequant.phantom.spine import Vertebra

# (half width with the alae, half width and half depth of the body, height, tilt in degrees) of S1 to S5
_SACRUM = (
    (60.0, 24.0, 16.0, 29.0, -34.0),
    (54.0, 20.0, 13.0, 25.0, -36.0),
    (40.0, 17.0, 10.0, 21.0, -24.0),
    (27.0, 15.0, 8.0, 18.0, 0.0),
    (18.0, 12.0, 6.0, 16.0, 25.0),
)
SACROILIAC_GAP_MM = 2.5
_HIP = (88.0, 0.0, -98.0)  # centre of the left femoral head relative to the top of S1


def sacrum(l5: Vertebra) -> tuple[Solid, Drum]:
    """The sacrum and the disc between L5 and S1."""
    top = np.asarray(l5.at(0.0, 0.0, -l5.level.height / 2 - l5.level.disc))
    bodies: list[Leaf] = []
    canals: list[Leaf] = []
    point = top
    for wide, half_width, half_depth, height, tilt in _SACRUM:
        axis = np.array([0.0, np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
        back = np.array([0.0, np.cos(np.radians(tilt)), -np.sin(np.radians(tilt))])
        frame = frame_from(_point(axis))
        center = point - axis * height / 2
        bodies += [
            Drum(_point(center), radii=(half_width, half_depth), half_height=height / 2 + 1, rounding=3.0, frame=frame),
            Drum(
                _point(center + back * 0.55 * half_depth),
                radii=(wide, 0.95 * half_depth),
                half_height=height / 2 + 1.5,
                rounding=5.0,
                taper=0.08,
                frame=frame,
            ),
            rod_between(
                _point(center + back * (half_depth + 14.0) + axis * height / 2),
                _point(center + back * (half_depth + 12.0) - axis * height / 2),
                (6.0, 6.0),
                2.2,
                (1.0, 0.0, 0.0),
            ),
        ]
        canal = center + back * (half_depth + 4.0)
        canals.append(Drum(_point(canal), radii=(0.5 * half_width, 5.0), half_height=height / 2 + 3, frame=frame))
        point = point - axis * height
    axis = np.array([0.0, np.sin(np.radians(-27.0)), np.cos(np.radians(-27.0))])
    disc = Drum(
        _point(top + axis * l5.level.disc / 2),
        radii=(25.0, 16.5),
        half_height=l5.level.disc / 2 + 3.0,
        rounding=2.0,
        frame=frame_from(_point(axis)),
    )
    return Solid(tuple(bodies), without=tuple(canals)), disc


def hip_bone(side: float, s1_top: Point, sacral: Solid) -> Solid:
    """Ilium with acetabulum, ischium and pubis; ``side`` is +1 for the left and -1 for the right."""

    def at(x: float, y: float, z: float) -> Point:
        return (s1_top[0] + side * x, s1_top[1] + y, s1_top[2] + z)

    wing = Wing(
        at(87.0, -14.0, -6.0),
        radii=(70.0, 60.0),
        depth=14.0 * side,
        thickness=(7.0, 17.0),
        frame=frame_from((side * 0.28, 0.02, 0.96), (side * 0.58, -0.81, 0.0)),
    )
    hip = at(*_HIP)
    leaves: tuple[Leaf, ...] = (
        wing,
        rod_between(at(57.0, 34.0, 2.0), at(54.0, 36.0, -38.0), (10.0, 11.0)),
        rod_between(at(80.0, -6.0, -48.0), at(89.0, 0.0, -84.0), (14.0, 27.0)),
        Ellipsoid(hip, radii=(31.0, 33.0, 33.0)),
        rod_between(at(82.0, 22.0, -112.0), at(62.0, 28.0, -150.0), (17.0, 16.0)),
        rod_between(at(74.0, -22.0, -98.0), at(10.0, -52.0, -128.0), (11.0, 10.0)),
        rod_between(at(10.0, -50.0, -136.0), at(56.0, 22.0, -156.0), (8.0, 8.0)),
    )
    socket = Ellipsoid(at(_HIP[0] + 4.0, _HIP[1], _HIP[2] - 3.0), radii=(27.0, 27.0, 27.0))
    return Solid(leaves, without=(socket, sacral), gap_mm=SACROILIAC_GAP_MM)


def femur(side: float, s1_top: Point) -> Solid:
    """Head, neck, trochanter and a piece of shaft."""

    def at(x: float, y: float, z: float) -> Point:
        return (s1_top[0] + side * x, s1_top[1] + y, s1_top[2] + z)

    head = at(_HIP[0] + 4.0, _HIP[1], _HIP[2] - 3.0)
    trochanter = at(140.0, 12.0, -128.0)
    shaft: tuple[Rod, ...] = (
        rod_between(head, trochanter, (14.0, 17.0)),
        rod_between(trochanter, at(132.0, 8.0, -260.0), (17.0, 15.0)),
    )
    return Solid((Ellipsoid(head, radii=(22.5, 22.5, 22.5)), *shaft))


def _point(value: np.ndarray) -> Point:
    return (float(value[0]), float(value[1]), float(value[2]))
