"""Write law_sweeps.json: every law's formulas, as its paper states them, in arbitrary precision.

Run ``python tests/reference/make_law_sweeps.py`` (a few minutes). Nothing of the library is used:
points are drawn over the whole legal range (x 0 to 10^6, T 10^-3 to 10^5, parameters 10^-3 to 10^4,
a = 1, a + b < 1, b < 1) and the textbook formulas are taken with enough digits for what cancels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mpmath as mp
import numpy as np

N = 36
K = (0, 1, 2, 7)  # counts at which a pmf is taken


def params(rng, names):
    """Rows of parameters 1e-3 to 1e4; a third of the beta pairs at a = 1, b < 1 or a + b < 1."""
    rows = 10.0 ** rng.uniform(-3, 4, (N, len(names)))
    for pair in (("a", "b"), ("gamma", "delta")):
        if pair[0] in names and pair[1] in names:
            i, j = names.index(pair[0]), names.index(pair[1])
            rows[0::6, i] = 1.0
            rows[1::6, [i, j]] = 10.0 ** rng.uniform(-3, np.log10(0.5), (len(rows[1::6]), 2))
            rows[2::6, j] = 10.0 ** rng.uniform(-3, 0, len(rows[2::6]))
    if "s" in names:
        rows[0::6, names.index("s")] = 1.0
    return rows


def histories(rng):
    """Rows of (x, t_x, T), a quarter of them one-time buyers."""
    T = 10.0 ** rng.uniform(-3, 5, N)
    x = np.floor(10.0 ** rng.uniform(0, 6, N))
    x[::4] = 0.0
    x[3] = 1e6
    t_x = np.where(x > 0, T * rng.uniform(0, 1, N) ** 0.3, 0.0)
    return np.column_stack([x, t_x, T])


def periods(rng, contract=False):
    """Rows of whole (x, t_x, T) for laws of opportunities."""
    T = np.floor(10.0 ** rng.uniform(0, 3, N))
    t_x = np.floor(T * rng.uniform(0, 1, N))
    x = np.where(t_x > 0, np.maximum(1, np.floor(t_x * rng.uniform(0, 1, N))), 0.0)
    if contract:
        x = t_x = np.where(np.arange(N) % 2, T, t_x)
    return np.column_stack([x, t_x, T])


def rising(a, x):
    return mp.loggamma(a + x) - mp.loggamma(a)


def beta_ratio(a, b, up, more):
    """B(a + up, b + more) / B(a, b)."""
    return mp.exp(rising(a, up) + rising(b, more) - rising(a + b, up + more))


# ---- NBD -------------------------------------------------------------------------------------


def nbd_likelihood(r, alpha, x, t_x, T):
    return mp.exp(rising(r, x) + r * mp.log(alpha / (alpha + T)) - x * mp.log(alpha + T)), mp.mpf(1)


def nbd_pmf(r, alpha, t, k):
    ways = rising(r, k) - mp.loggamma(k + 1)
    return mp.exp(ways + r * mp.log(alpha / (alpha + t)) + k * mp.log(t / (alpha + t)))


def nbd_orders(r, alpha, t):
    return r * t / alpha


# ---- BG/NBD and MBG/NBD ----------------------------------------------------------------------


def geometric_likelihood(r, alpha, a, b, x, t_x, T, chances):
    flow = rising(r, x) + r * mp.log(alpha)
    stay = beta_ratio(a, b, 0, chances) * mp.exp(flow - (r + x) * mp.log(alpha + T))
    leave = mp.mpf(0)
    if chances > 0:
        leave = beta_ratio(a, b, 1, chances - 1) * mp.exp(flow - (r + x) * mp.log(alpha + t_x))
    return stay + leave, stay / (stay + leave)


def bgnbd_likelihood(r, alpha, a, b, x, t_x, T):
    return geometric_likelihood(r, alpha, a, b, x, t_x, T, x)


def mbgnbd_likelihood(r, alpha, a, b, x, t_x, T):
    return geometric_likelihood(r, alpha, a, b, x, t_x, T, x + 1)


def geometric_pmf(r, alpha, a, b, t, k):
    stay = beta_ratio(a, b, 0, k) * nbd_pmf(r, alpha, t, k)
    if k == 0:
        return stay
    before = mp.fsum(nbd_pmf(r, alpha, t, j) for j in range(int(k)))
    return stay + beta_ratio(a, b, 1, k - 1) * (1 - before)


def geometric_orders(r, alpha, a, b, t):
    """The 2F1 of the paper by Pfaff's transformation; a = 1 is approached from beside."""
    with mp.workdps(90):
        a = a + mp.mpf(10) ** -40 if a == 1 else a
        c = a + b - 1
        tail = mp.hyp2f1(r, a - 1, c, -t / alpha, maxterms=10**7)
        return c / (a - 1) * (1 - tail)


