#!/usr/bin/env bash
# The main job: a Python program reads a real file, writes a database and removes its input, all inside the sandbox.
set -euo pipefail
sandbox=$1
folder=$(cd "$(dirname "$0")" && pwd)
source=$(mktemp --suffix=.txt)
trap 'rm -f "$source"' EXIT
cat /usr/share/common-licenses/* >"$source"

"$sandbox" -- /usr/bin/python3 "$folder/wordcount.py" "$source"

echo
echo "on the host afterwards:"
[ -s "$source" ] && echo "  $source is still there ($(stat -c %s "$source") bytes)"
[ ! -e /var/report ] && echo "  /var/report does not exist"
