"""The lesion cohort: what is planted is in the images, and nothing but noise in the null cohort."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import SettingsError
from bonequant.phantom import LesionCohortSettings, null_features, simulate_lesion_cohort
from bonequant.radiomics import MazdaSettings, RadiomicsSettings, extract_many
from bonequant.statistics import roc, spearman


@pytest.fixture(scope="module")
def cohort():
    return simulate_lesion_cohort(LesionCohortSettings(lesions=100, patients=70, seed=2))


def test_shape_of_the_cohort(cohort):
    assert len(cohort.cases) == 100 and len(set(cohort.patients)) == 70
    assert len({case.lesion for case in cohort.cases}) == 100
    assert 0.35 < cohort.labels.mean() < 0.65
    for case in cohort.cases[:10]:
        for volume, mask in ((case.ct, case.ct_mask), (case.spect, case.spect_mask)):
            assert volume.image.GetSize() == mask.GetSize()
            inside = sitk.GetArrayViewFromImage(mask) > 0
            assert np.isfinite(volume.array).all()
            assert volume.array[inside].mean() > 1.2 * volume.array[~inside].mean()
        sizes = [
            sitk.GetArrayViewFromImage(mask).sum() * np.prod(mask.GetSpacing())
            for mask in (case.ct_mask, case.spect_mask)
        ]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.05)  # both grids sample one ellipsoid of some 1,000 voxels


def test_signals_have_the_stated_auc():
    """AUC of the hidden signals: SE about sqrt(AUC (1 - AUC)/150) = 0.03, more for resembling lesions."""
    cohort = simulate_lesion_cohort(
        LesionCohortSettings(lesions=600, patients=500, ct_spacing_mm=(6, 6, 9), spect_spacing_mm=(6, 6, 6), seed=1)
    )
    ct, spect = (np.array([getattr(case, name) for case in cohort.cases]) for name in ("ct_signal", "spect_signal"))
    assert roc(cohort.labels, ct).auc == pytest.approx(cohort.best_auc["CT"], abs=0.05)
    assert roc(cohort.labels, spect).auc == pytest.approx(cohort.best_auc["SPECT"], abs=0.05)
    assert roc(cohort.labels, ct + spect).auc == pytest.approx(cohort.best_auc["combined"], abs=0.04)
    assert cohort.best_auc["combined"] > cohort.best_auc["CT"] == cohort.best_auc["SPECT"]


def test_features_see_what_was_planted_where_it_was_planted(cohort):
    """Coarse texture: neighbours alike on CT. Uptake: the SPECT mean. Each modality is blind to the other's signal."""
    ct = extract_many([(case.ct, case.ct_mask) for case in cohort.cases])
    settings = RadiomicsSettings(mazda=MazdaSettings(normalisation="none"))
    spect = extract_many([(case.spect, case.spect_mask) for case in cohort.cases], settings)
    texture = [found["S(1,0)Correlat"] for found in ct]
    uptake = [found["WavEnLL_s-1"] for found in spect]
    ct_signal, spect_signal = ([getattr(case, name) for case in cohort.cases] for name in ("ct_signal", "spect_signal"))
    assert spearman(texture, ct_signal).value > 0.8
    assert spearman(uptake, spect_signal).value > 0.8
    # Both signals follow the class: a correlation of about effect^2/4 / (1 + effect^2/4) = 0.36 is due.
    assert abs(spearman(texture, spect_signal).value) < 0.6


def test_one_seed_gives_one_cohort():
    settings = LesionCohortSettings(lesions=6, patients=4, seed=5)
    first, again = simulate_lesion_cohort(settings), simulate_lesion_cohort(settings)
    assert np.array_equal(first.cases[3].ct.array, again.cases[3].ct.array)
    assert np.array_equal(first.labels, again.labels)
    other = simulate_lesion_cohort(LesionCohortSettings(lesions=6, patients=4, seed=6))
    assert not np.array_equal(first.cases[3].ct.array, other.cases[3].ct.array)


def test_null_features_are_noise_of_papers_size():
    cohort = null_features()
    assert cohort.x.shape == (192, 279) and len(set(cohort.patients)) == 132
    areas = np.array([roc(cohort.labels, column).auc for column in cohort.x.T])
    # The AUC of noise has SD sqrt((n + 1)/(12 n+ n-)) = 0.042; of 279 features the mean lies within 3 SD/sqrt 279.
    assert areas.mean() == pytest.approx(0.5, abs=3 * 0.05 / np.sqrt(279))
    assert 0.03 < areas.std() < 0.06


def test_impossible_cohorts_are_refused():
    with pytest.raises(SettingsError, match="at least one"):
        simulate_lesion_cohort(LesionCohortSettings(lesions=5, patients=6))