# ---- Pareto/NBD ------------------------------------------------------------------------------


def over_lifetimes(f, low, high, scale):
    """Integral of f over (low, high), panels shrinking towards low."""
    end = mp.log1p((high - low) / scale)
    edges = [mp.mpf(0)] + [end * mp.mpf(2) ** (-j) for j in range(26, -1, -1)]

    def g(v):
        u = mp.expm1(v) * scale
        return f(low + u) * mp.exp(v) * scale

    return mp.quad(g, edges, method="gauss-legendre", maxdegree=5)


def pareto_likelihood(r, alpha, s, beta, x, t_x, T):
    head = rising(r, x) + r * mp.log(alpha)
    stay = mp.exp(head - (r + x) * mp.log(alpha + T) + s * mp.log(beta / (beta + T)))
    top = (r + x) * mp.log(alpha + t_x)

    def f(y):
        return mp.exp(
            top - (r + x) * mp.log(alpha + y) - (s + 1) * mp.log((beta + y) / (beta + t_x))
        )

    inside = over_lifetimes(f, t_x, T, min(alpha, beta) + t_x)
    log_scale = head - top + mp.log(s) + s * mp.log(beta) - (s + 1) * mp.log(beta + t_x)
    left = inside * mp.exp(log_scale)
    return stay + left, stay / (stay + left)


def pareto_pmf(r, alpha, s, beta, t, k):
    stay = nbd_pmf(r, alpha, t, k) * mp.exp(s * mp.log(beta / (beta + t)))

    def f(y):
        return nbd_pmf(r, alpha, y, k) * mp.exp((s + 1) * mp.log(beta / (beta + y))) * s / beta

    return stay + over_lifetimes(f, mp.mpf(0), t, min(alpha, beta))


def pareto_orders(r, alpha, s, beta, t):
    if s == 1:
        return r * beta / alpha * mp.log((beta + t) / beta)
    return r * beta / (alpha * (s - 1)) * (1 - mp.exp((s - 1) * mp.log(beta / (beta + t))))


# ---- discrete time ---------------------------------------------------------------------------


def bgbb_likelihood(alpha, beta, gamma, delta, x, t_x, T):
    stay = beta_ratio(alpha, beta, x, T - x) * beta_ratio(gamma, delta, 0, T)
    left = mp.fsum(
        beta_ratio(alpha, beta, x, i - x) * beta_ratio(gamma, delta, 1, i)
        for i in range(int(t_x), int(T))
    )
    return stay + left, stay / (stay + left)


def bgbb_pmf(alpha, beta, gamma, delta, t, k):
    n = int(t)
    total = mp.mpf(0)
    if k <= n:
        total = mp.binomial(n, k) * beta_ratio(alpha, beta, k, n - k)
        total *= beta_ratio(gamma, delta, 0, n)
    return total + mp.fsum(
        mp.binomial(i, k) * beta_ratio(alpha, beta, k, i - k) * beta_ratio(gamma, delta, 1, i)
        for i in range(int(k), n)
    )


def bgbb_orders(alpha, beta, gamma, delta, t):
    stays = mp.fsum(beta_ratio(gamma, delta, 0, i) for i in range(1, int(t) + 1))
    return alpha / (alpha + beta) * stays


def sbg_likelihood(alpha, beta, x, t_x, T):
    if x < T:
        return beta_ratio(alpha, beta, 1, x), mp.mpf(0)
    return beta_ratio(alpha, beta, 0, T), mp.mpf(1)


def sbg_pmf(alpha, beta, t, k):
    if k > t:
        return mp.mpf(0)
    return beta_ratio(alpha, beta, 0, t) if k == t else beta_ratio(alpha, beta, 1, k)


def sbg_orders(alpha, beta, t):
    return mp.fsum(beta_ratio(alpha, beta, 0, i) for i in range(1, int(t) + 1))


def answers_likelihood(alpha, beta, x, t_x, T):
    return beta_ratio(alpha, beta, x, T - x), mp.mpf(1)


def answers_pmf(alpha, beta, t, k):
    return mp.binomial(t, k) * beta_ratio(alpha, beta, k, t - k) if k <= t else mp.mpf(0)


def answers_orders(alpha, beta, t):
    return t * alpha / (alpha + beta)


# ---- what the future of a history is ---------------------------------------------------------

