#!/usr/bin/env bash
# usage: tests/browser/run.sh DEMO_DIR OUT_DIR
# Opens the demo's reports in a real browser, in both languages, and looks at what it drew: every picture must be there, of its
# size, and hold more than background. Needs Chromium; without it this fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
demo=$(realpath "${1:?usage: run.sh DEMO_DIR OUT_DIR}")
mkdir -p "${2:?usage: run.sh DEMO_DIR OUT_DIR}"
out=$(realpath "$2")
command -v chromium > /dev/null || { echo "Chromium is missing"; exit 1; }
for lang in sv en; do
  bash tests/browser/figures.sh "$demo/report/report.$lang.html" "$out/$lang" > /dev/null
done
python3 tests/browser/look.py "$out"
