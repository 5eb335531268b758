# needs: python3
if [ "${1-}" = --needs ]; then for n in python3; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); python3 - $d/db <<'P'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1]); c.execute('pragma journal_mode=wal'); c.execute('create table t(a integer primary key, b text)')
for n in range(100):
    with c: c.executemany('insert into t(b) values(?)', (('row %d' % (n * 1000 + i),) for i in range(1000)))
print(c.execute('select count(*), sum(a), max(b) from t').fetchall(), c.execute('pragma integrity_check').fetchall())
P
rm -r $d
