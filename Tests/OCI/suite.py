#!/usr/bin/env python3
"""Checks an OCI runtime: what the validation programs of runtime-tools check, and what container engines rely on.

    suite.py --runtime .build/debug/stockade [--runtime runc] [NAME...]

Every case states what must hold; run with several runtimes it shows where they differ. The root file system is made of busybox-static.
Ends with `N passed, N failed`; the exit status says whether all held for the first runtime.
"""
import argparse, array, fcntl, json, os, pty, random, re, select, shutil, signal, socket, struct, subprocess, sys, tempfile, termios, threading, time

APPLETS = ("sh ls cat echo sleep true false id ps mount hostname env pwd touch stat kill grep test head mkdir chmod tty stty printf wc "
           "readlink dd rm mknod seq nproc").split()
CASES = []


def case(function):
    CASES.append(function)
    return function


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def equal(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


class Sandbox:
    """One runtime with a state directory and a place for bundles of its own."""

    def __init__(self, runtime, extra):
        self.runtime = runtime
        self.extra = extra
        self.folder = tempfile.mkdtemp(prefix="oci-")
        self.root = self.folder + "/state"
        self.count = 0
        self.ids = []
        self.rootfs = self.folder + "/rootfs"
        os.makedirs(self.rootfs + "/bin")
        shutil.copy("/bin/busybox", self.rootfs + "/bin/busybox")
        for name in APPLETS:
            os.symlink("busybox", f"{self.rootfs}/bin/{name}")
        for name in ("proc", "sys", "dev", "tmp", "etc", "root", "data"):
            os.mkdir(f"{self.rootfs}/{name}")
        os.chmod(self.rootfs + "/tmp", 0o1777)
        with open(self.rootfs + "/etc/passwd", "w") as f:
            f.write("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n")

    def close(self):
        for id in self.ids:
            self("delete", "--force", id, timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *words):
        return [self.runtime, "--root", self.root, *self.extra, *words]

    def __call__(self, *words, timeout=60, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        if "input" in options:
            del options["stdin"]
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, **options)

    def bundle(self, *args, change=None, own_root=False):
        """A bundle whose program is `args`."""
        self.count += 1
        path = f"{self.folder}/bundle{self.count}"
        os.mkdir(path)
        subprocess.run([self.runtime, "spec"], cwd=path, check=True, capture_output=True)
        with open(path + "/config.json") as f:
            config = json.load(f)
        config["process"]["terminal"] = False
        config["process"]["args"] = list(args)
        config["root"] = {"path": self.rootfs, "readonly": True}
        if own_root:
            shutil.copytree(self.rootfs, path + "/rootfs", symlinks=True)
            config["root"] = {"path": "rootfs", "readonly": False}
        if change:
            change(config)
        with open(path + "/config.json", "w") as f:
            json.dump(config, f)
        return path

    def id(self):
        self.count += 1
        id = f"c{os.getpid()}-{self.count}"
        self.ids.append(id)
        return id

    def run(self, *args, change=None, own_root=False, **options):
        """Runs a container to its end."""
        return self("run", "--bundle", self.bundle(*args, change=change, own_root=own_root), self.id(), **options)

    def output(self, *args, change=None, **options):
        done = self.run(*args, change=change, **options)
        equal(done.returncode, 0, f"exit status ({done.stderr.strip()})")
        return done.stdout

    def create(self, *args, change=None, own_root=False, words=(), **options):
        id = self.id()
        bundle = self.bundle(*args, change=change, own_root=own_root)
        with open(bundle + "/out", "w+") as out:
            done = subprocess.run(self.command("create", "--bundle", bundle, *words, id), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                  timeout=60, **options)
            out.seek(0)
            equal(done.returncode, 0, f"create ({out.read().strip()})")
        return id, bundle

    def state(self, id):
        done = self("state", id)
        equal(done.returncode, 0, f"state ({done.stderr.strip()})")
        return json.loads(done.stdout)

    def ok(self, *words, **options):
        done = self(*words, **options)
        equal(done.returncode, 0, f"{words[0]} ({done.stderr.strip()})")
        return done.stdout

    def refused(self, *words, **options):
        done = self(*words, **options)
        check(done.returncode != 0, f"{' '.join(words)}: was not refused")
        check(done.stderr.strip(), f"{' '.join(words)}: no message")
        return done

    def wait(self, id, status, seconds=20):
        end = time.time() + seconds
        while time.time() < end:
            found = self.state(id)["status"]
            if found == status:
                return
            time.sleep(0.02)
        raise Failed(f"status {found}, not {status}")

    def started(self, *args, **options):
        id, bundle = self.create(*args, **options)
        self.ok("start", id)
        return id, bundle


def text(path):
    with open(path) as f:
        return f.read()


# lifecycle

@case
def lifecycle(s):
    id, bundle = s.create("sh", "-c", "echo hello; sleep 1000")
    state = s.state(id)
    equal(state["status"], "created", "status")
    equal(state["id"], id, "id")
    equal(state["bundle"], bundle, "bundle")
    check(state["pid"] > 0, "pid")
    os.kill(state["pid"], 0)
    equal(text(bundle + "/out"), "", "output before start")
    s.ok("start", id)
    s.wait(id, "running")
    end = time.time() + 10
    while text(bundle + "/out") != "hello\n" and time.time() < end:
        time.sleep(0.02)
    equal(text(bundle + "/out"), "hello\n", "output")
    s.refused("start", id)
    s.refused("delete", id)
    s.ok("kill", id, "KILL")
    s.wait(id, "stopped")
    s.refused("start", id)
    s.refused("kill", id, "TERM")
    s.ok("delete", id)
    s.refused("state", id)
    s.refused("delete", id)
    s.ok("delete", "--force", id)
    check(not os.path.exists(f"{s.root}/{id}"), "the state directory is still there")


@case
def create_twice(s):
    id, bundle = s.create("sleep", "1000")
    s.refused("create", "--bundle", bundle, id)
    equal(s.state(id)["status"], "created", "status after the refused create")


@case
def delete_created(s):
    id, _ = s.create("sleep", "1000")
    pid = s.state(id)["pid"]
    s.ok("delete", "--force", id)
    s.refused("state", id)


@case
def kill_created(s):
    id, _ = s.create("sleep", "1000")
    s.ok("kill", id, "KILL")
    s.wait(id, "stopped")
    s.ok("delete", id)


@case
def operations_on_nothing(s):
    for words in (("state", "nobody"), ("start", "nobody"), ("kill", "nobody", "TERM"), ("delete", "nobody"), ("exec", "nobody", "true"),
                  ("pause", "nobody"), ("resume", "nobody"), ("ps", "nobody"), ("events", "--stats", "nobody"), ("start",), ("state",)):
        s.refused(*words)


@case
def exit_status(s):
    for code in (0, 1, 42, 255):
        equal(s.run("sh", "-c", f"exit {code}").returncode, code, "exit status")
    equal(s.run("sh", "-c", "kill -9 $$; sleep 5 & wait").returncode in (0, 137), True, "killed init")


@case
def program_not_found(s):
    done = s.run("no-such-program")
    check(done.returncode != 0, "was not refused")
    check('executable file not found in $PATH' in done.stderr, done.stderr)
    done = s.run("/no/such/program")
    check(done.returncode != 0 and "no such file or directory" in done.stderr, done.stderr)
    done = s.run("/etc/passwd")
    check(done.returncode != 0 and "permission denied" in done.stderr, done.stderr)


@case
def config_updates_without_effect(s):
    id, bundle = s.create("sh", "-c", "echo first > /data/out", own_root=True)
    with open(bundle + "/config.json") as f:
        config = json.load(f)
    config["process"]["args"] = ["sh", "-c", "echo second > /data/out"]
    with open(bundle + "/config.json", "w") as f:
        json.dump(config, f)
    s.ok("start", id)
    s.wait(id, "stopped")
    equal(text(bundle + "/rootfs/data/out"), "first\n", "what ran")


@case
def pid_file(s):
    file = s.folder + "/pid"
    id, _ = s.create("sleep", "1000", words=("--pid-file", file))
    equal(int(text(file)), s.state(id)["pid"], "pid file")


@case
def kill_signals(s):
    id, bundle = s.started("sh", "-c", "trap 'echo usr1' USR1; trap 'echo term; exit 3' TERM; echo ready; while :; do sleep 0.1; done")
    end = time.time() + 10
    while "ready" not in text(bundle + "/out") and time.time() < end:
        time.sleep(0.02)
    s.ok("kill", id, "USR1")
    end = time.time() + 10
    while "usr1" not in text(bundle + "/out") and time.time() < end:
        time.sleep(0.02)
    check("usr1" in text(bundle + "/out"), "SIGUSR1 did not arrive")
    s.ok("kill", id)
    s.wait(id, "stopped")
    check("term" in text(bundle + "/out"), "SIGTERM did not arrive")
    s.refused("kill", id, "NOSUCH")


@case
def kill_without_handler(s):
    """As the first process of a pid namespace, the program is spared signals that it has no handler for."""
    id, _ = s.started("sleep", "1000")
    s.ok("kill", id, "TERM")
    time.sleep(0.5)
    equal(s.state(id)["status"], "running", "status")


@case
def kill_all(s):
    id, _ = s.started("sh", "-c", "sleep 1000 & sleep 1001 & wait")
    s.ok("kill", "--all", id, "KILL")
    s.wait(id, "stopped")


@case
def hooks(s):
    log = s.folder + "/hooks"

    def change(config):
        config["hooks"] = {
            name: [{"path": "/bin/sh", "args": ["sh", "-c", f"echo {name} $N $(cat) >> {log}"], "env": ["N=1", "PATH=/bin:/usr/bin"]},
                   {"path": "/bin/sh", "args": ["sh", "-c", f"echo {name} 2 >> {log}"]}]
            for name in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}
        config["annotations"] = {"org.example": "value"}
    id, bundle = s.create("sleep", "1000", change=change)
    equal([line.split()[0:2] for line in text(log).splitlines()],
          [[n, k] for n in ("prestart", "createRuntime", "createContainer") for k in ("1", "2")], "hooks of create")
    state = json.loads(text(log).splitlines()[0].split(None, 2)[2])
    equal(state["id"], id, "id on standard input")
    equal(state["bundle"], bundle, "bundle on standard input")
    equal(state["annotations"], {"org.example": "value"}, "annotations on standard input")
    check(state["pid"] > 0, "pid on standard input")
    s.ok("start", id)
    check("poststart 2" in text(log), "poststart")
    check("poststop" not in text(log), "poststop too early")
    s.ok("delete", "--force", id)
    check("poststop 2" in text(log), "poststop")


@case
def hook_fails(s):
    def change(config):
        config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "echo broken hook >&2; exit 7"]}]}
    id = s.id()
    done = s.refused("create", "--bundle", s.bundle("sleep", "1000", change=change), id)
    check("broken hook" in done.stderr, done.stderr)
    s.refused("state", id)


