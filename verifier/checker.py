"""What a checker does (docs/ledger-spec.md), with a ledger or a proof. Used by verify.py beside it, which is its command line."""
import re
import struct
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from draw import commitment, effective_seed, sha256
from families import Families
from names import Names
from protocol import Protocol
from rows import (ABOUT_FAMILY, PUBLIC, is_hash, is_hex, is_public_key, is_time, person, raw, read_ledger, read_payload, read_proof,
                  read_public)

# Nobody both screens families and changes whom the next draw is of; `linked` counts when it joins two families, and so
# does what takes such a link back.
DUTIES = dict.fromkeys(("screened", "returned", "joined"), "intake") | dict.fromkeys(
    ("capacity-changed", "site-opened", "site-closed", "linked", "corrected", "erased", "epoch-opened", "beacon"),
    "capacity")


OUTCOMES = {"drawn": "allocated", "exception": "exception"}  # what follows a screening with a verdict


class Finding(NamedTuple):
    sequence: int | None
    code: str
    text: str


class Event(NamedTuple):
    sequence: int
    kind: str
    public: dict | None  # None: cannot be used, and a finding says so
    payload: dict | None  # None: erased, or cannot be used, or of a proof


class Epoch(NamedTuple):
    protocol: Protocol | None  # None: its file cannot be used, and a finding says so
    hash: bytes  # with which its commitment is made and its rows are chained


