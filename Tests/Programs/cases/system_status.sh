# needs: lsns findmnt mount lsof ps top ipcs
if [ "${1-}" = --needs ]; then for n in lsns findmnt mount lsof ps top ipcs; do command -v "$n" || exit 1; done; exit 0; fi
lsns -no TYPE | sort -u | tr '\n' ' '; echo
findmnt -no TARGET /proc; mount | grep -c ' on /proc type proc'
sleep 50 & child=$!
exec 9</etc/passwd
lsof -p $$ 2>/dev/null | awk '$4 ~ /^9r/ {print $5, $NF}'
ps -o stat=,args= -p $child | tr -s ' '; ps aux | awk 'NR == 1 {print $1, $2, $11}'
top -b -n1 | sed -n 's/^\(Tasks\).*total.*/\1/p; s/^ *PID USER.*/columns/p'
ipcs | grep -c '^------'
kill $child; wait $child 2>/dev/null; echo "$?"