@case
def hook_hangs(s):
    def change(config):
        config["hooks"] = {"prestart": [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]}
    id = s.id()
    begin = time.time()
    s.refused("create", "--bundle", s.bundle("sleep", "1000", change=change), id)
    check(time.time() - begin < 15, "the time-out had no effect")
    s.refused("state", id)


@case
def poststart_fails(s):
    """The specification: a warning, and the container goes on. (runc 1.1 kills it.)"""
    def change(config):
        config["hooks"] = {"poststart": [{"path": "/bin/false"}], "poststop": [{"path": "/bin/false"}]}
    id, _ = s.create("sleep", "1000", change=change)
    s.ok("start", id)
    equal(s.state(id)["status"], "running", "status")
    s.ok("delete", "--force", id)


# the process

@case
def process_basics(s):
    def change(config):
        config["process"]["cwd"] = "/data"
        config["process"]["env"] = ["PATH=/bin", "WORD=a b", "EMPTY="]
        config["hostname"] = "somewhere"
    out = s.output("sh", "-c", "pwd; echo \"[$WORD]\"; hostname; echo \"${EMPTY-unset}\"; echo $HOME; echo $$", change=change)
    equal(out, "/data\n[a b]\nsomewhere\n\n/root\n1\n", "output")


@case
def process_cwd_is_made(s):
    def change(config):
        config["process"]["cwd"] = "/data/new/place"
        config["root"]["readonly"] = False
    equal(s.output("pwd", change=change, own_root=False), "/data/new/place\n", "output")