class Checker:
    def __init__(self, checkpoints=()):
        self.checkpoints = checkpoints
        self.findings, self.events, self.head, self.rows = [], [], None, 0
        self.epochs, self.mode, self.has_payloads = [], None, True
        self.commitments, self.seeds, self.beacons, self.erased = [], {}, {}, {}
        self.allocations = self.verified = self.wrong = 0
        self.actors = {"intake": set(), "capacity": set()}

    def report(self, sequence, code, text):
        """Rows are named by numbers from 1, whatever number somebody gave them."""
        self.findings.append(Finding(sequence if sequence is None else max(sequence, 1), code, text))

    def run_study(self, study, seeds=(), expect_head=None):
        rows, trouble, wrong = read_ledger(study)
        if wrong is not None:  # what stands in it could be anything: no row is believed
            self.report(None, "schema", f"ledger.sqlite: {wrong}")
            return
        self.run(lambda name: (Path(study) / name).read_bytes(), rows, seeds, expect_head)
        if trouble is not None:
            self.report(self.events[-1].sequence + 1 if rows else None, "database", f"ledger.sqlite: {trouble!a}")
        elif not rows:
            self.report(1, "sequence", "the ledger is empty")

    def run_proof(self, file, seeds=(), expect_head=None):
        try:
            protocols, rows, study, head = read_proof(file)
        except ValueError as error:
            self.report(None, "database", str(error))
            return
        self.has_payloads = False
        files = {"protocol.toml" if epoch == 0 else f"protocol-{epoch}.toml": text
                 for epoch, text in enumerate(protocols)}
        self.run(files.__getitem__, rows, seeds, expect_head)
        if not rows:
            self.report(1, "sequence", "the ledger is empty")
        opened = next((event.public for event in self.events[:1] if event.kind == "opened"), None)
        if opened is not None and study != opened["study"]:
            self.report(None, "proof", f"the proof says that it is of the study {study!a}, and its first row of {opened['study']!a}")
        if rows and head != self.head:
            self.report(None, "proof", f"the proof says that its head is {head!a}, and its last row has {self.head}")
        if len(protocols) > len(self.epochs):
            self.report(None, "protocol", "the proof has more protocols than the ledger has epochs")

    def run(self, read_file, rows, seeds, expect_head):
        self.read_file = read_file
        self.check_rows(rows)
        hashes = {row[0]: row[8] for row in rows}
        protocol = self.protocol_of(0)
        for study, sequence, kept in self.checkpoints:
            if protocol is not None and study != protocol.study:
                self.report(None, "head", f"the checkpoint is of the study {study!a}")
            elif hashes.get(sequence) != kept:
                self.report(None, "head", f"row {sequence} has not the hash of the checkpoint any more")
        if expect_head not in (None, self.head):
            known = next((f"row {row[0]}, and rows were added since" for row in rows
                          if row[8] == bytes.fromhex(expect_head)), "no row")
            self.report(None, "head", f"the head is not {expect_head}, which is the hash of {known}")
        self.check_erasures()
        self.retracted = {event.public["sequence"] for event in self.events if event.kind == "corrected"
                          and event.public is not None and event.public["sequence"] < event.sequence}
        self.check_seeds(seeds)
        self.check_allocations()
        self.check_end()
        Families(self).check()
        if self.has_payloads and all(epoch.protocol for epoch in self.epochs):
            self.check_gate()

    # 1. protocols, rows, chain, erasures

    def open_epoch(self, sequence, public):
        """The protocol file of the next epoch, held against the row that opens it (`public` may be unusable: None)."""
        number = len(self.epochs)
        name = f"protocol-{number}.toml" if number else "protocol.toml"
        sealed = public["protocol_hash"] if public else ""
        protocol, found = None, None
        try:
            data = self.read_file(name)
            found = sha256(data)
            protocol = Protocol(data)
        except (OSError, KeyError) as error:
            if found is None:
                self.report(sequence if number else None, "protocol", f"{name} cannot be read: {error!a}")
            else:
                self.report(sequence if number else None, "protocol", f"{name} lacks {error!a}")
        except Protocol.UNUSABLE as error:
            self.report(sequence if number else None, "protocol",
                        f"{name} cannot be used: {type(error).__name__} {str(error)!a}")
        if found is not None and public and sealed != found.hex():
            self.report(sequence, "protocol", f"{name} is not the file that was sealed: its hash is another")
        if is_hex(sealed):  # with which the chain still tells what rows are whole
            found = bytes.fromhex(sealed)
        before = self.epochs[-1].protocol if self.epochs else None
        if protocol and before and (differs := protocol.carries_on(before)):
            self.report(sequence, "protocol", f"{name} does not carry on the file before it: {differs}")
        self.epochs.append(Epoch(protocol, found or bytes(32)))
        self.commitments.append(public and public["commitment"])

    def check_rows(self, rows):
        self.rows, self.times, expected, previous, latest = len(rows), {}, 1, bytes(32), ""
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
            self.times.setdefault(sequence, time)
            if isinstance(time, str) and is_time(time):
                if time < latest:
                    self.report(sequence, "time", f"the time goes back from {latest} to {time}")
                latest = max(time, latest)
            self.check_duty(sequence, actor, event)
            if place == 0:
                self.open_epoch(sequence, event.public if event.kind == "opened" else None)
                if event.kind == "opened" and event.public is not None:
                    self.check_opened(event.public)
            in_force = self.epochs[-1].protocol
            if self.mode == "live" and in_force and isinstance(actor, str) and (
                    not in_force.permits(actor, event.kind, event.payload)):
                self.report(sequence, "role", f"{actor!a} has no role for {event.kind!a} in the protocol in force")
            if (kind == "opened") != (place == 0):
                self.report(sequence, "opened", "the first row, and no other, is 'opened'")
            parts = [previous, self.epochs[-1].hash, struct.pack(">Q", max(sequence, 0)),
                     raw(time), raw(actor), raw(kind), raw(public), payload_hash if is_hash(payload_hash) else b""]
            if stored != sha256(b"".join(struct.pack(">I", len(part)) + part for part in parts)):
                self.report(sequence, "chain", "the hash is not that of this row after the row before it")
            previous = stored if is_hash(stored) else bytes(32)
            self.head = previous.hex()
            if event.kind == "epoch-opened":  # the rows after it are chained with its file
                if event.public is not None and event.public["epoch"] != len(self.epochs):
                    self.report(sequence, "count", f"the epoch is not {len(self.epochs)}, which comes next")
                self.open_epoch(sequence, event.public)

    def check_duty(self, sequence, actor, event):
        duty = DUTIES.get(event.kind)
        if duty is None or not isinstance(actor, str):
            return
        if event.kind == "corrected":
            number = event.public["sequence"] if event.public is not None else None
            event = next((own for own in self.events if own.sequence == number and own.kind == "linked"), event)
        if event.kind == "corrected" or event.kind == "linked" and "other" not in (event.payload or {}):
            return  # a row that parts no families, two pseudonyms of a child, or a row whose payload is not here
        actor = person(actor)
        other = "capacity" if duty == "intake" else "intake"
        if actor in self.actors[other]:
            self.report(sequence, "duty", f"{actor!a} has done both: screened families, and changed whom the next draw is of")
        self.actors[duty].add(actor)

    def read_event(self, sequence, time, actor, kind, public, payload, salt, payload_hash, stored):
        def unusable(code, text):
            self.report(expected, code, text)
        expected = sequence if type(sequence) is int else len(self.events) + 1
        fields = details = None
        if not isinstance(time, str) or not is_time(time):
            unusable("form", f"{time!a} is not a time as the page writes it")
        if not is_public_key(actor):
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
        elif not self.has_payloads:
            pass
        elif payload is not None or salt is not None:
            unusable("payload", "payload and salt must be text and 32 bytes, or both be erased")
        else:
            self.erased[expected] = None  # until a later row names it
        return Event(expected, kind, fields, details)

    def check_opened(self, opened):
        self.mode = opened["mode"]
        protocol = self.epochs[0].protocol
        if protocol is not None and opened["study"] != protocol.study:
            self.report(1, "opened", f"the study is {opened['study']!a}, and {protocol.study!a} in the protocol")
        if protocol is not None and opened["custody"] != protocol.custody:
            self.report(1, "opened", f"the custody is {opened['custody']!a}, and {protocol.custody!a} in the protocol")

    def check_erasures(self):
        """Fills in self.erased: sequence -> the erasure that names it, which stands for its family; what it may name is checked in families.py."""
        missing, present = set(self.erased), {event.sequence for event in self.events}
        self.missing, self.erased = missing, {}
        for event in self.events:
            if event.kind != "erased" or event.public is None:
                continue
            for s in event.public["sequences"]:
                if s < event.sequence and s in present:
                    self.erased.setdefault(s, event.sequence)
        for s in missing - self.erased.keys():
            self.report(s, "erasure", "the payload is not there, and no later row 'erased' names it")

    # 2. counts, 4. seeds and draws

    def check_seeds(self, given):
        """Fills in self.seeds: epoch -> seed, as far as seeds are known and right."""
        opened = 0  # epochs, before each row
        for event in self.events:
            opened += event.kind in ("opened", "epoch-opened")
            if event.kind != "revealed" or event.public is None:
                continue
            seeds = event.public["seeds"]
            if len(seeds) != opened:
                self.report(event.sequence, "form", "there must be one seed per epoch")
                continue
            for epoch, seed in enumerate(map(bytes.fromhex, seeds[:len(self.epochs)])):
                if commitment(seed, self.epochs[epoch].hash) == self.commitments[epoch]:
                    self.seeds[epoch] = seed
                else:
                    self.report(event.sequence, "revealed", f"the seed of epoch {epoch} does not match its commitment")
        for name, seed in given:
            epochs = [e for e, c in enumerate(self.commitments) if c == commitment(seed, self.epochs[e].hash)]
            self.seeds |= dict.fromkeys(epochs, seed)
            if not epochs:
                self.report(None, "seed", f"the seed in {name!a} matches no commitment of the ledger")
        lacking = [epoch for epoch in range(len(self.commitments)) if epoch not in self.seeds]
        if given and lacking and not any(finding.code == "seed" for finding in self.findings):
            epochs = f"epoch{'s' if lacking[1:] else ''} {', '.join(map(str, lacking))}"
            self.report(None, "seed-missing", f"no seed was given for {epochs}, whose draws are not checked")

    def protocol_of(self, epoch):
        return self.epochs[epoch].protocol if 0 <= epoch < len(self.epochs) else None

    def check_beacon(self, event, open_epoch):
        epoch, value = event.public["epoch"], event.public["value"]
        protocol = self.protocol_of(epoch)
        if epoch != open_epoch or epoch in self.beacons:
            self.report(event.sequence, "beacon", f"epoch {epoch} has a beacon already, or is not the open one")
        elif protocol is not None and protocol.round != event.public["round"]:
            self.report(event.sequence, "beacon", f"the protocol names the round {protocol.round!a}")
        self.beacons.setdefault(epoch, value)

    def check_allocations(self):
        families, names, draws, strata, epoch, number = {}, Names(), Counter(), {}, -1, 1
        for last, event in zip([None, *self.events], [*self.events, None]):
            awaited = OUTCOMES.get(last.public["verdict"]) if last and last.kind == "screened" and last.public else None
            if awaited is not None and (event is None or event.kind != awaited):
                self.report(last.sequence + 1, "pair", f"'{awaited}' should stand here, after its verdict")
            if event is None:
                break
            sequence, kind, public, payload = event
            epoch += kind in ("opened", "epoch-opened")
            self.allocations += kind == "allocated"
            if kind == "beacon" and public is not None:
                self.check_beacon(event, epoch)
            protocol = self.protocol_of(epoch)
            if protocol and public and "site" in public and public["site"] not in protocol.therapists:
                self.report(sequence, "site", f"the site {public['site']!a} is not in the protocol in force")
            if kind == "linked" and sequence not in self.retracted:
                names.link(payload)
            if kind in OUTCOMES.values() and public is not None:
                paired = self.check_pair(event, last)
            if kind != "allocated" or public is None:
                continue
            if public["allocation"] != number:
                self.report(sequence, "count", f"allocation {public['allocation']} stands where {number} comes next")
            number = public["allocation"] + 1
            if public["epoch"] != epoch:
                self.report(sequence, "count", f"it is of epoch {public['epoch']}, and the open one is {epoch}")
            if payload is not None:
                family = names.of(payload["family"])
                names.draw(family)
                if families.setdefault(family, sequence) != sequence:
                    self.report(sequence, "twice", f"row {families[family]} allocated the same family")
            if paired:
                self.check_levels(event, last)
            stratum = public["epoch"], tuple(public["levels"])
            if public["draw"] != draws[stratum]:
                self.report(sequence, "count", f"draw {public['draw']} stands where {draws[stratum]} comes next")
                strata[stratum] = None  # its later draws cannot be judged
            draws[stratum] = public["draw"] + 1
            self.check_draw(event, stratum, strata)

    def check_pair(self, event, last):
        public, payload = event.public, event.payload
        if last is None or last.kind != "screened" or last.public and OUTCOMES.get(last.public["verdict"]) != event.kind:
            self.report(event.sequence, "pair", "the row before is not 'screened' with the verdict of this row")
            return False
        if last.public and last.public["site"] != public["site"]:
            self.report(event.sequence, "pair", "the row before was screened at another site")
        if payload and last.payload:
            if any(payload[key] != last.payload[key] for key in ("family", "request_id")):
                self.report(event.sequence, "pair", "the row before is of another family or request")
            if event.kind == "exception" and payload["reason"] != last.payload.get("exception"):
                self.report(event.sequence, "pair", "the row before declared another reason")
        return True

    def check_levels(self, event, last):
        public = event.public
        protocol = self.protocol_of(public["epoch"])
        if protocol is None:
            return
        if public["arm"] not in protocol.arms:
            self.report(event.sequence, "form", f"arm {public['arm']!a} is not in the protocol")
        if ("factors" in public) != bool(protocol.factors):
            self.report(event.sequence, "form", "'factors' stands where the method balances factors, and nowhere else")
        fields = last.payload.get("fields") if last.payload else None
        for names, levels in ((protocol.strata, public["levels"]), (protocol.factors, public.get("factors", []))):
            if len(names) != len(levels):
                self.report(event.sequence, "levels", "there is not one level for each factor")
            for factor, level in zip(names, levels):
                known = public["site"] if factor == "site" else None
                try:
                    if factor != "site" and isinstance(fields, dict) and factor in fields:
                        known = protocol.level(factor, fields[factor])
                except ValueError as error:
                    self.report(event.sequence, "levels", f"the field {factor!a} cannot be used: {str(error)!a}")
                if known not in (None, level):
                    self.report(event.sequence, "levels", f"the level {level!a} should be {known!a}")
                elif level not in protocol.levels(factor):
                    self.report(event.sequence, "levels", f"the level {level!a} is none of {factor!a}")

    def check_draw(self, event, stratum, strata):
        epoch, levels = stratum
        protocol, seed = self.protocol_of(epoch), self.seeds.get(epoch)
        if protocol is None:
            return
        if protocol.round is not None and epoch not in self.beacons:
            self.report(event.sequence, "beacon", "the protocol names a beacon, and no row before has its value")
        beacon = self.beacons.get(epoch)
        if seed is None or self.mode is None or protocol.round is not None and beacon is None:
            return
        if stratum not in strata:
            try:
                seed = seed if protocol.round is None else effective_seed(seed, beacon)
                strata[stratum] = protocol.stratum(seed, self.mode, epoch, levels)
            except struct.error:
                self.report(event.sequence, "form", "a level has more than 65,535 bytes")
        factors = event.public.get("factors", [])
        if strata.get(stratum) is None or len(factors) != len(protocol.factors):
            strata[stratum] = None  # its later draws cannot be judged
            return
        arm = protocol.arms[strata[stratum].draw(factors)]
        if arm == event.public["arm"]:
            self.verified += 1
        else:
            self.wrong += 1
            self.report(event.sequence, "draw", f"the arm is {event.public['arm']!a}, and the seed gives {arm!a}")

    def check_end(self):
        """Locks come in order, and nobody is drawn after the final one, after the seeds, or at a closed site."""
        epoch, locked, closed, ended, revealed = -1, set(), set(), False, False
        for sequence, kind, public, _ in self.events:
            epoch += kind in ("opened", "epoch-opened")
            protocol = self.protocol_of(epoch)
            if public is None:
                continue
            if kind == "allocated" and (ended or revealed or public["site"] in closed):
                self.report(sequence, "end", "it is drawn after the final lock, after the seeds, or at a closed site")
            if kind == "site-closed":
                closed.add(public["site"])
            if kind == "site-opened":
                closed.discard(public["site"])
            if kind == "epoch-opened" and (ended or revealed):
                self.report(sequence, "lock", "the epoch is opened after the final lock, or after the seeds")
            if kind == "revealed":
                if revealed:
                    self.report(sequence, "lock", "the seeds are published again")
                if not ended and protocol and protocol.final_lock is not None:
                    self.report(sequence, "lock", "the seeds are published before the final lock")
                revealed = True
            if kind not in ("locked", "analysed"):
                continue
            lock = public["lock"]
            if protocol and lock not in protocol.locks:
                self.report(sequence, "lock", f"the lock {lock!a} is not in the protocol")
            elif kind == "locked" and lock in locked:
                self.report(sequence, "lock", f"the lock {lock!a} was made before")
            elif kind == "analysed" and lock not in locked:
                self.report(sequence, "lock", f"the lock {lock!a} was never made")
            for code in public.get("deviations", ()):
                if protocol and code not in protocol.deviations:
                    self.report(sequence, "lock", f"the deviation {code!a} is not in the protocol")
            if kind == "locked":
                locked.add(lock)
                ended = ended or protocol is not None and lock == protocol.final_lock

    # 3. the gate

    def check_gate(self):
        epoch, therapists, taken, homes, holders, names = -1, {}, Counter(), {}, set(), Names()
        for sequence, kind, public, payload in self.events:
            epoch += kind in ("opened", "epoch-opened") or epoch < 0
            protocol = self.epochs[min(epoch, len(self.epochs) - 1)].protocol
            gate, therapists = protocol.gate, protocol.therapists | therapists  # a new site has those of its first file
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
                known = therapists.get(public["site"])
                self.check_slots(sequence, closed, taken[public["site"]], known, protocol.families_per_therapist)
            family = "row", sequence  # nobody else's, if nothing better is known
            if payload is not None and kind in ABOUT_FAMILY:
                family = names.of(payload["family"])
            elif sequence in self.erased:
                family = "erasure", self.erased[sequence]
            if kind == "linked" and sequence not in self.retracted:
                names.link(payload)
            if kind == "allocated":
                names.draw(family)
                homes[family] = public["site"]
            if kind in ("allocated", "switched") and public["arm"] == gate["arm"]:
                if family in homes and family not in holders:
                    holders.add(family)
                    taken[homes[family]] += 1
            elif (kind == "switched" or kind in protocol.released_by) and family in holders:
                holders.remove(family)
                taken[homes[family]] -= 1

    def check_slots(self, sequence, closed, taken, therapists, families_per_therapist):
        if type(therapists) is not int:
            self.report(sequence, "gate", "the number of therapists of its site is not known")
            return
        slots = therapists * families_per_therapist
        if closed and taken < slots:
            self.report(sequence, "gate", f"the gate was closed with {taken} of {slots} slots taken")
        if not closed and taken >= slots:
            self.report(sequence, "gate", f"it was allocated with {taken} of {slots} slots taken")
