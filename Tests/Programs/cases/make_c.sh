# needs: gcc make
if [ "${1-}" = --needs ]; then for n in gcc make; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); cd $d
for i in 1 2 3 4 5 6; do echo "int f$i(int x) { return x * $i + 1; }" > f$i.c; done
cat > main.c <<'C'
#include <stdio.h>
int f1(int), f2(int), f3(int), f4(int), f5(int), f6(int);
int main(void) { printf("%d\n", f1(f2(f3(f4(f5(f6(7))))))); return 3; }
C
printf 'OBJ=$(patsubst %%.c,%%.o,$(wildcard *.c))\nprog: $(OBJ)\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O2 -g -c $<\n' > Makefile
make -s -j4 && ./prog; echo $?; ls | wc -l; cd /; rm -r $d
