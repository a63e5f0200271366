"""The images of a date to look at and to draw on, made once per series; another series lets go of the former's."""

from __future__ import annotations

from typing import Any

_SERIES = "BoneQuant.series"  # node reference of an image: the sequence that it was made of


def images_of(logic: Any, date: str, sequence: Any) -> tuple[Any, Any]:
    """Image before contrast, and rise of the signal. Raises InputError for a sequence that is no dynamic series."""
    from bonequant.mrml.input_nodes import images_to_nodes

    nodes = logic.nodes()
    anatomy, rise = nodes.get(f"anatomy.{date}"), nodes.get(f"rise.{date}")
    made_of = anatomy.GetNodeReference(_SERIES) if anatomy is not None else None
    if anatomy is not None and rise is not None and made_of is sequence:
        return anatomy, rise
    study = logic.study(date, sequence)
    nodes.put(f"rise.{date}", None)
    if made_of is not None and made_of is not sequence:  # outlines carried onto another scan, and its alignment
        for role in (f"carried.{date}", f"alignment.{date}", f"outlines.{date}"):
            nodes.put(role, None)
    anatomy, rise = images_to_nodes(nodes, study)
    anatomy.SetNodeReferenceID(_SERIES, sequence.GetID())
    return anatomy, rise
