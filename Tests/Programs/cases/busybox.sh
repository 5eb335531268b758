# needs: busybox
if [ "${1-}" = --needs ]; then for n in busybox; do command -v "$n" || exit 1; done; exit 0; fi
busybox sh -c 'for i in 1 2 3; do echo $i; done | busybox sort -r | busybox sed s/2/two/; busybox seq 1000 | busybox md5sum; exit 7'
