# needs: ps flock timeout setsid nohup xargs lsof stat ipcs ipcmk ipcrm
if [ "${1-}" = --needs ]; then
    for n in ps flock timeout setsid nohup xargs lsof stat ipcs ipcmk ipcrm; do command -v "$n" || exit 1; done; exit 0
fi
dir=$(mktemp -d) && cd "$dir" || exit 1
nohup sh -c 'echo kept' 2>&1; setsid sh -c 'echo $(($$ == $(ps -o sid= -p $$)))'
timeout 0.2 sleep 3; echo $?; timeout -s KILL 0.2 sleep 3; echo $?; timeout --foreground 5 sh -c 'exit 4'; echo $?
flock lock -c 'echo locked'; (flock -n 9; flock -n lock echo no || echo busy) 9>lock
seq 20 | xargs -P4 -n1 echo | sort -n | cksum
nice -n 5 sleep 10 & sleep 0.2; ps -o stat=,ni=,comm=,args= -p $! | tr -s ' '; kill $!
exec 7>file; lsof -p $$ -a -d 7 2>/dev/null | awk 'NR == 2 { print $4, $5, $7 }'
id=$(ipcmk -M 5000 -p 640 | tr -dc 0-9); ipcs -m -i "$id" | grep -oE 'mode=[0-9]+|bytes=[0-9]+|nattch=[0-9]+'; ipcrm -m "$id"
readlink /proc/self/fd/0; stat -L -c '%F %t:%T %a' /proc/self/fd/0
lsof -p $$ -a -d 0 2>/dev/null | awk 'NR == 2 { print $4, $5, $NF }'
dd if=/dev/zero of=out bs=64k count=5 conv=fsync 2>&1 | head -2; dd if=out of=/dev/full 2>&1 | grep -o 'No space.*'
cd /; rm -rf "$dir"