@case
def process_user(s):
    def change(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 7], "umask": 0o77}
    out = s.output("sh", "-c", "id -u; id -g; id -G; umask; echo $HOME", change=change)
    lines = out.split("\n")
    equal(lines[:2], ["1000", "1001"], "ids")
    equal(sorted(lines[2].split()), ["1001", "5", "7"], "groups")
    equal(lines[3:5], ["0077", "/home/user"], "umask and home")


@case
def process_rlimits(s):
    def change(config):
        config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 5, "hard": 6}]
    out = s.output("cat", "/proc/self/limits", change=change)
    check(re.search(r"Max open files +100 +200 ", out), out)
    check(re.search(r"Max core file size +5 +6 ", out), out)


@case
def process_rlimits_fail(s):
    def unknown(config):
        config["process"]["rlimits"] = [{"type": "RLIMIT_NONSENSE", "soft": 1, "hard": 2}]

    def twice(config):
        config["process"]["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 1, "hard": 2}] * 2
    for change in (unknown, twice):
        if change is twice and os.path.basename(s.runtime) == "runc":
            continue  # runc takes the last one; the specification wants an error
        id = s.id()
        s.refused("create", "--bundle", s.bundle("true", change=change), id)
        s.refused("state", id)


@case
def process_capabilities(s):
    def change(config):
        names = ["CAP_CHOWN", "CAP_KILL"]
        config["process"]["capabilities"] = {"bounding": names, "effective": ["CAP_KILL"], "permitted": names, "inheritable": ["CAP_KILL"]}
    out = s.output("cat", "/proc/self/status", change=change)
    sets = dict(re.findall(r"Cap(\w+):\s+(\w+)", out))
    equal(int(sets["Bnd"], 16), 1 << 0 | 1 << 5, "bounding set")
    # execve(2) by root gains what the bounding set allows.
    equal(int(sets["Eff"], 16), 1 << 0 | 1 << 5, "effective set")
    equal(int(sets["Inh"], 16), 1 << 5, "inheritable set")


@case
def capabilities_of_users(s):
    def change(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1000}
        names = ["CAP_NET_BIND_SERVICE"]
        config["process"]["capabilities"] = {key: names for key in ("bounding", "effective", "permitted", "inheritable", "ambient")}
    out = s.output("cat", "/proc/self/status", change=change)
    sets = dict(re.findall(r"Cap(\w+):\s+(\w+)", out))
    equal(int(sets["Eff"], 16), 1 << 10, "effective set")
    equal(int(sets["Amb"], 16), 1 << 10, "ambient set")


@case
def no_new_privileges(s):
    for wanted in (True, False):
        def change(config):
            config["process"]["noNewPrivileges"] = wanted
        check(re.search(rf"NoNewPrivs:\s+{int(wanted)}", s.output("cat", "/proc/self/status", change=change)), "NoNewPrivs")


@case
def oom_score(s):
    def change(config):
        config["process"]["oomScoreAdj"] = 100
    equal(s.output("cat", "/proc/self/oom_score_adj", change=change), "100\n", "oom_score_adj")


# files

@case
def root_readonly(s):
    done = s.run("touch", "/data/x")
    check(done.returncode != 0 and "Read-only" in done.stderr, done.stderr)
    check(not os.path.exists(s.rootfs + "/data/x"), "the host has the file")


@case
def root_writable(s):
    id, bundle = s.started("sh", "-c", "echo inside > /data/x; mkdir /data/d; chmod 700 /data/d", own_root=True)
    s.wait(id, "stopped")
    equal(text(bundle + "/rootfs/data/x"), "inside\n", "the file")
    equal(os.stat(bundle + "/rootfs/data/d").st_mode & 0o777, 0o700, "the directory's mode")


@case
def mounts(s):
    source = s.folder + "/source"
    os.makedirs(source, exist_ok=True)
    with open(source + "/file", "w") as f:
        f.write("outside\n")

    def change(config):
        config["mounts"] += [
            {"destination": "/data/rw", "type": "bind", "source": source, "options": ["rbind", "rw"]},
            {"destination": "/data/ro", "type": "bind", "source": source, "options": ["rbind", "ro", "nosuid", "nodev", "noexec"]},
            {"destination": "/data/one", "type": "bind", "source": source + "/file", "options": ["bind", "ro"]},
            {"destination": "/data/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "size=1m", "mode=750"]},
        ]
        config["root"]["readonly"] = False
    out = s.output("sh", "-c", "cat /data/ro/file /data/one; echo new > /data/rw/new; touch /data/ro/no 2>/dev/null || echo refused; "
                               "stat -c %a /data/tmp; grep ' /data/' /proc/mounts", change=change)
    check(out.startswith("outside\noutside\nrefused\n750\n"), out)
    equal(text(source + "/new"), "new\n", "what was written")
    options = dict((line.split()[1], line.split()[3].split(",")) for line in out.splitlines()[4:])
    for word in ("ro", "nosuid", "nodev", "noexec"):
        check(word in options["/data/ro"], f"/data/ro lacks {word}: {options['/data/ro']}")
    check("rw" in options["/data/rw"], "/data/rw")
    check("size=1024k" in options["/data/tmp"], f"/data/tmp: {options['/data/tmp']}")


@case
def default_file_systems(s):
    out = s.output("cat", "/proc/mounts")
    found = dict((line.split()[1], line.split()[2]) for line in out.splitlines())
    for place, kind in (("/proc", "proc"), ("/sys", "sysfs"), ("/dev/pts", "devpts"), ("/dev/shm", "tmpfs"), ("/dev/mqueue", "mqueue")):
        equal(found.get(place), kind, place)


@case
def default_devices(s):
    out = s.output("sh", "-c", "for d in null zero full random urandom tty ptmx; do test -c /dev/$d || echo missing $d; done; "
                               "for l in fd stdin stdout stderr; do readlink /dev/$l; done; head -c 3 /dev/zero | wc -c; "
                               "echo x > /dev/full || echo full")
    equal(out, "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n3\nfull\n", "output")


@case
def devices(s):
    def change(config):
        config["linux"]["devices"] = [
            {"path": "/dev/mynull", "type": "c", "major": 1, "minor": 3, "fileMode": 0o646, "uid": 1, "gid": 2},
            {"path": "/dev/pipe", "type": "p", "fileMode": 0o600},
        ]
        config["linux"].setdefault("resources", {})["devices"] = [{"allow": True, "access": "rwm"}]
    out = s.output("sh", "-c", "stat -c '%F %a %u %g %t %T' /dev/mynull; stat -c '%F %a' /dev/pipe; echo gone > /dev/mynull; cat /dev/mynull",
                   change=change)
    equal(out, "character special file 646 1 2 1 3\nfifo 600\n", "devices")


@case
def masked_and_readonly_paths(s):
    def change(config):
        config["root"]["readonly"] = False
        config["linux"]["maskedPaths"] = ["/etc/passwd", "/data", "/not/there"]
        config["linux"]["readonlyPaths"] = ["/tmp", "/not/there"]
    out = s.output("sh", "-c", "cat /etc/passwd; ls /data; ls /bin/sh; touch /tmp/x 2>/dev/null || echo refused; touch /data/x 2>/dev/null || echo refused",
                   change=change, own_root=True)
    equal(out, "/bin/sh\nrefused\nrefused\n", "output")


@case
def sysctl(s):
    def change(config):
        config["linux"]["sysctl"] = {"kernel.domainname": "example.org"}
    equal(s.output("cat", "/proc/sys/kernel/domainname", change=change), "example.org\n", "domain name")


@case
def seccomp(s):
    def change(config):
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [
                {"names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
                {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]},
            ]}
        config["root"]["readonly"] = False
    out = s.output("sh", "-c", "mkdir /data/x 2>&1; kill -USR1 1 2>&1; kill -0 1 2>&1 && echo fine; grep Seccomp: /proc/self/status",
                   change=change, own_root=True)
    check("not supported" in out, out)
    check("not permitted" in out and "fine" in out, out)
    check(re.search(r"Seccomp:\s+2", out), out)


# streams

@case
def streams(s):
    bundle = s.bundle("sh", "-c", "cat; echo problem >&2")
    done = s("run", "--bundle", bundle, s.id(), input="from outside\n")
    equal((done.stdout, done.stderr.strip()), ("from outside\n", "problem"), "streams")


@case
def preserved_descriptors(s):
    bundle = s.bundle("sh", "-c", "cat <&3; echo out >&4")
    reader, writer = os.pipe()
    os.write(writer, b"through three\n")
    os.close(writer)
    back, out = os.pipe()

    def prepare():
        a, b = fcntl.fcntl(reader, fcntl.F_DUPFD, 20), fcntl.fcntl(out, fcntl.F_DUPFD, 20)
        os.dup2(a, 3)
        os.dup2(b, 4)
    done = subprocess.run(s.command("run", "--bundle", bundle, "--preserve-fds", "2", s.id()), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, preexec_fn=prepare, close_fds=False, timeout=60)
    os.close(out)
    os.close(reader)
    equal((done.returncode, done.stdout, os.read(back, 100)), (0, "through three\n", b"out\n"), f"descriptors ({done.stderr})")
    os.close(back)


class ConsoleSocket:
    """Takes the master of a terminal, as container engines do."""

    def __init__(self, folder):
        self.path = tempfile.mktemp(dir=folder)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.listener.settimeout(30)

    def master(self):
        client, _ = self.listener.accept()
        client.settimeout(30)
        fds = array.array("i")
        _, ancillary, _, _ = client.recvmsg(4096, socket.CMSG_SPACE(4))
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[:4])
        client.close()
        self.listener.close()
        return fds[0]


