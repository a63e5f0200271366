"""The analytic torso: ordered parts, each a solid with a tissue, in patient LPS millimetres.

x grows to the patient's left, y to the back, z to the head; the middle of L3 lies at z = 0. The same settings give the
same torso, to the bit. Rasters, truth and pictures all come from the parts::

    body = torso(TorsoSettings(seed=3))
    masks = body.masks(geometry, ["marrow", "L1"])
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.phantom import organs, pelvis, ribs, spine
from bonequant.phantom.lesions import Lesion, liver_tumours, random_lesions, standard_lesions
from bonequant.phantom.raster import Part, center_labels, paint
from bonequant.phantom.shapes import Solid
from bonequant.phantom.tracers import Tracer
from bonequant.settings import Settings, setting
from bonequant.volume import Geometry, image_from_array
from bonequant.volume.geometry import matrix_of

_MARROW_HU = {"marrow": 1.0, "marrow_pelvis": 0.75, "marrow_rib": 0.7, "marrow_femur": 0.5}
_HU = {
    "table": -60.0, "fat": -100.0, "muscle": 52.0, "cavity": -85.0, "lung": -820.0, "liver": 60.0, "spleen": 50.0,
    "kidney": 35.0, "blood": 42.0, "bowel": 25.0, "gas": -960.0, "urine": 5.0, "disc": 85.0, "canal": 25.0,
    "lytic": 40.0, "blastic": 620.0, "liver_tumour": 42.0,
}  # fmt: skip
_CONTRAST = {"blood": 1.0, "kidney": 0.8, "spleen": 0.45, "liver": 0.35, "muscle": 0.06, "marrow": 0.06}


@dataclass(frozen=True)
class TorsoSettings(Settings):
    """What varies between simulated patients."""

    seed: int = setting(1, low=0, help="Number of the patient: small differences of size, tilt and bowel.")
    scale: float = setting(1.0, low=0.8, high=1.2, help="Size of the whole body.")
    trabecular_hu: float = setting(
        170.0, unit="HU", low=0, high=350, help="Lumbar trabecular bone: about 226 below 30 years, 89 above 90."
    )
    cortical_hu: float = setting(950.0, unit="HU", low=400, high=1800, help="Cortical bone before blurring.")
    cortex_mm: float = setting(1.1, unit="mm", low=0.4, high=3.0, help="Thickness of a vertebra's cortex.")
    aortic_contrast_hu: float = setting(0.0, unit="HU", low=0, high=400, help="Enhancement of the blood pool.")
    fat_mm: float = setting(16.0, unit="mm", low=4, high=40, help="Subcutaneous fat.")
    curvature: float = setting(1.0, low=0.0, high=1.8, help="Lordosis and kyphosis, relative to the average.")
    scoliosis_deg: float = setting(4.0, unit="deg", low=-40, high=40, help="Cobb angle, apex at L1.")
    lesions: str = setting("standard", choices=("standard", "random", "none"), help="Bone lesions.")
    lesion_count: int = setting(4, low=0, high=12, help="How many, when they are random.")
    liver_tumours: int = setting(0, low=0, high=8, help="Liver tumours.")


@dataclass(frozen=True, eq=False)
class Torso:
    """Ordered parts (later ones lie over earlier ones), the lesions among them, and how active the normal marrow is."""

    settings: TorsoSettings
    parts: tuple[Part, ...]
    lesions: tuple[Lesion, ...]
    bodies: Mapping[str, Solid]  # vertebral bodies without arches, by level; no parts of their own
    marrow_factor: float = 1.0

    @property
    def regions(self) -> dict[str, tuple[int, ...]]:
        """Label numbers (1 + index of the part) by region: bone, cortical, marrow, L1, liver, lesion_1 ..."""
        found: dict[str, list[int]] = {}
        for number, part in enumerate(self.parts, start=1):
            for region in part.regions:
                found.setdefault(region, []).append(number)
        return {name: tuple(numbers) for name, numbers in found.items()}

    def hu(self) -> list[float]:
        """CT number of each part."""
        s = self.settings
        values = []
        for part in self.parts:
            if part.tissue == "cortex":
                base = s.cortical_hu
            elif part.tissue in _MARROW_HU:
                base = s.trabecular_hu * _MARROW_HU[part.tissue]
            else:
                base = _HU[part.tissue]
            values.append(base + s.aortic_contrast_hu * _CONTRAST.get(part.tissue, 0.0))
        return values

    def suv(self, tracer: Tracer) -> list[float]:
        """SUV of each part (g/mL)."""
        values = []
        for part in self.parts:
            lesion = self._lesion_of(part)
            if lesion is None:
                values.append(self.normal_suv(tracer, part.tissue))
            elif lesion.host != "liver" and tracer.lesion_suv is not None:
                values.append(tracer.lesion_suv)
            else:
                host = "liver" if lesion.host == "liver" else "marrow"
                values.append(self.normal_suv(tracer, host) * lesion.uptake_ratio)
        return values

    def normal_suv(self, tracer: Tracer, tissue: str) -> float:
        """SUV of a tissue away from lesions, in this body."""
        return tracer.of(tissue) * (self.marrow_factor if tissue in _MARROW_HU else 1.0)

    def with_uptake(self, changes: Mapping[str, float]) -> Torso:
        """The same body with other uptake: ratio to the host of named lesions, factor on all normal "marrow".

        ``{"lesion_2": 1.2, "marrow": 0.7}``; lesions in bone follow the marrow, as their ratio is kept.
        Raises InputError for an unknown name.
        """
        lesions = list(self.lesions)
        names = [f"lesion_{i + 1}" for i in range(len(lesions))]
        marrow = self.marrow_factor
        for name, value in changes.items():
            if name == "marrow":
                marrow = value
            elif name in names:
                lesions[names.index(name)] = dataclasses.replace(lesions[names.index(name)], uptake_ratio=value)
            else:
                raise InputError(f"The torso has no {name}; it has {', '.join(['marrow', *names])}.")
        return dataclasses.replace(self, lesions=tuple(lesions), marrow_factor=marrow)

    def paint(
        self,
        geometry: Geometry,
        values: list[list[float]],
        background: list[float],
        to_torso: sitk.Transform | None = None,
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Images (z, y, x), float32, of the per-part ``values``, and the label of each voxel's centre, uint8.

        ``to_torso`` takes points of the grid to points of the torso: how the patient lies.
        """
        images = [np.empty(geometry.shape, dtype=np.float32) for _ in values]
        labels = np.empty(geometry.shape, dtype=np.uint8)
        matrix = matrix_of(to_torso)
        for z, slab, fine in paint(self.parts, values, background, geometry, matrix, self.settings.scale):
            for image, part in zip(images, slab, strict=True):
                image[z] = part
            labels[z] = center_labels(fine, geometry)
        return images, labels

    def labels(self, geometry: Geometry, to_torso: sitk.Transform | None = None) -> np.ndarray:
        """Label (1 + index of the part, 0 for air) of each voxel's centre, uint8 (z, y, x)."""
        return self.paint(geometry, [], [], to_torso)[1]

    def masks(
        self, geometry: Geometry, names: Iterable[str] | None = None, to_torso: sitk.Transform | None = None
    ) -> dict[str, sitk.Image]:
        """True binary masks, uint8, of the named regions (default: all) on the grid."""
        return self.masks_of(self.labels(geometry, to_torso), geometry, names)

    def masks_of(
        self, labels: np.ndarray, geometry: Geometry, names: Iterable[str] | None = None
    ) -> dict[str, sitk.Image]:
        """Masks from labels made by :meth:`labels` or :meth:`paint`."""
        regions = self.regions
        found = {}
        for name in regions if names is None else names:
            if name not in regions:
                raise InputError(f"The torso has no region {name!r}; it has {', '.join(sorted(regions))}.")
            member = np.zeros(256, dtype=np.uint8)
            member[list(regions[name])] = 1
            found[name] = image_from_array(member[labels], geometry)
        return found

    def _lesion_of(self, part: Part) -> Lesion | None:
        name = part.name.split(".")[0]
        return self.lesions[int(name[7:]) - 1] if name.startswith("lesion_") else None


