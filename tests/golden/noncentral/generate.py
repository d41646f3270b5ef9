"""Golden values of the noncentral distributions in `numerics`: python3 generate.py > values.csv

mpmath, forty working digits. Noncentral t: the integral over the chi density, in pieces around its greatest value.
Noncentral chi-square and F: their Poisson mixtures of incomplete gamma and beta functions.
"""
import mpmath as mp

mp.mp.dps = 40
print("function,a,b,ncp,x,value")


def t_tail(df, ncp, t, side):
    df, ncp, t = mp.mpf(df), mp.mpf(ncp), mp.mpf(t)
    constant = mp.log(2) + df / 2 * mp.log(df / 2) - mp.loggamma(df / 2)

    def log(s):
        gap = side * (t * s - ncp)  # side 1: P(Z > t s − δ)
        return constant + (df - 1) * mp.log(s) - df * s * s / 2 + mp.log(mp.erfc(gap / mp.sqrt(2)) / 2)

    # The greatest value by golden section on a logarithmic scale, then the width from the curvature.
    low, high = mp.mpf("-30"), mp.mpf(8)
    golden = (mp.sqrt(5) - 1) / 2
    f = lambda u: log(mp.exp(u)) + u
    with mp.workdps(20):
        while high - low > mp.mpf("1e-6"):
            a, b = high - golden * (high - low), low + golden * (high - low)
            if f(a) > f(b):
                high = b
            else:
                low = a
        peak = (low + high) / 2
        top = f(peak)
        ends = []
        for sign in (-1, 1):
            step = mp.mpf("1e-3")
            while f(peak + sign * step) > top - 75:
                step *= mp.mpf("1.4")
            ends.append(peak + sign * step)
    points = [ends[0] + (ends[1] - ends[0]) * mp.mpf(i) / 16 for i in range(17)]
    # Scaled by its greatest value: the quadrature stops at an absolute error.
    return mp.exp(top) * mp.quad(lambda u: mp.exp(f(u) - top), points)


def mixture(ncp, term):
    mu = mp.mpf(ncp) / 2
    total, j = mp.mpf(0), 0
    while True:
        part = mp.exp(j * mp.log(mu) - mu - mp.loggamma(j + 1)) * term(j) if mu > 0 else term(0)
        total += part
        if mu == 0 or (j > mu and part < total * mp.mpf("1e-25")):
            return total
        j += 1


def out(function, a, b, ncp, x, value):
    if value > mp.mpf("1e-290"):
        print(f"{function},{a!r},{b!r},{ncp!r},{x!r},{mp.nstr(value, 18)}", flush=True)


for df in [1.0, 1.8, 3.0, 5.5, 18.0, 58.0, 126.0, 600.0, 4000.0, 1e5]:
    for ncp in [0.0, 0.3, 1.7, 2.8, 5.0, 12.0, 37.0, 60.0, -2.5, -11.0]:
        for t in [-3.0, -1.96, 0.0, 0.5, 2.0, 3.3, 8.0, 30.0]:
            if df > 1000 and abs(t - ncp) > 30:
                continue
            out("t_sf", df, 0.0, ncp, t, t_tail(df, ncp, t, 1))
            out("t_cdf", df, 0.0, ncp, t, t_tail(df, ncp, t, -1))

for df in [1.0, 2.0, 4.5, 10.0, 60.0]:
    for ncp in [0.0, 0.4, 4.5, 9.0, 40.0, 300.0]:
        for x in [0.1, 3.84, 9.0, 30.0, 200.0, 500.0]:
            half = mp.mpf(x) / 2
            out("chi_square_sf", df, 0.0, ncp, x, mixture(ncp, lambda j: mp.gammainc(mp.mpf(df) / 2 + j, half, mp.inf, regularized=True)))
            out("chi_square_cdf", df, 0.0, ncp, x, mixture(ncp, lambda j: mp.gammainc(mp.mpf(df) / 2 + j, 0, half, regularized=True)))

for df1, df2 in [(1.0, 10.0), (3.0, 76.0), (5.0, 89.0), (5.0, 199.0), (12.0, 4.5)]:
    for ncp in [0.0, 0.7, 6.3, 18.0, 90.0]:
        for x in [0.2, 1.0, 2.7, 9.0, 40.0]:
            y = mp.mpf(df1) * x / (mp.mpf(df1) * x + df2)
            out("f_sf", df1, df2, ncp, x, mixture(ncp, lambda j: mp.betainc(mp.mpf(df2) / 2, mp.mpf(df1) / 2 + j, 0, 1 - y, regularized=True)))
            out("f_cdf", df1, df2, ncp, x, mixture(ncp, lambda j: mp.betainc(mp.mpf(df1) / 2 + j, mp.mpf(df2) / 2, 0, y, regularized=True)))
