# needs: screen
if [ "${1-}" = --needs ]; then for n in screen; do command -v "$n" || exit 1; done; exit 0; fi
dir=$(mktemp -d); export SCREENDIR=$dir/sockets TERM=xterm; mkdir -m 700 "$SCREENDIR"
screen -c /dev/null -dmS case sh; sleep 0.5
screen -ls | grep -c Detached
screen -S case -X stuff "stty size | wc -w >$dir/out; echo typed >>$dir/out\n"
for i in $(seq 100); do grep -q typed "$dir/out" 2>/dev/null && break; sleep 0.05; done; cat "$dir/out"
screen -S case -X hardcopy "$dir/copy"; sleep 0.3; grep -c 'echo typed' "$dir/copy"
screen -S case -X quit; sleep 0.3; screen -ls | grep -c Detached
rm -rf "$dir"
