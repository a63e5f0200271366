"""The images of a date to look at and to draw on, made once per series; another series lets go of the former's."""

from __future__ import annotations

from typing import Any

_SERIES = "BoneQuant.series"  # node reference of an image: the sequence that it was made of


def images_of(logic: Any, date: str, sequence: Any, made: Any = None) -> tuple[Any, Any]:
    """Image before contrast, and rise of the signal. Raises InputError for a sequence that is no dynamic series.

    ``made``: the images, where they were made from this sequence's frames already.
    """
    from bonequant.mrml.input_nodes import images_of_date, images_to_nodes

    nodes = logic.nodes()
    anatomy, rise = nodes.get(f"anatomy.{date}"), nodes.get(f"rise.{date}")
    made_of = anatomy.GetNodeReference(_SERIES) if anatomy is not None else None
    if anatomy is not None and rise is not None and made_of is sequence:
        return anatomy, rise
    made = made or images_of_date(logic.study(date, sequence))
    nodes.put(f"rise.{date}", None)
    if made_of is not None and made_of is not sequence:  # outlines carried onto another scan, and its alignment
        for role in (f"carried.{date}", f"alignment.{date}", f"outlines.{date}"):
            nodes.put(role, None)
    anatomy, rise = images_to_nodes(nodes, date, made)
    anatomy.SetNodeReferenceID(_SERIES, sequence.GetID())
    return anatomy, rise


def study_to_scene(logic: Any, one: Any, run: Any) -> dict[str, Any]:
    """Nodes of a study that was read, and its images; what takes long is made by ``run``, beside the interface."""
    from bonequant.mrml.dce_nodes import date_to_nodes
    from bonequant.mrml.input_nodes import images_of_date
    from bonequant.mrml.sequences import frame_images

    frames, images = run(lambda progress: (frame_images(one.dce.series), images_of_date(one)))
    nodes = date_to_nodes(one, logic.nodes().scene, frames)
    images_of(logic, one.name, nodes["sequence"], images)
    return nodes