LAWS = {
    "NBD": (
        ("r", "alpha"), nbd_likelihood, nbd_pmf, nbd_orders,
        lambda p, x, T: (p[0] + x, p[1] + T),
    ),
    "BGNBD": (
        ("r", "alpha", "a", "b"), bgnbd_likelihood, geometric_pmf, geometric_orders,
        lambda p, x, T: (p[0] + x, p[1] + T, p[2], p[3] + x),
    ),
    "MBGNBD": (
        ("r", "alpha", "a", "b"), mbgnbd_likelihood, geometric_pmf, geometric_orders,
        lambda p, x, T: (p[0] + x, p[1] + T, p[2], p[3] + x + 1),
    ),
    "ParetoNBD": (
        ("r", "alpha", "s", "beta"), pareto_likelihood, pareto_pmf, pareto_orders,
        lambda p, x, T: (p[0] + x, p[1] + T, p[2], p[3] + T),
    ),
    "BGBB": (
        ("alpha", "beta", "gamma", "delta"), bgbb_likelihood, bgbb_pmf, bgbb_orders,
        lambda p, x, T: (p[0] + x, p[1] + T - x, p[2], p[3] + T),
    ),
    "ShiftedBetaGeometric": (
        ("alpha", "beta"), sbg_likelihood, sbg_pmf, sbg_orders,
        lambda p, x, T: (p[0], p[1] + T),
    ),
    "BetaBinomialResponse": (
        ("alpha", "beta"), answers_likelihood, answers_pmf, answers_orders,
        lambda p, x, T: (p[0] + x, p[1] + T - x),
    ),
}  # fmt: skip
DISCRETE = ("BGBB", "ShiftedBetaGeometric", "BetaBinomialResponse")


def spend_log_density(p, q, gamma, x, z):
    shape = p * x
    return (
        rising(q, shape)
        - mp.loggamma(shape)
        + q * mp.log(gamma / (gamma + x * z))
        + shape * mp.log(x * z / (gamma + x * z))
        - mp.log(z)
    )


def spend_mean(p, q, gamma, x, z):
    return p * (gamma + x * z) / (p * x + q - 1)


def sweep_of(name):
    """Entries of one purchase law."""
    names, likelihood, pmf, orders, future = LAWS[name]
    rng = np.random.default_rng([len(name), *map(ord, name)])
    theta = params(rng, list(names))
    if name in DISCRETE:
        past = periods(rng, contract=name == "ShiftedBetaGeometric")
        t = np.floor(10.0 ** rng.uniform(0, 2.3, N))
    else:
        past, t = histories(rng), 10.0 ** rng.uniform(-3, 5, N)
    lls, alive, counts, means, forecasts = [], [], [], [], []
    for row, (x, t_x, T), ahead in zip(theta, past, t, strict=True):
        p = [mp.mpf(float(v)) for v in row]
        x, t_x, T, ahead = (mp.mpf(float(v)) for v in (x, t_x, T, ahead))
        value, here = likelihood(*p, x, t_x, T)
        lls.append(float(mp.log(value)))
        alive.append(float(here))
        counts.append([float(pmf(*p, ahead, mp.mpf(k))) for k in K])
        means.append(float(orders(*p, ahead)))
        told = here * orders(*future(p, x, T), ahead) if here > 1e-300 else 0.0
        forecasts.append(float(told))
    inputs = {"params": theta.tolist(), "past": past.tolist(), "t": t.tolist()}
    values = {
        "log_likelihood": lls, "prob_alive": alive, "pmf": counts, "expected_orders": means,
        "conditional_orders": forecasts,
    }  # fmt: skip
    source = "the paper's formula in mpmath; see make_law_sweeps.py"
    return {
        "id": name,
        "value": values,
        "tolerance": 1e-9,
        "source": source,
        "inputs": {**inputs, "counts": list(K)},
    }


def spend_sweep():
    rng = np.random.default_rng(25)
    theta = 10.0 ** rng.uniform(-3, 4, (N, 3))
    x = np.floor(10.0 ** rng.uniform(0, 6, N))
    z = 10.0 ** rng.uniform(-2, 5, N)
    theta[:, 1] = np.where(theta[:, 0] * x + theta[:, 1] <= 1.0, 1.5, theta[:, 1])
    rows = [[mp.mpf(float(v)) for v in (*t, n, m)] for t, n, m in zip(theta, x, z, strict=True)]
    return {
        "id": "GammaGamma",
        "value": {
            "log_likelihood": [float(spend_log_density(*row)) for row in rows],
            "expected_spend": [float(spend_mean(*row)) for row in rows],
        },
        "tolerance": 1e-9,
        "source": "Fader & Hardie (2013) in mpmath; see make_law_sweeps.py",
        "inputs": {"params": theta.tolist(), "x": x.tolist(), "zbar": z.tolist()},
    }


if __name__ == "__main__":
    path = Path(__file__).with_name("law_sweeps.json")
    wanted = sys.argv[1:] or [*LAWS, "GammaGamma"]
    old = {e["id"]: e for e in json.loads(path.read_text())} if path.exists() else {}
    with mp.workdps(330):
        for one in wanted:
            mp.mp.dps = 40 if one == "ParetoNBD" else 330
            old[one] = spend_sweep() if one == "GammaGamma" else sweep_of(one)
    path.write_text(json.dumps(list(old.values())) + "\n")
