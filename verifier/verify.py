#!/usr/bin/env python3
"""Check the ledger of a study: python3 verify.py STUDY_DIR [--seed-file FILE]... [--expect-head HEX] [--json]

Written from docs/ledger-spec.md and docs/allocation-spec.md alone, with Python's standard library (3.11 or later), and
shares no code with lottning. It only reads. README.md beside this file says what is checked and what the answer means.
"""
import argparse
import json
import re
import shutil
import sqlite3
import struct
import sys
import tempfile
import tomllib
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True  # leave nothing behind beside this file
sys.path.insert(0, str(Path(__file__).resolve().parent))
from draw import METHODS, Stratum, commitment, self_test, sha256  # noqa: E402

EXIT_OK, EXIT_USAGE, EXIT_FAILED, EXIT_SEED = 0, 2, 8, 9


class Finding(NamedTuple):
    sequence: int | None
    code: str
    text: str


class Event(NamedTuple):
    sequence: int
    kind: str
    public: dict | None  # None: cannot be used, and a finding says so
    payload: dict | None  # None: erased, or cannot be used


# ---- what the pages say about rows ---------------------------------------------------------------------------------

COLUMNS = ("sequence", "time", "actor", "kind", "public", "payload", "salt", "payload_hash", "hash")
SITE_DAY = {"site": str, "on": str, "event_key": str}
# The keys of the public part for each kind, first for those with a family in the payload.
ABOUT_FAMILY = {
    "screened": {"site": str, "verdict": str},
    "allocated": {"site": str, "epoch": int, "levels": list, "draw": int, "arm": str, "allocation": int},
    "returned": {"site": str}, "joined": {"site": str}, "exception": {"site": str}, "switched": {"arm": str},
} | {kind: {} for kind in (
    "reported", "offered", "accepted", "declined", "started", "not-started", "home-visit", "closed", "reopened",
    "death", "all-children-18", "left-coverage", "withdrawn", "violation", "observed", "linked")}
PUBLIC = ABOUT_FAMILY | {
    "opened": {"format": int, "study": str, "mode": str, "protocol_hash": str, "commitment": str, "custody": str},
    "epoch-opened": {"epoch": int, "commitment": str}, "site-opened": SITE_DAY, "site-closed": SITE_DAY,
    "capacity-changed": SITE_DAY | {"therapists": int}, "corrected": {"sequence": int}, "erased": {"sequences": list},
    "locked": {"lock": str, "cut": str}, "analysed": {"lock": str, "results_sha256": str}, "exported": {"what": str},
    "revealed": {"seeds": list},
}
ELEMENTS = {"sequences": int, "levels": str, "seeds": str}
VERDICTS = ("not-eligible", "gate-closed", "exception", "drawn")


def is_hash(value):
    return isinstance(value, bytes) and len(value) == 32


def is_hex(text):
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def is_time(text):
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text, re.ASCII):
        return False
    try:
        return bool(datetime.fromisoformat(text[:-1]))
    except ValueError:
        return False


def raw(text):
    """The bytes of a text as they are stored, also where they are not UTF-8 (see `read_rows`)."""
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""


def read_object(text):
    """A canonical JSON object; ValueError otherwise."""
    def members(pairs):
        keys = [key.encode("utf-8") for key, _ in pairs]
        if any(a >= b for a, b in zip(keys, keys[1:])):
            raise ValueError("its keys are not sorted")
        return dict(pairs)

    def refuse(number):
        raise ValueError(f"{number} is not a whole number")

    try:
        value = json.loads(text, object_pairs_hook=members, parse_float=refuse, parse_constant=refuse)
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    written.encode("utf-8")  # half a surrogate pair is no text: UnicodeEncodeError, a ValueError
    if not isinstance(value, dict) or "\\" not in text and written != text:
        raise ValueError("it is not a canonical JSON object")
    return value


