# needs: gcc and the headers of libseccomp
if [ "${1-}" = --needs ]; then command -v gcc && [ -e /usr/include/seccomp.h ]; exit; fi
d=$(mktemp -d); cd $d; gcc -w -O1 -o filtered $PROGRAMS/filtered.c -lseccomp
./filtered; echo $?
if command -v bwrap >/dev/null; then
    ./filtered export filter
    bwrap --dev-bind / / --seccomp 9 sh -c "mkdir made; echo \$?; grep Seccomp: /proc/self/status" 9<filter 2>&1
fi
cd /; rm -r $d
