# needs: strace gcc
if [ "${1-}" = --needs ]; then for n in strace gcc; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); cp $PROGRAMS/crashes.c $d; cd $d; touch one two; gcc -w -O0 -no-pie -pthread -o crashes crashes.c
plain() { sed -E 's/^(\[pid +)?[0-9]+\]? +//; s/0x[0-9a-f]+/ADDRESS/g; s/(pid|si_pid)=[0-9]+/\1=N/g; s/= [0-9]{2,}$/= N/; s/si_[us]time=[0-9]+[^,}]*/TIME/g'; }
echo "files:"; strace -f -o log -e trace=openat,newfstatat,getdents64,write ls one two; grep -c . log >/dev/null; grep -E 'write|"one"|"two"' log | plain
echo "processes:"; strace -f -qq -o log -e trace=execve,exit_group,wait4 -e signal=none sh -c '/bin/true; (exit 3); /bin/false'; grep -E 'execve\(|exit_group' log | plain | sed -E 's/\], ADDRESS.*//'
echo "signals:"; strace -f -qq -o log -e trace=none sh -c 'trap "echo caught" USR1; kill -USR1 $$; kill -TERM $$'; grep -E 'SIG(USR1|TERM)' log | plain
echo "counts:"; strace -f -c -o log bash -c '/bin/true; echo hello | cat'; grep -E 'execve$|exit_group|wait4' log | awk '{print $NF}' | sort
echo "crash:"; strace -f -o log ./crashes; tail -2 log | plain
echo "injection:"; strace -f -o log -e inject=unlinkat:error=EPERM rm one 2>&1; ls
strace -o log -e inject=getuid,geteuid:retval=4242 id -u
echo "attach:"; sleep 1 & strace -qq -o log -e trace=exit_group -p $!; plain <log
echo "seccomp-bpf:"; strace -f --seccomp-bpf -o log -e trace=unlink,unlinkat,rmdir rm two 2>&1; grep -c '"two"' log
echo "many children:"; strace -f -o log sh -c 'for i in 1 2 3 4 5 6 7 8; do /bin/true & done; wait'; grep -c 'exited with 0' log
cd /; rm -r $d