def read_public(kind, text):
    value, wanted = read_object(text), PUBLIC[kind]
    if value.keys() - {"clock"} != wanted.keys():
        raise ValueError(f"it needs the keys {sorted(wanted)} and has {sorted(value)}")
    for key, kept in wanted.items():
        if type(value[key]) is not kept or kept is list and any(type(x) is not ELEMENTS[key] for x in value[key]):
            raise ValueError(f"{key} cannot be {value[key]!a}")
    if value.get("clock", "override") != "override" or kind == "screened" and value["verdict"] not in VERDICTS:
        raise ValueError(f"{value!a} has an unknown word")
    return value


def read_payload(kind, text):
    value = read_object(text)
    for key in ["family"] * (kind in ABOUT_FAMILY) + ["request_id"] * (kind in ("screened", "allocated")):
        if not isinstance(value.get(key), str):
            raise ValueError(f"{key} is missing or no text")
    return value


class Protocol:
    """What the checks need of protocol.toml; raises on anything that they cannot use."""

    UNUSABLE = ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError, struct.error

    def __init__(self, data):
        table = tomllib.loads(data.decode("utf-8"))
        self.study, self.allocation = table["study"]["id"], table["allocation"]
        self.arms, self.ratio = zip(*((arm["id"], arm.get("ratio", 1)) for arm in table["arm"]))
        self.strata = list(self.allocation.get("strata", []))
        self.choices = [field["id"] for field in table.get("field", []) if field["kind"] == "choice"]
        self.beacon = "beacon" in table or "beacon" in self.allocation
        if any(type(part) is not int or part < 1 for part in self.ratio):
            raise ValueError("a ratio must be whole numbers of at least 1")
        if self.allocation["method"] not in METHODS:
            raise ValueError(f"method {self.allocation['method']!a} is unknown")
        self.therapists = {site["id"]: site.get("therapists") for site in table.get("site", [])}
        self.gate = table.get("gate")
        if self.gate is not None:
            self.released_by = set(self.gate["released_by"])
            arm = next(arm for arm in table["arm"] if arm["id"] == self.gate["arm"])
            self.families_per_therapist = arm["families_per_therapist"]
            if type(self.families_per_therapist) is not int:
                raise ValueError("families_per_therapist must be a whole number")
        self.stratum(bytes(32), "live", 0, [])  # an option that the method cannot use shows here

    def stratum(self, seed, mode, epoch, levels):
        return Stratum(seed, mode, self.study, epoch, levels, self.allocation["method"], self.ratio, self.allocation)


def read_rows(study):
    """Every row of the table, without touching the folder: rows, and what stopped the reading or None."""
    database = Path(study).resolve() / "ledger.sqlite"
    files = [database.with_name(database.name + end) for end in ("", "-wal", "-journal")]

    def stamps():
        return [(f.stat().st_size, f.stat().st_mtime_ns) if f.exists() else (0, 0) for f in files]

    rows = []
    try:
        for _ in range(5):
            rows, before = [], stamps()
            with tempfile.TemporaryDirectory() as scratch:
                address = database.as_uri() + "?mode=ro&immutable=1"
                if any(size for size, _ in before[1:]):  # rows that are not merged yet: SQLite merges them in a copy
                    for file in files:
                        if file.exists():
                            shutil.copyfile(file, Path(scratch) / file.name)
                    address = (Path(scratch) / database.name).as_uri() + "?mode=rw"
                with closing(sqlite3.connect(address, uri=True)) as connection:
                    # TEXT becomes str also where it is not UTF-8, so that BLOB alone becomes bytes.
                    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
                    for row in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM event ORDER BY sequence"):
                        rows.append(row)
            if stamps() == before:
                return rows, None
        return rows, "it is being written to; try again"
    except (sqlite3.Error, OSError) as error:
        return rows, str(error)


# ---- checks (ledger-spec.md, "What a checker does") ----------------------------------------------------------------

