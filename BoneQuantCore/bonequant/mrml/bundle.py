"""A scene file (.mrb) that Slicer opens by itself: volumes, masks, transforms and tables on their own grids.

An .mrb is a zip of one folder with a .mrml scene and its ``Data``. Slicer writes the folder; the tables in it are then
written again at full precision, because Slicer's own table writer keeps six digits.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.core import new_scene
from bonequant.mrml.segments import is_binary, masks_to_node
from bonequant.mrml.tables import rows_from_node, rows_to_node
from bonequant.mrml.transforms import transform_to_node
from bonequant.mrml.volumes import volume_to_node
from bonequant.volume import Volume, by_grid, same_grid


def write_scene(
    path: str | Path,
    *,
    volumes: Mapping[str, Volume],
    masks: Mapping[str, sitk.Image] | None = None,
    transforms: Mapping[str, sitk.Transform] | None = None,
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    parent: Mapping[str, str] | None = None,
    units: Mapping[str, Mapping[str, str]] | None = None,
) -> Path:
    """Write a scene bundle. The application's own scene, if there is one, is not touched.

    Args:
        path: file to write, ending in .mrb.
        volumes: by name; identifiers of the patient are left out.
        masks: by name; those on one grid under one parent become one segmentation. Fractional ones, which a segment
            cannot hold, become volumes.
        transforms: by name, in the library's convention (``register(moving, fixed).transform``).
        tables: rows by table name.
        parent: name of a volume, mask or transform -> name of the transform it lies under. That is the transform
            whose points it is *sampled* at: ``{"spect": "registration"}`` lays the SPECT on the CT.
        units: unit of a table's columns: table name -> column -> unit.

    Returns:
        The path written. It appears whole or not at all.

    Raises:
        InputError: a name in ``parent`` or ``units`` is unknown or stands for two things, or the path is no .mrb file.
    """
    path = Path(path)
    masks, transforms, tables = dict(masks or {}), dict(transforms or {}), dict(tables or {})
    parent, units = dict(parent or {}), dict(units or {})
    _check(path, volumes, masks, transforms, tables, parent, units)

    volumes = dict(volumes)
    for name in [name for name, mask in masks.items() if not is_binary(mask)]:
        volumes[name] = Volume(masks.pop(name), unit="fraction", name=name)

    scene = new_scene()
    nodes = {name: transform_to_node(transform, name, scene) for name, transform in transforms.items()}
    nodes |= {name: volume_to_node(volume, name, scene) for name, volume in volumes.items()}
    for group in _groups(masks, parent):
        on = _volume_on(group, volumes)
        node = masks_to_node(group, f"Regions on {on}" if on else "Regions", scene)
        if on:
            node.SetReferenceImageGeometryParameterFromVolumeNode(nodes[on])
        nodes |= dict.fromkeys(group, node)
    for name, under in parent.items():
        nodes[name].SetAndObserveTransformNodeID(nodes[under].GetID())
    for name, rows in tables.items():
        rows_to_node(rows, name, scene, units=units.get(name))
    return save_scene(scene, path)


def save_scene(scene: Any, path: str | Path) -> Path:
    """Write a whole scene as .mrb, tables at full precision."""
    path = Path(path)
    _require_mrb(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _compress_fast(scene)
    with tempfile.TemporaryDirectory(prefix="bonequant-") as folder:
        bundle = Path(folder).resolve() / path.stem
        bundle.mkdir()
        if not scene.SaveSceneToSlicerDataBundleDirectory(str(bundle)):
            raise InputError(f"Slicer could not save the scene for {path.name}: see its messages above.")
        _write_tables(scene, bundle)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for file in sorted(bundle.rglob("*")):
                    if file.is_file():
                        archive.write(file, Path(path.stem) / file.relative_to(bundle))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def read_scene(path: str | Path) -> Any:
    """A new scene, apart from the application's, with everything in an .mrb file.

    Raises:
        InputError: the file is no scene bundle, or Slicer cannot read it.
    """
    path = Path(path)
    scene = new_scene()
    with tempfile.TemporaryDirectory(prefix="bonequant-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is no readable scene bundle: {error}.") from error
        scenes = sorted(Path(folder).glob("*/*.mrml"))
        if len(scenes) != 1:
            raise InputError(f"{path} holds {len(scenes)} scenes where one is due.")
        scene.SetURL(str(scenes[0]))
        if not scene.Import():
            raise InputError(f"Slicer could not read the scene in {path}: see its messages above.")
    return scene


def _check(
    path: Path,
    volumes: Mapping[str, Any],
    masks: Mapping[str, Any],
    transforms: Mapping[str, Any],
    tables: Mapping[str, Any],
    parent: Mapping[str, str],
    units: Mapping[str, Any],
) -> None:
    _require_mrb(path)
    names = [*volumes, *masks, *transforms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path.name}: {', '.join(twice)} names more than one thing; give each its own name.")
    unknown = sorted(
        {*(set(parent) - set(names)), *(set(parent.values()) - set(transforms)), *(set(units) - set(tables))}
    )
    if unknown:
        raise InputError(f"{path.name}: 'parent' or 'units' names {', '.join(unknown)}, which is not in the scene.")


def _require_mrb(path: Path) -> None:
    if path.suffix.lower() != ".mrb":
        raise InputError(f"A scene bundle ends in .mrb, not {path.name}.")


def _groups(masks: Mapping[str, sitk.Image], parent: Mapping[str, str]) -> list[dict[str, sitk.Image]]:
    """Masks that share grid and parent transform, in order of appearance."""
    by_parent: dict[str | None, dict[str, sitk.Image]] = {}
    for name, mask in masks.items():
        by_parent.setdefault(parent.get(name), {})[name] = mask
    groups = [group for one in by_parent.values() for group in by_grid(one)]
    place = {name: number for number, name in enumerate(masks)}
    return sorted(groups, key=lambda group: place[next(iter(group))])


def _volume_on(group: Mapping[str, sitk.Image], volumes: Mapping[str, Volume]) -> str:
    mask = next(iter(group.values()))
    return next((name for name, volume in volumes.items() if same_grid(volume.image, mask)), "")


def _compress_fast(scene: Any) -> None:
    """Let every storage node compress fast: a scene of whole-body CT is written in seconds."""
    for index in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(index)
        if node.IsA("vtkMRMLStorableNode"):
            if node.GetStorageNode() is None:
                node.AddDefaultStorageNode()
            storage = node.GetStorageNode()
            if storage is not None and hasattr(storage, "GetCompressionParameterFastest"):
                storage.SetCompressionParameter(storage.GetCompressionParameterFastest())


def _write_tables(scene: Any, bundle: Path) -> None:
    root = ElementTree.parse(next(bundle.glob("*.mrml"))).getroot()
    files = {storage.get("id"): bundle / unquote(storage.get("fileName", "")) for storage in root.iter("TableStorage")}
    for table in root.iter("Table"):
        references = dict(item.split(":", 1) for item in table.get("references", "").split(";") if ":" in item)
        rows = rows_from_node(scene.GetNodeByID(table.get("id", "")))
        if rows and references.get("storage") in files:
            lines = [list(rows[0]), *(list(row.values()) for row in rows)]
            text = "".join("\t".join(str(cell) for cell in line) + "\n" for line in lines)
            files[references["storage"]].write_text(text, encoding="utf-8")
