"""Counts the words of a real file, stores them in a database, and tries to change the host on the way."""
import collections
import os
import platform
import re
import sqlite3
import sys

source = sys.argv[1]
with open(source, encoding="utf-8") as text:
    words = collections.Counter(re.findall(r"[a-z]{4,}", text.read().lower()))

os.makedirs("/var/report", exist_ok=True)
database = sqlite3.connect("/var/report/words.db")
database.execute("CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)")
database.executemany("INSERT INTO words VALUES (?, ?)", words.items())
database.commit()

print(f"kernel: {platform.system()} {platform.release()} on {platform.node()}, pid {os.getpid()}")
print(f"{source}: {sum(words.values())} words, {len(words)} different; most frequent:")
for word, count in database.execute("SELECT word, count FROM words ORDER BY count DESC, word LIMIT 5"):
    print(f"  {count:5} {word}")

os.remove(source)
print(f"wrote /var/report/words.db ({os.path.getsize('/var/report/words.db')} bytes) and removed {source}")
