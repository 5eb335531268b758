# needs: unshare nsenter setpriv mount findmnt ps
if [ "${1-}" = --needs ]; then
    for n in unshare nsenter setpriv mount findmnt ps; do command -v "$n" || exit 1; done
    unshare -Urm true
    exit
fi
unshare -Ur id; unshare -U id -u; unshare -Ur sh -c 'awk "{print \$1, \$3}" /proc/self/uid_map; cat /proc/self/setgroups'
unshare -Urmpf --mount-proc ps ax -o pid=,ppid=,args= | tr -s ' '
unshare -Urmpf --mount-proc sh -c 'echo $$; sleep 100 & echo $!; exit 3'; echo "$?"
unshare -Uru sh -c 'hostname inner; hostname; cat /proc/sys/kernel/hostname'
unshare -Urm sh -c '
    mount -t tmpfs -o size=1m,nosuid none /mnt && findmnt -no FSTYPE,OPTIONS /mnt | tr -s " "
    mkdir /mnt/a /mnt/b; mount --bind /mnt/a /mnt/b; touch /mnt/a/x; ls /mnt/b; mount -o remount,ro,bind /mnt/b; touch /mnt/b/y
    mount --make-shared /mnt/b; findmnt -no PROPAGATION /mnt/b; umount /mnt/b; ls /mnt/b | wc -l; umount /mnt; mountpoint /mnt' 2>&1
unshare -Urmpf sh -c 'mount -t proc proc /proc; ls /proc | grep -c "^[0-9]"; sleep 100 & nsenter -t $! -m -p sh -c "echo in"'
unshare -Uri sh -c 'ipcmk -Q >/dev/null; ipcs -q | grep -c ^0x; unshare -i ipcs -q | grep -c ^0x'
unshare -Urn sh -c 'tail -n +3 /proc/net/dev | wc -l'
unshare -Ur unshare -Ur unshare -Ur id -u
unshare -Ur setpriv --bounding-set -all --inh-caps -all sh -c 'grep CapBnd /proc/self/status'
unshare -Urmpf --mount-proc sh -c 'kill -TERM $$; kill -KILL $$; echo alive'