def read_until(master, wanted, seconds=20):
    found = b""
    end = time.time() + seconds
    while wanted not in found and time.time() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                part = os.read(master, 4096)
            except OSError:
                break
            if not part:
                break
            found += part
    check(wanted in found, f"the terminal said {found!r}, not {wanted!r}")
    return found


def terminal(config):
    config["process"]["terminal"] = True
    config["process"]["consoleSize"] = {"height": 30, "width": 90}


@case
def console_socket(s):
    console = ConsoleSocket(s.folder)
    id, _ = s.create("sh", "-c", "tty; stty size; trap 'echo int' INT; while :; do read x && echo got $x; done", change=terminal,
                     words=("--console-socket", console.path))
    master = console.master()
    s.ok("start", id)
    read_until(master, b"30 90")
    os.write(master, b"hello\n")
    read_until(master, b"got hello")
    os.write(master, b"\x03")
    read_until(master, b"int")
    os.close(master)


@case
def resize(s):
    console = ConsoleSocket(s.folder)
    id, _ = s.create("sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done", change=terminal,
                     words=("--console-socket", console.path))
    master = console.master()
    s.ok("start", id)
    read_until(master, b"ready")
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 22, 0, 0))
    read_until(master, b"11 22")
    os.close(master)


@case
def hang_up(s):
    console = ConsoleSocket(s.folder)
    id, _ = s.create("sh", "-c", "trap 'exit 5' HUP; echo ready; while :; do sleep 0.1; done", change=terminal,
                     words=("--console-socket", console.path))
    master = console.master()
    s.ok("start", id)
    read_until(master, b"ready")
    os.close(master)
    s.wait(id, "stopped")


