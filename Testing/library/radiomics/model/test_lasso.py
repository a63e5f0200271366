"""The LASSO path against closed solutions, its optimality conditions, another solver, and the definitions of its CV."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.radiomics.model.lasso import KKT, kkt_violation, lambda_sequence, lasso_path
from bonequant.radiomics.model.lasso_cv import cross_validate
from scipy.special import expit, logit


def noise(n: int, p: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Correlated columns of SD 1 and labels that two of them decide in part."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, p))
    x[:, 1::2] = 0.8 * x[:, 0::2] + 0.6 * x[:, 1::2]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, (x[:, 0] - x[:, 3] + random.normal(size=n) > 0).astype(float)


def test_one_binary_feature_has_a_closed_solution():
    """x = +-1 with a share q and 1 - q of positives: the conditions give b = logit(q - lambda), 0 from q - 1/2 on."""
    x = np.repeat([1.0, -1.0], 20)[:, None]
    y = np.array([1.0] * 15 + [0.0] * 5 + [1.0] * 5 + [0.0] * 15)
    lambdas = lambda_sequence(x, y, 30, 0.01)
    assert lambdas[0] == pytest.approx(0.25, abs=1e-15)
    path = lasso_path(x, y, lambdas)
    # The slope of the gradient is p(1 - p) >= 0.19 here, so the coefficient is known to KKT / 0.19.
    np.testing.assert_allclose(path.coefficients[:, 0], logit(0.75 - lambdas), atol=KKT / 0.18)
    np.testing.assert_allclose(path.intercepts, 0, atol=KKT / 0.18)


@pytest.mark.parametrize(("n", "p"), [(80, 120), (150, 30), (40, 1)])
def test_the_path_meets_the_optimality_conditions(n, p):
    x, y = noise(n, p if p > 1 else 4)
    x = x[:, :p]
    path = lasso_path(x, y, lambda_sequence(x, y))
    reached = range(min(path.saturated + 1, len(path.lambdas)))
    worst = max(
        kkt_violation(x, y, float(path.lambdas[at]), path.coefficients[at], float(path.intercepts[at]))
        for at in reached
    )
    assert worst <= 2 * KKT  # the solver's own matrix products round otherwise
    assert path.nonzero[0] == 0 and path.nonzero[-1] > 0
    assert np.all(np.diff(path.deviance) <= 1e-9)


def test_the_objective_is_no_worse_than_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    x, y = noise(100, 40)
    lambdas = lambda_sequence(x, y)[[20, 50]]
    path = lasso_path(x, y, lambda_sequence(x, y)[:51])
    for penalty, at in zip(lambdas.tolist(), (20, 50), strict=True):
        other = LogisticRegression(l1_ratio=1.0, C=1 / (len(y) * penalty), solver="saga", tol=1e-8, max_iter=20000)
        other.fit(x, y)
        np.testing.assert_allclose(path.coefficients[at], other.coef_[0], atol=1e-4)  # where saga's own steps end


def test_separated_classes_end_the_path_early():
    x, _ = noise(60, 20)
    y = (x[:, 0] > 0).astype(float)
    path = lasso_path(x, y, lambda_sequence(x, y, 100, 1e-6))
    assert path.saturated < 99
    assert path.deviance[path.saturated] < 0.001 * path.null_deviance or path.saturated > 0
    assert np.all(np.isfinite(path.coefficients))
    np.testing.assert_array_equal(path.coefficients[-1], path.coefficients[path.saturated])


def test_lambda_min_and_1se_follow_their_definitions():
    """Recomputed fold by fold, lambda by lambda, with probabilities instead of log odds."""
    x, y = noise(90, 12, seed=3)
    fold = np.arange(90) % 7  # folds of 13 and 12 lesions: the weights matter
    found = cross_validate(x, y, fold, count=25)
    lambdas = found.path.lambdas
    means, sizes = [], []
    for k in range(7):
        train, test = fold != k, fold == k
        centre, spread = x[train].mean(axis=0), x[train].std(axis=0)
        path = lasso_path((x[train] - centre) / spread, y[train], lambdas)
        loss = []
        for beta, intercept in zip(path.coefficients, path.intercepts, strict=True):
            p = np.clip(expit((x[test] - centre) / spread @ beta + intercept), 1e-5, 1 - 1e-5)
            loss.append(np.mean(-2 * (y[test] * np.log(p) + (1 - y[test]) * np.log1p(-p))))
        means.append(loss)
        sizes.append(test.sum())
    mean = np.average(means, axis=0, weights=sizes)
    error = np.sqrt(np.average((np.array(means) - mean) ** 2, axis=0, weights=sizes) / 6)
    np.testing.assert_allclose(found.mean_deviance, mean, rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, error, rtol=1e-10)
    assert found.lambda_min == lambdas[mean == mean.min()].max()
    assert found.lambda_1se == lambdas[mean <= mean.min() + error[mean.argmin()]].max()
    assert found.lambda_1se >= found.lambda_min


def test_features_without_any_relation_are_refused():
    with pytest.raises(InputError, match="uncorrelated"):
        lambda_sequence(np.array([[1.0], [-1.0], [1.0], [-1.0]]), np.array([1.0, 1.0, 0.0, 0.0]))
