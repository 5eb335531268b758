# needs: su runuser setpriv id
if [ "${1-}" = --needs ]; then for n in su runuser setpriv id; do command -v "$n" || exit 1; done; [ "$(id -u)" = 0 ]; exit; fi
su nobody -s /bin/sh -c 'id; cat /etc/shadow'; echo "$?"
su - root -c 'id -un; pwd'; runuser -u nobody -- id -un
setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'id -u; grep -E "Cap(Inh|Prm|Eff|Amb)|NoNew" /proc/self/status'
setpriv --no-new-privs grep NoNew /proc/self/status
