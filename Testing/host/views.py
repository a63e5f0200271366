"""Slice and 3D views rendered off-screen by Slicer's own displayable managers, shown as pictures in Qt widgets."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtkmodules.vtkInteractionStyle
import vtkmodules.vtkRenderingFreeType
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401 - registers the factories
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLogger
from vtkmodules.vtkRenderingCore import (
    vtkActor2D,
    vtkImageMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkRenderWindowInteractor,
    vtkWindowToImageFilter,
)

from .mrml_widgets import HasScene
from .standing_in import stand_in

_SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
    "vtkMRMLColorLegendDisplayableManager",
)
_THREE_D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLVolumeRenderingDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)


def render_window() -> Any:
    """A window that needs no display; VTK's warning that there is none is not shown."""
    before = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    vtkLogger.SetStderrVerbosity(before)
    return window


class RenderedView(HasScene, QWidget):
    """A VTK render window off-screen; painted as its last picture, rendered when it is painted."""

    def __init__(self, factory: Any, managers: tuple[str, ...], node: Any, logic: Any) -> None:
        super().__init__()
        self._window, self._renderer = render_window(), vtkRenderer()
        self._window.AddRenderer(self._renderer)
        self._interactor = vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        factory.SetMRMLApplicationLogic(logic)
        for manager in managers:
            if hasattr(slicer, manager) and not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self._managers = factory.InstantiateDisplayableManagers(self._renderer)
        self._managers.SetMRMLDisplayableNode(node)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 90)

    def renderWindow(self) -> Any:
        return self._window

    def interactor(self) -> Any:
        return self._interactor

    def renderer(self) -> Any:
        return self._renderer

    def getDisplayableManagers(self, collection: Any) -> None:
        for index in range(self._managers.GetDisplayableManagerCount()):
            collection.AddItem(self._managers.GetNthDisplayableManager(index))

    def scheduleRender(self) -> None:
        self.update()

    def forceRender(self) -> None:
        self._window.Render()

    def picture(self) -> np.ndarray:
        """The view as it is now: (height, width, 3) uint8."""
        self._window.SetSize(max(self.width, 1), max(self.height, 1))
        self._window.Render()
        grab = vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        data = grab.GetOutput()
        width, height, _ = data.GetDimensions()
        return np.ascontiguousarray(vtk_to_numpy(data.GetPointData().GetScalars()).reshape(height, width, 3)[::-1])

    def paintEvent(self, event: Any) -> None:
        array = self.picture()
        image = QImage(array.data, array.shape[1], array.shape[0], 3 * array.shape[1], QImage.Format.Format_RGB888)
        QPainter(self).drawImage(self.rect, image)

    def end(self) -> None:
        """Let go of the scene and of the window."""
        self._managers.SetMRMLDisplayableNode(None)
        self._interactor.SetRenderWindow(None)
        self._window.Finalize()


@stand_in
class qMRMLSliceView(RenderedView):
    def __init__(self, node: Any, slice_logic: Any, application_logic: Any) -> None:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        super().__init__(factory, _SLICE_MANAGERS, node, application_logic)
        self._node, self._logic = node, slice_logic
        self._mapper = vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._image = vtkActor2D()
        self._image.SetMapper(self._mapper)
        self._image.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(self._image)

    def mrmlSliceNode(self) -> Any:
        return self._node

    def picture(self) -> np.ndarray:
        blended = self._logic.GetImageDataConnection()  # another one whenever a layer comes or goes
        self._mapper.SetInputConnection(blended)
        self._image.SetVisibility(blended is not None)
        return super().picture()

    def resizeEvent(self, event: Any) -> None:
        self._logic.ResizeSliceNode(max(self.width, 1), max(self.height, 1))


@stand_in
class qMRMLThreeDView(RenderedView):
    def __init__(self, node: Any, application_logic: Any) -> None:
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        super().__init__(factory, _THREE_D_MANAGERS, node, application_logic)
        self._node = node
        self._renderer.GradientBackgroundOn()
        self._renderer.SetBackground(node.GetBackgroundColor())
        self._renderer.SetBackground2(node.GetBackgroundColor2())

    def mrmlViewNode(self) -> Any:
        return self._node

    def resetFocalPoint(self) -> None:
        self._renderer.ResetCamera()

    def resetCamera(self) -> None:
        self._renderer.ResetCamera()


class _Controller(QWidget):
    """The coloured bar above a view."""

    def __init__(self, label: str, colour: str) -> None:
        super().__init__()
        self._label, self._colour = QLabel(label), QColor(colour)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.minimumWidth = 22
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 1, 6, 1)
        layout.addWidget(self._label)
        self.setFixedHeight(20)

    def paintEvent(self, event: Any) -> None:
        QPainter(self).fillRect(self.rect, self._colour)


class _SliceController(_Controller):
    def __init__(self, label: str, colour: str, logic: Any) -> None:
        super().__init__(label, colour)
        self._logic = logic
        self._slider, self._offset = QSlider(Qt.Orientation.Horizontal), QLabel()
        self._offset.minimumWidth = 64
        self._offset.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.layout().addWidget(self._slider, 1)
        self.layout().addWidget(self._offset)

    def setSliceOffsetValue(self, offset: float) -> None:
        self._logic.SetSliceOffset(offset)

    def sliceOffsetSlider(self) -> QSlider:
        return self._slider

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        bounds = [0.0] * 6
        self._logic.GetLowestVolumeSliceBounds(bounds)
        low, high, offset = bounds[4], bounds[5], self._logic.GetSliceOffset()
        if high > low:
            self._slider.value = round(99 * (offset - low) / (high - low))
        self._offset.text = f"{offset:.1f} mm"


@stand_in
class qMRMLSliceWidget(HasScene, QWidget):
    def __init__(self, node: Any, slice_logic: Any, application_logic: Any) -> None:
        super().__init__()
        self._view = qMRMLSliceView(node, slice_logic, application_logic)
        colour = QColor.fromRgbF(*node.GetLayoutColor()).name()
        self._controller = _SliceController(node.GetLayoutLabel() or node.GetLayoutName(), colour, slice_logic)
        self._node, self._logic = node, slice_logic
        _stack(self, self._controller, self._view)

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def sliceController(self) -> _SliceController:
        return self._controller

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._node

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def end(self) -> None:
        self._view.end()


@stand_in
class qMRMLThreeDWidget(HasScene, QWidget):
    def __init__(self, node: Any, application_logic: Any) -> None:
        super().__init__()
        self._view = qMRMLThreeDView(node, application_logic)
        self._controller = _Controller(node.GetLayoutLabel() or "1", QColor.fromRgbF(*node.GetLayoutColor()).name())
        self._node = node
        _stack(self, self._controller, self._view)

    def threeDView(self) -> qMRMLThreeDView:
        return self._view

    def threeDController(self) -> _Controller:
        return self._controller

    def mrmlViewNode(self) -> Any:
        return self._node

    def end(self) -> None:
        self._view.end()


def _stack(widget: QWidget, *parts: QWidget) -> None:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for part in parts:
        layout.addWidget(part)
