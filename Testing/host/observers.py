"""Which Python observers an object or a scene has: what a panel must not leave behind."""

from __future__ import annotations

from typing import Any


def python_observers(subject: Any) -> int:
    """How many observers from Python ``subject`` has, whoever added them (C++ observers are not counted)."""
    probe = subject.AddObserver("NoEvent", lambda *_: None)
    commands = [subject.GetCommand(tag) for tag in range(1, probe)]
    subject.RemoveObserver(probe)
    return sum(command is not None and command.GetClassName() == "vtkPythonCommand" for command in commands)


def observed(scene: Any) -> dict[str, int]:
    """Python observers on the scene, its nodes and their segmentations, by name, where there are any."""
    found = {"scene": python_observers(scene)}
    for index in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(index)
        found[node.GetID()] = python_observers(node)
        if node.IsA("vtkMRMLSegmentationNode"):
            found[f"segmentation of {node.GetID()}"] = python_observers(node.GetSegmentation())
    return {name: count for name, count in found.items() if count}
