"""What rows say of families and of earlier rows (docs/ledger-spec.md): names that are known, verdicts and exceptions, keys of
their own, what a correction retracts and what an erasure names. Used by checker.py beside it.

What needs a payload is checked where the payload is there; a proof has none.
"""
import re

from children import Children
from names import Names
from rows import ABOUT_FAMILY, RETRACTABLE, SERVICES

NEEDS_DRAW = (*SERVICES, "observed", "violation")


class Families:
    def __init__(self, checker):
        self.checker, self.report = checker, checker.report
        self.rows = {event.sequence: event for event in reversed(checker.events)}
        self.names, self.known, self.children = Names(), set(), Children()
        self.keys, self.sightings, self.retracted, self.named = {}, {}, set(), set()
        self.holding = {}  # links that are taken back later, as long as they hold: their two names
        self.childless = False  # whether an erased row may have named a child
        self.unnamed = False  # whether a link that was taken back is erased: nobody can tell whom it named

    def check(self):
        epoch = -1
        for event in self.checker.events:
            epoch += event.kind in ("opened", "epoch-opened")
            self.unnamed |= event.kind == "linked" and event.sequence in self.checker.retracted and event.payload is None
            self.childless |= event.payload is None and event.kind in ("screened", "joined", "linked")
            if event.payload is None and event.kind in ("screened", "joined"):
                self.children.lost.append(event.sequence)
            if event.payload is not None and event.kind in ABOUT_FAMILY:
                self.check_payload(event, self.checker.protocol_of(epoch))
            if event.public is not None:
                self.check_public(event, self.checker.protocol_of(epoch))

    # the public part

    def check_public(self, event, protocol):
        sequence, kind, public, _ = event
        if kind == "switched" and protocol and public["arm"] not in protocol.arms:
            self.report(sequence, "form", f"arm {public['arm']!a} is not in the protocol")
        if "event_key" in public:
            self.use(event, public["event_key"])
        if kind == "corrected":
            self.check_correction(event)
        if kind == "erased":
            self.check_erasure(sequence, public["sequences"])

    def use(self, event, key):
        """A key is used once for each kind, and again once its row is retracted."""
        before = self.keys.get((event.kind, key))
        if before is not None and before not in self.retracted:
            self.report(event.sequence, "key", f"row {before} has the same key, and nobody retracted it")
        self.keys[event.kind, key] = event.sequence

    def check_correction(self, event):
        number = event.public["sequence"]
        row = self.rows.get(number) if number < event.sequence else None
        if row is None or row.kind not in RETRACTABLE or row.payload and row.payload.get("source") == "intake":
            self.report(event.sequence, "correction", f"row {number} is no earlier row that can be retracted")
        elif number in self.retracted:
            self.report(event.sequence, "correction", f"row {number} is retracted already")
        elif event.payload and row.payload and not self.was_one(
                event.payload["family"], [row.payload[key] for key in ("family", "other") if key in row.payload]):
            self.report(event.sequence, "correction", f"row {number} is of another family")
        self.retracted.add(number)
        self.holding.pop(number, None)

    def was_one(self, name, others):
        """Whether a name is the family of one of the others, also while a link holds that is taken back later."""
        one = self.one_with(self.names.unit(name))
        return self.unnamed or any(self.names.unit(other) in one for other in others)

    def check_erasure(self, sequence, numbers):
        """Whose the rows were nobody can tell; they must be such as can be the rows of one family."""
        def bad(text):
            self.report(sequence, "erasure", text)

        rows = [self.rows.get(number) for number in numbers if number < sequence]
        if len(rows) < len(numbers) or None in rows:
            bad("it names rows that are not earlier ones")
            return
        if any(row.kind not in ABOUT_FAMILY for row in rows):
            bad("it names a row that is of no family")
        if self.named & set(numbers):
            bad("it names a row that another erasure names")
        if rows[0].kind not in ("screened", "linked") and not self.follows_a_lost_link(sequence, numbers[0]):
            bad("the first row of a family is 'screened' or 'linked'")
        if sum(row.kind == "allocated" for row in rows) > 1:
            bad("it names two allocations, which are of two families")
        for number, row in zip(numbers, rows):
            before = self.rows.get(number - 1)
            if self.is_awaiting(row) and number + 1 not in numbers or self.is_awaiting(before) and number - 1 not in numbers:
                bad(f"it names row {number} without the other half of its screening")
            if self.checker.has_payloads and number not in self.checker.missing:
                bad(f"it says that row {number} is erased, and its payload is there")
        self.named |= set(numbers)

    def follows_a_lost_link(self, sequence, number):
        """Whether a link before a row was taken back and erased with another family: it may have given the name of the row.

        With another family: by an erasure before this one, or by one right after it and of its time, which erases families together.
        """
        gone, times = set(self.named), self.checker.times
        while (row := self.rows.get(sequence + 1)) and row.kind == "erased" and row.public and times[sequence + 1] == times[sequence]:
            sequence += 1
            gone.update(row.public["sequences"])
        return any(own < number and self.rows[own].kind == "linked" for own in gone & self.retracted)

    @staticmethod
    def is_awaiting(row):
        """Whether the outcome of a screening is the row after it."""
        return row is not None and row.kind == "screened" and bool(row.public) and (
            row.public["verdict"] in ("drawn", "exception"))

    # the payload

    def check_payload(self, event, protocol):
        sequence, kind, public, payload = event
        family = payload["family"]
        if kind == "screened":
            self.known.add(self.names.of(family))
        elif self.names.of(family) not in self.known and not self.unnamed:
            self.report(sequence, "family", f"no screening before it names the family {family!a}")
        for key, kinds in (("site", ("screened", "returned", "joined")), ("arm", ("switched",))):
            if kind in kinds and public is not None and payload.get(key) != public[key]:
                self.report(sequence, "differs", f"the {key} of its payload is not the public one")
        if kind == "screened" and public is not None:
            self.check_verdict(sequence, public["verdict"], payload, protocol)
        self.check_turn(sequence, kind, family)
        if kind == "reported":
            self.sight(event)
        elif "event_key" in payload:
            self.use(event, payload["event_key"])
        if protocol is not None:
            self.check_values(sequence, kind, public, payload, protocol)
        if kind in ("screened", "joined"):
            self.check_children(event)
        if kind == "linked":
            self.link(sequence, payload)
        if kind == "allocated":
            self.names.draw(self.names.of(family))
            self.children.drawn.setdefault(self.names.of(family), sequence)

    def check_children(self, event):
        """A child of a drawn family is not drawn with another one and does not join another, unless a link made the two one. A
        family is called by its index child."""
        sequence, kind, public, payload = event
        family = payload["family"]
        own = self.names.unit(family)
        named = payload[{"screened": "children", "joined": "new_children"}[kind]]
        is_drawn = kind == "joined" or public is not None and public["verdict"] == "drawn"
        if is_drawn and not self.unnamed:
            people = [family, *named] if kind == "screened" else named
            called = {self.names.unit(name) for name in named if self.names.of(name) in self.known}
            called |= {self.children.elsewhere(name, self.names) for name in people}
            if any(unit not in self.one_with(own) and unit in self.names.drawn for unit in called):
                self.report(sequence, "child", "a child of it is of another drawn family, and no link before makes the two one")
        for name in named:
            self.children.name(name, self.names.of(family), sequence)

    def one_with(self, unit):
        """The families that are one with a family now, also by links that are taken back later and hold as yet."""
        one, pairs = {unit}, [{self.names.unit(name) for name in pair} for pair in self.holding.values()]
        while more := [pair for pair in pairs if pair & one and not pair <= one]:
            one.update(*more)
        return one

    def check_values(self, sequence, kind, public, payload, protocol):
        """What a payload says in ids of the protocol and in values of its fields."""
        def bad(text):
            self.report(sequence, "form", text)

        if kind in ("screened", "returned", "joined"):
            fields = payload["fields"]
            for name in protocol.fields.keys() | fields.keys():
                if name not in protocol.fields or not protocol.is_value(name, fields.get(name)):
                    bad(f"{fields.get(name)!a} is no value of a field {name!a}")
            declared, verdict = payload.get("exception"), public["verdict"] if kind == "screened" and public else None
            if declared is not None and declared not in protocol.reasons and verdict != "exception":
                bad(f"{declared!a} is no reason of an exception")
            if kind == "joined" and not set(payload["new_children"]) <= set(payload["children"]):
                bad("a new child is none of its children")
            if payload["answers"].keys() != protocol.questions.keys():
                bad("there is not one answer to each question, and no other")
            elif kind == "screened" and public is not None:
                self.check_answers(sequence, public["verdict"], payload, protocol)
        if kind == "observed" and payload["outcome"] not in protocol.outcomes:
            bad(f"the outcome {payload['outcome']!a} is not in the protocol")
        if kind == "observed" and re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", payload["value"], re.ASCII) is None:
            bad(f"{payload['value']!a} is no decimal")
        if kind == "violation":
            self.check_violation(bad, payload, protocol)

    @staticmethod
    def check_violation(bad, payload, protocol):
        reason, said = payload["reason"], payload.keys()
        if reason not in protocol.violations:
            bad(f"{reason!a} is no reason of a violation")
        needed = {"wrong-stratum": {"field", "value"}, "wrong-service": {"received"}}.get(reason, set())
        if said & {"field", "value", "received"} != needed or "criterion" in said and reason != "found-ineligible":
            bad(f"a violation for the reason {reason!a} has what is of another one beside it, or lacks its own")
            return
        if "received" in said and payload["received"] not in protocol.arms:
            bad(f"the arm {payload['received']!a} is not in the protocol")
        if "criterion" in said and payload["criterion"] not in [own["id"] for own in protocol.criteria]:
            bad(f"the criterion {payload['criterion']!a} is not in the protocol")
        if "field" in said:
            field, value = payload["field"], payload["value"]
            if not (value in protocol.therapists if field == "site" else
                    field in protocol.fields and protocol.is_value(field, value)):
                bad(f"{value!a} is no value of {field!a}")

    def check_answers(self, sequence, verdict, payload, protocol):
        """The criteria with a question; what a rule says is not read here."""
        answers, missed = payload["answers"], payload.get("missed")
        failed = {name for name, needed in protocol.questions.items() if answers[name] is not needed}
        if verdict != "not-eligible":
            if failed:
                self.report(sequence, "verdict", f"it misses {sorted(failed)}, and its verdict says that it does not")
            if missed is not None:
                self.report(sequence, "form", f"it says what it misses, and its verdict is {verdict!a}")
            return
        known = {own["id"] for own in protocol.criteria}
        named = set(missed) if missed is not None else None
        if named is None or not named <= known:
            self.report(sequence, "form", "it does not say which criteria of the protocol are missed")
        elif not named or named & protocol.questions.keys() != failed:
            self.report(sequence, "verdict", f"it says that it misses {sorted(named)}, and its answers say {sorted(failed)}")

    def check_verdict(self, sequence, verdict, payload, protocol):
        declared = payload.get("exception")
        if verdict == "exception" and (protocol is not None and declared not in protocol.reasons):
            self.report(sequence, "verdict", f"{declared!a} is no reason of an exception")
        if verdict in ("drawn", "gate-closed") and declared is not None:
            self.report(sequence, "verdict", "an exception was declared, and the verdict is another")

    def check_turn(self, sequence, kind, family):
        one = self.one_with(self.names.unit(family))
        held = any(self.names.unit(name) in one for pair in self.holding.values() for name in pair)
        served = self.unnamed or held and any(unit in self.names.drawn for unit in one)
        own, unit = (served or name in self.names.drawn for name in (self.names.of(family), self.names.unit(family)))
        if kind == "screened" and self.names.unit(family) in self.names.drawn:
            self.report(sequence, "turn", "its family is allocated already")
        if kind in ("returned", "joined") and not unit or kind in NEEDS_DRAW and not own:
            self.report(sequence, "turn", "its family was never allocated")

    def sight(self, event):
        """A report has one identity, by its family under all names, its key and who saw it; intake may see it again."""
        payload = event.payload
        used = self.sightings.setdefault((payload["source"], payload["report_key"]), {})
        unit = self.names.unit(payload["family"])
        before = used.get(unit)
        if payload["source"] != "intake" and before is not None and before not in self.retracted:
            self.report(event.sequence, "key", f"row {before} is the same report, and nobody retracted it")
        used[unit] = event.sequence

    def link(self, sequence, payload):
        if "other" in payload:
            self.known.add(self.names.of(payload["other"]))
        if "other" in payload:
            # A link that was taken back says nothing of names; but while it holds, its names are answered as one family.
            if sequence in self.checker.retracted:
                self.holding[sequence] = payload["family"], payload["other"]
        if sequence in self.checker.retracted:
            return
        if "other" not in payload:
            # Who named the child first may be erased; then it is a child of the family that this row is of.
            if payload["child"] not in self.children and not self.childless:
                self.report(sequence, "family", "the ledger names no such child before it")
            self.children.link(payload["child"], payload["other_child"], self.names.of(payload["family"]), sequence)
        unit, later = self.names.link(payload) or (None, None)
        if unit is not None:
            self.known.add(unit)
            for used in self.sightings.values():
                if later in used:
                    used.setdefault(unit, used[later])
