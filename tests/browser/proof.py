"""The page of `lottning export --proof` in a real browser: it must say what holds, name the first bad row of what does not,
agree with verifier/verify.py, and reach nothing outside itself.

usage: proof.py LOTTNING DEMO_DIR OUT_DIR
"""
import copy
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "verifier"), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "forgeries")]
import forge  # noqa: E402
import test_epochs as made  # noqa: E402
from chromium import Chromium  # noqa: E402
from honest import honest  # noqa: E402

WHEN = "2025-03-03T09:00:00+01:00"
METHODS = {
    "simple": 'method = "simple"',
    "permuted-block": 'method = "permuted-block"\nblock_lens = [2, 4, 6]',
    "random-allocation": 'method = "random-allocation"\nlist_len = 6',
    "big-stick": 'method = "big-stick"\nmax_imbalance = 2',
    "biased-coin": 'method = "biased-coin"\nbias = "3/5"',
    "urn": 'method = "urn"\nurn = [1, 2]',
    "truncated-binomial": 'method = "truncated-binomial"\nlist_len = 8',
    "maximal": 'method = "maximal"\nlist_len = 200\nmax_imbalance = 3',
}

failures = []
passed = 0


def expect(what, got, wanted):
    global passed
    if got == wanted:
        passed += 1
    else:
        failures.append(f"{what}: {got!r}, not {wanted!r}")


class Page:
    def __init__(self, browser, work):
        self.browser, self.work = browser, work

    def open(self, file):
        self.browser.open(file)
        self.checked_after(0)

    def state(self):
        return self.browser.evaluate("({ ...document.body.dataset })")

    def settled(self, act):
        """The state after the next check that `act` leads to."""
        before = int(self.state()["checked"])
        act()
        self.checked_after(before)
        return self.state()

    def checked_after(self, before):
        self.browser.evaluate(
            "new Promise((done) => { const look = () => (Number(document.body.dataset.checked || 0) > "
            f"{before} ? done() : setTimeout(look, 5)); look(); }})")

    def give(self, *files):
        return self.settled(lambda: self.browser.give_file("#file", *files))

    def load(self, proof):
        file = self.work / "given.json"
        file.write_text(json.dumps(proof), encoding="utf-8")
        return self.give(file), file

    def fill(self, **fields):
        for name, value in fields.items():
            self.browser.evaluate(f"document.getElementById({json.dumps(name)}).value = {json.dumps(value)}")
        return self.settled(lambda: self.browser.evaluate("document.getElementById('check').click()"))

    def text(self):
        return self.browser.evaluate("document.getElementById('verdict').innerText")


def independent(file, *seeds):
    """First bad row and number of right draws, as verify.py finds them."""
    words = [sys.executable, str(ROOT / "verifier" / "verify.py"), "--proof", str(file), "--json"]
    for seed in seeds:
        words += ["--seed-file", str(seed)]
    answer = json.loads(subprocess.run(words, capture_output=True, text=True).stdout)
    return answer["first_bad"], answer["draws"]["verified"]


def rechain(proof):
    """Every hash anew, as a forger would who may write all of it."""
    previous, epoch = bytes(32), 0
    for row in proof["rows"]:
        digest = hashlib.sha256()
        for part in (previous, hashlib.sha256(proof["protocols"][epoch].encode()).digest(),
                     row["sequence"].to_bytes(8, "big"), row["time"].encode(), row["actor"].encode(), row["kind"].encode(),
                     row["public"].encode(), bytes.fromhex(row["payload_hash"])):
            digest.update(len(part).to_bytes(4, "big") + part)
        previous = digest.digest()
        row["hash"] = previous.hex()
        epoch += row["kind"] == "epoch-opened"
    proof["head"] = previous.hex()


def other_arm(proof, at):
    arms = ("iuh", "standard") if '"iuh"' in proof["rows"][at]["public"] + proof["protocols"][0] else ("new", "usual")
    public = proof["rows"][at]["public"]
    one, two = (f'"arm":"{arm}"' for arm in arms)
    proof["rows"][at]["public"] = public.replace(one, two) if one in public else public.replace(two, one)
    assert proof["rows"][at]["public"] != public


