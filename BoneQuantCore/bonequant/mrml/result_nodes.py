"""Nodes that a module made for one parameter node: a new result takes the place of the former, and of no other's."""

from __future__ import annotations

from typing import Any


class ResultNodes:
    """Remembered as node references of ``owner`` (a parameter node), which are saved with the scene.

    Two parameter nodes have results of their own; a node that the user removed is simply made again.
    """

    def __init__(self, owner: Any, prefix: str = "result.") -> None:
        self.owner, self._prefix = owner, prefix

    @property
    def scene(self) -> Any:
        return self.owner.GetScene()

    def get(self, role: str) -> Any:
        """The node made under ``role``; None where there is none."""
        return self.owner.GetNodeReference(self._prefix + role)

    def put(self, role: str, node: Any) -> Any:
        """Make ``node`` (None: nothing) that of ``role``; a former one leaves the scene. Returns ``node``."""
        former = self.get(role)
        self.owner.SetNodeReferenceID(self._prefix + role, node.GetID() if node is not None else None)
        if former is not None and former is not node:
            remove_node(former)
        return node

    def roles(self) -> list[str]:
        """The roles under which a node is remembered."""
        owner = self.owner
        names = [owner.GetNthNodeReferenceRole(index) for index in range(owner.GetNumberOfNodeReferenceRoles())]
        roles = [name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)]
        return [role for role in roles if self.get(role) is not None]

    def clear(self, start: str = "") -> None:
        """Remove the nodes of all roles that begin with ``start``."""
        for role in self.roles():
            if role.startswith(start):
                self.put(role, None)


def remove_node(node: Any) -> None:
    """Take a node out of its scene together with its display nodes and its place in the subject hierarchy."""
    scene = node.GetScene()
    if node.IsA("vtkMRMLDisplayableNode"):
        for display in [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]:
            if display is not None:
                scene.RemoveNode(display)
    hierarchy = scene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.RemoveItem(item, False, False)
    scene.RemoveNode(node)
