#!/usr/bin/env bash
# Start-up and single operations next to native and to bubblewrap where it is installed. Prints Markdown.
set -euo pipefail
sandbox=$(realpath "$1")
cd "$(dirname "$0")"
mkdir -p build
for program in start micro; do cc -O2 -static -Wall -Wno-unused-result -o build/$program $program.c; done

peers=()
command -v bwrap >/dev/null && peers+=("bubblewrap=bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all /bin/true")
echo "## Start of /bin/true"
echo
build/start 20 "native=/bin/true" "${peers[@]}" "sandbox-exec=$sandbox -- /bin/true"

echo
echo "## Single operations"
echo
echo "Placement: unpinned, as the scheduler likes."
echo
native=$(build/micro)
inside=$("$sandbox" -- "$PWD/build/micro")
echo "| operation | native ns | sandbox ns | ratio |"
echo "| --- | --- | --- | --- |"
paste -d' ' <(echo "$native") <(echo "$inside") | awk '{printf "| %s | %d | %d | %.1f |\n", $1, $2, $4, $4 / ($2 > 0 ? $2 : 1)}'
