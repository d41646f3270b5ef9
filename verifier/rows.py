"""The rows of a ledger as docs/ledger-spec.md says: how they are read, and the form that each kind has.

Rows come from the database of a study (`read_ledger`) or from a proof (`read_proof`), which has no payloads. Used by
verify.py beside it.
"""
import hashlib
import json
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

COLUMNS = ("sequence", "time", "actor", "kind", "public", "payload", "salt", "payload_hash", "hash")
LARGEST = 2**53 - 1
FORM = """CREATE TABLE event (
    sequence     INTEGER PRIMARY KEY,
    time         TEXT NOT NULL,
    actor        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    public       TEXT NOT NULL,
    payload      TEXT,
    salt         BLOB,
    payload_hash BLOB NOT NULL,
    hash         BLOB NOT NULL
) STRICT"""
APPLICATION = int.from_bytes(b"lott", "big")
STATISTICS = {"sqlite_stat1": "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
              "sqlite_stat4": "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"}
PATIENCE, PAUSE = 20.0, 0.05  # seconds that a moment without writing is waited for, and between two looks
DEPTH = 8  # objects and lists that a value can lie in


def is_hash(value):
    return isinstance(value, bytes) and len(value) == 32


def is_hex(text):
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) is not None


def is_time(text):
    """Years that every program can hold, no leap second."""
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text, re.ASCII) is not None and in_years(text[:-1])


def is_date(text):
    return isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None and in_years(text)


def in_years(text):
    try:
        return 1 <= datetime.fromisoformat(text).year <= 9998
    except ValueError:
        return False


def is_key(text):
    return isinstance(text, str) and re.fullmatch("[A-Za-z0-9._-]{1,64}", text) is not None


def person(actor):
    """Whose an actor's id is, however it is written."""
    return re.sub("[._-]", "", actor).lower() or actor


def is_public_key(text):
    """A key that nothing can erase: no personal number stands in it."""
    return is_key(text) and not holds_personal_number(text)


JOINT = "[-._]{1,3}"
NUMBERS = re.compile(rf"(?<!\d)(?=(\d{{12}}|\d{{10}}|\d{{8}}{JOINT}\d{{4}}|\d{{6}}{JOINT}\d{{4}}|"
                     rf"\d{{4}}{JOINT}\d\d{JOINT}\d\d{JOINT}\d{{4}})(?!\d))", re.ASCII)


def holds_personal_number(text):
    return any(is_personal_number([int(sign) for sign in found if sign.isdigit()]) for found in NUMBERS.findall(text))


