#!/usr/bin/env bash
# usage: tests/browser/run.sh DEMO_DIR OUT_DIR [LOTTNING]
# Opens what lottning writes for people in a real browser. The demo's reports and a planning report, in both languages: every
# picture must be there, of its size, and hold more than background. The page of a proof: what it says of honest and of forged
# proofs.
# Needs Chromium; without it this fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
demo=$(realpath "${1:?usage: run.sh DEMO_DIR OUT_DIR [LOTTNING]}")
mkdir -p "${2:?usage: run.sh DEMO_DIR OUT_DIR [LOTTNING]}"
out=$(realpath "$2")
lottning=${3:-target/release/lottning}
command -v chromium > /dev/null || { echo "Chromium is missing"; exit 1; }
"$lottning" simulate simulations/iuh-2025.toml --replicates 200 --draws 79 --what-if "therapists=3 ratio=1:2 months=24" \
  --out "$out/plan" > /dev/null
for lang in sv en; do
  bash tests/browser/figures.sh "$demo/report/report.$lang.html" "$out/$lang" > /dev/null
  bash tests/browser/figures.sh "$out/plan/report.$lang.html" "$out/planning-$lang" > /dev/null
done
python3 tests/browser/look.py "$out"
timeout 300 python3 tests/browser/proof.py "$lottning" "$demo" "$out/proof"
