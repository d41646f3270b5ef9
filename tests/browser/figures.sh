#!/usr/bin/env bash
# usage: tests/browser/figures.sh REPORT.html OUT_DIR
# Pictures of a report: the whole page (wide and narrow window), each figure, and the printed A4 pages.
# Says so and stops with 0 when no Chromium is installed; the pages are printed to pictures only with pdftoppm.
set -euo pipefail

html=$(realpath "${1:?usage: figures.sh REPORT.html OUT_DIR}")
mkdir -p "${2:?usage: figures.sh REPORT.html OUT_DIR}"
out=$(realpath "$2")
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$chromium" ]; then
  echo "no Chromium here: no pictures made" >&2
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
browser() {
  timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
    --user-data-dir="$work/profile" --hide-scrollbars --force-color-profile=srgb "$@" 2>"$work/log"
}
shot() { # FILE PICTURE WIDTH HEIGHT
  browser --window-size="$3,$4" --screenshot="$2" "file://$1"
}

shot "$html" "$out/page-wide.png" 900 7600
shot "$html" "$out/page-narrow.png" 500 10400
browser --no-pdf-header-footer --print-to-pdf="$out/page.pdf" "file://$html"
if command -v pdftoppm >/dev/null; then
  pdftoppm -r 80 -png "$out/page.pdf" "$out/print"
fi

# Each drawing on a page of its own, enlarged.
python3 - "$html" "$work" <<'PYTHON'
import pathlib, re, sys
page = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
for number, svg in enumerate(re.findall(r"<svg .*?</svg>", page, re.S)):
    name = re.search(r'<title id="([a-z-]+)-title"', svg).group(1)
    box = [float(x) for x in re.search(r'viewBox="([^"]+)"', svg).group(1).split()]
    scale = 1.5
    size = f"{int(box[2] * scale) + 20},{int(box[3] * scale) + 20}"
    frame = f'<!doctype html><meta charset="utf-8"><body style="margin:10px"><div style="width:{box[2] * scale}px">{svg}</div>'
    pathlib.Path(sys.argv[2], f"{number}-{name}.html").write_text(frame, encoding="utf-8")
    pathlib.Path(sys.argv[2], f"{number}-{name}.size").write_text(size + "\n", encoding="utf-8")
PYTHON
for figure in "$work"/*-*.html; do
  name=$(basename "$figure" .html)
  IFS=, read -r width height <"${figure%.html}.size"
  shot "$figure" "$out/figure-${name#*-}.png" "$width" "$height"
done
ls "$out"
