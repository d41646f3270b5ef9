"""Tests of verify.py on studies of several epochs, with beacons, with every method, and on proofs.

python3 -m unittest discover verifier
"""
import json
import unittest

from draw import Stratum, effective_seed
from protocol import Protocol, Ranges
from test_verify import BIG_STICK, GATE, PROTOCOL, SEED, SITE, Case, Ledger, canonical

SECOND = bytes(31) + b"\7"
ROUND = "27946612"
VALUE = "4d6d26aa00d79558f1d686cfab1168f0589e2ccad5768850b68ecdcebdd6e0cb"
FIELD = '[[field]]\nid = "grund"\nkind = "choice"\nlevels = ["våld", "annat"]\n'
METHODS = (
    'method = "random-allocation"\nlist_len = 6', 'method = "biased-coin"\nbias = "3/5"', 'method = "biased-coin"',
    'method = "urn"\nurn = [1, 2]', 'method = "truncated-binomial"\nlist_len = 12',
    'method = "maximal"\nlist_len = 198\nmax_imbalance = 4', 'method = "permuted-block"', 'method = "big-stick"',
    'method = "minimization"\nfactors = ["grund", "site"]\nimbalance = "variance"\nfactor_weights = [2, 1]\n'
    'probability = 0.7',
    'method = "minimization"\nfactors = ["grund"]\nratio_preserving = true',
)
EQUAL_ARMS = "big-stick", "biased-coin", "urn", "truncated-binomial", "maximal"  # at another ratio by duplicates


def with_beacon(protocol):
    return protocol.replace("[[site]]", f'beacon = {{ source = "drand-quicknet", round = {ROUND} }}\n[[site]]', 1)


class Honest(Ledger):
    """A ledger whose draws are those that the seed gives. The arms come from draw.py, which is tested by itself."""

    def __init__(self, protocol=PROTOCOL % BIG_STICK, **more):
        super().__init__(protocol, **more)
        self.epoch, self.seed, self.strata, self.family = 0, SEED, {}, 0

    def open_epoch(self, seed, protocol=None, **public):
        number = super().open_epoch(seed, protocol, **public)
        self.epoch, self.seed, self.strata = self.epoch + 1, seed, {}
        return number

    def beacon(self, value=VALUE, **public):
        self.seed = effective_seed(self.seed, value)
        return self.add("beacon", {"epoch": self.epoch, "round": ROUND, "value": value} | public)

    def drawn(self, times, protocol, levels=(SITE,), factors=None):
        """Draws as `protocol`, the checker's own reading of the text, says."""
        for place in range(times):
            own = factors[place % len(factors)] if factors else ()
            if levels not in self.strata:
                self.strata[levels] = protocol.stratum(self.seed, "live", self.epoch, levels)
            stratum = self.strata[levels]
            number, arm = stratum.drawn, protocol.arms[stratum.draw(own)]
            sequence = self.draw(f"F{self.family}", arm, number, self.epoch, list(levels))
            if factors:
                self.change(sequence, rechain=True, factors=list(own))
                fields = json.loads(self.rows[sequence - 2]["payload"]) | {"fields": {"grund": own[0]}}
                self.rows[sequence - 2]["payload"] = canonical(fields)
                self.chain(sequence - 1)
            self.family += 1
        return len(self.rows)

    def text(self, epoch=0):
        return Protocol([self.protocol, *self.later][epoch])

    def proof(self, file):
        proof = {"schema": "lottning.proof/1", "study": "iuh-2025", "head": self.head,
                 "protocols": [text.decode() for text in (self.protocol, *self.later)],
                 "rows": [{key: row[key].hex() if isinstance(row[key], bytes) else row[key] for key in
                           ("sequence", "time", "actor", "kind", "public", "payload_hash", "hash")}
                          for row in self.rows]}
        file.write_text(json.dumps(proof, ensure_ascii=False), encoding="utf-8")


class Base(Case):
    def setUp(self):
        super().setUp()
        self.second = self.folder / "epoch-1.seed"
        self.second.write_text(SECOND.hex())

    def both(self, ledger):
        return self.verify(ledger, "--seed-file", self.second)


