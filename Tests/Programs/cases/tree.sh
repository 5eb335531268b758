# needs: find tar du ls
if [ "${1-}" = --needs ]; then for n in find tar du ls; do command -v "$n" || exit 1; done; exit 0; fi
cd /usr/share/doc || exit 1
find . | sort | sha256sum
find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
tar c --sort=name . | sha256sum
du -s --apparent-size . | cut -f1
ls -lRU --time-style=full-iso . | sort | sha256sum