class Checker:
    def __init__(self):
        self.findings, self.events, self.head, self.rows = [], [], None, 0
        self.protocol = self.protocol_hash = self.mode = None
        self.commitments, self.seeds, self.erased = [], {}, {}
        self.allocations = self.verified = self.wrong = 0

    def report(self, sequence, code, text):
        self.findings.append(Finding(sequence, code, text))

    def run(self, study, seeds=(), expect_head=None):
        self.read_protocol(Path(study) / "protocol.toml")
        rows, trouble = read_rows(study)
        self.check_rows(rows)
        if trouble is not None:
            self.report(self.events[-1].sequence + 1 if rows else None, "database", f"ledger.sqlite: {trouble!a}")
        elif not rows:
            self.report(1, "sequence", "the ledger is empty")
        if expect_head not in (None, self.head):
            known = next((f"row {row[0]}, and rows were added since" for row in rows
                          if row[8] == bytes.fromhex(expect_head)), "no row")
            self.report(None, "head", f"the head is not {expect_head}, which is the hash of {known}")
        self.check_erasures()
        self.check_epochs(seeds)
        self.check_allocations()
        if self.protocol is not None:
            self.check_gate()

    def read_protocol(self, file):
        try:
            data = file.read_bytes()
            self.protocol_hash = sha256(data)
            self.protocol = Protocol(data)
        except OSError as error:
            self.protocol_hash = self.protocol_hash or bytes(32)
            self.report(None, "protocol", f"protocol.toml cannot be read: {error.strerror}")
        except Protocol.UNUSABLE as error:
            self.report(None, "protocol", f"protocol.toml cannot be used: {type(error).__name__} {str(error)!a}")

    # 1. rows, chain, erasures

    def check_rows(self, rows):
        self.rows, expected, previous, latest = len(rows), 1, bytes(32), ""
        for place, row in enumerate(rows):
            sequence, time, actor, kind, public, payload, salt, payload_hash, stored = row
            if type(sequence) is not int:
                self.report(expected, "sequence", f"the sequence number is {sequence!a}")
                sequence = expected
            elif sequence != expected:
                self.report(min(sequence, expected), "sequence", f"row {sequence} stands where {expected} comes next")
            expected = max(expected, sequence + 1)
            event = self.read_event(*row)._replace(sequence=sequence)
            self.events.append(event)
            if isinstance(time, str) and is_time(time):
                if time < latest:
                    self.report(sequence, "time", f"the time goes back from {latest} to {time}")
                latest = max(time, latest)
            if (kind == "opened") != (place == 0):
                self.report(sequence, "opened", "the first row, and no other, is 'opened'")
            elif place == 0 and event.public is not None:
                self.check_opened(event.public)
            parts = [previous, self.protocol_hash, struct.pack(">Q", max(sequence, 0)),
                     raw(time), raw(actor), raw(kind), raw(public), payload_hash if is_hash(payload_hash) else b""]
            if stored != sha256(b"".join(struct.pack(">I", len(part)) + part for part in parts)):
                self.report(sequence, "chain", "the hash is not that of this row after the row before it")
            previous = stored if is_hash(stored) else bytes(32)
            self.head = previous.hex()

    def read_event(self, sequence, time, actor, kind, public, payload, salt, payload_hash, stored):
        def unusable(code, text):
            self.report(expected, code, text)
        expected = sequence if type(sequence) is int else len(self.events) + 1
        fields = details = None
        if not isinstance(time, str) or not is_time(time):
            unusable("form", f"{time!a} is not a time as the page writes it")
        if not isinstance(actor, str) or not re.fullmatch("[A-Za-z0-9._-]{1,64}", actor):
            unusable("form", f"{actor!a} is not the name of an actor")
        if not isinstance(kind, str) or kind not in PUBLIC:
            unusable("form", f"the kind {kind!a} is unknown")
            kind = "unknown"
        elif not isinstance(public, str):
            unusable("form", "public is not text")
        else:
            try:
                fields = read_public(kind, public)
            except ValueError as error:
                unusable("form", f"the public part cannot be used: {str(error)!a}")
        if not is_hash(payload_hash):
            unusable("form", "payload_hash is not 32 bytes")
        if isinstance(payload, str) and is_hash(salt):
            if payload_hash != sha256(salt + raw(payload)):
                unusable("payload", "payload_hash is not that of salt and payload")
            try:
                details = read_payload(kind, payload)
            except ValueError as error:
                unusable("form", f"the payload cannot be used: {str(error)!a}")
        elif payload is not None or salt is not None:
            unusable("payload", "payload and salt must be text and 32 bytes, or both be erased")
        else:
            self.erased[expected] = None  # until a later row names it
        return Event(expected, kind, fields, details)

    def check_opened(self, opened):
        if opened["format"] != 1 or opened["mode"] not in ("live", "rehearsal"):
            self.report(1, "opened", f"format {opened['format']!a} with mode {opened['mode']!a} is unknown")
        else:
            self.mode = opened["mode"]
        if self.protocol is not None and opened["study"] != self.protocol.study:
            self.report(1, "opened", f"the study is {opened['study']!a}, and {self.protocol.study!a} in the protocol")
        if opened["protocol_hash"] != self.protocol_hash.hex():
            self.report(1, "protocol", "protocol.toml is not the file that was sealed: its hash is another")
            if is_hex(opened["protocol_hash"]):  # with which the chain still tells what rows are whole
                self.protocol_hash = bytes.fromhex(opened["protocol_hash"])

    def check_erasures(self):
        """Fills in self.erased: sequence -> the erasure that names it, which stands for its family."""
        missing, present = set(self.erased), {event.sequence for event in self.events}
        self.erased = {}
        for event in self.events:
            if event.kind != "erased" or event.public is None:
                continue
            named = event.public["sequences"]
            erasure = next((self.erased[s] for s in named if s in self.erased), event.sequence)
            for s in named:
                if s >= event.sequence or s not in present:
                    self.report(event.sequence, "erasure", f"row {s}, which it names, is not an earlier row")
                else:
                    self.erased[s] = erasure
                    if s not in missing:
                        self.report(s, "erasure", f"row {event.sequence} says it is erased, and its payload is there")
        for s in missing - self.erased.keys():
            self.report(s, "erasure", "the payload is not there, and no later row 'erased' names it")

    # 2. counts, 4. seeds and draws

    def check_epochs(self, given):
        """Fills in self.seeds: epoch -> seed, as far as seeds are known and right."""
        pairs = []  # of a published seed, with its epoch
        for event in self.events:
            if event.public is None:
                continue
            if event.kind == "epoch-opened" and event.public["epoch"] != len(self.commitments):
                self.report(event.sequence, "count", f"the epoch is not {len(self.commitments)}, which comes next")
            if event.kind in ("opened", "epoch-opened"):
                self.commitments.append(event.public["commitment"])
            if event.kind == "revealed":
                seeds = event.public["seeds"]
                if len(seeds) != len(self.commitments) or not all(map(is_hex, seeds)):
                    self.report(event.sequence, "form", "there must be one seed of 64 hexadecimal digits per epoch")
                else:
                    pairs += [(event.sequence, epoch, bytes.fromhex(seed)) for epoch, seed in enumerate(seeds)]
        for sequence, epoch, seed in pairs:
            if commitment(seed, self.protocol_hash) == self.commitments[epoch]:
                self.seeds[epoch] = seed
            else:
                self.report(sequence, "revealed", f"the seed of epoch {epoch} does not match its commitment")
        for name, seed in given:
            epochs = [e for e, c in enumerate(self.commitments) if c == commitment(seed, self.protocol_hash)]
            self.seeds |= dict.fromkeys(epochs, seed)
            if not epochs:
                self.report(None, "seed", f"the seed in {name!a} matches no commitment of the ledger")

    def check_allocations(self):
        families, draws, strata, epoch, number = {}, Counter(), {}, -1, 1
        for last, event in zip([None, *self.events], [*self.events, None]):
            if last is not None and last.kind == "screened" and last.public and last.public["verdict"] == "drawn" and (
                    event is None or event.kind != "allocated"):
                self.report(last.sequence + 1, "pair", "'allocated' should stand here, after the verdict 'drawn'")
            if event is None:
                break
            sequence, kind, public, payload = event
            epoch += kind in ("opened", "epoch-opened")
            self.allocations += kind == "allocated"
            if kind != "allocated" or public is None:
                continue
            if public["allocation"] != number:
                self.report(sequence, "count", f"allocation {public['allocation']} stands where {number} comes next")
            number = public["allocation"] + 1
            if public["epoch"] != epoch:
                self.report(sequence, "count", f"it is of epoch {public['epoch']}, and the open one is {epoch}")
            if payload is not None and families.setdefault(payload["family"], sequence) != sequence:
                self.report(sequence, "twice", f"row {families[payload['family']]} allocated the same family")
            self.check_pair(event, last)
            stratum = public["epoch"], tuple(public["levels"])
            if public["draw"] != draws[stratum]:
                self.report(sequence, "count", f"draw {public['draw']} stands where {draws[stratum]} comes next")
                strata[stratum] = None  # its later draws cannot be judged
            draws[stratum] = public["draw"] + 1
            self.check_draw(event, stratum, strata)

    def check_pair(self, event, last):
        public, payload = event.public, event.payload
        if last is None or last.kind != "screened" or last.public and last.public["verdict"] != "drawn":
            self.report(event.sequence, "pair", "the row before is not 'screened' with the verdict 'drawn'")
            return
        if last.public and last.public["site"] != public["site"]:
            self.report(event.sequence, "pair", "the row before was screened at another site")
        if payload and last.payload and any(payload[key] != last.payload[key] for key in ("family", "request_id")):
            self.report(event.sequence, "pair", "the row before is of another family or request")
        if self.protocol is None:
            return
        if public["arm"] not in self.protocol.arms:
            self.report(event.sequence, "form", f"arm {public['arm']!a} is not in the protocol")
        if len(public["levels"]) != len(self.protocol.strata):
            self.report(event.sequence, "levels", "there is not one level for each stratification factor")
        fields = last.payload.get("fields") if last.payload else None
        for factor, level in zip(self.protocol.strata, public["levels"]):
            known = public["site"] if factor == "site" else None
            if factor in self.protocol.choices and isinstance(fields, dict):
                known = fields.get(factor)
            if known not in (None, level):
                self.report(event.sequence, "levels", f"the level {level!a} should be {known!a}")

    def check_draw(self, event, stratum, strata):
        epoch, levels = stratum
        known = self.protocol is not None and not self.protocol.beacon and self.mode is not None and epoch in self.seeds
        if known and stratum not in strata:
            try:
                strata[stratum] = self.protocol.stratum(self.seeds[epoch], self.mode, epoch, levels)
            except struct.error:
                self.report(event.sequence, "form", "a level has more than 65,535 bytes")
        if strata.get(stratum) is None:
            return
        arm = self.protocol.arms[strata[stratum].draw()]
        if arm == event.public["arm"]:
            self.verified += 1
        else:
            self.wrong += 1
            self.report(event.sequence, "draw", f"the arm is {event.public['arm']!a}, and the seed gives {arm!a}")

    # 3. the gate

    def check_gate(self):
        gate, therapists = self.protocol.gate, dict(self.protocol.therapists)
        taken, homes, holders = Counter(), {}, set()
        for sequence, kind, public, payload in self.events:
            if public is None:
                continue
            closed = kind == "screened" and public["verdict"] == "gate-closed"
            if gate is None:
                if closed:
                    self.report(sequence, "gate", "the gate was closed, and the protocol has no gate")
                continue
            if kind == "capacity-changed":
                therapists[public["site"]] = public["therapists"]
            if closed or kind == "allocated":
                self.check_slots(sequence, closed, taken[public["site"]], therapists.get(public["site"]))
            family = "row", sequence  # nobody else's, if nothing better is known
            if payload is not None and kind in ABOUT_FAMILY:
                family = payload["family"]
            elif sequence in self.erased:
                family = "erasure", self.erased[sequence]
            if kind == "allocated":
                homes[family] = public["site"]
            if kind in ("allocated", "switched") and public["arm"] == gate["arm"]:
                if family in homes and family not in holders:
                    holders.add(family)
                    taken[homes[family]] += 1
            elif (kind == "switched" or kind in self.protocol.released_by) and family in holders:
                holders.remove(family)
                taken[homes[family]] -= 1

    def check_slots(self, sequence, closed, taken, therapists):
        if type(therapists) is not int:
            self.report(sequence, "gate", "the number of therapists of its site is not known")
            return
        slots = therapists * self.protocol.families_per_therapist
        if closed and taken < slots:
            self.report(sequence, "gate", f"the gate was closed with {taken} of {slots} slots taken")
        if not closed and taken >= slots:
            self.report(sequence, "gate", f"it was allocated with {taken} of {slots} slots taken")


