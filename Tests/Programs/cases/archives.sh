# needs: tar gzip xz rsync find
if [ "${1-}" = --needs ]; then for n in tar gzip xz rsync find; do command -v "$n" || exit 1; done; exit 0; fi
set -eu
from=/usr/share/common-licenses
dir=$(mktemp -d); cd "$dir"
# A listing has the same order after names of the directory were looked up.
cat "$from/GPL-3" >/dev/null
tar c "$from" 2>/dev/null | gzip -n | sha256sum
tar c "$from" 2>/dev/null | xz -T2 | xz -d | sha256sum
mkdir out; tar c -C "$from" . | tar x -C out; diff -r "$from" out; echo same
rsync -a --stats "$from/" "$dir/copy/" | head -4; rsync -ac --delete --itemize-changes "$from/" "$dir/copy/"
echo more >>copy/BSD; rm copy/Artistic; touch copy/extra; rsync -ac --delete --itemize-changes "$from/" "$dir/copy/"
find "$from" -type f -exec sha256sum {} + | sort | sha256sum
find copy -type f -print0 | xargs -0 -P4 -n2 cksum | sort | cksum
cd /; rm -rf "$dir"
