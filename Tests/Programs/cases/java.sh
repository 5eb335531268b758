# needs: java
if [ "${1-}" = --needs ]; then for n in java; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); cp $PROGRAMS/Threads.java $d; cd $d; java -XX:+UseParallelGC -Xmx256m Threads.java; echo $?; cd /; rm -r $d
