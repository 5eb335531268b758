# needs: python3
if [ "${1-}" = --needs ]; then for n in python3; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); cat > $d/m.py <<'P'
import multiprocessing as mp
def square(x): return x * x
if __name__ == '__main__':
    for kind in ('fork', 'spawn', 'forkserver'):
        with mp.get_context(kind).Pool(3) as pool: print(kind, sum(pool.map(square, range(500))))
    q = mp.Queue(); p = mp.Process(target=q.put, args=([1, 2, 3],)); p.start(); print(q.get()); p.join(); print(p.exitcode)
    v = mp.Value('i', 0)
    def add():
        for _ in range(500):
            with v.get_lock(): v.value += 1
    ps = [mp.get_context('fork').Process(target=add) for _ in range(4)]
    [p.start() for p in ps]; [p.join() for p in ps]; print(v.value)
P
python3 $d/m.py; rm -r $d
