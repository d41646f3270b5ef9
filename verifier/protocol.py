"""What the checks need of a protocol file (docs/ledger-spec.md, docs/protocol.md). Used by verify.py beside it."""
import re
import struct
import tomllib
from fractions import Fraction

from draw import Stratum, sha256
from methods import METHODS, fraction
from rows import EXITS, SERVICES, person


# Which roles may write a row of a kind (docs/protocol.md, "[roles]").
DEEDS = dict.fromkeys(
    ("opened", "epoch-opened", "site-opened", "site-closed", "capacity-changed", "corrected", "erased", "beacon",
     "locked", "revealed"), ("study-lead",)) | dict.fromkeys(
    ("screened", "allocated", "returned", "joined", "exception"), ("reception",)) | dict.fromkeys(
    SERVICES, ("worker", "reception")) | dict.fromkeys(EXITS, ("worker", "reception", "outcome-assessor")) | {
    "reported": ("reception", "outcome-assessor"), "observed": ("outcome-assessor",),
    "violation": ("study-lead", "reception"), "linked": ("study-lead", "reception"), "analysed": ("statistician",),
    "exported": ("auditor", "statistician", "study-lead"),
}


STANDARD_VIOLATIONS = {"found-ineligible", "wrong-stratum", "double-draw", "wrong-service"}
STANDARD_DEVIATIONS = {"late-data", "incomplete-data", "error-in-data", "error-in-plan", "error-in-program",
                       "changed-surroundings", "arms-known"}
MOST = 1_000_000  # the greatest value of a count without a range


class Ranges:
    """The levels of a field that is cut: allocation-spec.md, section 3."""

    def __init__(self, field):
        self.places = field.get("places", 1) if field["kind"] == "number" else 0
        least = field["range"][0] if "range" in field else 0
        self.starts = [self.steps(value) for value in (least, *field["cuts"])]
        self.texts = [self.between(start, after) for start, after in zip(self.starts, self.starts[1:])]
        self.texts.append(f"{self.text(self.starts[-1])}+")

    def steps(self, value):
        sign, size = (-1, value[1:]) if isinstance(value, str) and value.startswith("-") else (1, value)
        steps = sign * fraction(size) * 10**self.places
        if steps.denominator != 1:
            raise ValueError(f"{value!r} has more decimals than its field")
        return int(steps)

    def between(self, start, after):
        if self.places:
            return f"{self.text(start)}-<{self.text(after)}"
        return str(start) if start == after - 1 else f"{start}-{after - 1}"

    def text(self, steps):
        """A canonical decimal."""
        digits = str(abs(steps)).rjust(self.places + 1, "0")
        whole, part = digits[:len(digits) - self.places], digits[len(digits) - self.places:].rstrip("0")
        return "-" * (steps < 0) + whole + ("." + part if part else "")

    def level(self, value):
        steps = self.steps(value)
        return self.texts[max(sum(start <= steps for start in self.starts) - 1, 0)]


def exact(value):
    """A number of the file, which may be below 0."""
    return -fraction(value[1:]) if isinstance(value, str) and value.startswith("-") else Fraction(value)


