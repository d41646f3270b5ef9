"""Tests of verify.py: python3 -m unittest discover verifier

`Ledger` writes small studies as docs/ledger-spec.md says, with code of its own. The arms of its draws are those that
docs/allocation-spec.md prints for its worked example (section 7), so that no answer comes from the program under test.
"""
import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from time import sleep
from unittest import mock

import verify
import published
import rows
from rows import PUBLIC
from draw import Stratum, below

SEED = bytes(range(32))
SITE = "rinkeby-kista"
PROTOCOL = f"""
lottning = 1
[study]
id = "iuh-2025"
custody = "single-user"
[[site]]
id = "{SITE}"
therapists = 2
[[arm]]
id = "iuh"
families_per_therapist = 2
[[arm]]
id = "standard"
[[criterion]]
id = "many"
rule = "reports >= 2"
[[outcome]]
id = "score"
[allocation]
%s
strata = ["site"]
"""
BIG_STICK = 'method = "big-stick"\nmax_imbalance = 4'
ENDING = '[exceptions]\nreasons = ["jav"]\n[[lock]]\nid = "final"\n'
GATE = '[gate]\narm = "iuh"\nwhen_full = "do-not-randomize"\nreleased_by = ["closed", "not-started"]\n'
SCHEMA = """CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    time TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, public TEXT NOT NULL,
    payload TEXT, salt BLOB, payload_hash BLOB NOT NULL, hash BLOB NOT NULL
) STRICT"""
MARKS = "PRAGMA application_id = 0x6c6f7474; PRAGMA user_version = 1; "
COLUMNS = "sequence time actor kind public payload salt payload_hash hash".split()
ARM = {"a": "iuh", "b": "standard", "c": "third"}


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Ledger:
    """Rows of a study as a list of dictionaries, to be tampered with before `save`."""

    def __init__(self, protocol=PROTOCOL % BIG_STICK, study="iuh-2025", mode="live"):
        self.protocol, self.rows, self.allocations = protocol.encode(), [], 0
        self.later = []  # protocol files of later epochs
        self.add("opened", {"format": 1, "study": study, "mode": mode, "protocol_hash": self.protocol_hash().hex(),
                            "commitment": self.commit(SEED), "custody": "single-user"})

    def protocol_hash(self, epoch=0):
        return hashlib.sha256([self.protocol, *self.later][epoch]).digest()

    def commit(self, seed, epoch=0):
        return hashlib.sha256(b"lottning/commit/1" + seed + self.protocol_hash(epoch)).hexdigest()

    def open_epoch(self, seed, protocol=None, **public):
        """A new epoch under a file of its own: another text, or the first with a line more."""
        epoch = len(self.later) + 1
        self.later.append(protocol.encode() if protocol else self.protocol + b"# epoch %d\n" % epoch)
        return self.add("epoch-opened", {"epoch": epoch, "commitment": self.commit(seed, epoch),
                                         "protocol_hash": self.protocol_hash(epoch).hex()} | public)

    def add(self, kind, public=None, payload=None, actor=None):
        number = len(self.rows) + 1
        row = {"sequence": number, "time": f"2025-03-01T08:{number // 60:02}:{number % 60:02}.000000Z",
               "actor": actor or ("lead" if kind.startswith(("site-", "capacity-", "linked", "epoch-", "erased", "corrected", "beacon")) else "desk-1"), "kind": kind, "public": canonical(public or {}), "payload": canonical(payload or {}),
               "salt": hashlib.sha256(b"salt %d" % number).digest()}
        self.rows.append(row)
        self.chain(number)
        return number

    def chain(self, start):
        """Hashes the rows again from the number `start` on, as somebody would who owns the ledger."""
        for place in range(start - 1, len(self.rows)):
            row = self.rows[place]
            if row["payload"] is not None:
                row["payload_hash"] = hashlib.sha256(row["salt"] + row["payload"].encode()).digest()
            previous = self.rows[place - 1]["hash"] if place else bytes(32)
            digest = hashlib.sha256()
            epoch = sum(before["kind"] == "epoch-opened" for before in self.rows[:place])
            for part in (previous, self.protocol_hash(min(epoch, len(self.later))), row["sequence"].to_bytes(8, "big"), row["time"].encode(),
                         row["actor"].encode(), row["kind"].encode(), row["public"].encode(), row["payload_hash"]):
                digest.update(len(part).to_bytes(4, "big") + part)
            row["hash"] = digest.digest()

    def fields(self):
        return {"grund": "våld"} if b'id = "grund"' in [self.protocol, *self.later][-1] else {}

    def screened(self, verdict, family, site=SITE, **payload):
        return self.add("screened", {"site": site, "verdict": verdict}, {
            "family": family, "request_id": f"r-{family}", "children": [f"c-{family}"], "fields": self.fields(),
            "answers": {}, "site": site, "report_key": "R1", "received": "2025-02-28"}
            | ({"missed": ["many"]} if verdict == "not-eligible" else {}) | payload)

    def excepted(self, family, reason="jav"):
        self.screened("exception", family, exception=reason)
        return self.add("exception", {"site": SITE}, {"family": family, "request_id": f"r-{family}", "reason": reason})

    def again(self, kind, family, key, **more):
        return self.add(kind, {"site": SITE}, {"family": family, "request_id": f"r-{family}-{key}", "site": SITE,
                                               "report_key": key, "received": "2025-03-02", "children": [], "answers": {},
                                               "fields": self.fields()}
                        | ({"new_children": []} if kind == "joined" else {}), **more)

    def reported(self, family, source="log"):
        return self.add("reported", {}, {"family": family, "source": source, "report_key": f"R-{len(self.rows)}",
                                         "received": "2025-03-02"})

    def draw(self, family, arm, draw=None, epoch=0, levels=None, site=SITE):
        self.screened("drawn", family, site)
        self.allocations += 1
        return self.add("allocated", {
            "site": site, "epoch": epoch, "levels": [site] if levels is None else levels, "arm": ARM.get(arm, arm),
            "draw": self.allocations - 1 if draw is None else draw, "allocation": self.allocations,
        }, {"family": family, "request_id": f"r-{family}"})

    def draws(self, arms):
        return [self.draw(f"F{place}", arm) for place, arm in enumerate(arms)]

    def event(self, kind, family, public=None, **payload):
        """`payload`: further keys; of `switched` the arm is public, too."""
        public = public or ({"arm": payload["arm"]} if "arm" in payload else {})
        return self.add(kind, public, {"family": family, "on": "2025-03-02", "event_key": f"{kind}-{len(self.rows)}"} | payload)

    def site(self, kind, **more):
        return self.add(kind, {"site": SITE, "on": "2025-03-02", "event_key": f"k-{len(self.rows)}"} | more)

    def correct(self, number, family, **payload):
        return self.event("corrected", family, {"sequence": number}, **{"reason": "mistyped"} | payload)

    def link(self, family, other, **more):
        return self.add("linked", {}, {"family": family, "other": other, "on": "2025-03-02",
                                       "event_key": f"l-{len(self.rows)}"}, **more)

    def erase(self, *sequences):
        for sequence in sequences:
            self.rows[sequence - 1].update(payload=None, salt=None)
        return self.add("erased", {"sequences": list(sequences), "reason": "retention"})

    def change(self, number, rechain=False, **public):
        row = self.rows[number - 1]
        row["public"] = canonical(json.loads(row["public"]) | public)
        if rechain:
            self.chain(number)

    @property
    def head(self):
        return self.rows[-1]["hash"].hex()

    def save(self, folder, wal=False, also=""):
        """Writes the study; with `wal`, the rows lie in the write-ahead log, as after a crash; `also` is run in the end."""
        folder = Path(folder)
        (folder / "protocol.toml").write_bytes(self.protocol)
        for epoch, protocol in enumerate(self.later, 1):
            (folder / f"protocol-{epoch}.toml").write_bytes(protocol)
        with tempfile.TemporaryDirectory() as scratch:
            connection = sqlite3.connect(Path(scratch) / "ledger.sqlite")
            connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
            connection.execute("PRAGMA synchronous = OFF")
            connection.executescript(MARKS + SCHEMA)
            for row in self.rows:
                connection.execute(f"INSERT INTO event VALUES ({','.join('?' * 9)})", [row[c] for c in COLUMNS])
            connection.commit()
            connection.executescript(also)
            if not wal:
                connection.close()
            for name in ("ledger.sqlite", "ledger.sqlite-wal"):
                if (Path(scratch) / name).exists():
                    shutil.copyfile(Path(scratch) / name, folder / name)
            connection.close()


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.study = self.folder / "study å?#%"  # a name that must be written with care in an address
        self.study.mkdir()
        self.seed_file = self.folder / "epoch-0.seed"
        self.seed_file.write_text(SEED.hex() + "\n")

    def run_main(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                code = verify.main([str(a) for a in arguments])
            except SystemExit as stop:
                code = stop.code
        return code, out.getvalue()

    def check(self, *arguments):
        code, out = self.run_main(self.study, "--json", *arguments)
        answer = json.loads(out)
        self.assertEqual(answer["exit"], code)
        self.assertNotIn("internal", [f["code"] for f in answer["findings"]], out)
        return answer

    def verify(self, ledger, *arguments, seed=True):
        ledger.save(self.study)
        return self.check(*(["--seed-file", self.seed_file] if seed else []), *arguments)

    def assert_ok(self, answer, verified=None):
        self.assertEqual((answer["exit"], answer["findings"]), (0, []))
        if verified is not None:
            self.assertEqual(answer["draws"], {"verified": verified, "wrong": 0, "not_checked": 0})

    def assert_bad(self, answer, first, *codes, exit=8):
        found = [(f["sequence"], f["code"]) for f in answer["findings"]]
        self.assertEqual((answer["exit"], answer["first_bad"]), (exit, first), answer["findings"])
        for code in codes:
            self.assertIn((first, code), found)
        return found


class Sound(Case):
    def test_self_test(self):
        code, out = self.run_main("--self-test")
        self.assertEqual((code, out), (0, "OK: 46 published answers met\n"))

    def test_big_stick(self):
        ledger = Ledger()
        ledger.draws("bbaabaabababababbaab")
        answer = self.verify(ledger, "--expect-head", ledger.head.upper())
        self.assert_ok(answer, verified=20)
        self.assertEqual((answer["events"], answer["allocations"], answer["head"]), (41, 20, ledger.head))

    def test_methods_of_the_page(self):
        third = '[[arm]]\nid = "third"\n[allocation]'
        for options, ratio, arms in (
            ('method = "simple"', (1, 1), "bbaabaabababababbaab"),
            ('method = "simple"', (3, 1, 1), "ccaaaaacacabacaccaab"),
            ('method = "permuted-block"\nblock_len = 4', (1, 1), "bbaabaabababababbaab"),
            ('method = "permuted-block"\nblock_lens = [2, 4, 6]', (2, 2), "bbaabaabababababbaab"),
            ('method = "permuted-block"\nblock_lens = [6, 2]', (1, 1), "baaababbababababbaab"),
            ('method = "permuted-block"\nblock_lens = [4]', (1, 1), "bbaabaabababababbaab"),
            ('method = "permuted-block"\nblock_len = 6', (4, 2), "bbaaaaababaaababaaab"),
            ('method = "permuted-block"\nblock_len = 6', (1, 1, 1), "ccabbaacbcabbcacbabc"),
            ('method = "big-stick"\nmax_imbalance = 1', (1, 1), "baabbaabababababbaab"),
        ):
            with self.subTest(options=options, ratio=ratio):
                protocol = PROTOCOL % options
                if len(ratio) == 3:
                    protocol = protocol.replace("[allocation]", third)
                for name, part in zip(("iuh", "standard", "third"), ratio):
                    protocol = protocol.replace(f'id = "{name}"', f'id = "{name}"\nratio = {part}')
                ledger = Ledger(protocol)
                ledger.draws(arms)
                self.assert_ok(self.verify(ledger), verified=20)
                wrong = 7 * 2 + 1
                ledger.change(wrong, rechain=True, arm="iuh" if arms[6] != "a" else "standard")
                self.assert_bad(self.verify(ledger), wrong, "draw")

    def test_without_seed_draws_are_not_checked(self):
        ledger = Ledger()
        ledger.draws("aaaa")
        answer = self.verify(ledger, seed=False)
        self.assert_ok(answer)
        self.assertEqual(answer["draws"], {"verified": 0, "wrong": 0, "not_checked": 4})

    def test_all_kinds(self):
        ledger = Ledger(PROTOCOL % BIG_STICK + ENDING)
        ledger.draw("F1", "b")
        ledger.site("site-opened", clock="override")
        ledger.site("capacity-changed", therapists=3)
        ledger.site("site-closed")
        for kind in ("offered", "accepted", "declined", "started", "not-started", "home-visit", "closed", "reopened", "death",
                     "all-children-18", "left-coverage", "withdrawn"):
            offered = ledger.event(kind, "F1")
        for source in ("intake", "log", "register"):
            ledger.reported("F1", source)
        ledger.event("violation", "F1", reason="double-draw")
        ledger.event("observed", "F1", outcome="score", value="1.5")
        ledger.event("switched", "F1", arm="iuh")
        ledger.again("returned", "F1", "R2")
        ledger.again("joined", "F1", "R3")
        ledger.screened("not-eligible", "F2")
        ledger.excepted("F3")
        ledger.correct(offered, "F1")
        ledger.link("F1", "F2")
        ledger.event("linked", "F1", child="c-F1", other_child="c2")
        ledger.add("locked", {"lock": "final", "cut": "2025-11-30", "deviations": ["arms-known", "late-data"]})
        ledger.add("analysed", {"lock": "final", "results_sha256": "00" * 32, "deviations": ["error-in-plan"]})
        ledger.add("exported", {"what": "proof"})
        ledger.add("revealed", {"seeds": [SEED.hex()]})
        self.assertEqual({row["kind"] for row in ledger.rows} | {"epoch-opened", "beacon", "erased"}, set(PUBLIC))
        self.assert_ok(self.verify(ledger, seed=False), verified=1)

    def test_epochs_levels_and_rehearsal(self):
        # The arms of other strata and epochs are not on the page: they come from draw.py, which the page's tables hold.
        protocol = (PROTOCOL % 'method = "permuted-block"\nblock_lens = [2, 4]').replace(
            '["site"]', '["site", "grund"]\n[[site]]\nid = "skarpnack"\n[[field]]\nid = "grund"\nkind = "choice"\nlevels = ["våld", "annat"]')
        ledger, second, counts = Ledger(protocol, mode="rehearsal"), bytes(31) + b"\7", {}
        family = 0
        for epoch, seed in enumerate((SEED, second)):
            if epoch:
                ledger.open_epoch(second)
            strata = {site: Stratum(seed, "rehearsal", "iuh-2025", epoch, [site, "våld"], "permuted-block", [1, 1],
                                    {"block_lens": [2, 4]}) for site in (SITE, "skarpnack")}
            for place in range(14):
                site = (SITE, "skarpnack")[place % 3 % 2]
                counts[epoch, site] = counts.get((epoch, site), -1) + 1
                ledger.draw(f"F{family}", "ab"[strata[site].draw()], counts[epoch, site], epoch, [site, "våld"], site)
                family += 1
        other = self.folder / "epoch-1.seed"
        other.write_bytes(second.hex().upper().encode() + b"\r\n")
        self.assert_ok(self.verify(ledger, "--seed-file", other), verified=28)
        self.assertEqual(self.check("--seed-file", other)["draws"], {"verified": 14, "wrong": 0, "not_checked": 14})
        last = len(ledger.rows)
        ledger.change(last, levels=[SITE, "annat"])
        ledger.chain(last)
        self.assert_bad(self.verify(ledger), last, "levels")
        ledger.change(last, levels=["skarpnack"])
        ledger.chain(last)
        self.assert_bad(self.verify(ledger), last, "levels", "count")

    def test_text_answer(self):
        ledger = Ledger()
        ledger.draws("bb")
        ledger.save(self.study)
        self.assertEqual(self.run_main(self.study, "--seed-file", self.seed_file), (0, (
            f"OK\nevents       5\nallocations  2\ndraws        2 verified, 0 wrong, 0 not checked\n"
            f"head         {ledger.head}\n")))
        ledger.change(3, arm="iuh")
        ledger.save(self.study)
        code, out = self.run_main(self.study)
        self.assertEqual((code, out.splitlines()[0]), (8, "FAILED at row 3"))

    def test_below_is_wide(self):
        # n = 3 * 2^64 needs two numbers, the first being the low one: floor((5 + 2^127) * n / 2^128) = 3 * 2^63.
        self.assertEqual(below(3 << 64, iter([5, 1 << 63])), 3 << 63)
        # 2^64 mod 3 = 1: the number 0 gives the product 0 < 1 and is rejected; the next one answers 0 * 3 ...
        self.assertEqual(below(3, iter([0, 1 << 63])), 1)


class Reading(Case):
    def stand(self):
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.study.iterdir()}

    def test_folder_stays_as_it_is(self):
        ledger = Ledger()
        ledger.draws("bbaa")
        for wal in (False, True):
            ledger.save(self.study, wal)
            self.assertEqual((self.study / "ledger.sqlite-wal").exists(), wal)
            before = self.stand()
            self.assert_ok(self.check("--seed-file", self.seed_file), verified=4)
            self.assertEqual(self.stand(), before)

    def test_wal_mode_without_log(self):
        Ledger().save(self.study)
        with contextlib.closing(sqlite3.connect(self.study / "ledger.sqlite")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        before = self.stand()
        self.assert_ok(self.check())
        self.assertEqual(self.stand(), before)

    def test_beside_a_writer(self):
        ledger = Ledger()
        ledger.draws("bb")
        ledger.save(self.study)
        with contextlib.closing(sqlite3.connect(self.study / "ledger.sqlite")) as writer:
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM event WHERE sequence = 5")
            self.assertEqual(self.check()["events"], 5)
            writer.commit()
            self.assertEqual(self.check()["events"], 4)

    def test_a_ledger_that_never_rests(self):
        """Nothing is known of it: an answer of its own, and no row is named."""
        Ledger().save(self.study)
        with mock.patch.object(rows, "PATIENCE", 0.2), mock.patch.object(
                sqlite3, "connect", side_effect=self.touch(sqlite3.connect)):
            code, out = self.run_main(self.study, "--json")
            self.assertEqual((code, json.loads(out)["exit"], json.loads(out)["ok"]), (5, 5, False))
            self.assertEqual(json.loads(out)["findings"], [])
            code, out = self.run_main(self.study)
            self.assertEqual((code, out), (5, "BUSY: the study is being written to; try again\n"))

    def test_a_ledger_that_rests_again(self):
        """What was read while somebody wrote is thrown away, also an error: it is read again."""
        Ledger().save(self.study)
        touched, connect = [], self.touch(sqlite3.connect)

        def opened(*arguments, **options):
            if len(touched) == 3:
                return arguments[0] and sqlite3_connect(*arguments, **options)
            touched.append(None)
            if len(touched) == 2:
                connect(*arguments, **options).close()
                raise sqlite3.DatabaseError("database disk image is malformed")
            return connect(*arguments, **options)
        sqlite3_connect = sqlite3.connect
        with mock.patch.object(sqlite3, "connect", side_effect=opened):
            self.assert_ok(self.check())
        self.assertEqual(len(touched), 3)

    def touch(self, connect):
        """Another row's worth of bytes, as a commit leaves them: in the counter that the header has for changes."""
        def opened(*arguments, **options):
            with open(self.study / "ledger.sqlite", "r+b") as file:
                file.seek(24)
                number = int.from_bytes(file.read(4), "big") + 1
                for place in (24, 92):
                    file.seek(place)
                    file.write(number.to_bytes(4, "big"))
            return connect(*arguments, **options)
        return opened

    def test_beside_commands_that_come_and_go(self):
        """Each commit is of one more row that holds, so each moment is sound, however many are going on."""
        ledger = Ledger()
        for number in range(150):
            ledger.site("capacity-changed", therapists=number % 7)
        whole, ledger.rows = ledger.rows, ledger.rows[:1]
        ledger.save(self.study)

        def write():
            for row in whole[1:]:
                with contextlib.closing(sqlite3.connect(self.study / "ledger.sqlite", timeout=20)) as own:
                    own.execute("PRAGMA journal_mode = WAL")
                    own.execute(f"INSERT INTO event VALUES ({','.join('?' * 9)})", [row[c] for c in COLUMNS])
                    own.commit()
                sleep(0.004)
        writer = threading.Thread(target=write)
        writer.start()
        seen = []
        while writer.is_alive():
            seen.append(self.check()["events"])
        writer.join()
        self.assert_ok(self.check())
        self.assertEqual(self.check()["events"], 151)
        self.assertEqual(seen, sorted(seen))

    def test_a_reader_who_goes_away(self):
        """`verify.py … | head -1` ends quietly, with the code of the answer."""
        ledger = Ledger()
        for number in range(200):
            ledger.site("capacity-changed", therapists=1)
            ledger.rows[-1]["hash"] = bytes(32)  # many findings, so that a pipe has no room for the answer
        program = [sys.executable, "-B", str(Path(verify.__file__)), str(self.study)]
        for damaged, code in ((False, 0), (True, 8)):
            (ledger if damaged else Ledger()).save(self.study)
            for more in ([], ["--json"]):
                own = subprocess.Popen(program + more, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                own.stdout.close()
                told = own.stderr.read()
                own.stderr.close()
                self.assertEqual((own.wait(), told), (code, b""))

    def test_a_database_of_another_form(self):
        for made in ("CREATE VIEW v AS SELECT 1", "CREATE TABLE other (x)", "CREATE INDEX i ON event (kind)",
                     "CREATE TRIGGER t BEFORE INSERT ON event BEGIN SELECT raise(IGNORE); END",
                     "CREATE TRIGGER t AFTER UPDATE ON event BEGIN DELETE FROM event WHERE sequence = 3; END",
                     "ALTER TABLE event RENAME TO h; CREATE VIEW event AS SELECT * FROM h",
                     "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE a",
                     "ALTER TABLE event ADD COLUMN more TEXT", "ALTER TABLE event ADD COLUMN g TEXT AS (kind) VIRTUAL",
                     "DROP TABLE event", "PRAGMA user_version = 2", "PRAGMA application_id = 0", "DROP TABLE event; CREATE VIEW event AS SELECT 1 AS sequence",
                     *(f"ALTER TABLE event RENAME TO old; {SCHEMA.replace(a, b)}; INSERT INTO event SELECT * FROM old; DROP TABLE old"
                       for a, b in ((") STRICT", ")"), (") STRICT", ") STRICT, WITHOUT ROWID"), ("time TEXT NOT NULL", "time TEXT"),
                                    ("PRIMARY KEY", "PRIMARY KEY ON CONFLICT IGNORE"), ("salt BLOB", "salt ANY")))):
            for wal in (False, True):
                with self.subTest(made=made, wal=wal):
                    Ledger().save(self.study, also=made, wal=wal)
                    found = self.assert_bad(self.check("--seed-file", self.seed_file), None, "schema")
                    self.assertEqual(found, [(None, "schema")])
        with contextlib.closing(sqlite3.connect(self.folder / "wide")) as connection:
            connection.executescript(f"PRAGMA encoding = 'UTF-16'; {MARKS}{SCHEMA}")
        shutil.copyfile(self.folder / "wide", self.study / "ledger.sqlite")
        (self.study / "ledger.sqlite-wal").unlink()
        self.assert_bad(self.check(), None, "schema")

    def test_what_an_administrator_leaves(self):
        for wal in (False, True):
            Ledger().save(self.study, also="ANALYZE; PRAGMA optimize; REINDEX", wal=wal)
            self.assert_ok(self.check("--seed-file", self.seed_file))

    def test_usage(self):
        bad = self.folder / "bad.seed"
        bad.write_text("12")
        for arguments in ((), (self.folder / "nowhere",), (self.study, "--expect-head", "12"), (self.study, "--what"),
                          (self.study, "--seed-file", bad), (self.study, "--seed-file", self.folder / "none")):
            self.assertEqual(self.run_main(*arguments)[0], 2, arguments)

    def test_a_key_of_pseudonyms_is_no_seed(self):
        key = self.folder / "key"
        key.write_text("lottning-pseudonym-key/1\n" + SEED.hex() + "\n")
        with self.assertRaisesRegex(verify.argparse.ArgumentTypeError, "is the key of pseudonyms"):
            verify.read_seed(key)

    def test_missing_and_foreign_files(self):
        self.assert_bad(self.check(), None)
        Ledger().save(self.study)
        for content in (b"", b"no database at all" * 100, b"SQLite format 3\0" + bytes(4096)):
            (self.study / "ledger.sqlite").write_bytes(content)
            self.assert_bad(self.check(), None)
        (self.study / "ledger.sqlite").unlink()
        with contextlib.closing(sqlite3.connect(self.study / "ledger.sqlite")) as connection:
            connection.execute("CREATE TABLE event (sequence INTEGER PRIMARY KEY, time TEXT)")
        self.assert_bad(self.check(), None)
        (self.study / "ledger.sqlite").unlink()
        (self.study / "ledger.sqlite").mkdir()
        self.assert_bad(self.check(), None)

    def test_empty_ledger(self):
        ledger = Ledger()
        ledger.rows.clear()
        self.assert_bad(self.verify(ledger, seed=False), 1, "sequence")

    def test_damaged_bytes_are_findings(self):
        ledger = Ledger()
        ledger.draws("bbaabaab")
        ledger.save(self.study)
        file = self.study / "ledger.sqlite"
        whole = file.read_bytes()
        for place in range(0, len(whole), 61):
            damaged = bytearray(whole)
            damaged[place] ^= 0x55
            file.write_bytes(damaged)
            self.assertIn(self.check("--seed-file", self.seed_file)["exit"], (0, 8), place)
        for length in range(0, len(whole), 511):
            file.write_bytes(whole[:length])
            self.assertEqual(self.check()["exit"], 8, length)

    def test_foreign_values_are_findings(self):
        ledger = Ledger(PROTOCOL % BIG_STICK + GATE)
        ledger.draws("bb")
        ledger.event("closed", "F0")
        ledger.add("revealed", {"seeds": [SEED.hex()]})
        junk = (None, -1, 0, 2**62, 1.5, "", "{}", "[]", "\ud800", "{" * 9999, "[" * 99999, "[" * 99999 + "]" * 99999,
                '{"clock":"\\ud800"}', '{"a":1e9}', '{"a":NaN}', '{"a":' + "9" * 5000 + "}", '{"a":1,"a":2}', b"",
                b"\xff", bytes(31))
        for column in COLUMNS:
            # Of a table of this form the sequence is the number by which SQLite finds a row: always whole.
            for value in (-1, 0, 2**62) if column == "sequence" else junk:
                for number in (1, 2, 3, 6):
                    ledger.save(self.study)
                    with contextlib.closing(sqlite3.connect(self.study / "ledger.sqlite")) as connection:
                        stored = connection.execute("SELECT * FROM event").fetchall()
                        if stored[number - 1][COLUMNS.index(column)] == value:
                            continue
                        connection.execute("PRAGMA synchronous = OFF")
                        connection.execute("DROP TABLE event")
                        connection.execute(f"CREATE TABLE event (sequence INTEGER PRIMARY KEY, {', '.join(COLUMNS[1:])})")
                        for row in stored:
                            row, marks = list(row), ["?"] * 9
                            if row[0] == number and isinstance(value, str):  # also what is not UTF-8
                                row[COLUMNS.index(column)] = value.encode("utf-8", "surrogatepass")
                                marks[COLUMNS.index(column)] = "CAST(? AS TEXT)"
                            elif row[0] == number:
                                row[COLUMNS.index(column)] = value
                            connection.execute(f"INSERT INTO event VALUES ({','.join(marks)})", row)
                        connection.commit()
                        # The form says nothing of values that were there before it: a schema can be written, too.
                        connection.execute("PRAGMA writable_schema = ON")
                        connection.execute("UPDATE sqlite_master SET sql = ?", (SCHEMA,))
                        connection.commit()
                    answer = self.check("--seed-file", self.seed_file)
                    self.assertEqual(answer["exit"], 8, (column, value, number))

    def test_strange_public_parts_are_findings(self):
        for key, value in (("levels", "x"), ("levels", [1]), ("levels", []), ("draw", True), ("draw", "0"),
                           ("draw", -1), ("draw", 10**30), ("epoch", -1), ("epoch", 2**40), ("arm", None), ("arm", "x"),
                           ("site", 3), ("allocation", 0), ("extra", 1), ("clock", "slow"), ("levels", ["x" * 70000])):
            with self.subTest(key=key, value=str(value)[:20]):
                ledger = Ledger(PROTOCOL % BIG_STICK + GATE)
                ledger.draws("bb")
                ledger.change(3, rechain=True, **{key: value})
                self.assert_bad(self.verify(ledger), 3)

    def test_strange_protocols_are_findings(self):
        whole = PROTOCOL % BIG_STICK + GATE
        for old, new in (('id = "iuh-2025"', "id = 3"), ("max_imbalance = 4", 'max_imbalance = "four"'),
                         ("max_imbalance = 4", "max_imbalance = 0"), ('"big-stick"', '"coin"'), ('"big-stick"', "[]"),
                         ('strata = ["site"]', "strata = 3"), ('arm = "iuh"', 'arm = "x"'), ("[[arm]]", "[[arms]]"),
                         ("families_per_therapist = 2", ""), ("families_per_therapist = 2", 'ratio = 0'),
                         ("families_per_therapist = 2", 'families_per_therapist = "2"'), ("therapists = 2", ""),
                         ("[study]", "[study"), ("released_by", "released"),
                         ('released_by = ["closed"', "released_by = [[]"),
                         ("big-stick\"\nmax_imbalance = 4", 'permuted-block"\nblock_len = 3'),
                         ("big-stick\"\nmax_imbalance = 4", 'permuted-block"\nblock_lens = []'),
                         ("big-stick\"\nmax_imbalance = 4", "maximal\""), (f'id = "{SITE}"', "id = []"),
                         ("lottning = 1", "x = " + "[" * 5000)):
            with self.subTest(old=old, new=new[:40]):
                self.assertIn(old, whole)
                ledger = Ledger(whole.replace(old, new, 1))
                ledger.draws("bb")
                self.assertEqual(self.verify(ledger)["exit"], 8)


class Tampered(Case):
    def setUp(self):
        super().setUp()
        self.ledger = Ledger()
        self.ledger.draws("bbaab")  # rows 1 to 11

    def test_changed(self):
        for column, value in (("time", "2025-03-01T08:00:04.000001Z"), ("actor", "desk-2"), ("kind", "joined"),
                              ("public", canonical({"site": SITE, "verdict": "exception"})), ("hash", bytes(32)),
                              ("payload_hash", bytes(32))):
            with self.subTest(column=column):
                ledger = Ledger()
                ledger.draws("bbaab")
                ledger.rows[3][column] = value
                self.assert_bad(self.verify(ledger), 4, "chain")

    def test_payload_or_salt_changed(self):
        self.ledger.rows[5]["payload"] = self.ledger.rows[5]["payload"].replace("F2", "F9")
        self.assert_bad(self.verify(self.ledger), 6, "payload")
        self.ledger.rows[3]["salt"] = bytes(32)
        self.assert_bad(self.verify(self.ledger), 4, "payload")

    def test_deleted(self):
        del self.ledger.rows[4]
        self.assert_bad(self.verify(self.ledger), 5, "sequence", "pair")

    def test_deleted_alone(self):
        self.ledger.event("offered", "F0")
        self.ledger.event("closed", "F0")
        del self.ledger.rows[11]
        self.assert_bad(self.verify(self.ledger), 12, "sequence")

    def test_deleted_and_renumbered(self):
        del self.ledger.rows[3:5]
        for number, row in enumerate(self.ledger.rows, 1):
            row["sequence"] = number
        self.assert_bad(self.verify(self.ledger), 4, "chain")

    def test_deleted_and_chained_again(self):
        del self.ledger.rows[3:5]
        for number, row in enumerate(self.ledger.rows, 1):
            row["sequence"] = number
        self.ledger.chain(4)
        self.assert_bad(self.verify(self.ledger), 5, "count")

    def test_inserted(self):
        self.ledger.rows.insert(4, dict(self.ledger.rows[4]))
        for number, row in enumerate(self.ledger.rows, 1):
            row["sequence"] = number
        self.assert_bad(self.verify(self.ledger), 6, "chain")

    def test_inserted_before_the_first(self):
        for sequence in (0, -3):
            ledger = Ledger()
            ledger.rows.insert(0, dict(ledger.rows[0], sequence=sequence))
            self.assert_bad(self.verify(ledger), 1, "sequence")

    def test_swapped(self):
        for first in range(1, 11):
            ledger = Ledger()
            ledger.draws("bbaab")
            a, b = ledger.rows[first - 1], ledger.rows[first]
            a["sequence"], b["sequence"] = b["sequence"], a["sequence"]
            self.assert_bad(self.verify(ledger), first, "chain")

    def test_renumbered(self):
        self.ledger.rows[-1]["sequence"] = 99
        found = self.assert_bad(self.verify(self.ledger), 11, "sequence")
        self.assertIn((99, "chain"), found)

    def test_truncated(self):
        head = self.ledger.head
        del self.ledger.rows[9:]
        self.assert_ok(self.verify(self.ledger), verified=4)
        self.assert_bad(self.check("--expect-head", head), None, "head")
        self.assert_ok(self.check("--expect-head", self.ledger.head))

    def test_truncated_within_a_draw(self):
        del self.ledger.rows[10:]
        self.assert_bad(self.verify(self.ledger), 11, "pair")

    def test_head_of_an_earlier_row(self):
        answer = self.verify(self.ledger, "--expect-head", self.ledger.rows[6]["hash"].hex())
        self.assert_bad(answer, None, "head")
        self.assertIn("row 7", answer["findings"][0]["text"])

    def test_checkpoints(self):
        file = self.folder / "checkpoint.json"
        kept = {"schema": "lottning.checkpoint/1", "study": "iuh-2025", "events": 7,
                "head": self.ledger.rows[6]["hash"].hex(), "last_event": "", "written": ""}
        file.write_text(json.dumps(kept))
        self.assert_ok(self.verify(self.ledger, "--checkpoint", file, "--checkpoint", file))
        del self.ledger.rows[5:]
        self.assert_bad(self.verify(self.ledger, "--checkpoint", file), None, "head")
        file.write_text(json.dumps(kept | {"study": "other"}))
        self.assert_bad(self.verify(self.ledger, "--checkpoint", file), None, "head")
        file.write_text(json.dumps(kept | {"events": 5, "head": self.ledger.rows[4]["hash"].hex().upper()}))
        self.assert_ok(self.verify(self.ledger, "--checkpoint", file))
        wrong = [kept | {"head": "x"}, kept | {"events": "5"}, kept | {"study": 1}, kept | {"schema": "lottning.checkpoint/2"}]
        for own in wrong + [{key: kept[key] for key in kept if key != left} for left in kept]:
            file.write_text(json.dumps(own))
            self.assertEqual(self.run_main(self.study, "--checkpoint", file)[0], 2, own)

    def test_first_row(self):
        self.ledger.rows[0]["kind"] = "exported"
        self.ledger.rows[0]["public"] = canonical({"what": "all"})
        self.ledger.chain(1)
        self.assert_bad(self.verify(self.ledger, seed=False), 1, "opened")
        ledger = Ledger()
        ledger.rows.append(dict(ledger.rows[0], sequence=2))
        ledger.chain(2)
        self.assert_bad(self.verify(ledger), 2, "opened")

    def test_opened_for_something_else(self):
        for key, value, code in (("format", 2, "form"), ("mode", "draw", "form"), ("study", "other", "opened"),
                                 ("custody", "service", "form"), ("protocol_hash", "00" * 32, "protocol"),
                                 ("protocol_hash", "x", "form")):
            ledger = Ledger()
            ledger.change(1, rechain=True, **{key: value})
            self.assert_bad(self.verify(ledger, seed=False), 1, code)

    def test_changed_protocol(self):
        self.ledger.protocol += b"# one byte more\n"
        found = self.assert_bad(self.verify(self.ledger), 1, "protocol")
        self.assertEqual(len(found), 1)  # the rows themselves are whole

    def test_payload_gone_without_erasure(self):
        self.ledger.rows[3].update(payload=None, salt=None)
        self.assert_bad(self.verify(self.ledger), 4, "erasure")

    def test_half_erased(self):
        for column in ("payload", "salt"):
            ledger = Ledger()
            ledger.draws("b")
            ledger.rows[1][column] = None
            self.assert_bad(self.verify(ledger), 2, "payload")

    def test_erased_later(self):
        self.ledger.erase(4, 5)
        self.assert_ok(self.verify(self.ledger), verified=5)

    def test_erased_before_it_was_written(self):
        self.ledger.erase()
        self.ledger.rows[11]["public"] = canonical({"sequences": [13], "reason": "retention"})
        self.ledger.chain(12)
        self.ledger.event("closed", "F0")
        self.ledger.rows[12].update(payload=None, salt=None)
        found = self.assert_bad(self.verify(self.ledger), 12, "erasure")
        self.assertIn((13, "erasure"), found)

    def test_said_to_be_erased(self):
        self.ledger.add("erased", {"sequences": [4], "reason": "retention"})
        self.assert_bad(self.verify(self.ledger), 12, "erasure")

    def test_time_goes_back(self):
        self.ledger.rows[6]["time"] = "2025-03-01T08:00:05.999999Z"
        self.ledger.chain(7)
        self.assert_bad(self.verify(self.ledger), 7, "time")
        self.ledger.rows[6]["time"] = self.ledger.rows[5]["time"]
        self.ledger.chain(7)
        self.assert_ok(self.verify(self.ledger))

    def test_wrong_arm(self):
        self.ledger.change(5, rechain=True, arm="iuh")
        answer = self.verify(self.ledger)
        self.assertEqual(self.assert_bad(answer, 5, "draw"), [(5, "draw")])
        self.assertEqual(answer["draws"], {"verified": 4, "wrong": 1, "not_checked": 0})

    def test_wrong_mode(self):
        self.ledger.change(1, rechain=True, mode="rehearsal")
        self.assertEqual(self.verify(self.ledger)["exit"], 8)

    def test_wrong_commitment(self):
        self.ledger.change(1, rechain=True, commitment="ab" * 32)
        self.assert_bad(self.verify(self.ledger), None, exit=9)
        self.assert_ok(self.verify(self.ledger, seed=False))

    def test_wrong_seed(self):
        self.seed_file.write_text("ab" * 32)
        answer = self.verify(self.ledger)
        self.assert_bad(answer, None, exit=9)
        self.assertEqual(answer["draws"]["not_checked"], 5)
        self.ledger.change(3, arm="iuh")  # a ledger that fails is said before a seed that does not match
        self.assert_bad(self.verify(self.ledger), 3, "chain")

    def test_wrong_seed_revealed(self):
        self.ledger.add("revealed", {"seeds": ["ab" * 32]})
        self.assert_bad(self.verify(self.ledger), 12, "revealed")
        for seeds in ([], ["ab"], [SEED.hex()] * 2):
            self.ledger.change(12, rechain=True, seeds=seeds)
            self.assert_bad(self.verify(self.ledger), 12, "form")

    def test_number_skipped(self):
        self.ledger.change(7, rechain=True, draw=3)
        found = self.assert_bad(self.verify(self.ledger), 7, "count")
        self.assertEqual(found, [(7, "count"), (9, "count")])
        ledger = Ledger()
        ledger.draws("bb")
        ledger.draw("F2", "a", draw=3)
        self.assertEqual(self.assert_bad(self.verify(ledger), 7), [(7, "count")])
        ledger = Ledger()
        ledger.draws("bb")
        ledger.allocations = 3
        ledger.draw("F2", "a", draw=2)
        self.assertEqual(self.assert_bad(self.verify(ledger), 7), [(7, "count")])

    def test_epoch_skipped(self):
        self.ledger.open_epoch(SEED, epoch=2)
        self.assert_bad(self.verify(self.ledger), 12, "count")

    def test_draw_from_a_past_epoch(self):
        self.ledger.open_epoch(bytes(32))
        self.ledger.draw("F9", "a")
        self.assert_bad(self.verify(self.ledger), 14, "count")

    def test_family_twice(self):
        self.ledger.draw("F1", "a")
        found = self.assert_bad(self.verify(self.ledger), 12, "turn")
        self.assertIn((13, "twice"), found)

    def test_allocated_alone(self):
        for change in ({"verdict": "not-eligible"}, {"verdict": "gate-closed"}, {"site": "skarpnack"}):
            ledger = Ledger()
            ledger.draws("bb")
            ledger.change(4, rechain=True, **change)
            self.assertIn((5, "pair"), [(f["sequence"], f["code"]) for f in self.verify(ledger)["findings"]])
        for key in ("family", "request_id"):
            ledger = Ledger()
            ledger.draws("bb")
            row = ledger.rows[4]
            row["payload"] = canonical(json.loads(row["payload"]) | {key: "other"})
            ledger.chain(5)
            self.assert_bad(self.verify(ledger), 5, "pair")

    def test_drawn_without_allocated(self):
        self.ledger.screened("drawn", "F7")
        self.ledger.event("offered", "F0")
        self.assert_bad(self.verify(self.ledger), 13, "pair")


class Gate(Case):
    """Two therapists with two families each: four slots."""

    def setUp(self):
        super().setUp()
        # Arms as they are needed, without the seed.
        self.ledger = Ledger(PROTOCOL % 'method = "simple"' + GATE)
        self.ledger.draws("aabaa")  # rows 2 to 11; the last takes the fourth slot

    def answer(self):
        return self.verify(self.ledger, seed=False)

    def test_closed_when_full(self):
        self.ledger.screened("gate-closed", "F9")
        self.assert_ok(self.answer())

    def test_closed_with_a_free_slot(self):
        self.ledger.event("closed", "F0")
        number = self.ledger.screened("gate-closed", "F9")
        self.assert_bad(self.answer(), number, "gate")

    def test_allocated_when_full(self):
        for arm in "ab":
            ledger = Ledger(PROTOCOL % 'method = "simple"' + GATE)
            ledger.draws("aabaa")
            number = ledger.draw("F9", arm)
            self.assert_bad(self.verify(ledger, seed=False), number, "gate")

    def test_released(self):
        for kind in ("closed", "not-started"):
            self.ledger.event(kind, "F0")
            self.ledger.event(kind, "F0")  # holds none any more
            self.ledger.event(kind, "F2")  # never held one
            self.ledger.draw(f"F-{kind}", "a")
        self.ledger.screened("gate-closed", "F9")
        answer = self.answer()
        self.assert_bad(answer, len(self.ledger.rows) - 1, "gate")  # F0 gave its slot back once only

    def test_switched(self):
        self.ledger.event("switched", "F0", arm="standard")
        self.ledger.draw("F9", "a")
        self.ledger.screened("gate-closed", "F10")
        self.ledger.event("switched", "F0", arm="iuh")  # five of four
        self.ledger.event("switched", "F0", arm="iuh")
        self.ledger.event("closed", "F0")
        self.ledger.screened("gate-closed", "F11")
        self.ledger.event("closed", "F1")
        self.ledger.draw("F12", "b")
        self.assert_ok(self.answer())

    def test_capacity(self):
        self.ledger.site("capacity-changed", therapists=3)
        self.ledger.draw("F9", "b")
        self.ledger.site("capacity-changed", therapists=1)
        self.ledger.screened("gate-closed", "F10")
        self.assert_ok(self.answer())
        number = self.ledger.draw("F11", "b")
        self.assert_bad(self.answer(), number, "gate")

    def test_nobody_screens_families_and_changes_capacity(self):
        change = {"site": SITE, "on": "2025-03-02", "event_key": "k", "therapists": 3}
        self.ledger.add("capacity-changed", change, actor="lead")
        self.ledger.screened("not-eligible", "F9")
        self.assert_ok(self.answer())
        number = self.ledger.add("capacity-changed", change, actor="desk-1")
        self.assert_bad(self.answer(), number, "duty")

    def test_who_screened_families_links_none_and_opens_no_epoch(self):
        self.ledger.screened("not-eligible", "F9")
        self.assert_ok(self.answer())
        number = self.ledger.add("linked", {}, {"family": "F0", "other": "F9", "on": "2025-03-02", "event_key": "l"},
                                 actor="desk-1")
        self.assert_bad(self.answer(), number, "duty")

    def test_who_screened_families_erases_none_and_parts_none(self):
        link = self.ledger.link("F0", "F9")
        child = self.ledger.add("linked", {}, {"family": "F0", "child": "c-F0", "other_child": "c2", "on": "2025-03-02",
                                               "event_key": "l-c"}, actor="desk-1")
        day = {"family": "F0", "on": "2025-03-02", "reason": "mistyped"}
        self.ledger.add("corrected", {"sequence": child}, day | {"event_key": "c-1"}, actor="desk-1")
        self.assert_ok(self.answer())
        number = self.ledger.add("corrected", {"sequence": link}, day | {"event_key": "c-2"}, actor="Desk_1")
        self.assert_bad(self.answer(), number, "duty")

    def test_who_screened_families_erases_none(self):
        self.ledger.erase(4, 5)
        self.assert_ok(self.answer())
        self.ledger.rows[-1]["actor"] = "desk-1"
        self.ledger.chain(len(self.ledger.rows))
        self.assert_bad(self.answer(), len(self.ledger.rows), "duty")

    def test_who_changed_capacity_screens_nobody(self):
        day = {"site": SITE, "on": "2025-03-02", "event_key": "k"}
        self.ledger.add("site-opened", day, actor="lead")
        number = self.ledger.add("returned", {"site": SITE}, {"family": "F1", "request_id": "r"}, actor="lead")
        self.assert_bad(self.answer(), number, "duty")

    def test_another_name_of_a_family_frees_its_slot(self):
        self.ledger.link("F0", "F9")  # F9 was never drawn
        self.ledger.event("closed", "F9")
        self.ledger.draw("F10", "a")
        self.assert_ok(self.answer())
        self.ledger.event("closed", "F9")  # the same slot, freed once
        number = self.ledger.draw("F11", "a")
        self.assert_bad(self.answer(), number, "gate")

    def test_two_drawn_families_keep_their_slots(self):
        self.ledger.link("F0", "F1")
        self.ledger.event("closed", "F1")
        self.ledger.event("closed", "F0")
        self.ledger.draw("F9", "a")
        self.ledger.draw("F10", "a")
        self.assert_ok(self.answer())

    def test_a_name_of_a_linked_family_is_one_of_its_unit(self):
        self.ledger.link("F0", "F1")
        self.ledger.link("F1", "F9")
        self.ledger.event("closed", "F9")  # the slot of F0
        self.ledger.event("closed", "F0")
        self.ledger.draw("F10", "a")
        self.assert_ok(self.answer())
        number = self.ledger.draw("F11", "a")
        self.assert_bad(self.answer(), number, "gate")

    def test_another_name_is_not_drawn(self):
        self.ledger.link("F0", "F9")
        self.ledger.event("closed", "F0")
        number = self.ledger.draw("F9", "a")
        found = self.assert_bad(self.answer(), number - 1, "turn")
        self.assertIn((number, "twice"), found)

    def test_a_link_that_was_taken_back_names_nobody(self):
        linked = self.ledger.link("F0", "F9")
        self.ledger.add("corrected", {"sequence": linked},
                        {"family": "F0", "on": "2025-03-02", "event_key": "k", "reason": "wrong"})
        self.ledger.event("closed", "F0")
        self.ledger.draw("F9", "a")  # another family after all
        self.assert_ok(self.answer())
        number = self.ledger.draw("F10", "a")
        self.assert_bad(self.answer(), number, "gate")

    def test_a_link_that_is_taken_back_later_held_until_then(self):
        linked = self.ledger.link("F0", "F9")
        child = {"children": ["F0"], "new_children": ["F0"], "fields": {}, "answers": {}}
        number = self.ledger.again("joined", "F9", "R2", **{})
        row = self.ledger.rows[number - 1]
        row["payload"] = canonical(json.loads(row["payload"]) | child)
        self.ledger.chain(number)
        taken = {"family": "F0", "on": "2025-03-02", "event_key": "k", "reason": "wrong"}
        self.ledger.add("corrected", {"sequence": linked}, taken)
        self.assert_ok(self.answer())
        number = self.ledger.screened("drawn", "F10", children=["F0"])
        self.assertIn((number, "child"), self.assert_bad(self.answer(), number, "child"))

    def test_an_erased_row_may_have_named_a_child_whom_a_link_names(self):
        row = {"family": "F0", "child": "nobody", "other_child": "c2", "on": "2025-03-02", "event_key": "l-c"}
        number = self.ledger.add("linked", {}, row, actor="desk-1")
        self.assert_bad(self.answer(), number, "family")
        self.ledger.erase(4, 5)
        self.assert_ok(self.answer())

    def test_erased_families_hold_their_slots(self):
        closed = self.ledger.event("closed", "F0")
        self.ledger.draw("F9", "a")
        self.ledger.screened("gate-closed", "F10")
        self.ledger.erase(2, 3, closed)
        self.ledger.erase(4, 5)  # another family, which keeps its slot
        self.ledger.screened("gate-closed", "F11")
        self.assert_ok(self.answer())
        number = self.ledger.draw("F12", "a")
        self.assert_bad(self.answer(), number, "gate")

    def test_erased_twice(self):
        self.ledger.erase(2, 3)
        self.ledger.erase(2, 3)
        self.assert_bad(self.answer(), 13, "erasure")

    def test_closed_without_a_gate(self):
        ledger = Ledger()
        ledger.screened("gate-closed", "F1")
        self.assert_bad(self.verify(ledger), 2, "gate")

    def test_unknown_site(self):
        number = self.ledger.screened("gate-closed", "F9", site="nowhere")
        self.assert_bad(self.answer(), number, "gate")


if __name__ == "__main__":
    unittest.main()