def is_personal_number(digits):
    """Ten or twelve digits: a date (day + 60 for a coordination number) and the check digit."""
    century, short = (digits[0] * 10 + digits[1], digits[2:]) if len(digits) == 12 else (None, digits)
    products = [digit * (2 - place % 2) for place, digit in enumerate(short)]
    year, month, day = (short[at] * 10 + short[at + 1] for at in (0, 2, 4))
    if sum(product // 10 + product % 10 for product in products) % 10 or century not in (None, 18, 19, 20):
        return False
    if day >= 60 and (month == 0 or day == 60):
        return month <= 12 and day - 60 <= 31
    if not 1 <= month <= 12:
        return False
    whole = 2000 + year if century is None else century * 100 + year  # 2000 is a leap year: one of the centuries has the day
    leap = whole % 4 == 0 and (century is None or whole % 100 != 0 or whole % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    return 1 <= (day - 60 if day >= 60 else day) <= days


def is_text(value):
    return isinstance(value, str)


def one_of(*words):
    return lambda value: isinstance(value, str) and value in words


def whole(least, most):
    return lambda value: type(value) is int and least <= value <= most


def list_of(is_own, least=0):
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(is_own, value))


def is_value(value):
    return isinstance(value, str) and re.fullmatch("([0-9a-f]{2}){8,128}", value) is not None


def are_sequences(value):
    return list_of(whole(1, LARGEST), 1)(value) and all(a < b for a, b in zip(value, value[1:]))


def are_codes(value):
    return list_of(is_public_key, 1)(value) and all(a < b for a, b in zip(value, value[1:]))


COUNT, SITE_DAY = whole(0, 2**32 - 1), {"site": is_text, "on": is_date, "event_key": is_public_key}
SERVICES = ("offered", "accepted", "declined", "started", "not-started", "home-visit", "closed", "reopened", "switched")
EXITS = ("death", "all-children-18", "left-coverage", "withdrawn")
RETRACTABLE = (*SERVICES, *EXITS, "reported", "violation", "observed", "linked")
# The keys of the public part for each kind with their domains, first for those with a family in the payload; a key with ?
# may be absent.
ABOUT_FAMILY = dict.fromkeys(RETRACTABLE, {}) | dict.fromkeys(
    ("returned", "joined", "exception"), {"site": is_text}) | {
    "screened": {"site": is_text, "verdict": one_of("not-eligible", "gate-closed", "exception", "drawn")},
    "allocated": {"site": is_text, "epoch": COUNT, "levels": list_of(is_text), "factors?": list_of(is_text, 1),
                  "draw": COUNT, "arm": is_text, "allocation": COUNT},
    "switched": {"arm": is_text}, "corrected": {"sequence": whole(1, LARGEST)},
}
PUBLIC = ABOUT_FAMILY | {
    "opened": {"format": whole(1, 1), "study": is_text, "mode": one_of("live", "rehearsal"), "protocol_hash": is_hex,
               "commitment": is_hex, "custody": one_of("single-user")},
    "epoch-opened": {"epoch": COUNT, "commitment": is_hex, "protocol_hash": is_hex},
    "beacon": {"epoch": COUNT, "round": is_text, "value": is_value},
    "site-opened": SITE_DAY, "site-closed": SITE_DAY,
    "capacity-changed": SITE_DAY | {"therapists": whole(0, 10_000)},
    "erased": {"sequences": are_sequences, "reason": is_public_key},
    "locked": {"lock": is_text, "cut": is_date, "deviations?": are_codes},
    "analysed": {"lock": is_text, "results_sha256": is_hex, "deviations?": are_codes}, "exported": {"what": one_of("data", "proof", "replicate")},
    "revealed": {"seeds": list_of(is_hex)},
}
MOST_CHILDREN = 24


def is_true(value):
    return value is True


def list_up_to(most):
    return lambda value: list_of(is_text)(value) and len(value) <= most


def object_of(kind):
    return lambda value: isinstance(value, dict) and all(type(own) is kind for own in value.values())


# The keys of the payload, in the same way, of kinds that have one. A key of a request may be digits of a hash, in which a
# personal number can stand by chance.
EVENT = {"family": is_text, "on": is_date, "event_key": is_public_key, "child?": is_text}
SERVICE = EVENT | {"delivered_by?": is_text}
REQUEST = {"family": is_text, "request_id": is_key}
SIGHTING = {"report_key": is_public_key, "received": is_date}
INTAKE = REQUEST | SIGHTING | {
    "children": list_up_to(MOST_CHILDREN), "answers": object_of(bool), "fields": object_of(str), "exception?": is_text,
    "site": is_text, "changed?": is_true}
PAYLOAD = dict.fromkeys(SERVICES, SERVICE) | dict.fromkeys(EXITS, EVENT) | {
    "screened": INTAKE | {"missed?": list_of(is_text)}, "returned": INTAKE,
    "joined": INTAKE | {"new_children": list_up_to(MOST_CHILDREN)},
    "allocated": REQUEST, "exception": REQUEST | {"reason": is_text},
    "reported": SIGHTING | {
        "family": is_text, "source": one_of("intake", "log", "register"), "child?": is_text, "incident_date?": is_date,
        "attached_to_open_investigation?": one_of("yes", "no"), "reporter?": is_text, "by_study_staff?": is_true},
    "switched": SERVICE | {"arm?": is_text},  # that it is there is compared with the public part
    "violation": EVENT | {"reason": is_text, "field?": is_text, "value?": is_text, "received?": is_text, "criterion?": is_text},
    "observed": EVENT | {"outcome": is_text, "value": is_text}, "corrected": EVENT | {"reason": is_public_key},
    "linked": EVENT | {"other?": is_text, "other_child?": is_text},
}
CLOSED = ("screened", "returned", "joined", "allocated", "exception")  # the others may have further keys, for codes


def raw(text):
    """The bytes of a text as they are stored, also where they are not UTF-8 (see `read_ledger`)."""
    try:
        return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""
    except UnicodeEncodeError:  # half of a surrogate pair, which a proof can hold and no database
        return text.encode("utf-8", "surrogatepass")


def read_object(text):
    """A canonical JSON object; ValueError otherwise."""
    def members(pairs):
        keys = [key.encode("utf-8") for key, _ in pairs]
        if any(a >= b for a, b in zip(keys, keys[1:])):
            raise ValueError("its keys are not sorted")
        return dict(pairs)

    def refuse(number):
        raise ValueError(f"{number} is not a whole number")

    def check(value, depth):
        if depth > DEPTH:
            raise ValueError("it is nested too deeply")
        if type(value) is int and not 0 <= value <= LARGEST:
            raise ValueError(f"{value} is not a number from 0 to 2^53 - 1")
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(inner, depth + 1)

    try:
        value = json.loads(text, object_pairs_hook=members, parse_float=refuse, parse_constant=refuse)
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        written.encode("utf-8")  # half a surrogate pair is no text: UnicodeEncodeError, a ValueError
        check(value, 0)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict) or written != text:
        raise ValueError("it is not a canonical JSON object")
    return value


def check_members(value, table, more=None):
    """The keys of a table with values of their domains; others, where they may stand, hold what `more` says."""
    wanted = {key.rstrip("?"): holds for key, holds in table.items()}
    needed = {key for key in table if not key.endswith("?")}
    if not needed <= value.keys() or more is None and not value.keys() <= wanted.keys():
        raise ValueError(f"it needs the keys {sorted(needed)} and has {sorted(value)}")
    for key, own in value.items():
        if not wanted.get(key, more)(own):
            raise ValueError(f"{key} cannot be {own!a}")