@case
def attached_terminal(s):
    """`run` in the foreground with a terminal of its own."""
    bundle = s.bundle("sh", "-c", "stty size; read x; echo got $x; exit 9", change=lambda c: c["process"].update(terminal=True))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 17, 71, 0, 0))
    child = subprocess.Popen(s.command("run", "--bundle", bundle, s.id()), stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    read_until(master, b"17 71")
    os.write(master, b"typed\n")
    read_until(master, b"got typed")
    equal(child.wait(30), 9, "exit status")
    os.close(master)


@case
def console_errors(s):
    id = s.id()
    s.refused("create", "--bundle", s.bundle("true", change=terminal), id)
    s.refused("create", "--bundle", s.bundle("true"), "--console-socket", s.folder + "/nobody", id)
    s.refused("create", "--bundle", s.bundle("true", change=terminal), "--console-socket", s.folder + "/nobody", id)
    s.refused("state", id)


# more processes

@case
def exec_basics(s):
    def change(config):
        config["process"]["env"] = ["PATH=/bin", "ONE=1"]
    id, _ = s.started("sleep", "1000", change=change)
    done = s("exec", "--cwd", "/data", "--env", "TWO=2", "--user", "1000:1001", id, "sh", "-c", "pwd; echo $ONE$TWO; id -u; id -g; exit 6")
    equal((done.returncode, done.stdout), (6, "/data\n12\n1000\n1001\n"), f"exec ({done.stderr})")
    done = s("exec", id, "cat", input="through\n")
    equal(done.stdout, "through\n", "standard input")
    done = s("exec", id, "no-such-program")
    check(done.returncode == 255 and "executable file not found" in done.stderr, f"{done.returncode} {done.stderr}")
    equal(s("exec", id, "sh", "-c", "kill -9 $$").returncode, 137, "killed")
    check("sleep" in s.ok("exec", id, "ps"), "exec sees the first process")
    equal(s.state(id)["status"], "running", "status")


@case
def exec_process_file(s):
    id, bundle = s.started("sleep", "1000")
    process = json.load(open(bundle + "/config.json"))["process"]
    process["args"] = ["sh", "-c", "echo $WORD; cat /proc/self/oom_score_adj"]
    process["env"] = ["PATH=/bin", "WORD=x"]
    file = s.folder + "/process.json"
    json.dump(process, open(file, "w"))
    equal(s.ok("exec", "--process", file, id).split()[0], "x", "output")


@case
def exec_detached(s):
    id, bundle = s.started("sleep", "1000")
    file = s.folder + "/exec-pid"
    with open(s.folder + "/exec-out", "w") as out:
        done = subprocess.run(s.command("exec", "--detach", "--pid-file", file, id, "sh", "-c", "echo begun; sleep 1000"),
                              stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=60)
    equal(done.returncode, 0, text(s.folder + "/exec-out"))
    pid = int(text(file))
    os.kill(pid, 0)
    end = time.time() + 10
    while "begun" not in text(s.folder + "/exec-out") and time.time() < end:
        time.sleep(0.02)
    check("begun" in text(s.folder + "/exec-out"), "no output")
    os.kill(pid, signal.SIGKILL)
    end = time.time() + 10
    while "begun; sleep" in s.ok("exec", id, "ps") and time.time() < end:
        time.sleep(0.05)
    check("begun; sleep" not in s.ok("exec", id, "ps"), "the process outlives its host process")


@case
def exec_terminal(s):
    id, bundle = s.started("sleep", "1000")
    process = json.load(open(bundle + "/config.json"))["process"]
    process["args"] = ["sh", "-c", "trap 'echo int' INT; stty size; while :; do read x && echo got $x; done"]
    process["terminal"] = True
    file = s.folder + "/terminal.json"
    json.dump(process, open(file, "w"))
    console = ConsoleSocket(s.folder)
    s.ok("exec", "--detach", "--process", file, "--console-socket", console.path, id)
    master = console.master()
    os.write(master, b"hello\n")
    read_until(master, b"got hello")
    os.write(master, b"\x03")
    read_until(master, b"int")
    os.close(master)


@case
def exec_attached_terminal(s):
    id, _ = s.started("sleep", "1000")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 18, 72, 0, 0))
    child = subprocess.Popen(s.command("exec", "--tty", id, "sh", "-c", "stty size; read x; echo got $x; exit 8"), stdin=slave, stdout=slave,
                             stderr=slave, start_new_session=True)
    os.close(slave)
    read_until(master, b"18 72")
    os.write(master, b"typed\n")
    read_until(master, b"got typed")
    equal(child.wait(30), 8, "exit status")
    os.close(master)


