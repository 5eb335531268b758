# needs: bwrap
if [ "${1-}" = --needs ]; then command -v bwrap && bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all true; exit; fi
bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all true; echo "$?"
bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --unshare-all --die-with-parent sh -c '
    echo "$$ $(readlink /proc/self/ns/pid | cut -c1-4)"; touch /root/x 2>/dev/null || echo read-only; echo data >/tmp/file; cat /tmp/file
    ls /proc | grep -c "^[0-9]"; ls /dev | sort | tr "\n" " "; echo; echo x >/dev/null; head -c 4 /dev/zero | wc -c; stat -c %a /dev/shm'
dir=$(mktemp -d); echo outside >"$dir/file"
bwrap --ro-bind / / --bind "$dir" /mnt --tmpfs /home --chdir /mnt --unshare-user --uid 1000 --gid 1000 sh -c 'id -u; cat file; echo more >>file; ls -A /home | wc -l; pwd'
cat "$dir/file"
bwrap --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --unshare-pid --unshare-uts --hostname box sh -c 'hostname; ls / | tr "\n" " "; exit 7'; echo "$?"
bwrap --ro-bind / / --unshare-net --proc /proc sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "'
bwrap --ro-bind / / --ro-bind-data 9 /mnt sh -c 'echo unreachable' 9</dev/null 2>/dev/null || echo refused
rm -r "$dir"
