"""How many keys that hold no personal number are taken for one: an own count, by the rule of docs/pseudonyms.md.

`python3 tests/contracts/personal_numbers.py` prints the table that tests/contracts/personal_numbers.rs expects. It knows
the rule for digits alone; none of these keys has a letter where an interim number has one.
"""

import datetime
import hashlib
import re
import uuid

SIGN = r"[-+./_\s\u2010-\u2015\u2212]"


def checks(ten):
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(ten)]
    return sum(sum(map(int, str(value))) for value in doubled) % 10 == 0


def dated(year, month, day):
    if day >= 60:
        day -= 60
        if month == 0 or day == 0:
            return month <= 12 and day <= 31
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def numbered(digits):
    ten = digits[-10:]
    if digits.startswith("99") and len(digits) == 12 and 18 <= int(digits[2:4]) <= 22 and checks(digits[4:]):
        return True
    if len(digits) == 12:
        centuries = [int(digits[:2])] if 18 <= int(digits[:2]) <= 20 else []
    else:
        centuries = [18, 19, 20]
    if not checks(ten):
        return False
    year, month, day = int(ten[:2]), int(ten[2:4]), int(ten[4:6])
    if len(digits) == 12 and centuries and 1 <= month <= 12 and 32 <= day <= 59:
        return True
    return ten[6:9] != "000" and any(dated(c * 100 + year, month, day) for c in centuries)


def found(text):
    for length in (10, 12):
        digits = rf"\d(?:{SIGN}{{0,3}}\d){{{length - 1}}}"
        for start in range(len(text)):
            match = re.compile(digits).match(text, start)
            if not match:
                continue
            spelled = match.group()
            begins = start == 0 or not text[start - 1].isdigit()
            ends = match.end() == len(text) or not text[match.end()].isdigit()
            one_group = spelled.isdigit()
            one_sign = re.fullmatch(rf"\d{{{length - 4}}}{SIGN}+\d{{4}}", spelled)
            if not (begins and ends or one_group or one_sign):
                continue
            if numbered(re.sub(r"\D", "", spelled)):
                return True
    return False


def days(year):
    first = datetime.date(year, 1, 1)
    return [first + datetime.timedelta(n) for n in range(366) if (first + datetime.timedelta(n)).year == year]


def families():
    for name, counters, form in [
        ("iso-1", range(1, 10), "{:%Y-%m-%d}-{}"),
        ("iso-2", range(1, 100), "{:%Y-%m-%d}-{:02}"),
        ("iso-3", range(1, 100), "{:%Y-%m-%d}-{:03}"),
        ("iso-4-to-9", range(1, 10), "{:%Y-%m-%d}-{:04}"),
        ("iso-4", range(1, 100), "{:%Y-%m-%d}-{:04}"),
        ("iso-5", range(1, 100), "{:%Y-%m-%d}-{:05}"),
        ("iso-6", range(1, 100), "{:%Y-%m-%d}-{:06}"),
        ("plain-4", range(1, 100), "{:%Y%m%d}{:04}"),
        ("plain-6", range(1, 100), "{:%Y%m%d}{:06}"),
        ("letter-4", range(1, 100), "{:%Y-%m-%d}-a{:04}"),
        ("site-day-1", range(1, 10), "3-{:%Y-%m-%d}-{}"),
        ("site-day-2", range(1, 100), "3-{:%Y-%m-%d}-{:02}"),
    ]:
        for year in (2025, 2026):
            yield f"{name}-{year}", [form.format(day, n) for day in days(year) for n in counters]
    minutes = [datetime.datetime(2025, 1, 1) + datetime.timedelta(minutes=7 * n) for n in range(525_600 // 7)]
    yield "minute-2025", [f"{minute:%Y%m%d%H%M%S}" for minute in minutes]
    yield "year-number", [f"R-2025-{n:06}" for n in range(1, 20_000)]
    yield "number", [str(n) for n in range(1, 20_000)]
    digests = [hashlib.sha256(b"%d" % n).digest() for n in range(20_000)]
    yield "uuid", [str(uuid.UUID(bytes=digest[:16], version=4)) for digest in digests]
    yield "ten-digits", [f"{int.from_bytes(digest[:8], 'big') % 10**10:010}" for digest in digests]


for name, keys in families():
    print(name, sum(map(found, keys)), len(keys))
