"""While the user draws: outlines carried to the other date, curves and values of the comparison measured anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

_DELAY_S = 0.08


class LiveDrawing:
    """Runs from :meth:`start` to :meth:`stop`; observers end with it, or with the scene.

    ``carried``: the segmentation on the date that was not drawn on, by the name of the date.
    """

    def __init__(self, measured: Callable[[], None]) -> None:
        self._measured = measured
        self.propagation: Any = None
        self.curves: Any = None
        self.carried: dict[str, Any] = {}
        self._observed: list[tuple[Any, int]] = []
        self._waiting: set[str] = set()

    def start(self, result: Any, nodes: Any, regions: dict[str, Any]) -> None:
        """Follow the outlines of a result.

        Args:
            result: of the comparison.
            nodes: ResultNodes with its images.
            regions: segmentation by the name of the date on which it was drawn; None where there is none.
        """
        from bonequant.mrml import LivePropagation
        from bonequant.mrml.live_curves import LiveCurves
        from BoneQuantPanels.later import call_later

        self.stop()
        names = [one.name for one in result.dates]
        home = names[result.alignment.home]
        source = regions.get(home)
        if source is None:
            return
        self.curves = LiveCurves(result, nodes)
        others = {name: nodes.get(f"anatomy.{name}") for name in names if name != home}

        def follow(segment_ids: list[str]) -> None:
            if not self.carried:  # while the outlines are carried for the first time, nothing has been drawn yet
                return
            self.curves.update(home, source, segment_ids)
            for name, node in self.carried.items():
                if regions.get(name) is None:
                    self.curves.update(name, node, segment_ids)
            self._measured()

        volumes = [node for node in others.values() if node is not None]
        self.propagation = LivePropagation(source, volumes, on_update=follow, schedule=call_later, delay_s=_DELAY_S)
        targets = self.propagation.targets
        self.carried = {name: targets[node.GetID()] for name, node in others.items() if node is not None}
        for name, node in {**self.carried, **{n: r for n, r in regions.items() if r is not None and n != home}}.items():
            self._follow_later_date(name, node)

    def stop(self) -> None:
        if self.propagation is not None:
            self.propagation.stop()
        while self._observed:
            subject, tag = self._observed.pop()
            subject.RemoveObserver(tag)
        self.propagation = self.curves = None
        self.carried = {}
        self._waiting.clear()

    def _follow_later_date(self, name: str, node: Any) -> None:
        """What is drawn or adjusted at the other date."""
        from bonequant.mrml.live import ADJUSTED
        from BoneQuantPanels.later import call_later

        def measure() -> None:
            self._waiting.discard(name)
            if self.curves is None:
                return
            segmentation = node.GetSegmentation()
            ids = [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]
            if node is self.carried.get(name):
                ids = [one for one in ids if segmentation.GetSegment(one).HasTag(ADJUSTED)]
            if self.curves.update(name, node, ids):
                self._measured()

        def changed(*_: Any) -> None:
            if name not in self._waiting:
                self._waiting.add(name)
                call_later(_DELAY_S, measure)

        for event in (
            slicer.vtkSegmentation.SourceRepresentationModified,
            slicer.vtkSegmentation.RepresentationModified,
        ):
            self._observed.append((node, node.AddObserver(event, changed)))
        scene = node.GetScene()
        self._observed.append((scene, scene.AddObserver(scene.StartCloseEvent, lambda *_: self.stop())))
