"""The bridge inside the Slicer application: same scene, same place, nothing of the library's own beside it.

Run by ctest through slicer.testing, or with: Slicer --no-main-window --testing --python-script BoneQuantBridgeTest.py
"""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import slicer
import vtk


class BoneQuantBridgeTest(unittest.TestCase):
    def setUp(self):
        from bonequant import mrml

        self.scene = mrml.embedded()
        self.scene.Clear(0)
        self.image = sitk.GaussianSource(sitk.sitkFloat32, (24, 20, 16), (5, 5, 5), (12, 10, 8))
        self.image.SetSpacing((2.0, 2.5, 3.0))
        self.image.SetOrigin((-20.0, 15.0, 7.0))
        self.image.SetDirection(sitk.VersorTransform((0.3, 0.5, 0.2), 0.7).GetMatrix())

    def test_the_scene_is_slicers(self):
        self.assertIs(self.scene, slicer.mrmlScene)

    def test_slicers_sampling_sees_the_voxel_where_simpleitk_puts_it(self):
        from bonequant import mrml

        node = mrml.to_node(self.image, "SPECT")
        to_ijk = vtk.vtkMatrix4x4()
        node.GetRASToIJKMatrix(to_ijk)
        x, y, z = self.image.TransformIndexToPhysicalPoint((3, 4, 5))
        np.testing.assert_allclose(to_ijk.MultiplyPoint((-x, -y, z, 1.0))[:3], (3, 4, 5), atol=1e-9)

    def test_a_scene_bundle_is_loaded_by_slicer(self):
        from bonequant import mrml
        from bonequant.volume import Volume

        with tempfile.TemporaryDirectory() as folder:
            path = mrml.write_scene(
                Path(folder) / "bundle.mrb",
                volumes={"SPECT": Volume(self.image, "NM", "SUVbw")},
                masks={"lesion_1": sitk.Cast(self.image > 100, sitk.sitkUInt8)},
                transforms={"registration": sitk.TranslationTransform(3, (5.0, 0.0, 0.0))},
                parent={"SPECT": "registration"},
            )
            if hasattr(slicer, "app"):
                self.assertTrue(slicer.util.loadScene(str(path)))
                scene = slicer.mrmlScene
            else:
                scene = mrml.read_scene(path)
        volume, regions = scene.GetFirstNodeByName("SPECT"), scene.GetFirstNodeByName("Regions on SPECT")
        self.assertEqual(volume.GetParentTransformNode().GetName(), "registration")
        np.testing.assert_array_equal(mrml.from_node(volume).array, sitk.GetArrayFromImage(self.image))
        self.assertEqual(list(mrml.from_node(regions)), ["lesion_1"])


if __name__ == "__main__":
    unittest.main(argv=["BoneQuantBridgeTest"], exit=False)
