# needs: python3
if [ "${1-}" = --needs ]; then for n in python3; do command -v "$n" || exit 1; done; exit 0; fi
python3 - <<'P'
import os, socket, time
def inode(s): return os.fstat(s.fileno()).st_ino
def rows(table, number):
    lines = open('/proc/net/' + table).read().splitlines()
    for line in lines[1:]:
        f = line.split()
        if (f[6] if table == 'unix' else f[9]) == str(number): return f, len(line)
def show(table, s):
    found = rows(table, inode(s))
    if found is None: return print(table, 'absent')
    f, width = found
    if table == 'unix': print(f[2:6], f[7:])
    else: print(f[1:4], f[4], f[7:9], width if table in ('tcp', 'udp') else '')
for table in ['tcp', 'tcp6', 'udp', 'udp6', 'unix', 'netlink']: print(open('/proc/net/' + table).readline().rstrip('\n') + '|')
listener = socket.create_server(('127.0.0.1', 7395)); show('tcp', listener)
client = socket.create_connection(('127.0.0.1', 7395), source_address=('127.0.0.1', 7396))
show('tcp', listener)
server, _ = listener.accept()
show('tcp', listener); show('tcp', client); show('tcp', server)
client.send(b'12345'); show('tcp', server)
server.recv(9); client.shutdown(socket.SHUT_WR); time.sleep(0.1)
print([rows('tcp', inode(end))[0][3] for end in (client, server)])
unbound = socket.socket(); show('tcp', unbound)
six = socket.create_server(('::1', 7397), family=socket.AF_INET6); show('tcp6', six)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); show('udp', u); u.bind(('127.0.0.1', 7395)); show('udp', u)
u.connect(('127.0.0.1', 7398)); show('udp', u)
u6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u6.bind(('::', 7399)); show('udp6', u6)
a, b = socket.socketpair(); show('unix', a)
l = socket.socket(socket.AF_UNIX); l.bind('\0stockade-case'); show('unix', l); l.listen(); show('unix', l)
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); show('unix', d)
number = inode(d); d.close(); print(rows('unix', number))
P
python3 -c 'import socket; print(socket.if_nametoindex("lo"), socket.if_indextoname(1))'
if command -v ip >/dev/null; then ip addr show dev lo | grep -A1 'inet '; fi
