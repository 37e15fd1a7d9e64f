"""Logistic regression by Newton's method: a few weights from a few thousand results."""

import numpy as np

RIDGE, ROUNDS = 1e-3, 30


def fit_logistic(features: np.ndarray, good: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Bias and weights of the probability that a result is good.

    Args:
        features: ``[N, F]``, of any scale.
        good: bool ``[N]``.
        weight: ``[N]``, how much each result counts.

    Returns:
        ``[1 + F]`` for the features as they are.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = np.hstack([np.ones((len(features), 1)), (features - mean) / spread])
    weight = weight / weight.sum()
    ridge = RIDGE * np.diag([0.0, *np.ones(features.shape[1])])
    beta = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -50, 50)))
        gradient = x.T @ (weight * (good - chance)) - ridge @ beta
        curvature = (x * (weight * chance * (1 - chance))[:, None]).T @ x + ridge
        beta = beta + np.linalg.solve(curvature + 1e-9 * np.eye(len(beta)), gradient)
    scaled = beta[1:] / spread
    return np.concatenate([[beta[0] - scaled @ mean], scaled])
