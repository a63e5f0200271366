"""What the logic remembers of a functional volume while the session lasts: alignment, found regions, results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class MeasuredDate:
    """One functional volume node.

    ``registration`` counts as long as the nodes lie as it laid them; ``found`` as long as inputs and settings are those
    of ``found_for``.
    """

    registration: Any = None
    registered_as: Any = None
    found: Any = None
    found_for: Any = None
    result: Any = None
    content: Any = None
    later: tuple[Any, ...] = ()
    follow_up: Any = None


@dataclass
class Memory:
    """By node itself: after a scene was closed another patient's node may have the same ID."""

    dates: dict[Any, MeasuredDate] = field(default_factory=dict)
    series: dict[Any, tuple[str, Any]] = field(default_factory=dict)

    def date(self, functional: Any) -> MeasuredDate:
        for gone in [node for node in self.dates if node is not None and node.GetScene() is None]:
            del self.dates[gone]
        return self.dates.setdefault(functional, MeasuredDate())

    def keep_series(self, node: Any, job: str, result: Any) -> None:
        self.series = {one: known for one, known in self.series.items() if one.GetScene() is not None}
        self.series[node] = (job, result)

    def of_series(self, node: Any, job: str) -> Any:
        """The last result of ``job`` for a sequence node; None where there is none."""
        known = self.series.get(node)
        return known[1] if known is not None and known[0] == job else None


def alignment_of(functional: Any, ct: Any) -> Any:
    """How two nodes lie to each other, comparable: a matrix as bytes, or the state of a transform that is none."""
    from bonequant import mrml
    from bonequant.errors import InputError
    from bonequant.volume import is_linear
    from bonequant.volume.geometry import matrix_of

    try:
        between = mrml.transform_between(ct, functional)
    except InputError:
        between = None
    if between is not None and is_linear(between):
        return matrix_of(between).tobytes()
    parent = functional.GetParentTransformNode()
    return (parent.GetID(), parent.GetTransformFromParent().GetMTime()) if parent is not None else None


def kept_nodes(owner: Any) -> dict[str, dict[str, Any]]:
    """Tables, charts and maps that belong to a node, by kind and name; those that are there."""
    from bonequant.mrml.kept import kept_node

    found: dict[str, dict[str, Any]] = {"tables": {}, "charts": {}, "maps": {}}
    if owner is None:
        return found
    roles = [owner.GetNthNodeReferenceRole(index) for index in range(owner.GetNumberOfNodeReferenceRoles())]
    prefixes = {"BoneQuant.Table.": "tables", "BoneQuant.Chart.": "charts", "BoneQuant.Map.": "maps"}
    for role in roles:
        for prefix, kind in prefixes.items():
            node = kept_node(owner, role.removeprefix("BoneQuant.")) if role.startswith(prefix) else None
            if node is not None:
                found[kind][role.removeprefix(prefix)] = node
    return found


def directly(work: Callable[[Callable[[float, str], None]], Any]) -> Any:
    """Work without a panel: in this thread, reporting to nobody."""
    return work(lambda fraction, message: None)


def written(job: Any, result: Any, folder: Any, work: Callable[..., Any], **options: Any) -> Path:
    """``job.write`` of a result, as work. Raises InputError where nothing was measured in this session."""
    from bonequant.errors import InputError

    if result is None:
        raise InputError("There is no result to report in this session: measure first.")

    def write(progress: Callable[[float, str], None]) -> Path:
        progress(0.0, "Writing the report")
        return job.write(result, Path(folder), **options)

    return work(write)
