"""Forgeries of an honest study, as table.toml lists them: rows are edited, and every number and hash is made anew, as somebody
would who may write all of the folder. Read by check.py, and by tests/browser/proof.py for the page of a proof.
"""
import copy
import hashlib
import json
import pathlib
import shutil
import sqlite3
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
KEYS = {"what", "row", "also", "code", "check", "check_in_proof", "first", "first_in_proof", "payloads", "replace", "public", "without", "payload",
        "payload_without", "column", "wipe", "after", "copy", "move", "remove", "shift"}


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def find(rows, selector):
    """A row by its kind, a text that it holds, and its place among such rows: `kind`, `kind:text`, `kind:text#2`."""
    selector, _, nth = selector.partition("#")
    kind, _, text = selector.partition(":")
    found = [row for row in rows if row["kind"] == kind and text in row["public"] + (row["payload"] or "")]
    assert len(found) >= int(nth or 1), f"no row {selector!r}"
    return found[int(nth or 1) - 1]


class Forged:
    """A forgery: `rows`, the number of the first that is bad in the study (`first`) and in its proof (`first_in_proof`, None: the
    proof shows nothing), and the codes that `lottning verify` and the other two programs must name it with."""

    def __init__(self, honest, own):
        assert own.keys() <= KEYS, own.keys() - KEYS
        self.what, self.code, self.check = own["what"], own["code"], own["check"]
        self.check_in_proof = own.get("check_in_proof", self.check)
        rows = copy.deepcopy(honest)
        for row in rows:
            row["old"], row["touched"] = row["sequence"], False
        # Selectors mean the honest rows; an edited row keeps its place among them.
        selected = {}

        def select(selector):
            if selector not in selected:
                selected[selector] = find(originals, selector)
            return selected[selector]

        originals = list(rows)
        edited = []
        for edit in [own, *own.get("also", [])]:
            row = select(edit["row"])
            if edit.get("copy"):
                row = dict(row, old=None, touched=False)
                after = select(edit.get("after", edit["row"]))
                row["time"] = after["time"]
                rows.insert(rows.index(after) + 1, row)
            elif "after" in edit:
                rows.remove(row)
                after = select(edit["after"])
                row["time"] = after["time"]
                rows.insert(rows.index(after) + 1, row)
            elif edit.get("remove"):
                rows.remove(row)
            edited.append((row, edit))
        wiped = [select(selector) for selector in own.get("wipe", [])]
        for row in wiped:
            row.update(payload=None, salt=None)
        shift = own.get("shift", 0)
        for number, row in enumerate(rows, 1 + shift):
            row["sequence"] = number
        renumbered = {row["old"]: row["sequence"] for row in rows if row["old"] is not None}

        def resolve(value):
            """`@selector` means the number of that row."""
            if isinstance(value, list):
                return [resolve(inner) for inner in value]
            if isinstance(value, str) and value.startswith("@"):
                return select(value[1:])["sequence"]
            return value

        for row, edit in edited:
            self.edit(row, edit, resolve)
        for row in rows:  # what other rows say of renumbered ones moves with them
            if not row["touched"] and row["kind"] in ("corrected", "erased"):
                public = json.loads(row["public"])
                key = "sequence" if row["kind"] == "corrected" else "sequences"
                public[key] = [renumbered.get(s, s) for s in public[key]] if key == "sequences" else (
                    renumbered.get(public[key], public[key]))
                row["public"] = canonical(public)
        self.rows, (first_row, first_edit) = rows, edited[0]

        def number(named):
            if isinstance(named, str):
                return max(select(named)["sequence"], 1)
            if first_edit.get("remove"):
                return renumbered[first_row["old"] - 1] + 1 + (named or 0)
            return max(first_row["sequence"] + (named or 0), 1)

        self.first = number(own.get("first"))
        self.first_in_proof = None if own.get("payloads") else number(own.get("first_in_proof", own.get("first")))

    @staticmethod
    def edit(row, edit, resolve):
        def change(column, more, less):
            if more or less:
                value = json.loads(row[column]) | {key: resolve(own) for key, own in more.items()}
                for key in less:
                    del value[key]
                row[column] = canonical(value)

        before = dict(row)
        change("public", edit.get("public", {}), edit.get("without", []))
        change("payload", edit.get("payload", {}), edit.get("payload_without", []))
        for column, (old, new) in edit.get("replace", {}).items():
            assert old in row[column], f"{edit['what']}: {row[column]} lacks {old}"
            row[column] = row[column].replace(old, new, 1)
        row.update(edit.get("column", {}))
        row["touched"] = row["public"] != before["public"]


def rechain(rows, protocols):
    previous, epoch = bytes(32), 0
    for row in rows:
        if row["payload"] is not None:
            row["payload_hash"] = hashlib.sha256(row["salt"] + row["payload"].encode()).digest()
        digest = hashlib.sha256()
        for part in (previous, hashlib.sha256(protocols[min(epoch, len(protocols) - 1)]).digest(),
                     max(row["sequence"], 0).to_bytes(8, "big"), row["time"].encode(), row["actor"].encode(),
                     row["kind"].encode(), row["public"].encode(), row["payload_hash"]):
            digest.update(len(part).to_bytes(4, "big") + part)
        previous = row["hash"] = digest.digest()
        epoch += row["kind"] == "epoch-opened"


def save(rows, honest_folder, folder):
    """A copy of the study with other rows."""
    folder.mkdir()
    for file in honest_folder.iterdir():
        if file.name.startswith("protocol") or file.name == "ledger.sqlite":
            shutil.copyfile(file, folder / file.name)
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("DELETE FROM event")
    for row in rows:
        connection.execute("INSERT INTO event (sequence, time, actor, kind, public, payload, salt, payload_hash, hash) "
                           "VALUES (:sequence, :time, :actor, :kind, :public, :payload, :salt, :payload_hash, :hash)", row)
    connection.commit()
    connection.close()


def proof(rows, protocols):
    public = ("sequence", "time", "actor", "kind", "public", "payload_hash", "hash")
    return {"schema": "lottning.proof/1", "study": "iuh-2025", "head": rows[-1]["hash"].hex(),
            "protocols": [text.decode() for text in protocols],
            "rows": [{key: row[key].hex() if isinstance(row[key], bytes) else row[key] for key in public} for row in rows]}


def every_key(rows):
    """For the first row of each kind: each public key left out, and one more put in. An erasure without its form names
    nothing, so in the study the first row that it should have named is the bad one."""
    kinds = {}
    for row in rows:
        kinds.setdefault(row["kind"], row)
    for kind, row in kinds.items():
        found = {"row": kind, "code": "row-form", "check": "form"}
        if kind == "erased":
            missing = [own["sequence"] for own in rows if own["kind"] == "screened"].index(json.loads(row["public"])["sequences"][0])
            found |= {"code": "payload-missing", "check": "erasure", "check_in_proof": "form",
                      "first": f"screened:#{missing + 1}", "first_in_proof": 0}
        for key in json.loads(row["public"]):
            if key not in ("clock", "factors", "deviations"):
                yield found | {"what": f"{kind} without {key}", "without": [key]}
        yield found | {"what": f"{kind} with one more key", "public": {"note": "x"}}
        yield found | {"what": f"{kind} by another clock", "public": {"clock": "mine"}}


def forgeries(honest):
    table = tomllib.loads((HERE / "table.toml").read_text(encoding="utf-8"))["forgery"]
    for own in [*table, *every_key(honest)]:
        yield Forged(honest, own)
