"""LPS (the library, DICOM, ITK) and RAS (MRML): the first two axes change sign, nothing else does.

MRML node grids are read and written field by field, so that spacing, origin and direction come back bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bonequant.volume import Geometry

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def flip_matrix(matrix: np.ndarray) -> np.ndarray:
    """A 4x4 point transform of LPS as one of RAS, or back."""
    return FLIP @ np.asarray(matrix, dtype=np.float64) @ FLIP


def flip_points(points_mm: np.ndarray) -> np.ndarray:
    """Points (N, 3) of LPS in RAS, or back."""
    return np.asarray(points_mm, dtype=np.float64) * (-1.0, -1.0, 1.0)


def to_vtk(matrix: np.ndarray) -> Any:
    """A 4x4 array as vtkMatrix4x4."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    result = vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=np.float64).ravel().tolist())
    return result


def from_vtk(matrix: Any) -> np.ndarray:
    """A vtkMatrix4x4 as a 4x4 array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def image_to_world_ras(geometry: Geometry) -> np.ndarray:
    """4x4 from voxel index to RAS mm of a library grid."""
    return FLIP @ geometry.index_to_physical


def set_grid(node: Any, geometry: Geometry) -> None:
    """Give a volume node, or a vtkOrientedImageData, the spacing, origin and direction of ``geometry``."""
    ras = FLIP[:3, :3] @ np.asarray(geometry.direction).reshape(3, 3) + 0.0  # + 0.0: no negative zeros in the file
    matrix = np.eye(4)
    matrix[:3, :3] = ras
    node.SetSpacing(*geometry.spacing)
    node.SetOrigin(*flip_points(np.array(geometry.origin)))
    if hasattr(node, "SetIJKToRASDirectionMatrix"):
        node.SetIJKToRASDirectionMatrix(to_vtk(matrix))
    else:
        node.SetDirectionMatrix(to_vtk(matrix))


def grid_of(node: Any, size: tuple[int, int, int]) -> Geometry:
    """The library grid of a volume node, or of a vtkOrientedImageData, with ``size`` voxels (x, y, z)."""
    matrix = to_vtk(np.eye(4))
    if hasattr(node, "GetIJKToRASDirectionMatrix"):
        node.GetIJKToRASDirectionMatrix(matrix)
    else:
        node.GetDirectionMatrix(matrix)
    direction = FLIP[:3, :3] @ from_vtk(matrix)[:3, :3] + 0.0
    return Geometry(
        size=size,
        spacing=_three(node.GetSpacing()),
        origin=_three(flip_points(np.array(node.GetOrigin())) + 0.0),
        direction=tuple(direction.ravel().tolist()),
    )


def _three(values: Any) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return (x, y, z)