@case
def exec_in_wrong_state(s):
    id, _ = s.create("sleep", "1000")
    s.ok("kill", id, "KILL")
    s.wait(id, "stopped")
    s.refused("exec", id, "true")


# inspection and control

@case
def list_and_ps(s):
    id, bundle = s.started("sh", "-c", "sleep 1000 & sleep 1001 & wait")
    rows = s.ok("list").splitlines()
    equal(rows[0].split(), ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], "titles")
    check(any(row.split()[0] == id and row.split()[2] == "running" and row.split()[3] == bundle for row in rows[1:]), rows)
    check(id in s.ok("list", "--quiet").split(), "list --quiet")
    check(any(entry["id"] == id and entry["status"] == "running" for entry in json.loads(s.ok("list", "--format", "json"))), "json")
    end = time.time() + 10
    while len(json.loads(s.ok("ps", "--format", "json", id))) < 3 and time.time() < end:
        time.sleep(0.05)
    equal(len(json.loads(s.ok("ps", "--format", "json", id))), 3, "processes")
    check("sleep" in s.ok("ps", id), "ps")


@case
def pause_and_resume(s):
    id, bundle = s.started("sh", "-c", "while :; do echo tick; sleep 0.05; done")
    s.wait(id, "running")
    time.sleep(0.3)
    s.ok("pause", id)
    equal(s.state(id)["status"], "paused", "status")
    size = os.path.getsize(bundle + "/out")
    time.sleep(0.5)
    equal(os.path.getsize(bundle + "/out"), size, "output while paused")
    s.refused("pause", id)
    s.refused("exec", id, "true")
    s.ok("resume", id)
    equal(s.state(id)["status"], "running", "status")
    end = time.time() + 10
    while os.path.getsize(bundle + "/out") == size and time.time() < end:
        time.sleep(0.05)
    check(os.path.getsize(bundle + "/out") > size, "no output after resume")
    s.refused("resume", id)


