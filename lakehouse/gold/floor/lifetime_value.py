"""Lifetime value: BG/NBD for visits, Gamma-Gamma for their worth.

Sources: Fader, Hardie, Lee, "Counting Your Customers the Easy Way" (2005); Fader, Hardie,
"The Gamma-Gamma Model of Monetary Value" (2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakehouse.errors import LakehouseError

Array = npt.NDArray[np.float64]
_STEPS = 500
_REACH = 20.0
"""Farthest logarithm of a parameter."""


@dataclass(frozen=True)
class BgNbd:
    """Buying rate ~ Gamma(r, alpha), dropout after a purchase ~ Beta(a, b). The unit of time is
    that of the data."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = 0.0


@dataclass(frozen=True)
class GammaGamma:
    """Value of a transaction ~ Gamma(p, nu), nu ~ Gamma(q, v)."""

    p: float
    q: float
    v: float
    log_likelihood: float = 0.0


def fit_bg_nbd(
    frequency: Array, recency: Array, age: Array, *, prior: BgNbd | None = None
) -> BgNbd:
    """Maximum likelihood, or with a `prior` the mode of the posterior whose log parameters are
    normal around the prior's with a standard deviation of 0.5.

    `frequency` counts repeat transactions; `recency` runs from first to last transaction and
    `age` from the first to now. Raises LakehouseError where the search does not converge.
    """
    from scipy.special import digamma, gammaln

    x, tx = frequency, recency
    repeats, index = np.unique(x, return_inverse=True)
    repeated = x > 0

    def terms(theta: Array) -> tuple[float, Array]:
        r, alpha, a, b = theta
        log_alive, log_gone = np.log(alpha + age), np.log(alpha + tx)
        by_x = gammaln(r + repeats) - gammaln(r) + gammaln(a + b) - gammaln(a + b + repeats)
        by_x = by_x + gammaln(b + repeats) - gammaln(b) + r * np.log(alpha)
        alive = -(r + x) * log_alive
        last = np.where(repeated, b + x - 1, 1.0)
        gone = np.where(repeated, np.log(a) - np.log(last) - (r + x) * log_gone, -np.inf)
        either = np.logaddexp(alive, gone)
        share = np.exp(gone - either)
        spent = digamma(a + b) - digamma(a + b + repeats)
        d_r = (digamma(r + repeats) - digamma(r) + np.log(alpha))[index]
        d_r -= (1 - share) * log_alive + share * log_gone
        d_alpha = r / alpha - (r + x) * ((1 - share) / (alpha + age) + share / (alpha + tx))
        d_a = spent[index] + share / a
        d_b = (spent + digamma(b + repeats) - digamma(b))[index] - share / last
        total = float(np.sum(by_x[index] + either))
        return total, np.array([d.sum() for d in (d_r, d_alpha, d_a, d_b)])

    mode = None if prior is None else np.array([prior.r, prior.alpha, prior.a, prior.b])
    found, likelihood = _climb(terms, np.array([1.0, 1.0, 1.0, 1.0]), mode, x.size, "BG/NBD")
    r, alpha, a, b = map(float, found)
    return BgNbd(r, alpha, a, b, likelihood)


def fit_gamma_gamma(
    frequency: Array, value: Array, *, prior: GammaGamma | None = None
) -> GammaGamma:
    """Fits the spend of a transaction by greatest likelihood, as `fit_bg_nbd` fits their number,
    to the mean `value` of `frequency` transactions, both above zero. It searches over q - 1 and
    not q: a q under 1 has no mean, and would expect less than nothing of some patrons."""
    from scipy.special import digamma, gammaln

    x, mean = frequency, value
    counts, index = np.unique(x, return_inverse=True)
    log_total = np.log(x * mean)

    def terms(theta: Array) -> tuple[float, Array]:
        p, q, v = theta[0], 1 + theta[1], theta[2]
        log_sum = np.log(x * mean + v)
        by_x = gammaln(p * counts + q) - gammaln(p * counts) - gammaln(q) + q * np.log(v)
        rest = p * x * log_total - np.log(mean) - (p * x + q) * log_sum
        shape = (digamma(p * counts + q) - digamma(p * counts))[index]
        d_p = x * (shape + log_total - log_sum)
        d_q = (digamma(p * counts + q) - digamma(q))[index] + np.log(v) - log_sum
        d_v = q / v - (p * x + q) / (x * mean + v)
        total = float(np.sum(by_x[index] + rest))
        return total, np.array([d.sum() for d in (d_p, d_q, d_v)])

    mode = None if prior is None else np.array([prior.p, prior.q - 1, prior.v])
    start = np.array([1.0, 1.0, float(np.mean(mean)) if mean.size else 1.0])
    found, likelihood = _climb(terms, start, mode, x.size, "Gamma-Gamma")
    p, beyond, v = map(float, found)
    return GammaGamma(p, 1 + beyond, v, likelihood)


def p_alive(model: BgNbd, frequency: Array, recency: Array, age: Array) -> Array:
    """Probability of not having dropped out; 1 where nothing was repeated."""
    from scipy.special import expit

    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    last = np.where(frequency > 0, b + frequency - 1, 1.0)
    log_odds = np.log(a / last) + (r + frequency) * np.log((alpha + age) / (alpha + recency))
    return np.where(frequency > 0, expit(-log_odds), 1.0)


def expected_transactions(
    model: BgNbd, horizon: float, frequency: Array, recency: Array, age: Array
) -> Array:
    """Expected transactions within `horizon` from now. Euler's transformation keeps the
    hypergeometric function near 1 for patrons with hundreds of visits; the formula has a limit
    at a = 1, which is stepped around."""
    from scipy.special import hyp2f1

    r, alpha, b = model.r, model.alpha, model.b
    a = model.a if abs(model.a - 1) > 1e-6 else 1 + 1e-6
    z = horizon / (alpha + age + horizon)
    series = hyp2f1(a + b - 1 - r, a - 1, a + b + frequency - 1, z)
    growth = (a + b + frequency - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * series)
    return growth * p_alive(model, frequency, recency, age)


def expected_value(model: GammaGamma, frequency: Array, value: Array) -> Array:
    """Expected mean value of a transaction, given `frequency` seen with mean `value`."""
    total = model.p * (model.v + frequency * value)
    return total / (model.p * frequency + model.q - 1)


def _climb(
    terms: Callable[[Array], tuple[float, Array]],
    start: Array,
    mode: Array | None,
    patrons: int,
    name: str,
) -> tuple[Array, float]:
    from scipy.optimize import minimize

    def descend(log_theta: Array) -> tuple[float, Array]:
        theta = np.exp(np.clip(log_theta, -_REACH, _REACH))
        total, slope = terms(theta)
        away = np.zeros_like(theta) if mode is None else log_theta - np.log(mode)
        loss, uphill = 2 * float(away @ away) - total, 4 * away - slope * theta
        return loss / patrons, uphill / patrons

    begin = np.log(start if mode is None else mode)
    found = minimize(
        descend, begin, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": _STEPS}
    )
    if found.nit >= _STEPS or not np.isfinite(found.x).all():
        raise LakehouseError(f"{name} fit of {patrons} patrons did not converge: {found.message}")
    best = np.exp(found.x)
    return best, terms(best)[0]