class Methods(Base):
    def test_each_method(self):
        for options in METHODS:
            for ratio in (1, 2):
                if ratio == 2 and not any(word in options for word in ("random-all", "preserving", *EQUAL_ARMS)):
                    continue
                with self.subTest(options=options, ratio=ratio):
                    protocol = (PROTOCOL % options).replace('id = "iuh"', f'id = "iuh"\nratio = {ratio}') + FIELD
                    ledger = Honest(protocol)
                    factors = None
                    if "factors" in options:
                        own = [["våld"], ["annat"], ["våld"], ["våld"]]
                        factors = [(*level, SITE) if '"site"]' in options.split("\n")[1] else tuple(level)
                                   for level in own]
                    last = ledger.drawn(24, ledger.text(), factors=factors)
                    self.assert_ok(self.verify(ledger), verified=24)
                    arm = json.loads(ledger.rows[last - 1]["public"])["arm"]
                    ledger.change(last, rechain=True, arm="standard" if arm == "iuh" else "iuh")
                    self.assert_bad(self.verify(ledger), last, "draw")

    def test_factors(self):
        ledger = Honest(PROTOCOL % 'method = "minimization"\nfactors = ["grund"]' + FIELD)
        last = ledger.drawn(6, ledger.text(), factors=[("våld",), ("annat",)])
        for factors, code in ((["våld"], "levels"), ([], "form"), (["annat", "annat"], "levels"), ("annat", "form"),
                              ([1], "form")):
            ledger.change(last, rechain=True, factors=factors)
            self.assert_bad(self.verify(ledger), last, code)
        public = json.loads(ledger.rows[last - 1]["public"])
        del public["factors"]
        ledger.rows[last - 1]["public"] = canonical(public)
        ledger.chain(last)
        self.assert_bad(self.verify(ledger), last, "form")
        other = Ledger()
        other.draws("bb")
        other.change(5, rechain=True, factors=["våld"])
        self.assert_bad(self.verify(other), 5, "form")


class Levels(Base):
    def test_texts_of_ranges(self):
        # The examples of the page.
        count = Ranges({"kind": "count", "cuts": [1, 3]})
        self.assertEqual(count.texts, ["0", "1-2", "3+"])
        self.assertEqual([count.level(value) for value in ("0", "1", "2", "3", "40")], ["0", "1-2", "1-2", "3+", "3+"])
        number = Ranges({"kind": "number", "range": [-2, 10], "cuts": ["1.5"]})
        self.assertEqual(number.texts, ["-2-<1.5", "1.5+"])
        self.assertEqual([number.level(value) for value in ("-2", "-0.1", "1.4", "1.5")], ["-2-<1.5"] * 3 + ["1.5+"])
        self.assertEqual(Ranges({"kind": "number", "places": 0, "range": [0, 9], "cuts": [5]}).texts, ["0-4", "5+"])
        fine = Ranges({"kind": "number", "range": ["-1.25", 0], "places": 2, "cuts": ["-0.5", "-0.05"]})
        self.assertEqual(fine.texts, ["-1.25-<-0.5", "-0.5-<-0.05", "-0.05+"])

    def test_levels_follow_from_fields(self):
        protocol = (PROTOCOL % BIG_STICK).replace('["site"]', '["site", "reports", "known"]') + (
            '[[field]]\nid = "reports"\nkind = "count"\ncuts = [1, 3]\n[[field]]\nid = "known"\nkind = "yes-no"\n')
        two = {"reports": "2", "known": "yes"}
        # Of no value, or of none that is written as values are, the row that has it is the bad one.
        unfit = [{"known": "yes"}, *({"reports": text, "known": "yes"} for text in (
            "", "x", "3x", "02", "+2", "-1", "2.0", "1000001", 2, None)), two | {"known": "perhaps"}, two | {"known": True}, {}]
        for fields, levels, first in (
                (two, ["1-2", "yes"], None), ({"reports": "3", "known": "yes"}, ["1-2", "yes"], 3),
                ({"reports": "2", "known": "no"}, ["1-2", "yes"], 3), (two, ["1-3", "yes"], 3), (two, ["1-2", "perhaps"], 3),
                *((own, ["1-2", "yes"], 2) for own in unfit)):
            with self.subTest(fields=fields, levels=levels):
                ledger = Ledger(protocol)
                ledger.draw("F0", "a", levels=[SITE, *levels])
                screened = json.loads(ledger.rows[1]["payload"]) | {"fields": fields}
                ledger.rows[1]["payload"] = canonical(screened)
                ledger.chain(2)
                answer = self.verify(ledger, seed=False)
                if first is None:
                    self.assert_ok(answer)
                else:
                    self.assert_bad(answer, first, "levels" if first == 3 else "form")

    def test_values_are_written_in_one_way(self):
        own = Protocol((PROTOCOL % BIG_STICK + '[[field]]\nid = "temp"\nkind = "number"\nplaces = 2\nrange = [-1.5, 3]\n').encode())
        for text, holds in (("0", True), ("-1.5", True), ("2.25", True), ("-0.5", True), ("3", True), ("3.01", False), ("-1.51", False),
                            ("0.125", False), ("1.50", False), ("01", False), ("-0", False), ("1.", False), (".5", False),
                            ("1e0", False), ("٣", False)):
            self.assertEqual(own.is_value("temp", text), holds, text)