def torso(settings: TorsoSettings | None = None, lesions: tuple[Lesion, ...] | None = None) -> Torso:
    """Build the torso. ``lesions`` replaces those of the settings."""
    s = TorsoSettings.of(settings)
    rng = np.random.default_rng([s.seed, 17])
    column = spine.place_spine(rng=rng, curvature=s.curvature, scoliosis_deg=s.scoliosis_deg)
    bones = _bones(column)
    if lesions is None:
        chosen = {"standard": standard_lesions, "random": lambda b: random_lesions(b, s.lesion_count, rng)}
        lesions = chosen[s.lesions](bones) if s.lesions in chosen else ()
        lesions += liver_tumours(s.liver_tumours, rng)

    soft = [*organs.outline(s.fat_mm), *organs.muscles(column), *organs.organs(rng), *organs.vessels(column)]
    parts = [Part(name, tissue, solid, regions=_soft_regions(name, tissue)) for name, tissue, solid in soft]
    by_name = {part.name: part.solid for part in parts}
    s1_disc = pelvis.sacrum(column[0])[1]
    for upper, lower in zip(column[1:], column, strict=False):
        parts.append(Part(f"disc_{lower.level.name}", "disc", Solid((spine.disc_below(upper, lower),)), 0.0, ("disc",)))
    parts.append(Part("disc_S1", "disc", Solid((s1_disc,)), 0.0, ("disc",)))
    for vertebra in column:
        solid = Solid((spine.canal_of(vertebra),))
        parts.append(Part(f"canal_{vertebra.level.name}", "canal", solid, 0.0, ("canal",)))
    for name, solid in bones.items():
        groups, marrow, thicker = _bone_kind(name)
        parts.append(Part(f"{name}.cortex", "cortex", solid, 0.0, ("bone", "cortical", *groups, name)))
        parts.append(Part(f"{name}.marrow", marrow, solid, s.cortex_mm * thicker, ("bone", "marrow", *groups, name)))
    for number, lesion in enumerate(lesions, start=1):
        host = bones.get(lesion.host) or by_name.get(lesion.host)
        if host is None:
            raise InputError(f"A lesion's host {lesion.host!r} is unknown; choose from {', '.join(bones)} or liver.")
        parts += _lesion_parts(f"lesion_{number}", lesion, host)
    bodies = {v.level.name: Solid((spine.body_of(v),)) for v in column}
    return Torso(s, tuple(parts), lesions, bodies)


