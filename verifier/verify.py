#!/usr/bin/env python3
"""Check the ledger of a study: python3 verify.py STUDY_DIR [--seed-file FILE]... [--expect-head HEX] [--json]
or a proof of it, without the study: python3 verify.py --proof FILE [the same options]

Written from docs/ledger-spec.md and docs/allocation-spec.md alone, with Python's standard library (3.11 or later), and
shares no code with lottning. It only reads. README.md beside this file says what is checked and what the answer means.
"""
import argparse
import json
import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # leave nothing behind beside this file
sys.path.insert(0, str(Path(__file__).resolve().parent))
from checker import Checker  # noqa: E402
from published import self_test  # noqa: E402
from rows import Busy, is_hex  # noqa: E402

EXIT_OK, EXIT_USAGE, EXIT_BUSY, EXIT_FAILED, EXIT_SEED = 0, 2, 5, 8, 9


def read_seed(name):
    try:
        text = Path(name).read_bytes()
    except (OSError, ValueError):
        raise argparse.ArgumentTypeError(f"{name!a} cannot be read") from None
    if text.startswith(b"lottning-pseudonym-key/"):
        raise argparse.ArgumentTypeError(f"{name!a} is the key of pseudonyms, no seed file")
    if not re.fullmatch(rb"[0-9a-fA-F]{64}(\r?\n)?", text):
        raise argparse.ArgumentTypeError(f"{name!a} is no seed file (64 hexadecimal digits)")
    return name, bytes.fromhex(text.decode("ascii").strip())


def read_head(text):
    if not is_hex(text.lower()):
        raise argparse.ArgumentTypeError("a head is 64 hexadecimal digits")
    return text.lower()


def read_checkpoint(name):
    try:
        own = json.loads(Path(name).read_bytes())
        texts = [own[key] for key in ("study", "last_event", "written", "head")]
        if (own["schema"] == "lottning.checkpoint/1" and type(own["events"]) is int and own["events"] >= 0
                and all(isinstance(text, str) for text in texts) and is_hex(own["head"].lower())):
            return own["study"], own["events"], bytes.fromhex(own["head"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise argparse.ArgumentTypeError(f"{name!a} is no checkpoint")


def main(arguments=None):
    """The exit code, also for a reader who went away before the end of the answer."""
    lines = []
    code = answer(arguments, lines)
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail again at the end
    return code


def answer(arguments, lines):
    """The exit code; the lines of the answer are added."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Check the ledger of a study.")
    parser.add_argument("study", nargs="?", metavar="STUDY_DIR", help="folder with protocol.toml and ledger.sqlite")
    parser.add_argument("--proof", metavar="FILE", help="a proof instead of a study: chain and public parts")
    parser.add_argument("--seed-file", action="append", default=[], type=read_seed, metavar="FILE",
                        help="seed of an epoch; may be given several times")
    parser.add_argument("--expect-head", type=read_head, metavar="HEX", help="head that was kept elsewhere")
    parser.add_argument("--checkpoint", action="append", default=[], type=read_checkpoint, metavar="FILE",
                        help="a row and its hash that were kept elsewhere; may be given several times")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    parser.add_argument("--self-test", action="store_true", help="hold this program against published answers")
    options = parser.parse_args(arguments)
    if options.self_test:
        met, failures = self_test()
        lines.append("\n".join(failures) or f"OK: {met} published answers met")
        return EXIT_FAILED if failures else EXIT_OK
    if (options.study is None) == (options.proof is None):
        parser.error("give STUDY_DIR or --proof FILE")
    if options.study is not None and not Path(options.study).is_dir():
        parser.error("STUDY_DIR must be a folder")
    if options.proof is not None and not Path(options.proof).is_file():
        parser.error("--proof must be a file")

    found = Checker(options.checkpoint)
    try:
        if options.proof is None:
            found.run_study(options.study, options.seed_file, options.expect_head)
        else:
            found.run_proof(options.proof, options.seed_file, options.expect_head)
    except Busy as error:
        lines.append(json.dumps({"ok": False, "exit": EXIT_BUSY, "busy": str(error), "findings": []}) if options.json else f"BUSY: {error}")
        return EXIT_BUSY
    except Exception as error:  # the last resort: damage that no check foresaw is a finding, too
        found.report(None, "internal", f"the check stopped: {type(error).__name__} {str(error)!a}")
    findings = sorted(found.findings, key=lambda f: (f.sequence is None, f.sequence))
    code = EXIT_OK if not findings else EXIT_SEED if all(f.code in ("seed", "seed-missing") for f in findings) else EXIT_FAILED
    first = findings[0].sequence if findings else None
    erased = {s for e in found.events if e.kind == "erased" and e.public is not None for s in e.public["sequences"]}
    erased = sum(e.kind == "allocated" and e.sequence in erased for e in found.events)
    unchecked = found.allocations - found.verified - found.wrong
    if options.json:
        lines.append(json.dumps({
            "ok": not findings, "exit": code, "events": found.rows, "allocations": found.allocations,
            "erased_allocations": erased,
            "draws": {"verified": found.verified, "wrong": found.wrong, "not_checked": unchecked},
            "head": found.head, "first_bad": first, "findings": [f._asdict() for f in findings]}, indent=1))
        return code
    lines.append("OK" if not findings else "FAILED" if first is None else f"FAILED at row {first}")
    for f in findings:
        lines.append(f"  {'study' if f.sequence is None else f'row {f.sequence}'}: {f.text} [{f.code}]")
    lines.append(f"events       {found.rows}\nallocations  {found.allocations}")
    if erased:
        lines.append(f"erased       {erased} allocations: nobody can tell any more whether their families were drawn before")
    lines.append(f"draws        {found.verified} verified, {found.wrong} wrong, {unchecked} not checked")
    lines.append(f"head         {found.head}")
    if options.proof is not None:
        lines.append("a proof has no payloads: families, the gate, and levels against fields are not checked")
    return code


if __name__ == "__main__":
    sys.exit(main())
