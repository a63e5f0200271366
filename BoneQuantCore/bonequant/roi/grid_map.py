"""Where the voxels of a mask's grid fall in an image's grid, and back, through a linear or a non-linear transform.

Both ways work on continuous indices (x, y, z). A linear transform is one 4x4 matrix. Any other is evaluated once on a
2 mm lattice over the mask's box, split into its best affine part and a smooth rest; the rest is interpolated with
cubic B-splines, and the way back is the fixed point u = A^-1 (v - rest(u)), which needs no inverse from the transform.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import GeometryError
from bonequant.volume.geometry import Geometry, apply_matrix, is_linear, matrix_of

_LATTICE_MM = 2.0
_LATTICE_NODES = 8_000_000  # the lattice gets coarser rather than larger than this
_ON_CENTRE = 1e-3  # voxels; how far voxel centres of two grids may lie apart to be the same
_INVERSE_TOLERANCE = 1e-3  # voxels of the mask
_INVERSE_STEPS = 200


def within(index: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Which of the whole-number indices (N, 3) lie on a grid of ``size`` (x, y, z)? Shape (N,)."""
    inside = np.ones(len(index), dtype=bool)
    for axis in range(3):
        inside &= (index[:, axis] >= 0) & (index[:, axis] < size[axis])
    return inside


class GridMap:
    """Continuous indices of ``mask``'s grid to those of ``image``'s grid, and back.

    Args:
        mask, image: the two grids.
        transform: points of the mask's space to points of the image's space; None is the identity.
        low, high: lowest and highest index (x, y, z) of the mask's voxels in use; a non-linear transform is looked at
            there only (and 2 voxels around).

    Attributes:
        matrix: 4x4, mask index to image index; for a non-linear transform its best affine part.
    """

    def __init__(
        self,
        mask: Geometry,
        image: Geometry,
        transform: sitk.Transform | None,
        low: np.ndarray,
        high: np.ndarray,
    ) -> None:
        self.mask, self.image = mask, image
        self.linear = is_linear(transform)
        self.low, self.high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        if self.linear:
            self.matrix = image.physical_to_index @ matrix_of(transform) @ mask.index_to_physical
        else:
            assert transform is not None
            self._set_lattice(transform)
        self.inverse = np.linalg.inv(self.matrix)

    def to_image(self, index: np.ndarray) -> np.ndarray:
        """Image indices (N, 3) of mask indices (N, 3)."""
        there = apply_matrix(self.matrix, index)
        return there if self.linear else there + self._rest_at(index)

    def to_mask(self, index: np.ndarray) -> np.ndarray:
        """Mask indices (N, 3) of image indices (N, 3). Raises GeometryError where a transform folds onto itself."""
        start = apply_matrix(self.inverse, index)
        if self.linear:
            return start
        back = self.inverse.copy()
        back[:3, 3] = 0.0
        found = start.copy()
        open_ = np.arange(len(found))
        for _ in range(_INVERSE_STEPS):
            new = start[open_] - apply_matrix(back, self._rest_at(found[open_]))
            moved = np.abs(new - found[open_]).max(axis=1)
            found[open_] = new
            open_ = open_[moved > _INVERSE_TOLERANCE]
            if not len(open_):
                return found
        raise GeometryError(
            f"The transform folds space onto itself: {len(open_)} points near the mask have no single origin. "
            "Use a smoother deformation (a coarser B-spline grid), or an affine transform."
        )

    def on_centres(self) -> bool:
        """Do all voxel centres of the mask fall on voxel centres of the image, so that nothing is interpolated?"""
        if not self.linear:
            return False
        step = self.matrix[:3, :3]
        drift = np.abs(step - np.rint(step)) @ (np.array(self.mask.size) - 1)
        shift = np.abs(self.matrix[:3, 3] - np.rint(self.matrix[:3, 3]))
        one_to_one = np.array_equal(np.sort(np.abs(np.rint(step)), axis=1), [[0, 0, 1]] * 3)
        return bool((drift + shift).max() < _ON_CENTRE and one_to_one)

    def image_box(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest continuous index in the image of the mask's voxels ``low`` to ``high``, faces included."""
        low, high = np.asarray(low) - 0.5, np.asarray(high) + 0.5
        points = 2 if self.linear else 1 + np.ceil((high - low) * np.array(self.mask.spacing) / 5.0).astype(int)
        axes = [np.linspace(a, b, n) for a, b, n in zip(low, high, np.broadcast_to(points, 3), strict=True)]
        there = self.to_image(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3))
        slack = 0.0 if self.linear else 1.0  # between the points of a bent surface
        return there.min(axis=0) - slack, there.max(axis=0) + slack

    def _set_lattice(self, transform: sitk.Transform) -> None:
        spacing = np.array(self.mask.spacing)
        extent = (self.high - self.low + 4) * spacing
        pitch = max(_LATTICE_MM, float(np.cbrt(np.prod(extent) / _LATTICE_NODES)))
        size = np.ceil(extent / pitch).astype(int) + 1
        self._lattice_origin = self.low - 2
        self._lattice_step = pitch / spacing
        origin = self.mask.index_to_physical[:3, :3] @ self._lattice_origin + self.mask.index_to_physical[:3, 3]
        field = sitk.TransformToDisplacementField(
            transform,
            sitk.sitkVectorFloat64,
            [int(n) for n in size],
            [float(x) for x in origin],
            [pitch] * 3,
            self.mask.direction,
        )
        moved = sitk.GetArrayFromImage(field).reshape(-1, 3)
        z, y, x = np.indices(size[::-1])
        node = np.stack([x, y, z], axis=-1).reshape(-1, 3) * self._lattice_step + self._lattice_origin
        to_mm, to_index = self.mask.index_to_physical, self.image.physical_to_index
        there = apply_matrix(to_index, apply_matrix(to_mm, node) + moved)

        centre, mean = node.mean(axis=0), there.mean(axis=0)
        affine = np.linalg.lstsq(node - centre, there - mean, rcond=None)[0].T
        if np.linalg.det(affine) == 0:
            raise GeometryError("The transform flattens the region of the mask; it cannot carry a mask.")
        self.matrix = np.eye(4)
        self.matrix[:3, :3] = affine
        self.matrix[:3, 3] = mean - affine @ centre
        rest = (there - apply_matrix(self.matrix, node)).reshape(*size[::-1], 3)
        self._rest = [ndimage.spline_filter(rest[..., axis], order=3) for axis in range(3)]

    def _rest_at(self, index: np.ndarray) -> np.ndarray:
        node = ((index - self._lattice_origin) / self._lattice_step).T[::-1]
        # Beyond the lattice the rest stays what it is at its edge.
        node = np.clip(node, 0, np.array(self._rest[0].shape)[:, None] - 1)
        return np.stack(
            [ndimage.map_coordinates(part, node, order=3, mode="mirror", prefilter=False) for part in self._rest]
        ).T
