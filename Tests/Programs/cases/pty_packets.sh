# needs: python3
if [ "${1-}" = --needs ]; then for n in python3; do command -v "$n" || exit 1; done; exit 0; fi
timeout 60 python3 - <<'P'
import fcntl, os, pty, select, struct, termios, tty
m, s = pty.openpty()
os.set_blocking(m, False)
def packets(on): fcntl.ioctl(m, termios.TIOCPKT, struct.pack('i', on))
def mode(): return struct.unpack('i', fcntl.ioctl(m, 0x80045438, bytes(4)))[0]
def read(count=100):
    p = select.poll(); p.register(m, select.POLLIN | select.POLLPRI)
    events = p.poll(200)
    return (events[0][1], os.read(m, count)) if events else None
def step(what, *args):
    what(*args)
    print(read())
print(mode()); packets(1); print(mode())
step(os.write, s, b'data\n')
step(termios.tcflow, s, termios.TCOOFF)
step(termios.tcflow, s, termios.TCOON)
step(termios.tcflush, s, termios.TCIFLUSH)
step(termios.tcflush, s, termios.TCOFLUSH)
step(termios.tcflush, s, termios.TCIOFLUSH)
a = termios.tcgetattr(s); a[0] &= ~termios.IXON
step(termios.tcsetattr, s, termios.TCSANOW, a)
a[0] |= termios.IXON
step(termios.tcsetattr, s, termios.TCSANOW, a)
a[3] |= 0o200000
step(termios.tcsetattr, s, termios.TCSANOW, a)
a[3] &= ~0o200000
step(termios.tcsetattr, s, termios.TCSANOW, a)
step(termios.tcsetattr, s, termios.TCSANOW, a)
os.write(s, b'xy'); print(read(2), read(1), read(9))
packets(0); print(mode()); os.write(s, b'plain'); print(read())
# Locked settings stay as they are.
locked = bytearray(fcntl.ioctl(s, 0x5456, bytes(36))); print(bytes(locked) == bytes(36))
if os.getuid() == 0:
    struct.pack_into('I', locked, 12, termios.ECHO); locked[17] = 1
    fcntl.ioctl(s, 0x5457, bytes(locked)); print(fcntl.ioctl(m, 0x5456, bytes(36)) == bytes(locked))
    tty.setraw(s)
    a = termios.tcgetattr(s); a[6][0] = b'\x05'; a[6][1] = b'\x06'
    termios.tcsetattr(s, termios.TCSANOW, a); after = termios.tcgetattr(s)
    print(bool(after[3] & termios.ECHO), bool(after[3] & termios.ICANON), after[6][0], after[6][1])
P
