# needs: gcc
if [ "${1-}" = --needs ]; then for n in gcc; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); gcc -O1 -w -pthread -o $d/p $PROGRAMS/faults.c && $d/p; echo $?; rm -r $d
