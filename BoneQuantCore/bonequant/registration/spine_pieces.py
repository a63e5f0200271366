"""The pieces of a spine that bends: each node's own rigid motion, and the motions blended along the spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import RegistrationError
from bonequant.registration.metric import MutualInformation, Samples
from bonequant.registration.rigid import Motion, Tick, climb
from bonequant.registration.transforms import chain
from bonequant.settings import Settings, setting
from bonequant.volume import Geometry

_MARGIN_MM = 25.0
_GRID_MM = 5.0
_LEAST_SAMPLES = 300
_PERTURBED_MM = ((3.0, -2.0, 2.0), (-2.0, 3.0, -3.0))


@dataclass(frozen=True)
class SpineSettings(Settings):
    """How the pieces of the spine may move."""

    bends: bool = setting(True, help="Align every piece of the spine by itself; else one rigid motion of the whole.")
    pitch_mm: float = setting(32.0, unit="mm", low=10, high=60, help="From one vertebra to the next.")
    radius_mm: float = setting(35.0, unit="mm", low=15, high=80, help="Around the spine, what counts for a piece.")
    least_bend_mm: float = setting(
        1.0, unit="mm", low=0, high=20, help="Pieces that lie nearer to the whole than this have not bent."
    )
    largest_bend_mm: float = setting(
        15.0, unit="mm", low=1, high=60, help="A piece found further away than this is not believed."
    )
    largest_turn_deg: float = setting(15.0, unit="deg", low=1, high=60, help="Likewise for its rotation.")
    least_overlap: float = setting(0.5, low=0.1, high=1, help="Share of the body that both images must show.")
    samples: int = setting(30_000, unit="voxels", low=2_000, high=1_000_000, help="Voxels compared for the whole.")


@dataclass(frozen=True)
class SpinePiece:
    """One node: where it is in the fixed image, how far its own motion took it from that of the whole, and trust.

    ``agreement_mm``: distance between its answer and that of searches from other starts. ``kept``: the whole's motion
    was kept, for the reason in ``text``.
    """

    centre_mm: tuple[float, float, float]
    bend_mm: float
    turn_deg: float
    agreement_mm: float
    kept: bool
    text: str


def move_pieces(
    levels: list[MutualInformation],
    nodes: np.ndarray,
    whole: Motion,
    s: SpineSettings,
    voxel_mm: float,
    tick: Tick,
) -> list[tuple[SpinePiece, Motion]]:
    """Motion of every node, from the middle of the row outwards, each beginning also where its neighbour went."""
    axis = _direction(nodes)
    found: dict[int, tuple[SpinePiece, Motion]] = {}
    first = len(nodes) // 2
    for k in [*range(first, -1, -1), *range(first + 1, len(nodes))]:
        neighbour = found.get(k + 1) if k < first else found.get(k - 1)
        starts = [whole] + ([neighbour[1]] if neighbour is not None else [])
        found[k] = _piece(levels, nodes[k], axis, starts, s, voxel_mm, tick)
    return [found[k] for k in range(len(nodes))]


def _piece(
    levels: list[MutualInformation],
    centre: np.ndarray,
    axis: np.ndarray,
    starts: list[Motion],
    s: SpineSettings,
    voxel_mm: float,
    tick: Tick,
) -> tuple[SpinePiece, Motion]:
    whole = _about(starts[0], centre)
    near = [metric.over(_near(metric.samples, centre, axis, s)) for metric in levels]
    label = f"The spine at z = {centre[2]:.0f} mm"
    place = (float(centre[0]), float(centre[1]), float(centre[2]))

    def kept(
        text: str, bend: float = 0.0, turn: float = 0.0, agreement: float = float("nan")
    ) -> tuple[SpinePiece, Motion]:
        return SpinePiece(place, bend, turn, agreement, True, text), whole

    if near[-1].samples.values.size < _LEAST_SAMPLES or np.ptp(near[-1].samples.values) == 0.0:
        return kept("")
    answers = []
    for start in starts:
        motion = _about(start, centre)
        for metric, step in zip(near, (2.0, 1.0), strict=True):
            motion = climbed(metric, motion, step, tick)
        answers.append((value_of(near[-1], motion, s.least_overlap), motion))
    value, motion = max(answers, key=lambda pair: pair[0])
    if not value > value_of(near[-1], whole, s.least_overlap):
        return kept("")
    bend = float(np.linalg.norm(motion.shift - whole.shift))
    turn = turn_deg_of(motion.matrix @ whole.matrix.T)
    if bend > s.largest_bend_mm or turn > s.largest_turn_deg:
        text = f"{label} was found {bend:.0f} mm and {turn:.0f} degrees from the whole, which is not believed."
        return kept(text, bend, turn)
    agreement = agreement_at(near[-1], motion, centre, tick)
    if agreement > 0.5 * voxel_mm:
        text = f"{label} has no position of its own (searches end {agreement:.1f} mm apart): the whole's is kept."
        return kept(text, bend, turn, agreement)
    return SpinePiece(place, bend, turn, agreement, False, ""), motion


def blended(
    pieces: list[tuple[SpinePiece, Motion]], whole: Motion, grid: Geometry
) -> tuple[sitk.Transform, sitk.Transform]:
    """Displacements before the whole's motion, on a grid of 5 mm over the fixed image; and the inverse of both."""
    corners = grid.corners()
    low, high = corners.min(axis=0) - _MARGIN_MM, corners.max(axis=0) + _MARGIN_MM
    size = np.ceil((high - low) / _GRID_MM).astype(int) + 1
    x, y, z = (low[k] + _GRID_MM * np.arange(size[k]) for k in range(3))
    mesh = np.stack(np.meshgrid(z, y, x, indexing="ij")).reshape(3, -1)[::-1]
    nodes = np.array([piece.centre_mm for piece, _ in pieces])
    axis = _direction(nodes)
    weights = _weights(axis @ mesh, nodes @ axis)
    target = sum(weight * motion.apply(mesh) for weight, (_, motion) in zip(weights, pieces, strict=True))
    back = Motion.of(whole.transform().GetInverse()).apply(np.asarray(target))
    field = (back - mesh).T.reshape(size[2], size[1], size[0], 3)
    image = sitk.GetImageFromArray(field, isVector=True)
    image.SetSpacing([_GRID_MM] * 3)
    image.SetOrigin(low.tolist())
    undone = sitk.InvertDisplacementField(image, maximumNumberOfIterations=50, enforceBoundaryCondition=False)
    rigid = whole.transform()
    forward = chain(sitk.DisplacementFieldTransform(image), rigid)
    return forward, chain(rigid.GetInverse(), sitk.DisplacementFieldTransform(undone))