# ---- command line --------------------------------------------------------------------------------------------------

def read_seed(name):
    try:
        text = Path(name).read_bytes()
    except (OSError, ValueError):
        raise argparse.ArgumentTypeError(f"{name!a} cannot be read") from None
    if not re.fullmatch(rb"[0-9a-fA-F]{64}(\r?\n)?", text):
        raise argparse.ArgumentTypeError(f"{name!a} is no seed file (64 hexadecimal digits)")
    return name, bytes.fromhex(text.decode("ascii").strip())


def read_head(text):
    if not is_hex(text.lower()):
        raise argparse.ArgumentTypeError("a head is 64 hexadecimal digits")
    return text.lower()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="verify.py", description="Check the ledger of a study.")
    parser.add_argument("study", nargs="?", metavar="STUDY_DIR", help="folder with protocol.toml and ledger.sqlite")
    parser.add_argument("--seed-file", action="append", default=[], type=read_seed, metavar="FILE",
                        help="seed of an epoch; may be given several times")
    parser.add_argument("--expect-head", type=read_head, metavar="HEX", help="head that was kept elsewhere")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    parser.add_argument("--self-test", action="store_true", help="hold this program against published answers")
    options = parser.parse_args(arguments)
    if options.self_test:
        met, failures = self_test()
        print("\n".join(failures) or f"OK: {met} published answers met")
        return EXIT_FAILED if failures else EXIT_OK
    if options.study is None or not Path(options.study).is_dir():
        parser.error("STUDY_DIR must be a folder")

    found = Checker()
    try:
        found.run(options.study, options.seed_file, options.expect_head)
    except Exception as error:  # the last resort: damage that no check foresaw is a finding, too
        found.report(None, "internal", f"the check stopped: {type(error).__name__} {str(error)!a}")
    findings = sorted(found.findings, key=lambda f: (f.sequence is None, f.sequence))
    code = EXIT_OK if not findings else EXIT_SEED if all(f.code == "seed" for f in findings) else EXIT_FAILED
    first = findings[0].sequence if findings else None
    unchecked = found.allocations - found.verified - found.wrong
    if options.json:
        print(json.dumps({
            "ok": not findings, "exit": code, "events": found.rows, "allocations": found.allocations,
            "draws": {"verified": found.verified, "wrong": found.wrong, "not_checked": unchecked},
            "head": found.head, "first_bad": first, "findings": [f._asdict() for f in findings]}, indent=1))
        return code
    print("OK" if not findings else "FAILED" if first is None else f"FAILED at row {first}")
    for f in findings:
        print(f"  {'study' if f.sequence is None else f'row {f.sequence}'}: {f.text} [{f.code}]")
    print(f"events       {found.rows}\nallocations  {found.allocations}")
    print(f"draws        {found.verified} verified, {found.wrong} wrong, {unchecked} not checked")
    print(f"head         {found.head}")
    return code


if __name__ == "__main__":
    sys.exit(main())