class Epochs(Base):
    def ledger(self):
        ledger = Honest(PROTOCOL % BIG_STICK + GATE + FIELD)
        ledger.drawn(3, ledger.text())
        ledger.opening = ledger.open_epoch(SECOND, (PROTOCOL % 'method = "permuted-block"\nblock_len = 6').replace(
            'id = "standard"', 'id = "standard"\nratio = 2').replace(
                "[[arm]]", '[[site]]\nid = "skarpnack"\ntherapists = 1\n[[arm]]', 1) + GATE + FIELD)
        ledger.drawn(2, ledger.text(1))
        ledger.last = ledger.drawn(1, ledger.text(1), ("skarpnack",))
        ledger.change(ledger.last - 1, site="skarpnack")
        screened = ledger.rows[ledger.last - 2]
        screened["payload"] = canonical(json.loads(screened["payload"]) | {"site": "skarpnack"})
        ledger.change(ledger.last, site="skarpnack")
        ledger.chain(ledger.last - 1)
        return ledger

    def test_two_epochs_with_files_of_their_own(self):
        ledger = self.ledger()
        self.assert_ok(self.both(ledger), verified=6)
        self.assertEqual(self.verify(ledger)["draws"], {"verified": 3, "wrong": 0, "not_checked": 3})
        ledger.add("revealed", {"seeds": [SEED.hex(), SECOND.hex()]})
        self.assert_ok(self.verify(ledger, seed=False), verified=6)
        # A published seed stands for the one that was not given.
        self.assert_ok(self.check("--seed-file", self.second), verified=6)
        ledger.change(len(ledger.rows), rechain=True, seeds=[SECOND.hex(), SEED.hex()])
        self.assert_bad(self.verify(ledger, seed=False), len(ledger.rows), "revealed")
        ledger.change(len(ledger.rows), rechain=True, seeds=[SEED.hex()])
        self.assert_bad(self.verify(ledger, seed=False), len(ledger.rows), "form")

    def test_no_epoch_is_opened_after_the_seeds(self):
        # The file has no final lock, so that nothing else forbids the row.
        ledger = Honest(PROTOCOL % BIG_STICK + FIELD)
        ledger.drawn(3, ledger.text())
        ledger.add("revealed", {"seeds": [SEED.hex()]})
        self.assert_ok(self.verify(ledger), verified=3)
        opening = ledger.open_epoch(SECOND)
        self.assert_bad(self.both(ledger), opening, "lock")

    def test_rows_of_an_epoch_are_bound_to_its_file(self):
        ledger = self.ledger()
        ledger.later[0] += b"# one byte more\n"
        found = self.assert_bad(self.both(ledger), ledger.opening, "protocol")
        self.assertEqual(found, [(ledger.opening, "protocol")])
        ledger = self.ledger()
        ledger.save(self.study)
        (self.study / "protocol-1.toml").unlink()
        self.assert_bad(self.check(), ledger.opening, "protocol")

    def test_rows_chained_with_the_file_before(self):
        ledger = self.ledger()
        later, ledger.later = ledger.later, []
        ledger.chain(ledger.opening + 1)
        ledger.later = later
        self.assert_bad(self.both(ledger), ledger.opening + 1, "chain")

    def test_a_file_that_nobody_opened_is_not_read(self):
        ledger = self.ledger()
        ledger.save(self.study)
        (self.study / "protocol-2.toml").write_text("a leftover")
        self.assert_ok(self.check("--seed-file", self.seed_file, "--seed-file", self.second))

    def test_fewer_seeds_than_epochs(self):
        ledger = self.ledger()
        for given, lacking in (("seed_file", 1), ("second", 0)):
            ledger.save(self.study)
            answer = self.check("--seed-file", getattr(self, given))
            found = self.assert_bad(answer, None, "seed-missing", exit=9)
            self.assertEqual(len(found), 1)
            self.assertIn(f"epoch {lacking}, whose", answer["findings"][0]["text"])
            self.assertFalse(answer["ok"])
            self.assertGreater(answer["draws"]["not_checked"], 0)
        # Damage counts for more, and a seed of another study is named alone.
        ledger.rows[2]["hash"] = bytes(32)
        self.assert_bad(self.verify(ledger), 3, "chain")
        other = self.folder / "other.seed"
        other.write_text("77" * 32)
        self.ledger().save(self.study)
        self.assertEqual(self.assert_bad(self.check("--seed-file", other), None, exit=9), [(None, "seed")])
        # Without any, the chain alone is checked; with all, in any order, every draw.
        self.assert_ok(self.check())
        self.assert_ok(self.check("--seed-file", self.second, "--seed-file", self.seed_file))

    def test_a_file_must_carry_on_the_one_before_it(self):
        base = PROTOCOL % BIG_STICK + FIELD + '[[criterion]]\nid = "c"\ninclude_if = true\n'
        for old, new in (('id = "iuh-2025"', 'id = "iuh-2026"'), ('id = "standard"', 'id = "usual"'),
                         (f'id = "{SITE}"', 'id = "skarpnack"'), ('["våld", "annat"]', '["annat", "våld"]'),
                         ('["våld", "annat"]', '["våld"]'), ("include_if = true", "include_if = false"),
                         ("[[criterion]]\nid = \"c\"\ninclude_if = true\n", ""), (FIELD, ""), (base, "")):
            with self.subTest(old=old[:30], new=new):
                ledger = Honest(base)
                opening = ledger.open_epoch(SECOND, base.replace(old, new) or "\n")
                self.assert_bad(self.both(ledger), opening, "protocol")
        ledger = Honest(base)
        ledger.open_epoch(SECOND, base.replace('"annat"]', '"annat", "brott"]'))
        self.assert_ok(self.both(ledger))

    def test_an_epoch_begins_anew(self):
        ledger = self.ledger()
        first = ledger.opening + 2
        for change, code in (({"draw": 3}, "count"), ({"epoch": 0}, "count"), ({"allocation": 1}, "count")):
            copy = self.ledger()
            copy.change(first, rechain=True, **change)
            self.assert_bad(self.both(copy), first, code)

    def test_a_commitment_made_with_another_file(self):
        ledger = self.ledger()
        ledger.change(ledger.opening, rechain=True, commitment=ledger.commit(SECOND, 0))
        self.assert_bad(self.both(ledger), None, exit=9)

    def test_a_new_site_has_the_therapists_of_its_first_file(self):
        ledger = self.ledger()  # skarpnack: one therapist with two families
        ledger.screened("gate-closed", "F9", "skarpnack")
        self.assert_bad(self.both(ledger), len(ledger.rows), "gate")