def _weights(place: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Share (nodes, N) of every node at places (N,) along the spine: smooth from one to the next, level beyond."""
    weights = np.zeros((len(nodes), place.size))
    after = np.clip(np.searchsorted(nodes, place), 1, max(len(nodes) - 1, 1))
    if len(nodes) == 1:
        weights[0] = 1.0
        return weights
    before = after - 1
    t = np.clip((place - nodes[before]) / (nodes[after] - nodes[before]), 0.0, 1.0)
    share = t * t * (3.0 - 2.0 * t)
    columns = np.arange(place.size)
    weights[after, columns] += share
    weights[before, columns] += 1.0 - share
    return weights


def nodes_along(centres: np.ndarray, grid: Geometry, pitch_mm: float) -> np.ndarray:
    """The centres and their neighbours one pitch away, inside the image, from feet to head; near ones are one."""
    axis = _direction(centres)
    wanted = np.concatenate([centres, centres + pitch_mm * axis, centres - pitch_mm * axis])
    to_index = grid.physical_to_index
    index = wanted @ to_index[:3, :3].T + to_index[:3, 3]
    inside = ((index > 0.0) & (index < np.array(grid.size) - 1.0)).all(axis=1)
    inside[: len(centres)] = True
    nodes: list[np.ndarray] = []
    for point in wanted[inside]:
        if all(abs((point - other) @ axis) > 0.6 * pitch_mm for other in nodes):
            nodes.append(point)
    return np.array(sorted(nodes, key=lambda point: float(point @ axis)))


def _direction(points: np.ndarray) -> np.ndarray:
    """Along the spine, feet to head: through the points where they lie apart, else the patient's own axis."""
    apart = points - points.mean(axis=0)
    if len(points) > 1 and np.ptp(points[:, 2]) > 40.0:
        axis = np.linalg.svd(apart)[2][0]
        if abs(axis[2]) > 0.7:
            return np.asarray(axis * np.sign(axis[2]))
    return np.array([0.0, 0.0, 1.0])


def _near(samples: Samples, centre: np.ndarray, axis: np.ndarray, s: SpineSettings) -> Samples:
    offset = samples.points - centre[:, None]
    along = axis @ offset
    radial = np.sqrt(np.maximum((offset**2).sum(axis=0) - along**2, 0.0))
    chosen = (np.abs(along) < 0.8 * s.pitch_mm) & (radial < s.radius_mm)
    return Samples(samples.values[chosen], samples.points[:, chosen])


def _about(motion: Motion, centre: np.ndarray) -> Motion:
    """The same rigid motion with its turn about ``centre``."""
    there = motion.apply(centre[:, None])[:, 0]
    return Motion(np.concatenate([motion.parameters[:3], there - centre]), centre)


def climbed(metric: MutualInformation, start: Motion, step_mm: float, tick: Tick) -> Motion:
    """Where the search from ``start`` ends; ``start`` itself where it leaves the image."""
    try:
        return climb(metric, start, step_mm, tick)[0]
    except RegistrationError:
        return start


def value_of(metric: MutualInformation, motion: Motion, least_overlap: float) -> float:
    """Mutual information (nat); minus infinity where the images overlap less than they must."""
    positions = motion.apply(metric.samples.points)
    if metric.overlap(positions) < max(least_overlap, 1e-6):
        return -np.inf
    return metric(positions)[0]


def agreement_at(metric: MutualInformation, answer: Motion, centre: np.ndarray, tick: Tick) -> float:
    """Largest distance at ``centre`` between ``answer`` and where searches from other starts end."""
    there = answer.apply(centre[:, None])
    worst = 0.0
    for part, shift in enumerate(_PERTURBED_MM):
        start = answer.moved(answer.parameters + np.concatenate([shift[::-1], shift]))
        end = climbed(metric.over(metric.samples.every(2, part)), start, 1.0, tick)
        worst = max(worst, float(np.linalg.norm(end.apply(centre[:, None]) - there)))
    return worst


def turn_deg_of(matrix: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1.0) / 2.0, -1.0, 1.0))))