def _bones(column: tuple[spine.Vertebra, ...]) -> dict[str, Solid]:
    """Every bone by name."""
    sacral, _ = pelvis.sacrum(column[0])
    l5 = column[0]
    top = l5.at(0.0, 0.0, -l5.level.height / 2 - l5.level.disc)
    found = {"sacrum": sacral}
    for side, name in ((1.0, "left"), (-1.0, "right")):
        found[f"femur_{name}"] = pelvis.femur(side, top)
        found[f"ilium_{name}"] = pelvis.hip_bone(side, top, sacral)
    by_name = {v.level.name: v for v in column}
    for number in range(12, 4, -1):
        vertebra = by_name[f"T{max(number, 6)}"]
        for side, name in ((1.0, "left"), (-1.0, "right")):
            found[f"rib_{name}_{number}"] = ribs.rib(side, number, vertebra)
    for vertebra in column:
        found[vertebra.level.name] = spine.bone_of(vertebra)
    return found


def _bone_kind(name: str) -> tuple[tuple[str, ...], str, float]:
    """Groups of a bone, the tissue of its marrow, and its cortex relative to a vertebra's."""
    if name.startswith("rib"):
        return ("ribs",), "marrow_rib", 1.2
    if name.startswith("femur"):
        return ("femora",), "marrow_femur", 2.2
    if name.startswith("ilium"):
        return ("pelvis",), "marrow_pelvis", 1.5
    if name == "sacrum":
        return ("pelvis",), "marrow_pelvis", 1.2
    return ("spine", "vertebrae"), "marrow", 1.0


def _soft_regions(name: str, tissue: str) -> tuple[str, ...]:
    regions = [name]
    if tissue == "blood":
        regions.append("blood_pool")
    if tissue in ("muscle", "lung", "kidney") and name != tissue:
        regions.append(tissue)
    return tuple(regions)


def _lesion_parts(name: str, lesion: Lesion, host: Solid) -> list[Part]:
    """A lesion belongs to its bone and, lying where marrow was, to the intraosseous region "marrow"."""
    solid = lesion.solid(host)
    if lesion.kind == "liver_tumour":
        return [Part(name, "liver_tumour", solid, 0.0, (name, "liver_tumours"))]
    groups, _, _ = _bone_kind(lesion.host)
    regions = ("bone", "marrow", *groups, lesion.host, name, "lesions")
    if lesion.kind == "mixed":
        core = 0.45 * min(lesion.radii)
        return [
            Part(f"{name}.rim", "lytic", solid, 0.0, regions),
            Part(f"{name}.core", "blastic", solid, core, regions),
        ]
    return [Part(name, lesion.kind, solid, 0.0, regions)]
