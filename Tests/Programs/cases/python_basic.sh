# needs: python3
if [ "${1-}" = --needs ]; then for n in python3; do command -v "$n" || exit 1; done; exit 0; fi
python3 - <<'P'
import subprocess, threading, multiprocessing, asyncio, ctypes, mmap, signal, os, time, tempfile, queue
print(len(open('/usr/share/common-licenses/GPL-3').read().split()))
print(subprocess.run("echo hi | tr h H; exit 5", shell=True, capture_output=True))
q = queue.Queue()
def work():
    for i in range(2000): q.put(i)
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
print(q.qsize())
async def main():
    p = await asyncio.create_subprocess_exec('sort', stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print((await p.communicate(b"b\na\n"))[0])
    async def echo(r, w):
        w.write(await r.read(100)); await w.drain(); w.close()
    s = await asyncio.start_server(echo, '127.0.0.1', 0)
    r, w = await asyncio.open_connection(*s.sockets[0].getsockname())
    w.write(b'ping'); w.write_eof(); print(await r.read())
    await asyncio.gather(*[asyncio.sleep(0.01) for _ in range(100)])
asyncio.run(main())
print(ctypes.CDLL(None).abs(-4))
m = mmap.mmap(-1, 65536); m[:5] = b'hello'; print(m[:5])
with tempfile.TemporaryFile() as f:
    f.write(b'x' * 10000); f.flush()
    m = mmap.mmap(f.fileno(), 0); m[3:6] = b'abc'; f.seek(0); print(f.read(8))
signal.signal(signal.SIGALRM, lambda *a: print('alarm')); signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
r, w = os.pipe(); pid = os.fork()
if pid == 0: os.write(w, b'child'); os._exit(9)
print(os.read(r, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
python3 -X faulthandler -c 'import ctypes; ctypes.string_at(0)' 2>&1 | grep -v '0x'
echo $?