@case
def pause_a_busy_one(s):
    id, bundle = s.started("sh", "-c", "i=0; while :; do i=$((i+1)); done")
    s.ok("pause", id)
    s.ok("resume", id)
    s.ok("pause", id)
    s.ok("delete", "--force", id)


@case
def statistics(s):
    id, _ = s.started("sleep", "1000")
    event = json.loads(s.ok("events", "--stats", id))
    equal((event["type"], event["id"]), ("stats", id), "event")
    check(event["data"]["pids"]["current"] >= 1, "pids")
    check("total" in event["data"]["cpu"]["usage"], "cpu")


@case
def pids_limit(s):
    def change(config):
        config["linux"].setdefault("resources", {})["pids"] = {"limit": 10}
    done = s.run("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 1 & done; echo all", change=change)
    check("all" not in done.stdout or "fork" in done.stderr, f"20 processes ran: {done.stdout} {done.stderr}")


@case
def update_pids(s):
    id, _ = s.started("sleep", "1000")
    s.ok("update", "--pids-limit", "7", id)
    equal(json.loads(s.ok("events", "--stats", id))["data"]["pids"].get("limit"), 7, "limit")


@case
def spec_and_features(s):
    folder = s.folder + "/spec"
    os.mkdir(folder)
    equal(subprocess.run([s.runtime, "spec"], cwd=folder).returncode, 0, "spec")
    config = json.load(open(folder + "/config.json"))
    equal(config["process"]["args"], ["sh"], "program")
    check(subprocess.run([s.runtime, "spec"], cwd=folder, capture_output=True).returncode != 0, "config.json was overwritten")
    features = json.loads(s.ok("features"))
    check("poststop" in features["hooks"], "features")


@case
def logs(s):
    for form in ("text", "json"):
        file = f"{s.folder}/log.{form}"
        done = s("--log", file, "--log-format", form, "state", "nobody")
        check(done.returncode != 0, "was not refused")
        line = text(file).splitlines()[-1]
        if form == "json":
            entry = json.loads(line)
            equal(entry["level"], "error", "level")
            check("does not exist" in entry["msg"], line)
        else:
            check('level=error' in line and 'does not exist' in line, line)
        check("does not exist" in done.stderr, done.stderr)
    check(s("--log-format", "xml", "state", "nobody").returncode != 0, "an unknown format was taken")


# bad input

@case
def bad_ids(s):
    bundle = s.bundle("true")
    for id in ("", "../x", "a/b", ".", "..", "a b", "a\nb", "ä", "x" * 2000):
        done = s("create", "--bundle", bundle, id)
        check(done.returncode != 0, f"id {id!r} was taken")
    check(not os.path.exists(s.folder + "/x"), "a directory was made outside")


@case
def bad_configurations(s):
    def variant(name, value):
        def change(config):
            place = config
            *path, last = name.split(".")
            for key in path:
                place = place.setdefault(key, {})
            place[last] = value
        return change
    for name, value in (
            ("ociVersion", "2.0.0"), ("ociVersion", "nonsense"), ("process.args", []), ("process.args", "sh"), ("process.cwd", ""),
            ("process.cwd", "relative"), ("root.path", "/no/such/place"), ("root.path", "/etc/passwd"), ("process.user.uid", -1),
            ("mounts", [{"destination": "/x", "type": "nonsense", "source": "x"}]),
            ("mounts", [{"destination": "/x", "type": "bind", "source": "/no/such/source", "options": ["bind"]}]),
            ("linux.namespaces", [{"type": "pid"}, {"type": "pid"}, {"type": "mount"}]), ("linux.namespaces", [{"type": "nonsense"}]),
            ("linux.rootfsPropagation", "sideways"), ("hostname", 7), ("linux", 3)):
        if os.path.basename(s.runtime) == "runc" and name == "ociVersion":
            continue
        id = s.id()
        done = s("create", "--bundle", s.bundle("true", change=variant(name, value)), id)
        check(done.returncode != 0, f"{name} {value!r} was taken")
        check(done.stderr.strip(), f"{name} {value!r}: no message")
        check(s("state", id).returncode != 0, f"{name} {value!r}: the container exists")
        check(not os.path.exists(f"{s.root}/{id}"), f"{name} {value!r}: the state directory stays")


