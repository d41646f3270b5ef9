"""Golden values of the distributions in `numerics`: python3 generate.py > values.csv

Fifty working digits of mpmath; quantiles by root finding on the logarithm of the nearer tail. The points are the rows
of a scan in which a common library was wrong, and a grid around them.
"""
import mpmath as mp

mp.mp.dps = 50
print("function,a,b,x,value")


def out(function, a, b, x, value):
    print(f"{function},{a!r},{b!r},{x!r},{mp.nstr(value, 20)}")


def t_sf(df, t):
    df, t = mp.mpf(df), mp.mpf(t)
    if t < 0:
        return 1 - t_sf(df, -t)
    x = df / (df + t * t)
    if x > mp.mpf(1) / 2:  # P(0 < T < t) by its own series, then the complement at 50 digits
        return mp.mpf(1) / 2 - mp.betainc(mp.mpf(1) / 2, df / 2, 0, 1 - x, regularized=True) / 2
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, x, regularized=True) / 2


def t_centre(df, t):
    df, t = mp.mpf(df), mp.mpf(t)
    return mp.betainc(mp.mpf(1) / 2, df / 2, 0, t * t / (df + t * t), regularized=True) / 2


def t_pdf(df, t):
    df, t = mp.mpf(df), mp.mpf(t)
    return mp.exp(
        mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(mp.pi * df) / 2
        - (df + 1) / 2 * mp.log1p(t * t / df)
    )


def t_far(df, t):
    """P(T > t) where fifty digits would cancel: the same series with four hundred."""
    with mp.workdps(400):
        return +t_sf(df, t)


DFS = [1.0, 1.8, 1.8429, 2.5, 2.6, 4.0, 5.3, 10.0, 18.236, 29.0, 39.9, 40.1, 100.0, 300.0, 394.0, 1e4, 1e5, 1e6, 1e7]
for df in DFS:
    for t in [1e-9, 1e-3, 0.1, 0.7, 1.5, 1.8, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 100.0]:
        value = t_sf(df, t)
        if value > mp.mpf("1e-40"):
            out("t_sf", df, 0.0, t, value)
        elif df <= 1e4 and t <= 40:
            value = t_far(df, t)
            if value > mp.mpf("1e-300"):
                out("t_sf", df, 0.0, t, value)
    for t in [1e-9, 1e-4, 0.5]:
        out("t_centre", df, 0.0, t, t_centre(df, t))
    for t in [0.0, 1.0, 4.0, 30.0]:
        value = t_pdf(df, t)
        if value > mp.mpf("1e-300"):
            out("t_pdf", df, 0.0, t, value)


def solve(log_tail, target, low, high):
    """x in (low, high) with decreasing log_tail(x) = target, by bisection to 25 digits."""
    low, high = mp.mpf(low), mp.mpf(high)
    for _ in range(140):
        mid = mp.sqrt(low * high) if low > 0 else (low + high) / 2
        if log_tail(mid) > target:
            low = mid
        else:
            high = mid
        if high - low < high * mp.mpf("1e-26"):
            break
    return (low + high) / 2


for df in DFS:
    for p in [0.5001, 0.812, 0.95, 0.975, 0.999]:
        upper = 1 - mp.mpf(p)  # the double nearest to p, exactly
        if p < 0.6:
            q = mp.mpf(p) - mp.mpf(1) / 2
            out("t_quantile", df, 0.0, p, solve(lambda t: -t_centre(df, t), -q, 1e-8, 10))
        else:
            out("t_quantile", df, 0.0, p, solve(lambda t: mp.log(t_sf(df, t)), mp.log(upper), 1e-3, 1e6))
    for p in [1e-6, 1e-10, 1e-12]:
        target = mp.log(mp.mpf(p))
        out("t_quantile", df, 0.0, p, -solve(lambda t: mp.log(t_sf(df, t)), target, 1e-3, 1e13))

for x in [-38.0, -30.0, -20.0, -8.0, -3.0, -0.708, -0.5, -1e-9, 0.0, 0.5, 0.708, 1.96, 5.0]:
    if x > -37:
        out("normal_cdf", 0.0, 0.0, x, mp.ncdf(mp.mpf(x)))
    out("normal_ln_sf", 0.0, 0.0, -x, mp.log(mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2))
for p in [1e-300, 1e-20, 1e-5, 0.025, 0.3, 0.5 + 2.0**-30, 0.975, 0.999999]:
    if p > 0.5:
        value = mp.sqrt(2) * mp.erfinv(2 * mp.mpf(p) - 1)
    else:
        value = -solve(lambda z: mp.log(mp.erfc(z / mp.sqrt(2)) / 2), mp.log(mp.mpf(p)), 1e-3, 100)
    out("normal_quantile", 0.0, 0.0, p, value)


def chi_sf(df, x):
    return mp.gammainc(mp.mpf(df) / 2, mp.mpf(x) / 2, mp.inf, regularized=True)


def chi_cdf(df, x):
    return mp.gammainc(mp.mpf(df) / 2, 0, mp.mpf(x) / 2, regularized=True)


for df in [1.0, 2.0, 3.7, 10.0, 100.0, 1000.0]:
    for x in [0.1, 1.0, 3.84, 10.0, 50.0, 120.0, 1200.0]:
        if chi_sf(df, x) > mp.mpf("1e-250"):
            out("chi_square_sf", df, 0.0, x, chi_sf(df, x))
    for p in [1e-10, 0.05, 0.5, 0.95]:
        out("chi_square_quantile", df, 0.0, p, solve(lambda x: -chi_cdf(df, x), -mp.mpf(p), "1e-30", 1e5))


def beta_cdf(a, b, x):
    return mp.betainc(mp.mpf(a), mp.mpf(b), 0, mp.mpf(x), regularized=True)


for a, b in [(0.1, 50.0), (1.0, 4000.0), (2.5, 3.5), (7.0, 14.0), (82.0, 183.0)]:
    for p in [1e-10, 0.025, 0.5, 0.975]:
        out("beta_quantile", a, b, p, solve(lambda x: -mp.log(beta_cdf(a, b, x)), -mp.log(mp.mpf(p)), "1e-120", 1))


def f_cdf(d1, d2, x):
    return beta_cdf(mp.mpf(d1) / 2, mp.mpf(d2) / 2, d1 * mp.mpf(x) / (d1 * mp.mpf(x) + d2))


for d1, d2 in [(1.0, 5000.0), (1.0, 8.04), (3.0, 20.0), (8.0, 189.0)]:
    for x in [0.5, 3.0, 16.7855796242]:
        out("f_sf", d1, d2, x, 1 - f_cdf(d1, d2, x))
    for p in [1e-8, 0.05, 0.95]:
        out("f_quantile", d1, d2, p, solve(lambda x: -mp.log(f_cdf(d1, d2, x)), -mp.log(mp.mpf(p)), "1e-40", 1e6))

for n, p in [(20, 0.35), (700, 0.4), (5000, 0.01)]:
    for k in [0, 1, 7, 40, 300]:
        if k < n:
            q = mp.mpf(p)
            tail = mp.fsum(mp.binomial(n, j) * q**j * (1 - q) ** (n - j) for j in range(k + 1))
            if tail > mp.mpf("1e-200"):
                out("binomial_cdf", float(n), p, float(k), tail)
