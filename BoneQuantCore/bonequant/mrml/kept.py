"""Result nodes that belong to an input node: found again, and filled again, instead of piling up.

The input refers to them by role (``BoneQuant.<role>``), so that this holds after the scene was saved and opened, and
results of two patients in one scene do not mix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bonequant.mrml.tables import rows_into_node
from bonequant.volume import Volume

_PREFIX = "BoneQuant."


def kept_node(owner: Any, role: str) -> Any:
    """The result of ``owner`` in this role, None where there is none (any more)."""
    return owner.GetNodeReference(_PREFIX + role)


def keep(owner: Any, role: str, node: Any) -> Any:
    """Make ``node`` the result of ``owner`` in this role (None: there is none); returns it."""
    owner.SetNodeReferenceID(_PREFIX + role, node.GetID() if node is not None else None)
    return node


def kept_table(
    owner: Any, role: str, name: str, rows: Sequence[Mapping[str, Any]], units: Mapping[str, str] | None = None
) -> Any:
    """The table node of this role with ``rows``; None, and an emptied table, where there are no rows."""
    node = kept_node(owner, role)
    if not rows:
        if node is not None:
            node.RemoveAllColumns()
        return None
    if node is None:
        node = keep(owner, role, owner.GetScene().AddNewNodeByClass("vtkMRMLTableNode", name))
    rows_into_node(rows, node, units={key: unit for key, unit in (units or {}).items() if key in rows[0]})
    return node


def kept_map(owner: Any, role: str, name: str, volume: Volume, quantity: str, window: tuple[float, float]) -> Any:
    """The volume node of this role with these voxels, under the parent transform of ``owner`` if it can have one.

    Its colours and window are set when it is made; the user's choice stays when it is filled again.
    """
    from bonequant.mrml.maps import map_to_node
    from bonequant.mrml.volumes import fill_node, volume_to_node

    node = kept_node(owner, role)
    if node is not None:
        fill_node(node, volume)
    elif quantity:
        node = keep(owner, role, map_to_node(volume, quantity, name, owner.GetScene(), window=window))
    else:
        node = keep(owner, role, volume_to_node(volume, name, owner.GetScene()))
        node.GetDisplayNode().SetWindowLevelMinMax(*window)
    if owner.IsA("vtkMRMLTransformableNode"):  # a sequence is none
        node.SetAndObserveTransformNodeID(owner.GetTransformNodeID())
    return node
