"""A place in the subject hierarchy: one folder for each study, with folders for its parts in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bonequant.errors import InputError


def place(nodes: Iterable[Any], *folders: str) -> int:
    """Put nodes into nested folders, which are made where they are missing: ``place(maps, "DCE before", "Maps")``.

    Returns:
        The subject hierarchy item of the innermost folder.

    Raises:
        InputError: no folder is named, or a node is in no scene.
    """
    nodes = list(nodes)
    scenes = {node.GetScene() for node in nodes if node is not None}
    if not folders or not nodes or scenes != {nodes[0].GetScene()} or nodes[0].GetScene() is None:
        raise InputError("A place in the subject hierarchy needs a folder's name, and nodes that are in one scene.")
    hierarchy = nodes[0].GetScene().GetSubjectHierarchyNode()
    folder = hierarchy.GetSceneItemID()
    for name in folders:
        folder = hierarchy.GetItemChildWithName(folder, name) or hierarchy.CreateFolderItem(folder, name)
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.SetItemParent(item, folder)
        else:
            hierarchy.CreateItem(folder, node)
    return int(folder)
