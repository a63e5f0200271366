"""The settings of a model's features, from its file: all that decides a value, and nothing else."""

from __future__ import annotations

import json

import pytest
from bonequant.errors import InputError
from bonequant.radiomics.model.model_file import INTENDED_USE, DiagnosticModel
from bonequant.studies.lesion_radiomics import LesionSettings, settings_like
from bonequant.studies.lesion_radiomics.settings import image_recipe

SETTINGS = LesionSettings.from_dict(
    {
        "families": ["ibsi", "mazda"],
        "plane": "sagittal",
        "quantity": "suv",
        "normalisation": "lbm",
        "mazda": {"gradient_size": "3x3"},
        "ct": {"bin_width": 10.0, "classes": ["shape", "glcm"]},
        "functional": {"spacing_mm": [3.0, 3.0, 3.0], "image_types": ["original", "wavelet"]},
    }
)
UNITS = {"CT": ("ct", "HU"), "SPECT": ("functional", "SUVlbm")}


def model(**changes) -> DiagnosticModel:
    recipes = {image: image_recipe(SETTINGS, *where) for image, where in UNITS.items()} | changes
    kept = {image: recipe for image, recipe in recipes.items() if recipe is not None}
    recipes = json.loads(json.dumps(kept))  # as the file holds them
    return DiagnosticModel("both", "metastasis", (), 0.0, 0.5, "", None, recipes, {}, {}, INTENDED_USE, {})


def test_settings_taken_from_a_model_give_its_recipes_and_keep_all_others():
    asked = LesionSettings(perturb=False, alignment="register")
    taken = settings_like(model(), asked)
    for image, where in UNITS.items():
        assert json.loads(json.dumps(image_recipe(taken, *where))) == model().extraction[image]
    assert (taken.perturb, taken.alignment) == (False, "register")
    assert (taken.quantity, taken.normalisation) == ("suv", "lbm")


def test_what_the_model_does_not_need_stays():
    taken = settings_like(model(SPECT=None))
    assert taken.functional == LesionSettings().functional
    assert taken.quantity == "auto"


@pytest.mark.parametrize(("unit", "quantity"), [("Bq/mL", "activity"), ("SUVbsa", "suv"), ("counts", "native")])
def test_the_unit_of_the_model_decides_the_quantity(unit, quantity):
    assert settings_like(model(CT=None, SPECT=image_recipe(SETTINGS, "functional", unit))).quantity == quantity


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (image_recipe(LesionSettings(), "ct", "HU"), "plane differs between its images"),
        ({"unit": "HU"}, "no 'families'"),
        ({**image_recipe(SETTINGS, "ct", "HU"), "mazda": {"newer": 1}}, "has no setting newer"),
    ],
)
def test_a_model_measured_in_another_way_is_told(recipe, says):
    with pytest.raises(InputError, match=says):
        settings_like(model(CT=recipe))