@case
def broken_json(s):
    bundle = s.bundle("true")
    for content in ("", "{", "[]", "null", "{\"ociVersion\": ", "\x00", "{}" * 2):
        with open(bundle + "/config.json", "w") as f:
            f.write(content)
        done = s("create", "--bundle", bundle, s.id())
        check(done.returncode != 0 and done.stderr.strip(), f"{content!r} was taken")
    os.unlink(bundle + "/config.json")
    s.refused("create", "--bundle", bundle, s.id())
    s.refused("create", "--bundle", "/no/such/bundle", s.id())


@case
def state_directory_is_a_file(s):
    file = s.folder + "/plain"
    open(file, "w").close()
    done = subprocess.run([s.runtime, "--root", file, *s.extra, "create", "--bundle", s.bundle("true"), "x"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    check(done.returncode != 0 and done.stderr.strip(), "was not refused")


@case
def killed_shim(s):
    id, _ = s.started("sleep", "1000")
    os.kill(s.state(id)["pid"], signal.SIGKILL)
    s.wait(id, "stopped")
    s.refused("exec", id, "true")
    s.ok("delete", id)


@case
def twenty_at_once(s):
    bundles = [s.bundle("sh", "-c", "cat; sleep 1") for _ in range(20)]
    children = [subprocess.Popen(s.command("run", "--bundle", b, s.id()), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for b in bundles]
    for number, child in enumerate(children):
        child.stdin.write(f"number {number}\n")
        child.stdin.close()
    for number, child in enumerate(children):
        out, problem = child.stdout.read(), child.stderr.read()
        equal((child.wait(120), out), (0, f"number {number}\n"), f"container {number} ({problem})")
    equal([i for i in s.ok("list", "--quiet").split() if i in s.ids], [], "containers left")


def descendants(word):
    """Host processes whose command line holds `word`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if word.encode() in f.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


@case
def killed_at_any_moment(s):
    """SIGKILL to the command or the shim at random moments: the state stays readable, and `delete --force` leaves nothing."""
    if os.path.basename(s.runtime) == "runc":
        return
    rounds = int(os.environ.get("OCI_KILLS", "30"))
    generator = random.Random(1)
    bundle = s.bundle("sleep", "1000")
    for number in range(rounds):
        id = s.id()
        victim = generator.choice(["create", "start", "delete", "shim", "exec"])
        delay = generator.random() * 0.25

        def command(*words, kill):
            child = subprocess.Popen(s.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if kill:
                time.sleep(delay)
                child.kill()
            child.wait(60)
        if victim == "shim":
            child = subprocess.Popen(s.command("create", "--bundle", bundle, id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            time.sleep(delay)
            for pid in descendants(id):
                if pid != child.pid:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except OSError:
                        pass
            child.wait(60)
        else:
            command("create", "--bundle", bundle, id, kill=victim == "create")
            if victim != "create":
                command("start", id, kill=victim == "start")
            if victim == "exec":
                command("exec", id, "sleep", "1000", kill=True)
            if victim == "delete":
                command("delete", "--force", id, kill=True)
        done = s("state", id)
        check(done.returncode == 0 or "does not exist" in done.stderr, f"round {number} ({victim}): state: {done.stderr}")
        if done.returncode == 0:
            json.loads(done.stdout)
        s.ok("list")
        s.ok("delete", "--force", id)
        check(not os.path.exists(f"{s.root}/{id}"), f"round {number} ({victim}): the state directory stays")
        end = time.time() + 10
        while descendants(id) and time.time() < end:
            time.sleep(0.05)
        equal(descendants(id), [], f"round {number} ({victim}): processes left")
        for hierarchy in ("cpu", "memory", "unified"):
            check(not os.path.exists(f"/sys/fs/cgroup/{hierarchy}/stockade/{id}"), f"round {number} ({victim}): a control group stays")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", action="append", required=True)
    parser.add_argument("--option", action="append", default=[], help="a global option for every runtime")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    failed = {}
    for runtime in options.runtime:
        path = os.path.abspath(runtime) if "/" in runtime else shutil.which(runtime)
        passed, failures = 0, []
        for function in CASES:
            if options.names and function.__name__ not in options.names:
                continue
            sandbox = Sandbox(path, options.option if os.path.basename(path) == "stockade" else [])
            try:
                function(sandbox)
                passed += 1
            except (Failed, subprocess.TimeoutExpired, OSError, ValueError, KeyError, IndexError, subprocess.CalledProcessError) as error:
                failures.append(function.__name__)
                print(f"{os.path.basename(path)}: {function.__name__}: {error}", flush=True)
            finally:
                sandbox.close()
        failed[runtime] = failures
        print(f"{os.path.basename(path)}: {passed} passed, {len(failures)} failed", flush=True)
    return 1 if failed[options.runtime[0]] else 0


sys.exit(main())