class Beacon(Base):
    def ledger(self):
        ledger = Honest(with_beacon(PROTOCOL % BIG_STICK))
        ledger.beacon()
        ledger.last = ledger.drawn(6, ledger.text())
        return ledger

    def test_draws_with_a_beacon(self):
        self.assert_ok(self.verify(self.ledger()), verified=6)

    def test_another_value(self):
        ledger = self.ledger()
        ledger.change(2, rechain=True, value="ab" * 32)
        self.assertEqual(self.verify(ledger)["exit"], 8)

    def test_what_a_beacon_row_may_be(self):
        for change, code in (({"epoch": 1}, "beacon"), ({"round": "another"}, "beacon"), ({"value": "AB" * 16}, "form"),
                             ({"value": ""}, "form"), ({"value": "ab" * 7}, "form"), ({"value": "a" * 17}, "form")):
            ledger = self.ledger()
            ledger.change(2, rechain=True, **change)
            self.assert_bad(self.verify(ledger), 2, code)
        ledger = self.ledger()
        ledger.add("beacon", {"epoch": 0, "round": ROUND, "value": VALUE})
        self.assert_bad(self.verify(ledger), ledger.last + 1, "beacon")

    def test_no_draw_before_the_beacon(self):
        ledger = Honest(with_beacon(PROTOCOL % BIG_STICK))
        ledger.drawn(1, ledger.text())
        ledger.beacon()
        self.assert_bad(self.verify(ledger), 3, "beacon")
        self.assert_bad(self.verify(ledger, seed=False), 3, "beacon")

    def test_a_beacon_that_the_file_does_not_name(self):
        ledger = Honest()
        ledger.beacon()
        self.assert_bad(self.verify(ledger), 2, "beacon")

    def test_a_beacon_of_the_second_epoch_alone(self):
        ledger = Honest()
        ledger.drawn(2, ledger.text())
        ledger.open_epoch(SECOND, with_beacon(PROTOCOL % BIG_STICK))
        ledger.beacon()
        ledger.drawn(4, ledger.text(1))
        self.assert_ok(self.both(ledger), verified=6)


