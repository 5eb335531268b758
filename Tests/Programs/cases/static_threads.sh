# needs: gcc
if [ "${1-}" = --needs ]; then for n in gcc; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); gcc -O2 -static -pthread -o $d/p $PROGRAMS/threads64.c && $d/p; echo $?; gcc -O2 -o $d/c $PROGRAMS/children500.c && $d/c; echo $?; rm -r $d