def forged(proof):
    """Name, forged proof, and the number of its first bad row, with the seed and without."""
    allocated = [at for at, row in enumerate(proof["rows"]) if row["kind"] == "allocated"]
    at, last = allocated[len(allocated) // 2], allocated[-1]

    def change(edit, anew=False):
        own = copy.deepcopy(proof)
        edit(own)
        if anew:
            rechain(own)
        return own

    yield "an arm changed, the chain made anew", change(lambda own: other_arm(own, at), True), at + 1, None
    yield "the last arm changed, the chain made anew", change(lambda own: other_arm(own, last), True), last + 1, None
    yield "an arm changed", change(lambda own: other_arm(own, at)), at + 1, at + 1
    yield "an actor changed", change(lambda own: own["rows"][2].update(actor="other")), 3, 3
    yield "a row taken away", change(lambda own: own["rows"].pop(at)), at + 1, at + 1
    yield "two rows swapped", change(lambda own: own["rows"].insert(at, own["rows"].pop(at + 1))), at + 1, at + 1
    yield "a hash changed", change(lambda own: own["rows"][4].update(hash="ab" * 32)), 5, 5
    yield "a protocol changed", change(lambda own: own["protocols"].__setitem__(0, own["protocols"][0] + "# x\n")), 1, 1

    def seed_of_another(own):
        own["rows"][0]["public"] = own["rows"][0]["public"].replace('"mode":"live"', '"mode":"rehearsal"')
    first = allocated[0] + 1
    if '"mode":"live"' in proof["rows"][0]["public"]:
        # A draw of the other mode differs from the first on with probability 1/2 each: somewhere it must.
        yield "another mode, the chain made anew", change(seed_of_another, True), (first, None), None


def study(lottning, folder, allocation):
    """A small live study of 24 families; its proof's folder and its seed."""
    text = (ROOT / "protocols" / "two-arms" / "protocol.toml").read_text(encoding="utf-8")
    for old, new in (("# ethics     =", "ethics ="), ("# dpia       =", "dpia ="), ("2026-0", "2025-0"),
                     ('method = "big-stick"', allocation), ("max_imbalance = 4\n", "", )):
        assert old in text, old
        text = text.replace(old, new, 1 if old.startswith(("method", "max")) else -1)
    folder.mkdir()
    (folder / "p.toml").write_text(text, encoding="utf-8")
    confirm = hashlib.sha256(text.encode()).hexdigest()[:8]
    run(lottning, folder, f"open p.toml --study study --seed-file keys/seed --confirm {confirm}")
    enrol(lottning, folder, "A", "keys/seed")
    run(lottning, folder, "export --proof proof --study study")
    return folder / "proof", folder / "keys" / "seed"


def run(lottning, folder, words):
    actor = "intake" if words.startswith("enrol ") else "lead"
    done = subprocess.run([lottning, *words.split(), "--actor", actor, "--at", WHEN], cwd=folder, text=True,
                          capture_output=True)
    if done.returncode:
        raise SystemExit(f"{words}: {done.stderr}")


def enrol(lottning, folder, letter, seed):
    """24 families, whose names end in a letter of their own."""
    rows = ["site,family,child,report_key,received,answer.consent,field.earlier_reports"]
    rows += [f"{('north', 'south')[n * 7 % 5 % 2]},FA-{chr(65 + n)}{letter},,R1,2025-03-01,yes,{n % 4}" for n in range(24)]
    (folder / "f.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    run(lottning, folder, f"enrol --from f.csv --study study --seed-file {seed}")


def quiet(browser, what):
    expect(f"{what}: what it asked for", browser.asked_for(), [])
    expect(f"{what}: complaints", browser.complaints(), [])


def check_demo(page, lottning, demo, out):
    folder = page.work / "demo"
    subprocess.run([lottning, "export", "--proof", folder, "--study", demo / "study", "--actor", "lead",
                    "--at", "2030-01-01T09:00:00+01:00"], check=True, capture_output=True)
    page.open(folder / "proof.html")
    state, (_, verified) = page.state(), independent(folder / "proof.json")
    expect("demo", (state["verdict"], state["firstBad"]), ("holds", ""))
    expect("demo: draws", state["draws"], f"{verified}/{verified}")
    expect("demo: more than a hundred draws", verified > 100, True)
    for language, words, width in (("en", "It holds", 900), ("sv", "Det håller", 500)):
        if page.browser.evaluate("document.documentElement.lang") != language:
            page.browser.evaluate("document.getElementById('language').click()")
        expect(f"demo: {language}", words in page.text(), True)
        other = "Det håller" if language == "en" else "It holds"
        expect(f"demo: {language} alone", other in page.text(), False)
        page.browser.picture(out / f"proof.{language}.png", width, 2600)
    page.browser.evaluate("document.querySelector('details').open = true")
    expect("demo: the list", page.browser.evaluate("document.querySelectorAll('#allocations tr.good').length"), verified)
    quiet(page.browser, "demo")


def check_methods(page, lottning):
    for name, allocation in METHODS.items():
        folder, seed = study(lottning, page.work / name, allocation)
        page.open(folder / "proof.html")
        state = page.state()
        expect(f"{name} without seed", (state["verdict"], state["draws"]), ("holds-without-draws", "0/24"))
        state = page.give(seed)
        expect(f"{name} with seed", (state["verdict"], state["draws"]), ("holds", "24/24"))
        quiet(page.browser, name)
        proof = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
        changed = copy.deepcopy(proof)
        last = max(at for at, row in enumerate(proof["rows"]) if row["kind"] == "allocated")
        other_arm(changed, last)
        rechain(changed)
        state, _ = page.load(changed)
        expect(f"{name}, last arm changed", (state["verdict"], state["firstBad"]), ("fails", str(last + 1)))
    return folder, seed, proof


def check_epochs(page, lottning):
    """A study that is amended twice: to permuted blocks, then to minimization that keeps a ratio of 2:1."""
    folder = page.work / "epochs"
    study(lottning, folder, 'method = "big-stick"')
    text = (folder / "p.toml").read_text(encoding="utf-8")
    seeds = [folder / "keys" / "seed"]
    for letter, options, ratio in (("B", 'method = "permuted-block"\nblock_lens = [2, 4]', 1),
                                   ("C", 'method = "minimization"\nfactors = ["site"]\nratio_preserving = true', 2)):
        amended = text.replace('method = "big-stick"', options).replace("ratio = 1", f"ratio = {ratio}", 1)
        if ratio == 2:
            amended = amended.replace('strata = ["site"]', "strata = []")
        (folder / "next.toml").write_text(amended, encoding="utf-8")
        confirm = hashlib.sha256(amended.encode()).hexdigest()[:8]
        run(lottning, folder, f"amend next.toml --study study --seed-file keys/{letter} --confirm {confirm}")
        enrol(lottning, folder, letter, f"keys/{letter}")
        seeds.append(folder / "keys" / letter)
    run(lottning, folder, "export --proof proof --study study")
    page.open(folder / "proof" / "proof.html")
    expect("three epochs, no seed", page.state()["verdict"], "holds-without-draws")
    expect("three epochs, one seed", (page.give(seeds[1])["draws"], page.state()["verdict"]), ("24/72", "holds-without-draws"))
    expect("three epochs, two seeds", page.give(seeds[2])["draws"], "48/72")
    state = page.give(seeds[0])
    expect("three epochs, all seeds", (state["verdict"], state["draws"]), ("holds", "72/72"))
    proof = json.loads((folder / "proof" / "proof.json").read_text(encoding="utf-8"))
    allocated = [at for at, row in enumerate(proof["rows"]) if row["kind"] == "allocated"]
    for what, at in (("first", allocated[20]), ("second", allocated[40]), ("third", allocated[71])):
        own = copy.deepcopy(proof)
        other_arm(own, at)
        rechain(own)
        state, file = page.load(own)
        expect(f"an arm of the {what} epoch", (state["verdict"], state["firstBad"]), ("fails", str(at + 1)))
        expect(f"an arm of the {what} epoch, both programs", independent(file, *seeds)[0], at + 1)
    quiet(page.browser, "epochs")


def check_forgeries(page, folder, seed, proof):
    for what, own, with_seed, without in forged(proof):
        for seeds, first in (((seed,), with_seed), ((), without)):
            page.open(folder / "proof.html")
            if seeds:
                page.give(seed)
            state, file = page.load(own)
            independently, _ = independent(file, *seeds)
            expect(f"{what}: both programs", state["firstBad"], str(independently or ""))
            if isinstance(first, tuple):
                expect(f"{what}: fails", state["verdict"], "fails")
            else:
                wanted = ("fails", str(first)) if first else ("holds-without-draws", "")
                expect(f"{what}, {len(seeds)} seeds", (state["verdict"], state["firstBad"]), wanted)
            if first:
                expect(f"{what}: says so", f"row {state['firstBad']} " in page.text(), True)
    # The page itself tampered with: the proof that it holds is not bound by its policy, and is checked all the same.
    text = (folder / "proof.html").read_text(encoding="utf-8")
    at = proof["rows"][4]["hash"]
    (folder / "tampered.html").write_text(text.replace(at, "ab" * 32), encoding="utf-8")
    page.open(folder / "tampered.html")
    expect("a tampered page", (page.state()["verdict"], page.state()["firstBad"]), ("fails", "5"))
    # A script that somebody adds does not run.
    (folder / "added.html").write_text(text.replace("<main>", "<main><script>document.title = 'x'</script>"), encoding="utf-8")
    page.open(folder / "added.html")
    expect("an added script", page.browser.evaluate("document.title"), "Proof of an allocation")


def check_table(page, lottning):
    """Every forgery of tests/forgeries/table.toml: the page names the row and the code that the other two programs name."""
    study = honest(lottning, page.work / "table")
    rows = study.entries()
    protocols = [(study.folder / "study" / name).read_bytes() for name in ("protocol.toml", "protocol-1.toml")]
    page.open(study.folder / "proof" / "proof.html")
    state = page.state()
    expect("the honest study", (state["verdict"], state["firstBad"]), ("holds", ""))
    erased = json.loads(subprocess.run([sys.executable, ROOT / "verifier" / "verify.py", "--json", "--proof",
                                        study.folder / "proof" / "proof.json"], capture_output=True).stdout)["erased_allocations"]
    expect("erased allocations", (state["erased"], erased), ("1", 1))
    expect("erased allocations are said", "1 of the allocations are erased" in page.text(), True)
    for forged in forge.forgeries(rows):
        forge.rechain(forged.rows, protocols)
        state, _ = page.load(forge.proof(forged.rows, protocols))
        first = forged.first_in_proof
        expect(forged.what, (state["verdict"], state["firstBad"]), ("holds", "") if first is None else ("fails", str(first)))
        codes = page.browser.evaluate("checkProof(shown.proof, []).findings.map((own) => [own.sequence, own.code])")
        if first is not None:
            expect(f"{forged.what}: its code", [first, forged.check_in_proof] in codes, True)
    quiet(page.browser, "table")


def check_fields(page, folder, seed, proof):
    page.open(folder / "proof.html")
    head = proof["rows"][-1]["hash"]
    state = page.fill(head=f" {head.upper()} ", seeds=seed.read_text())
    expect("head and seed typed", (state["verdict"], state["head"]), ("holds", "holds"))
    state = page.fill(head=proof["rows"][9]["hash"])
    expect("an earlier head", (state["verdict"], state["head"]), ("holds", "holds"))
    state = page.fill(head="ab" * 32)
    expect("a forged head", (state["verdict"], state["head"]), ("fails", "fails"))
    state = page.fill(head="")
    expect("no head", (state["verdict"], state["head"]), ("holds", "open"))
    state = page.fill(seeds="cd" * 32)
    expect("another seed", (state["verdict"], state["draws"]), ("seed-mismatch", "0/24"))
    point = page.work / "checkpoint.json"
    kept = {"schema": "lottning.checkpoint/1", "study": json.loads(proof["rows"][0]["public"])["study"], "events": 8,
            "head": proof["rows"][7]["hash"], "last_event": "", "written": ""}
    for what, own, head in (("capitals", {"head": kept["head"].upper()}, "holds"), ("another study", {"study": "other"}, "fails"),
                            ("another row", {"events": 7}, "fails")):
        point.write_text(json.dumps(kept | own))
        expect(f"a checkpoint, {what}", page.give(point)["head"], head)
    point.write_text(json.dumps(kept))
    state = page.give(point)
    expect("a checkpoint", (state["head"], page.browser.evaluate("document.getElementById('head').value")),
           ("holds", proof["rows"][7]["hash"]))
    cut = copy.deepcopy(proof)
    del cut["rows"][-3:]
    page.fill(seeds=seed.read_text(), head=head)
    state, _ = page.load(cut)
    expect("rows cut off, the head kept", (state["verdict"], state["head"]), ("fails", "fails"))
    page.fill(head="")
    for what, own in (("another head", {"head": "00" * 32}), ("another study", {"study": "other"}), ("a further key", {"note": "x"})):
        state, _ = page.load(proof | own)
        expect(f"a proof with {what}", state["verdict"], "fails")
    for what, other in (("no JSON", None), ("a list", []), ("another schema", {"schema": "x"}),
                        ("rows that are none", {"schema": "lottning.proof/1", "protocols": [], "rows": [None, 3, {}]})):
        state, _ = page.load(other)
        expect(what, state["verdict"], "fails")
    # Text of a proof is text: markup in it becomes no element.
    evil = copy.deepcopy(proof)
    mark = "<img src=x onerror=document.title=1>"
    evil["protocols"][0] = evil["protocols"][0].replace('en = "New service or usual service"', f'en = "{mark}"')
    evil["rows"][0]["public"] = evil["rows"][0]["public"].replace("my-study", mark)
    rechain(evil)
    page.load(evil)
    expect("markup in a proof", page.browser.evaluate("document.querySelectorAll('img').length"), 0)
    expect("markup is shown", mark in page.browser.evaluate("document.body.innerText"), True)
    quiet(page.browser, "fields")


def check_made(page, folder):
    """What Python wrote from the two pages: epochs, a beacon, an erasure, and the methods that balance factors."""
    first, second = page.work / "first.seed", page.work / "second.seed"
    first.write_text(made.SEED.hex())
    second.write_text(made.SECOND.hex())
    case = made.Epochs("test_two_epochs_with_files_of_their_own").ledger()
    case.erase(2, 3)
    beacon = made.Honest(made.with_beacon(made.PROTOCOL % made.BIG_STICK))
    beacon.beacon()
    beacon.drawn(9, beacon.text())
    ledgers = {"two epochs and an erasure": case, "beacon": beacon}
    for options in made.METHODS:
        if "factors" in options:
            ledger = made.Honest((made.PROTOCOL % options).replace('id = "iuh"', 'id = "iuh"\nratio = 2', 1)
                                 if "preserving" in options else made.PROTOCOL % options + made.FIELD)
            if "preserving" in options:
                ledger = made.Honest(ledger.protocol.decode() + made.FIELD)
            own = [(level, made.SITE) if '"site"]' in options else (level,) for level in ("våld", "annat", "våld", "våld")]
            ledger.drawn(30, ledger.text(), factors=own)
            ledgers[options.replace("\n", ", ")] = ledger
    three = made.PROTOCOL.replace("[allocation]", '[[arm]]\nid = "third"\n[allocation]', 1)
    maximal = made.Honest(three % 'method = "maximal"\nlist_len = 90\nmax_imbalance = 4')
    maximal.drawn(29, maximal.text())
    ledgers["maximal, three arms"] = maximal
    for options in made.METHODS:
        if any(name in options for name in made.EQUAL_ARMS):
            for part in (2,) if "list_len" in options else (2, 9):
                own = made.Honest((made.PROTOCOL % options).replace('id = "iuh"', f'id = "iuh"\nratio = {part}', 1))
                own.drawn(30, own.text())
                ledgers[f"{part}:1, " + options.replace("\n", ", ")] = own
    file = page.work / "made.json"
    for what, ledger in ledgers.items():
        page.open(folder / "proof.html")
        ledger.proof(file)
        state = page.give(file)
        expect(f"{what}, no seed", (state["verdict"], state["firstBad"]), ("holds-without-draws", ""))
        page.give(first)
        state = page.give(second)
        _, verified = independent(file, first, second)
        drawn = sum(row["kind"] == "allocated" for row in ledger.rows)
        wanted = "holds" if ledger.later else "seed-mismatch"  # the second seed is of no epoch of the others
        expect(f"{what}, seeds", (state["verdict"], state["draws"]), (wanted, f"{drawn}/{drawn}"))
        expect(f"{what}, both programs", verified, drawn)
        proof = json.loads(file.read_text(encoding="utf-8"))
        last = max(at for at, row in enumerate(proof["rows"]) if row["kind"] == "allocated")
        other_arm(proof, last)
        rechain(proof)
        state, _ = page.load(proof)
        expect(f"{what}, last arm changed", (state["verdict"], state["firstBad"]), ("fails", str(last + 1)))
    page.open(folder / "proof.html")
    case.later[0] += b"# one byte more\n"
    case.proof(file)
    state = page.give(file)
    expect("another file of an epoch", (state["verdict"], state["firstBad"]), ("fails", str(case.opening)))


def main():
    lottning, demo, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.environ.pop("LOTTNING_LANG", None)
    with tempfile.TemporaryDirectory() as work:
        browser = Chromium()
        try:
            page = Page(browser, pathlib.Path(work))
            check_demo(page, os.path.abspath(lottning), demo, out)
            folder, seed, proof = check_methods(page, os.path.abspath(lottning))
            check_epochs(page, os.path.abspath(lottning))
            check_forgeries(page, folder, seed, proof)
            check_table(page, os.path.abspath(lottning))
            check_fields(page, folder, seed, proof)
            check_made(page, folder)
        finally:
            browser.close()
    print("\n".join(failures + [f"proof: {passed} passed, {len(failures)} failed"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