def read_public(kind, text):
    value = read_object(text)
    check_members(value, PUBLIC[kind] | {"clock?": one_of("override")})
    return value


def read_payload(kind, text):
    value = read_object(text)
    check_members(value, PAYLOAD.get(kind, {}), is_text if kind in PAYLOAD and kind not in CLOSED else None)
    links = value.keys() & {"other", "child", "other_child"}
    if kind == "linked" and links not in ({"other"}, {"child", "other_child"}):
        raise ValueError("it does not link either a family or a child")
    return value


class Busy(Exception):
    """Somebody wrote to the ledger all the time while it was to be read: nothing is known of it."""


def misfit(connection):
    """What of the database is not the one table that a ledger is, or None."""
    (encoding,), = connection.execute("PRAGMA encoding")
    if encoding != "UTF-8":
        return f"its text is {encoding}"
    for setting, wanted in (("application_id", APPLICATION), ("user_version", 1)):
        (found,), = connection.execute(f"PRAGMA {setting}")
        if found != wanted:
            return f"its {setting} is {found}, and that of a ledger {wanted}"
    tables = 0
    for kind, name, table, sql in connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"):
        if kind == "table" and name == table == "event" and isinstance(sql, str) and sql.split() == FORM.split():
            tables += 1
        elif kind != "table" or name != table or STATISTICS.get(name) != sql:
            return f"it holds the {kind} {name!a}, which is not the table of a ledger"
    return None if tables == 1 else "it has no table 'event'"


def read_ledger(study):
    """Every row of the table, without touching the folder: rows, what stopped the reading or None, what is not of its form or None.

    Rows, and what is wrong, are those of one moment: the files did not change while they were read, but that a log grew at its
    end. Raises `Busy` when there was no such moment.
    """
    database = Path(study).resolve() / "ledger.sqlite"
    files = [database.with_name(database.name + end) for end in ("", "-journal", "-wal")]
    until = monotonic() + PATIENCE
    while True:
        try:
            before = [digest(file) for file in files]
            found = read_once(database, files, copied=any(size for size, _ in before[1:]))
            # SQLite only appends to its log, or begins it anew once the database has all of it.
            after = [digest(file, size if file is files[2] else None) for file, (size, _) in zip(files, before)]
        except OSError as error:
            return [], str(error), None
        if before == after:
            return found
        if monotonic() > until:
            raise Busy("the study is being written to; try again")
        sleep(PAUSE)


def digest(file, first=None):
    """Length and hash of a file, or of its first bytes; of one that is not there, as of an empty one."""
    own, size = hashlib.sha256(), 0
    try:
        with open(file, "rb") as stream:
            while data := stream.read(1 << 20 if first is None else min(1 << 20, first - size)):
                own.update(data)
                size += len(data)
    except FileNotFoundError:
        pass
    return size, own.digest()


def read_once(database, files, copied):
    rows = []
    try:
        with tempfile.TemporaryDirectory() as scratch:
            address = database.as_uri() + "?mode=ro&immutable=1"
            if copied:  # rows that are not merged yet: SQLite merges them in a copy
                for file in files:
                    try:
                        shutil.copyfile(file, Path(scratch) / file.name)
                    except FileNotFoundError:  # it is gone by now, and that will be seen
                        pass
                address = (Path(scratch) / database.name).as_uri() + "?mode=rw"
            with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
                # TEXT becomes str also where it is not UTF-8, so that BLOB alone becomes bytes.
                connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
                connection.execute("BEGIN")  # form and rows of one picture
                if (wrong := misfit(connection)) is not None:
                    return [], None, wrong
                for row in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM event ORDER BY sequence"):
                    rows.append(row)
        return rows, None, None
    except sqlite3.Error as error:
        return rows, str(error), None


def read_proof(file):
    """A proof (`lottning.proof/1`): its protocol files, its rows with the columns in their places, and the study and the head
    that it names; ValueError if it is none.

    A proof has no payloads and no salts. Values of a wrong type stay as they are: the checks name their rows.
    """
    def unhex(value):
        return bytes.fromhex(value) if isinstance(value, str) and is_hex(value) else value

    try:
        proof = json.loads(Path(file).read_bytes())
        if not isinstance(proof, dict) or proof.get("schema") != "lottning.proof/1":
            raise ValueError("it is not a proof (lottning.proof/1)")
        if proof.keys() != {"schema", "study", "head", "protocols", "rows"}:
            raise ValueError("a proof has other keys than schema, study, head, protocols and rows")
        protocols = [text.encode("utf-8") for text in proof["protocols"]]
        rows = []
        for row in proof["rows"]:
            if row.keys() != {"sequence", "time", "actor", "kind", "public", "payload_hash", "hash"}:
                raise ValueError("a row has other keys than sequence, time, actor, kind, public, payload_hash and hash")
            row = row | {"payload": None, "salt": None, "payload_hash": unhex(row["payload_hash"]),
                         "hash": unhex(row["hash"])}
            rows.append(tuple(row[column] for column in COLUMNS))
        return protocols, rows, proof["study"], proof["head"]
    except (OSError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it is not a proof: {type(error).__name__} {str(error)!a}") from None
