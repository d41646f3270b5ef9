"""An honest study that holds every kind of row, made with the program: two epochs, a beacon, a gate that closes, roles, an
erasure, both locks, an analysis, and the published seeds. The forgeries of table.toml begin here.

The seeds are fixed, so the arms are the same each time; salts and hashes are not.
"""
import hashlib
import pathlib
import sqlite3
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = tuple(hashlib.sha256(f"honest {epoch}".encode()).digest() for epoch in range(2))
VALUE = "4d6d26aa00d79558f1d686cfab1168f0589e2ccad5768850b68ecdcebdd6e0cb"
ROLES = """
[roles]
reception = ["desk"]
worker = ["worker"]
outcome-assessor = ["assessor"]
statistician = ["analyst"]
study-lead = ["lead"]
auditor = ["auditor"]
"""
HEADER = ("site,family,child,report_key,received,exception,answer.investigation-opened,answer.immediate-placement,"
          "answer.police-led,field.earlier_reports,field.youngest_age,field.category")


def name(number):
    return f"FA-{chr(65 + number // 26)}{chr(65 + number % 26)}"


class Study:
    """A study in a folder, driven through the program; each command is a minute later than the one before."""

    def __init__(self, program, folder):
        self.program, self.folder = str(pathlib.Path(program).resolve()), pathlib.Path(folder)
        self.day, self.minute = "2025-03-03", 0
        self.folder.mkdir(parents=True)

    def run(self, actor, words):
        self.minute += 1
        at = f"{self.day}T{9 + self.minute // 60:02}:{self.minute % 60:02}:00+01:00"
        done = subprocess.run([self.program, *words.split(), "--study", "study", "--actor", actor, "--at", at],
                              cwd=self.folder, text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(f"{words}: {done.stderr}")

    def enrol(self, seed, *rows):
        (self.folder / "rows.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        self.run("desk", f"enrol --from rows.csv --seed-file {seed}")

    def entries(self):
        columns = "sequence, time, actor, kind, public, payload, salt, payload_hash, hash"
        connection = sqlite3.connect(self.folder / "study" / "ledger.sqlite")
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute(f"SELECT {columns} FROM event ORDER BY sequence")]
        connection.close()
        return rows


def row(number, key="R1", site="skarpnack", child="", exception="", police="no"):
    return f"{site},{name(number)},{child},{key},2025-03-01,{exception},yes,no,{police},3,4,violence"


def protocol(time):
    text = (ROOT / "protocols" / "iuh-2025" / "protocol.toml").read_text(encoding="utf-8") + ROLES
    beacon = f'beacon = {{ source = "a public lottery", round = "2025-03-03", time = {time} }}\ntime_zone '
    for old, new in (("time_zone ", beacon), ("therapists = 2", "therapists = 1"), ("draws = 10000", "draws = 200"),
                     ('ethics  ', 'ethics  ')):
        assert old in text, old
        text = text.replace(old, new)
    return text


def open_study(study):
    """`open` takes a round in the future only, and the value of one is known once it is past: the first row is moved back
    to the day before the round, as `open` would have written it then."""
    later, text = protocol("2099-03-03T09:00:00+01:00"), protocol("2025-03-03T09:00:00+01:00")
    (study.folder / "keys").mkdir()
    for key, seed in zip("01", SEEDS):
        (study.folder / "keys" / key).write_text(seed.hex() + "\n")
    (study.folder / "p.toml").write_text(later, encoding="utf-8")
    confirm = hashlib.sha256(later.encode()).hexdigest()[:8]
    study.run("lead", f"open p.toml --seed-file keys/0 --confirm {confirm}")
    (study.folder / "study" / "protocol.toml").write_text(text, encoding="utf-8")
    sealed = [hashlib.sha256(own.encode()).digest() for own in (later, text)]
    bound = [hashlib.sha256(b"lottning/commit/1" + SEEDS[0] + own).hexdigest() for own in sealed]
    first = study.entries()[0]
    public = first["public"].replace(sealed[0].hex(), sealed[1].hex()).replace(bound[0], bound[1])
    digest = hashlib.sha256()
    for part in (bytes(32), sealed[1], (1).to_bytes(8, "big"), first["time"].encode(), first["actor"].encode(), b"opened",
                 public.encode(), first["payload_hash"]):
        digest.update(len(part).to_bytes(4, "big") + part)
    connection = sqlite3.connect(study.folder / "study" / "ledger.sqlite")
    connection.execute("UPDATE event SET public = ?, hash = ?", (public, digest.digest()))
    connection.commit()
    connection.close()
    for left in (study.folder / "study").glob("ledger.projection*"):
        left.unlink()
    return text


def honest(program, folder):
    """The study, with the names of the files of its seeds."""
    study = Study(program, folder)
    text = open_study(study)
    study.run("lead", f"beacon {VALUE}")
    # One therapist with three families: the gate closes on the way. Two families of another site, one that misses a
    # criterion, one with an exception, one that is turned away or drawn and erased later.
    study.enrol("keys/0", *(row(number, child=f"CH-{chr(65 + number)}A") for number in range(14)))
    study.enrol("keys/0", row(20, site="skarholmen"), row(21, site="skarholmen", child="CH-ZA"), row(22, police="yes"),
                row(23, exception="court-order", site="skarholmen"))
    rows = study.entries()
    drawn = {}
    for entry in rows:
        if entry["kind"] == "allocated" and "skarpnack" in entry["public"]:
            arm = "iuh" if '"arm":"iuh"' in entry["public"] else "standard"
            drawn.setdefault(arm, []).append(entry["payload"].split('"family":"')[1].split('"')[0])
    assert any("gate-closed" in entry["public"] for entry in rows) and len(drawn["iuh"]) == 3, drawn
    one, two, three = drawn["iuh"]
    other = drawn["standard"][0]
    on, number = "--on 2025-03-03", iter(range(100))

    def record(actor, event, family, more=""):
        study.run(actor, f"record {event} --family {family} {on} --event-key {event}-{next(number)} {more}")

    for event in ("offered", "accepted", "started", "home-visit", "closed", "reopened"):
        record("worker", event, one)
    record("worker", "declined", two)
    record("desk", "not-started", two)
    record("worker", "switched", three, "--set arm=standard")
    study.run("lead", f"record capacity-changed --site skarpnack {on} --event-key cap-1 --set therapists=3")
    study.run("lead", f"record capacity-changed --site skarholmen {on} --event-key cap-2 --set therapists=2")
    study.run("lead", f"record site-closed --site skarholmen {on} --event-key site-1")
    study.run("lead", f"record site-opened --site skarholmen {on} --event-key site-2")
    letter = one[-1]
    study.enrol("keys/0", row(ord(letter) - 65, key="R2", child=f"CH-{letter}A"),
                row(ord(letter) - 65, key="R3", child="CH-XX"))
    study.run("desk", f"record report --family {one} {on} --event-key R4 --set reporter=school")
    (study.folder / "reports.csv").write_text(f"family,received,report_key\n{two},2025-03-03,R5\n")
    study.run("assessor", "import report reports.csv")
    record("worker", "death", other, f"--child CH-{other[-1]}A")
    record("worker", "all-children-18", name(20))
    record("worker", "left-coverage", name(20))
    record("desk", "withdrawn", name(20))
    record("lead", "violation", two, "--set reason=double-draw")
    record("assessor", "observed", two, "--set outcome=rereport --set value=1.5")
    at = next(entry["sequence"] for entry in study.entries() if entry["kind"] == "accepted")
    record("lead", "corrected", one, f"--set sequence={at} --set reason=mistyped")
    record("lead", "linked", one, "--set other=FA-ZZ")
    record("lead", "linked", one, "--child CH-XX --set other_child=CH-XY")
    record("lead", "linked", two, "--set other=FA-ZY")
    # Under the other name while the link holds, which is then taken back.
    record("worker", "home-visit", "FA-ZY")
    at = study.entries()[-2]["sequence"]
    record("lead", "corrected", two, f"--set sequence={at} --set reason=mistyped")
    amended = text.replace("method = \"big-stick\"", "method = \"permuted-block\"\nblock_lens = [2, 4]").replace(
        "max_imbalance = 4", "").replace('beacon = {', '# beacon = {')
    amended += '\n[deviations]\nreasons = ["register-renamed"]\n'
    (study.folder / "next.toml").write_text(amended, encoding="utf-8")
    confirm = hashlib.sha256(amended.encode()).hexdigest()[:8]
    study.run("lead", f"amend next.toml --seed-file keys/1 --confirm {confirm}")
    study.enrol("keys/1", *(row(number, site="skarholmen") for number in range(30, 33)))
    study.run("lead", f"erase --family {name(21)} --reason retention --confirm {confirm}")
    study.day = "2027-06-01"
    study.run("lead", f"lock evaluation-2025 --cut 2025-11-30 --confirm {confirm}")
    study.run("lead", f"lock final --cut 2027-05-01 --confirm {confirm} --deviation late-data --deviation error-in-plan")
    study.run("analyst", "analyse --lock final --deviation register-renamed")
    study.run("lead", "reveal --seed-file keys/0 --seed-file keys/1")
    study.run("auditor", "export --proof proof")
    return study
