"""The rows of a ledger as docs/ledger-spec.md says: how they are read, and the form that each kind has.

Rows come from the database of a study (`read_ledger`) or from a proof (`read_proof`), which has no payloads. Used by
verify.py beside it.
"""
import json
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

COLUMNS = ("sequence", "time", "actor", "kind", "public", "payload", "salt", "payload_hash", "hash")
SITE_DAY = {"site": str, "on": str, "event_key": str}
# The keys of the public part for each kind, first for those with a family in the payload; a key with ? may be absent.
ABOUT_FAMILY = {
    "screened": {"site": str, "verdict": str},
    "allocated": {"site": str, "epoch": int, "levels": list, "factors?": list, "draw": int, "arm": str,
                  "allocation": int},
    "returned": {"site": str}, "joined": {"site": str}, "exception": {"site": str}, "switched": {"arm": str},
    "corrected": {"sequence": int},
} | {kind: {} for kind in (
    "reported", "offered", "accepted", "declined", "started", "not-started", "home-visit", "closed", "reopened",
    "death", "all-children-18", "left-coverage", "withdrawn", "violation", "observed", "linked")}
PUBLIC = ABOUT_FAMILY | {
    "opened": {"format": int, "study": str, "mode": str, "protocol_hash": str, "commitment": str, "custody": str},
    "epoch-opened": {"epoch": int, "commitment": str, "protocol_hash": str},
    "beacon": {"epoch": int, "round": str, "value": str},
    "site-opened": SITE_DAY, "site-closed": SITE_DAY, "capacity-changed": SITE_DAY | {"therapists": int},
    "erased": {"sequences": list, "reason": str}, "locked": {"lock": str, "cut": str},
    "analysed": {"lock": str, "results_sha256": str}, "exported": {"what": str}, "revealed": {"seeds": list},
}
ELEMENTS = {"sequences": int, "levels": str, "factors": str, "seeds": str}
VERDICTS = ("not-eligible", "gate-closed", "exception", "drawn")


def is_hash(value):
    return isinstance(value, bytes) and len(value) == 32


def is_hex(text):
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def is_time(text):
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text, re.ASCII):
        return False
    try:
        return 1 <= datetime.fromisoformat(text[:-1]).year <= 9998
    except ValueError:
        return False


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
    value = read_object(text)
    wanted = {key.rstrip("?"): kept for key, kept in PUBLIC[kind].items()} | {"clock": str}
    needed = {key for key in PUBLIC[kind] if not key.endswith("?")}
    if not needed <= value.keys() <= wanted.keys():
        raise ValueError(f"it needs the keys {sorted(needed)} and has {sorted(value)}")
    for key, own in value.items():
        kept = wanted[key]
        if type(own) is not kept or kept is list and any(type(x) is not ELEMENTS[key] for x in own):
            raise ValueError(f"{key} cannot be {own!a}")
    if value.get("clock", "override") != "override" or kind == "screened" and value["verdict"] not in VERDICTS:
        raise ValueError(f"{value!a} has an unknown word")
    return value


def read_payload(kind, text):
    value = read_object(text)
    for key in ["family"] * (kind in ABOUT_FAMILY) + ["request_id"] * (kind in ("screened", "allocated")):
        if not isinstance(value.get(key), str):
            raise ValueError(f"{key} is missing or no text")
    return value


def read_ledger(study):
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

def read_proof(file):
    """The protocol files and the rows of a proof (`lottning.proof/1`), the columns in their places; ValueError if it is none.

    A proof has no payloads and no salts. Values of a wrong type stay as they are: the checks name their rows.
    """
    def unhex(value):
        return bytes.fromhex(value) if isinstance(value, str) and is_hex(value) else value

    try:
        proof = json.loads(Path(file).read_bytes())
        if not isinstance(proof, dict) or proof.get("schema") != "lottning.proof/1":
            raise ValueError("it is not a proof (lottning.proof/1)")
        protocols = [text.encode("utf-8") for text in proof["protocols"]]
        rows = []
        for row in proof["rows"]:
            if row.keys() != {"sequence", "time", "actor", "kind", "public", "payload_hash", "hash"}:
                raise ValueError("a row has other keys than sequence, time, actor, kind, public, payload_hash and hash")
            row = row | {"payload": None, "salt": None, "payload_hash": unhex(row["payload_hash"]),
                         "hash": unhex(row["hash"])}
            rows.append(tuple(row[column] for column in COLUMNS))
        return protocols, rows
    except (OSError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it is not a proof: {type(error).__name__} {str(error)!a}") from None
