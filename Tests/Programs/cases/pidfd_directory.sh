# needs: python3
if [ "${1-}" = --needs ]; then for n in python3; do command -v "$n" || exit 1; done; exit 0; fi
python3 - <<'P'
import os, signal
def send(path, flags=os.O_RDONLY | os.O_DIRECTORY):
    fd = os.open(path, flags)
    try: signal.pidfd_send_signal(fd, signal.SIGUSR1); print('sent')
    except OSError as e: print(e.errno)
    os.close(fd)
signal.signal(signal.SIGUSR1, lambda *a: print('received'))
pid = os.getpid()
send(f'/proc/{pid}'); send('/proc/self')
send(f'/proc/{pid}/fd'); send('/proc'); send('/tmp'); send(f'/proc/{pid}', os.O_PATH)
child = os.fork()
if child == 0: os._exit(0)
fd = os.open(f'/proc/{child}', os.O_RDONLY); os.waitpid(child, 0)
try: signal.pidfd_send_signal(fd, 0)
except OSError as e: print(e.errno)
P
