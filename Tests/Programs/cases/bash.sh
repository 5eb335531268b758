# needs: bash
if [ "${1-}" = --needs ]; then for n in bash; do command -v "$n" || exit 1; done; exit 0; fi
exec bash -c '
cat <<END | tr a-z A-Z | sort -r
alpha
beta
END
echo ${PIPESTATUS[@]}
trap "echo caught" USR1; kill -USR1 $$
set -m; sleep 0.05 & sleep 0.3 & wait; echo waited; sleep 0.05 & fg >/dev/null; echo fg
(sleep 5 & kill -STOP $!; jobs >/dev/null; kill -CONT $!; kill $!; wait $! 2>/dev/null; echo $?)
diff <(seq 3) <(seq 4)
coproc cat; echo hello >&${COPROC[1]}; read -u ${COPROC[0]} x; echo $x
for i in $(seq 200); do echo $i; done | while read l; do s=$((s+l)); echo $s; done | tail -1
trap "echo bye" EXIT; exit 3'