class Proofs(Base):
    def setUp(self):
        super().setUp()
        self.ledger = Honest(PROTOCOL % BIG_STICK + GATE + FIELD)
        self.ledger.drawn(5, self.ledger.text())  # rows 2 to 11
        self.opening = self.ledger.open_epoch(SECOND)
        self.ledger.drawn(3, self.ledger.text(1))
        self.ledger.event("closed", "F0")
        self.file = self.folder / "proof.json"

    def prove(self, *arguments, change=None):
        self.ledger.proof(self.file)
        if change is not None:
            proof = json.loads(self.file.read_text())
            change(proof)
            self.file.write_text(json.dumps(proof))
        code, out = self.run_main("--proof", self.file, "--json", "--seed-file", self.seed_file, "--seed-file",
                                  self.second, *arguments)
        answer = json.loads(out)
        self.assertNotIn("internal", [f["code"] for f in answer["findings"]], out)
        self.assertEqual(answer["exit"], code)
        return answer

    def test_an_honest_proof(self):
        self.assert_ok(self.prove("--expect-head", self.ledger.head), verified=8)
        self.ledger.erase(2, 3)
        self.assert_ok(self.prove(), verified=8)
        self.assert_bad(self.prove("--expect-head", "ab" * 32), None, "head")

    def test_forged_proofs(self):
        def edit(number, key, value):
            return lambda proof: proof["rows"][number - 1].update({key: value})

        for change, first in ((edit(4, "actor", "other"), 4), (edit(4, "hash", "00" * 32), 4), (edit(4, "hash", 3), 4),
                              (edit(4, "sequence", 5), 4), (edit(4, "payload_hash", "00" * 32), 4),
                              (edit(4, "public", "{}"), 4), (edit(4, "time", "2025"), 4), (edit(4, "kind", None), 4),
                              (lambda proof: proof["rows"].pop(3), 4),
                              (lambda proof: proof["rows"].insert(3, proof["rows"].pop(4)), 4),
                              (lambda proof: proof["protocols"].pop(), self.opening),
                              (lambda proof: proof["protocols"].append("x"), None),
                              (lambda proof: proof.update(head="00" * 32), None), (lambda proof: proof.update(head=None), None),
                              (lambda proof: proof.update(head=proof["head"].upper() + "AB"), None),
                              (lambda proof: proof.update(study="other"), None), (lambda proof: proof["rows"].pop(), None),
                              (lambda proof: proof["rows"].clear(), 1)):
            self.assert_bad(self.prove(change=change), first)

    def test_a_wrong_arm_with_a_chain_made_anew(self):
        arm = json.loads(self.ledger.rows[6]["public"])["arm"]
        self.ledger.change(7, rechain=True, arm="standard" if arm == "iuh" else "iuh")
        self.assert_bad(self.prove(), 7, "draw")

    def test_what_is_no_proof(self):
        for change in (lambda proof: proof.update(schema="lottning.proof/2"), lambda proof: proof.pop("rows"),
                       lambda proof: proof.update(note="x"), lambda proof: proof.pop("head"),
                       lambda proof: proof.update(rows=3), lambda proof: proof.update(protocols=[3]),
                       lambda proof: proof["rows"].append(3), lambda proof: proof["rows"][0].update(payload="{}")):
            self.assert_bad(self.prove(change=change), None, "database")
        self.file.write_text("[" * 99999)
        self.assertEqual(self.run_main("--proof", self.file)[0], 8)
        self.assertEqual(self.run_main("--proof", self.folder / "none")[0], 2)
        self.assertEqual(self.run_main("--proof", self.file, self.study)[0], 2)


if __name__ == "__main__":
    unittest.main()
