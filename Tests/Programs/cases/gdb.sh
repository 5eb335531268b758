# needs: gdb gcc
if [ "${1-}" = --needs ]; then for n in gdb gcc; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); cp $PROGRAMS/crashes.c $d; cd $d; gcc -g -O0 -no-pie -pthread -o crashes crashes.c
shown() { grep -vE '^(warning|Download|\[Thread|Using host|This GDB|Enable debug|Debuginfod|To make this)|0x7ff' | sed -E 's/0x[0-9a-f]{6,}/ADDRESS/g; s/\((LWP|process) [0-9]+\)/(\1 N)/; s/process [0-9]+/process N/'; }
echo "crash:"; gdb -nx -batch -ex run -ex bt -ex 'info registers cs ss eflags' -ex 'print depth' ./crashes 2>&1 | shown
echo "breakpoints:"; gdb -nx -batch -ex 'break add' -ex 'tbreak inner' -ex run -ex 'info args' -ex next -ex 'print c' -ex 'delete 1' -ex 'print add(20, 22)' \
    -ex stepi -ex finish -ex 'set var sum=100' -ex 'display/i $pc' -ex stepi -ex continue -ex bt -ex kill ./crashes 2>&1 | shown
echo "software watch:"; gdb -nx -batch -ex 'set can-use-hw-watchpoints 0' -ex 'break outer' -ex run -ex 'watch depth' -ex continue -ex 'info breakpoints' ./crashes 2>&1 | shown
echo "attach:"; ./crashes wait >out & pid=$!; while ! grep -q waiting out; do sleep 0.05; done; sleep 0.2
gdb -nx -batch -p $pid -ex 'thread apply all -q bt -1' -ex 'print depth' -ex 'call add(1, 2)' -ex detach 2>/dev/null | grep -E '^(#|\$|\[Inferior)' | sed -E 's/0x[0-9a-f]{6,}/ADDRESS/g; s/process [0-9]+/process N/'
grep TracerPid /proc/$pid/status; kill $pid; wait $pid 2>/dev/null; echo $?
echo "system calls:"; gdb -nx -batch -ex 'catch syscall write' -ex run -ex 'print $rax' -ex continue -ex 'print $rax' ./crashes 2>&1 | shown | grep -E 'Catchpoint|\$'
cd /; rm -r $d
