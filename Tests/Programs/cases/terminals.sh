# needs: tmux vim less script
if [ "${1-}" = --needs ]; then for n in tmux vim less script; do command -v "$n" || exit 1; done; exit 0; fi
dir=$(mktemp -d); export TMUX_TMPDIR=$dir TERM=xterm; cd "$dir" || exit 1; server=1
on() { tmux -L "case$server" -f /dev/null "$@"; }
# Waits until the screen shows a text, and shows the screen.
shows() { for i in $(seq 100); do on capture-pane -p | grep -q "$1" && break; sleep 0.05; done; on capture-pane -p; }
script -qec 'tty | cut -c1-9; echo inside' /dev/null
script -qec 'exit 3' /dev/null; echo "script $?"
on new-session -d -x 60 -y 12 'PS1="$ " sh'; shows '^. *$' >/dev/null
on send-keys 'echo $((6*7)); tput cols' Enter; shows '^60'
on send-keys 'sleep 100' Enter; sleep 0.3; on send-keys C-z; shows Stopped >/dev/null
on send-keys 'kill %1; clear; echo killed' Enter; shows '^killed'
on send-keys 'cat' Enter; sleep 0.2; on send-keys 'a line' C-u 'kept' Enter C-d; sleep 0.2
on send-keys 'echo after' Enter; shows '^after'
on split-window -h; on list-panes -F '#{pane_width}x#{pane_height}'
on resize-window -x 80 -y 20; on list-panes -F '#{pane_width}x#{pane_height}'
on kill-server; server=2
on new-session -d -x 60 -y 8 "vim -u NONE -N $dir/text"; shows '~' >/dev/null
on send-keys 'ihello world' Escape 'yyp' ':%s/world/all/g' Enter; shows 'hello all'; on send-keys ':wq' Enter
for i in $(seq 100); do [ -s "$dir/text" ] && break; sleep 0.05; done; sleep 0.2; cat "$dir/text"
server=3; seq 500 >"$dir/numbers"
on new-session -d -x 60 -y 8 "less $dir/numbers"; shows '^7' >/dev/null; on send-keys G; shows '^500' | tail -3
on send-keys g '/^25' Enter; shows '^250*$' | head -3; on send-keys q; sleep 0.3; on ls 2>&1 | grep -c 'no server'
rm -rf "$dir"