class Protocol:
    """One protocol file; raises UNUSABLE on anything that the checks cannot use."""

    UNUSABLE = ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError, struct.error

    def __init__(self, data):
        self.hash = sha256(data)
        table = tomllib.loads(data.decode("utf-8"), parse_float=str)  # a decimal stays what it says
        self.study, self.allocation = table["study"]["id"], table["allocation"]
        self.arms, self.ratio = zip(*((arm["id"], arm.get("ratio", 1)) for arm in table["arm"]))
        self.strata = list(self.allocation.get("strata", []))
        self.factors = list(self.allocation["factors"]) if self.allocation["method"] == "minimization" else []
        self.fields = {field["id"]: field for field in table.get("field", [])}
        self.choices = {name: [level if isinstance(level, str) else level["id"] for level in field.get("levels", [])]
                        for name, field in self.fields.items() if field["kind"] == "choice"}
        self.ranges = {name: Ranges(field) for name, field in self.fields.items() if "cuts" in field}
        # The criteria with a question, each with the answer that a family needs.
        self.questions = {own["id"]: own["include_if"] if "include_if" in own else not own["exclude_if"]
                          for own in table.get("criterion", []) if "rule" not in own}
        self.criteria = [{key: own.get(key) for key in ("id", "include_if", "exclude_if", "rule")}
                         for own in table.get("criterion", [])]
        self.round = self.read_round(table["study"].get("beacon"))
        if any(type(part) is not int or part < 1 for part in self.ratio):
            raise ValueError("a ratio must be whole numbers of at least 1")
        if self.allocation["method"] not in METHODS:
            raise ValueError(f"method {self.allocation['method']!a} is unknown")
        self.locks = [lock["id"] for lock in table.get("lock", [])]
        self.final_lock = next((lock["id"] for lock in reversed(table.get("lock", []))
                                if lock.get("kind", "final") == "final"), None)
        self.custody = table["study"].get("custody")
        self.reasons = [own if isinstance(own, str) else own["id"] for own in table.get("exceptions", {}).get("reasons", [])]
        violations, deviations = (table.get(section, {}).get("reasons", []) for section in ("violations", "deviations"))
        self.violations = {own if isinstance(own, str) else own["id"] for own in violations} | STANDARD_VIOLATIONS
        self.deviations = {own if isinstance(own, str) else own["id"] for own in deviations} | STANDARD_DEVIATIONS
        self.outcomes = [outcome["id"] for outcome in table.get("outcome", [])]
        self.roles = table.get("roles")
        if self.roles is not None and not all(isinstance(actors, list) for actors in self.roles.values()):
            raise ValueError("roles must be lists of actors")
        self.therapists = {site["id"]: site.get("therapists") for site in table.get("site", [])}
        self.gate = table.get("gate")
        if self.gate is not None:
            self.released_by = set(self.gate["released_by"])
            arm = next(arm for arm in table["arm"] if arm["id"] == self.gate["arm"])
            self.families_per_therapist = arm["families_per_therapist"]
            if type(self.families_per_therapist) is not int:
                raise ValueError("families_per_therapist must be a whole number")
        self.stratum(bytes(32), "live", 0, [])  # an option that the method cannot use shows here

    def levels(self, factor):
        """The texts that a level of a factor can be."""
        if factor == "site":
            return list(self.therapists)
        if factor in self.ranges:
            return self.ranges[factor].texts
        return self.choices.get(factor, ["yes", "no"])

    def is_value(self, name, text):
        """Whether a text is a value of a field, written in the one way that there is."""
        field = self.fields[name]
        if not isinstance(text, str):
            return False
        if field["kind"] == "choice":
            return text in self.choices[name]
        if field["kind"] not in ("count", "number"):
            return text in ("yes", "no")
        places = field.get("places", 1) if field["kind"] == "number" else 0
        least, most = (exact(value) for value in field.get("range", (0, MOST)))
        if re.fullmatch(r"(0|-?[1-9]\d*|-?0(?=\.))(\.\d*[1-9])?", text, re.ASCII) is None:
            return False
        value = Fraction(text)
        return value.denominator in range(1, 10**places + 1) and 10**places % value.denominator == 0 and least <= value <= most

    def level(self, factor, value):
        """The level of a value as it stands in `fields`; raises ValueError if it is none."""
        return self.ranges[factor].level(value) if factor in self.ranges else value

    @staticmethod
    def read_round(beacon):
        """The round that the file names, as text, or None without a beacon."""
        if beacon is None:
            return None
        if type(beacon["round"]) not in (int, str):
            raise ValueError("the round of a beacon must be a whole number or a text")
        return str(beacon["round"])

    def stratum(self, seed, mode, epoch, levels):
        return Stratum(seed, mode, self.study, epoch, levels, self.allocation["method"], self.ratio, self.allocation)

    def permits(self, actor, kind, payload):
        """Two families are linked by the study lead alone; of whom a link is needs its payload."""
        deeds = ("study-lead",) if kind == "linked" and "other" in (payload or {}) else DEEDS.get(kind, ())
        return self.roles is None or any(
            person(actor) == person(own) for role in deeds for own in self.roles.get(role, ()) if isinstance(own, str))

    def carries_on(self, before):
        """What of the file before it this one does not carry on, or None."""
        def begins_with(own, earlier):
            return list(own)[:len(earlier)] == list(earlier)

        if self.study != before.study:
            return "it is of another study"
        if self.arms != before.arms:
            return "its arms are others"
        if self.criteria != before.criteria:
            return "its criteria are others"
        if not begins_with(self.therapists, before.therapists):
            return "its sites are not those before it with new ones at the end"
        if self.fields.keys() != before.fields.keys():
            return "its fields are others"
        if any(not begins_with(self.choices.get(name, ()), levels) for name, levels in before.choices.items()):
            return "a choice has not the levels before it with new ones at the end"
        return None
