"""Every forgery of table.toml through `lottning verify` and verifier/verify.py, the latter with the study and with its proof: all
must name the same first row, with the code of the table. The page of a proof meets the same forgeries in tests/browser/proof.py.

usage: check.py LOTTNING
"""
import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "verifier"), str(ROOT / "tests" / "forgeries")]
import verify  # noqa: E402
from forge import forgeries, proof, rechain, save  # noqa: E402
from honest import honest  # noqa: E402


def own(program, folder):
    done = subprocess.run([program, "verify", "--json", "--study", str(folder)], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"first_bad": f"exit {done.returncode}: {done.stderr}", "findings": []}


def independent(*words):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        verify.main([*map(str, words), "--json"])
    return json.loads(out.getvalue())


def compare(what, answer, first, code):
    """What is wrong with an answer, as lines."""
    if answer["first_bad"] != first:
        yield f"{what}: first bad row {answer['first_bad']}, not {first}: {answer['findings'][:3]}"
    elif first is not None and code not in (codes := [f["code"] for f in answer["findings"] if f["sequence"] == first]):
        yield f"{what}: {codes}, not {code}"
    if first is None and answer["findings"]:
        yield f"{what}: {answer['findings'][:3]}"


def main():
    program, failures, count = str(pathlib.Path(sys.argv[1]).resolve()), [], 0
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        study = honest(program, work / "honest")
        folder, rows = study.folder / "study", study.entries()
        protocols = [(folder / name).read_bytes() for name in ("protocol.toml", "protocol-1.toml")]
        file = work / "proof.json"

        def judge(what, rows, first, first_in_proof, code, check, check_in_proof):
            nonlocal count
            count += 1
            rechain(rows, protocols)
            save(rows, folder, work / str(count))
            file.write_text(json.dumps(proof(rows, protocols), ensure_ascii=False), encoding="utf-8")
            failures.extend(compare(f"{what}: verify", own(program, work / str(count)), first, code))
            failures.extend(compare(f"{what}: verify.py", independent(work / str(count)), first, check))
            failures.extend(compare(f"{what}: verify.py --proof", independent("--proof", file), first_in_proof, check_in_proof))

        judge("the honest study", rows, None, None, None, None, None)
        for forged in forgeries(rows):
            judge(forged.what, forged.rows, forged.first, forged.first_in_proof, forged.code, forged.check,
                  forged.check_in_proof)
    print("\n".join([*failures, f"{count} ledgers, {len(failures)} disagreements"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
