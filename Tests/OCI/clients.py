#!/usr/bin/env python3
"""Container engines over an OCI runtime: sessions of podman and of containerd's ctr, each with a storage of its own.

    clients.py --runtime .build/debug/stockade [podman|containerd] [-v]

Needs root, busybox (static), podman with conmon, containerd with ctr; says by name what is missing and goes on with the rest. The image is made of
busybox, nothing is fetched. With -v every command and its output is shown. Ends with `N passed, N failed`.
"""
import argparse, glob, hashlib, io, json, os, pty, select, shutil, signal, subprocess, sys, tarfile, tempfile, time

from checks import Failed, check, echo, equal

APPLETS = "sh ls cat echo sleep true false id ps hostname env touch kill grep head mkdir tty stty printf wc tr".split()
IMAGE = "localhost/stockade-test:1"


def archive():
    """The image's only layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        def add(name, kind=tarfile.DIRTYPE, mode=0o755, link="", data=b""):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.linkname, entry.size = kind, mode, link, len(data)
            tar.addfile(entry, io.BytesIO(data))
        for name in ("bin", "dev", "etc", "proc", "root", "sys", "run"):
            add(name)
        add("tmp", mode=0o1777)
        with open(shutil.which("busybox"), "rb") as f:
            add("bin/busybox", tarfile.REGTYPE, 0o755, data=f.read())
        for name in APPLETS:
            add(f"bin/{name}", tarfile.SYMTYPE, 0o777, "busybox")
        add("etc/passwd", tarfile.REGTYPE, 0o644, data=b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n")
        add("etc/group", tarfile.REGTYPE, 0o644, data=b"root:x:0:\nuser:x:1000:\n")
    return out.getvalue()


def docker_archive(path):
    """The image as `docker save` writes it, which both engines read."""
    layer = archive()
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        for file, data in ((name, config), ("layer.tar", layer), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(file)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


class Engine:
    """Runs the commands of one client."""

    def __init__(self, runtime, folder, verbose):
        self.runtime, self.folder, self.verbose = runtime, folder, verbose
        self.count = 0

    def name(self):
        self.count += 1
        return f"{type(self).__name__.lower()}-{os.getpid()}-{self.count}"

    def __call__(self, *words, timeout=120, **options):
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run([*self.client, *words], capture_output=True, text=True, timeout=timeout, **options)
        if self.verbose:
            print("$", self.client[0].split("/")[-1], *words)
            for line in (done.stdout + done.stderr).splitlines()[:12]:
                print("   ", line[:180])
            if done.returncode:
                print("    -> exit status", done.returncode)
        return done

    def ok(self, *words, **options):
        done = self(*words, **options)
        equal(done.returncode, 0, f"{' '.join(words)} ({done.stderr.strip()})")
        return done.stdout

    def terminal(self, *words, type_in=(), seconds=30):
        """Runs a command on a terminal; types each text once the one before it was answered. Its output and exit status."""
        child, master = pty.fork()
        if child == 0:
            os.execvp(self.client[0], [*self.client, *words])
        seen, steps, end = b"", list(type_in), time.time() + seconds
        while time.time() < end:
            if steps and steps[0][0] in seen:
                os.write(master, steps.pop(0)[1])
            if select.select([master], [], [], 0.1)[0]:
                try:
                    part = os.read(master, 4096)
                except OSError:
                    break
                if not part:
                    break
                seen += part
        else:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(master)
        if self.verbose:
            print("$ (terminal)", *words)
            print("   ", seen.decode(errors="replace").strip().replace("\r\n", "\n    "), "-> exit status", status)
        return seen.decode(errors="replace"), status

    def at_once(self, commands):
        """Runs commands that each give back a line of their own."""
        echo([[*self.client, *words] for words in commands])

    def eventually(self, condition, what, seconds=20):
        end = time.time() + seconds
        while time.time() < end:
            if condition():
                return
            time.sleep(0.1)
        raise Failed(what)


class Podman(Engine):
    needs = ("podman", "conmon", "busybox")

    def start(self):
        # cgroupfs, no systemd: what a bare host has. No network is set up, for a sandbox has its own.
        self.client = ["podman", "--root", self.folder + "/storage", "--runroot", self.folder + "/run", "--tmpdir", self.folder + "/tmp",
                       "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", self.runtime]
        self.options = ("--network", "none", "--security-opt", "label=disable")
        docker_archive(self.folder + "/image.tar")
        self.ok("load", "--input", self.folder + "/image.tar")

    def stop(self):
        self("rm", "--force", "--all", "--time", "1")
        self("rmi", "--all", "--force")

    def run(self, *words, **options):
        return self("run", *self.options, *words, **options)

    # What is checked.

    def runs_a_command(self):
        done = self.run("--rm", IMAGE, "sh", "-c", "echo hello; id -u; exit 7")
        equal((done.stdout, done.returncode), ("hello\n0\n", 7), done.stderr)

    def serves_standard_input(self):
        done = self.run("--rm", "--interactive", IMAGE, "tr", "a-z", "A-Z", input="to and fro\n")
        equal((done.stdout, done.returncode), ("TO AND FRO\n", 0), done.stderr)

    def has_a_terminal(self):
        words = ("run", *self.options, "--rm", "--interactive", "--tty", IMAGE, "sh", "-c", "tty; echo ready; read x; echo got $x; exit 3")
        seen, status = self.terminal(*words, type_in=[(b"ready", b"typed\n")])
        check("/dev/pts/" in seen or "/dev/console" in seen, seen)
        check("got typed" in seen, seen)
        equal(status, 3, "exit status")

    def keeps_logs(self):
        name = self.name()
        self.ok("run", *self.options, "--detach", "--name", name, IMAGE, "sh", "-c", "echo out; echo problem >&2; sleep 1000")
        self.eventually(lambda: "out" in self.ok("logs", name), "no output in the logs")
        done = self("logs", name)
        equal((done.stdout, done.stderr), ("out\n", "problem\n"), "logs")
        self.ok("rm", "--force", "--time", "0", name)

    def executes_beside(self):
        name = self.name()
        self.ok("run", *self.options, "--detach", "--name", name, IMAGE, "sleep", "1000")
        done = self("exec", "--user", "user", "--workdir", "/tmp", "--env", "A=b", name, "sh", "-c", "id -u; echo $A; pwd; exit 5")
        equal((done.stdout, done.returncode), ("1000\nb\n/tmp\n", 5), f"exec ({done.stderr})")
        equal(self("exec", "--interactive", name, "cat", input="through\n").stdout, "through\n", "standard input")
        seen, status = self.terminal("exec", "--interactive", "--tty", name, "sh", "-c", "echo ready; read x; echo got $x; exit 4",
                                     type_in=[(b"ready", b"typed\n")])
        check("got typed" in seen, seen)
        equal(status, 4, "exit status on a terminal")
        self.ok("exec", "--detach", name, "sh", "-c", "echo there > /tmp/file; sleep 1000")
        self.eventually(lambda: self("exec", name, "cat", "/tmp/file").stdout == "there\n", "the detached process did nothing")
        # With options for ps, podman runs ps inside. Without, it reads the host's /proc by way of the first process, which has no part in the
        # container's processes: they are the sandbox's own.
        check("sleep 1000" in self.ok("top", name, "-o", "pid,args"), "top")
        self.ok("rm", "--force", "--time", "0", name)

    def stops_and_kills(self):
        name = self.name()
        self.ok("run", *self.options, "--detach", "--name", name, IMAGE, "sh", "-c", "trap 'echo bye; exit 9' TERM; while :; do sleep 0.1; done")
        time.sleep(1)
        self.ok("stop", "--time", "10", name)
        equal(self.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name).strip(), "exited 9", "after stop")
        equal(self.ok("logs", name), "bye\n", "logs")
        self.ok("start", name)
        self.ok("kill", "--signal", "KILL", name)
        self.eventually(lambda: self.ok("inspect", "--format", "{{.State.Status}}", name).strip() == "exited", "it goes on after kill")
        equal(self.ok("inspect", "--format", "{{.State.ExitCode}}", name).strip(), "137", "exit status after kill")
        self.ok("rm", name)
        check(self("inspect", name).returncode != 0, "it is there after rm")

    def inspects(self):
        name = self.name()
        self.ok("run", *self.options, "--detach", "--name", name, "--hostname", "somewhere", "--memory", "64m", "--pids-limit", "20", IMAGE,
                "sh", "-c", "hostname > /tmp/name; sleep 1000")
        found = json.loads(self.ok("inspect", name))[0]
        equal(found["State"]["Status"], "running", "status")
        os.kill(found["State"]["Pid"], 0)
        check("stockade" in found["OCIRuntime"], found["OCIRuntime"])
        self.eventually(lambda: self("exec", name, "cat", "/tmp/name").stdout == "somewhere\n", "host name")
        check(name in self.ok("ps", "--format", "{{.Names}}"), "ps")
        self.ok("rm", "--force", "--time", "0", name)

    def pauses(self):
        name = self.name()
        self.ok("run", *self.options, "--detach", "--name", name, IMAGE, "sleep", "1000")
        self.ok("pause", name)
        equal(self.ok("inspect", "--format", "{{.State.Status}}", name).strip(), "paused", "status")
        self.ok("unpause", name)
        equal(self.ok("inspect", "--format", "{{.State.Status}}", name).strip(), "running", "status")
        self.ok("rm", "--force", "--time", "0", name)

    def mounts_volumes(self):
        os.makedirs(self.folder + "/volume", exist_ok=True)
        with open(self.folder + "/volume/file", "w") as f:
            f.write("outside\n")
        done = self.run("--rm", "--volume", f"{self.folder}/volume:/data", "--read-only", "--tmpfs", "/scratch", IMAGE, "sh", "-c",
                        "cat /data/file; echo inside > /data/new; echo x > /scratch/x && cat /scratch/x; touch /no 2>/dev/null || echo refused")
        equal(done.stdout, "outside\nx\nrefused\n", done.stderr)
        with open(self.folder + "/volume/new") as f:
            equal(f.read(), "inside\n", "what was written")

    def runs_twenty_at_once(self):
        self.at_once(("run", *self.options, "--rm", "--interactive", IMAGE, "sh", "-c", "cat; sleep 2") for _ in range(20))

    cases = ("runs_a_command", "serves_standard_input", "has_a_terminal", "keeps_logs", "executes_beside", "stops_and_kills", "inspects",
             "pauses", "mounts_volumes", "runs_twenty_at_once")


class Containerd(Engine):
    needs = ("containerd", "ctr", "containerd-shim-runc-v2", "busybox")

    def start(self):
        config = self.folder + "/config.toml"
        with open(config, "w") as f:
            f.write(f"version = 2\nroot = '{self.folder}/root'\nstate = '{self.folder}/state'\n"
                    "disabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.snapshotter.v1.btrfs', 'io.containerd.snapshotter.v1.zfs',"
                    " 'io.containerd.snapshotter.v1.devmapper', 'io.containerd.snapshotter.v1.aufs']\n"
                    f"[grpc]\naddress = '{self.folder}/socket'\n[ttrpc]\naddress = '{self.folder}/socket.ttrpc'\n")
        with open(self.folder + "/log", "w") as log:
            self.server = subprocess.Popen(["containerd", "--config", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.client = ["ctr", "--address", self.folder + "/socket", "--namespace", "stockade-test"]
        self.options = ("--runc-binary", self.runtime, "--snapshotter", "native")
        self.eventually(lambda: self("version").returncode == 0, "containerd does not answer")
        docker_archive(self.folder + "/image.tar")
        self.ok("images", "import", "--snapshotter", "native", self.folder + "/image.tar")

    def stop(self):
        for line in self("containers", "list", "--quiet").stdout.split():
            self.remove(line)
        self.server.terminate()
        self.server.wait(30)
        # Runtimes remove a container's group; that of the client's name space above it stays.
        for place in glob.glob("/sys/fs/cgroup/*/stockade-test") + glob.glob("/sys/fs/cgroup/stockade-test"):
            try:
                os.rmdir(place)
            except OSError as error:
                print(f"containerd: {place} stays: {error}")

    def remove(self, name):
        self("tasks", "kill", "--all", "--signal", "SIGKILL", name)
        end = time.time() + 10
        while self("tasks", "delete", "--force", name).returncode and time.time() < end and name in self("tasks", "list", "--quiet").stdout:
            time.sleep(0.1)
        self("containers", "delete", name)

    def status(self, name):
        for line in self("tasks", "list").stdout.splitlines()[1:]:
            words = line.split()
            if words[0] == name:
                return words[2]
        return None

    def detached(self, *words):
        name = self.name()
        self.ok("run", *self.options, "--detach", IMAGE, name, *words)
        return name

    # What is checked.

    def runs_a_command(self):
        done = self("run", *self.options, "--rm", IMAGE, self.name(), "sh", "-c", "echo hello; id -u; exit 7")
        equal((done.stdout, done.returncode), ("hello\n0\n", 7), done.stderr)

    def serves_standard_input(self):
        done = self("run", *self.options, "--rm", IMAGE, self.name(), "sh", "-c", "read x; echo got $x", input="to and fro\n")
        equal((done.stdout, done.returncode), ("got to and fro\n", 0), done.stderr)

    def has_a_terminal(self):
        seen, status = self.terminal("run", *self.options, "--rm", "--tty", IMAGE, self.name(), "sh", "-c",
                                     "tty; echo ready; read x; echo got $x; exit 3", type_in=[(b"ready", b"typed\n")])
        check("got typed" in seen, seen)
        equal(status, 3, "exit status")

    def executes_beside(self):
        name = self.detached("sleep", "1000")
        done = self("tasks", "exec", "--exec-id", "one", "--cwd", "/tmp", name, "sh", "-c", "pwd; exit 5")
        equal((done.stdout, done.returncode), ("/tmp\n", 5), f"exec ({done.stderr})")
        equal(self("tasks", "exec", "--exec-id", "two", name, "sh", "-c", "read x; echo $x", input="through\n").stdout, "through\n", "stdin")
        seen, status = self.terminal("tasks", "exec", "--exec-id", "three", "--tty", name, "sh", "-c", "echo ready; read x; echo got $x; exit 4",
                                     type_in=[(b"ready", b"typed\n")])
        check("got typed" in seen, seen)
        equal(status, 4, "exit status on a terminal")
        check("sleep" in self.ok("tasks", "ps", name) or self.ok("tasks", "ps", name).count("\n") > 1, "ps")
        self.remove(name)

    def writes_logs(self):
        name, file = self.name(), self.folder + "/task.log"
        self.ok("run", *self.options, "--detach", "--log-uri", "file://" + file, IMAGE, name, "sh", "-c", "echo out; sleep 1000")
        self.eventually(lambda: os.path.exists(file) and "out" in open(file).read(), "no output in the log")
        self.remove(name)

    def stops_and_kills(self):
        name = self.detached("sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done")
        self.eventually(lambda: self.status(name) == "RUNNING", "it does not run")
        time.sleep(0.5)
        self.ok("tasks", "kill", "--signal", "SIGTERM", name)
        self.eventually(lambda: self.status(name) == "STOPPED", "it goes on after SIGTERM")
        check("exit code 9" in self("tasks", "delete", name).stderr, "exit status is not 9")
        self.ok("containers", "delete", name)
        name = self.detached("sleep", "1000")
        self.ok("tasks", "kill", "--signal", "SIGKILL", name)
        self.eventually(lambda: self.status(name) == "STOPPED", "it goes on after SIGKILL")
        check("exit code 137" in self("tasks", "delete", name).stderr, "exit status is not 137")
        self.ok("containers", "delete", name)
        check(self("containers", "info", name).returncode != 0, "it is there after rm")

    def inspects(self):
        name = self.detached("sleep", "1000")
        found = json.loads(self.ok("containers", "info", name))
        equal((found["ID"], found["Runtime"]["Name"]), (name, "io.containerd.runc.v2"), "info")
        check(name in self.ok("containers", "list"), "list")
        equal(self.status(name), "RUNNING", "status")
        self.ok("tasks", "metrics", name)
        self.remove(name)

    def pauses(self):
        name = self.detached("sleep", "1000")
        self.ok("tasks", "pause", name)
        equal(self.status(name), "PAUSED", "status")
        self.ok("tasks", "resume", name)
        equal(self.status(name), "RUNNING", "status")
        self.remove(name)

    def runs_twenty_at_once(self):
        self.at_once(("run", *self.options, "--rm", IMAGE, self.name(), "sh", "-c", "read x; echo $x; sleep 2") for _ in range(20))

    cases = ("runs_a_command", "serves_standard_input", "has_a_terminal", "executes_beside", "writes_logs", "stops_and_kills", "inspects",
             "pauses", "runs_twenty_at_once")


def session(kind, runtime, names, verbose):
    missing = [program for program in kind.needs if not shutil.which(program)]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        print(f"{kind.__name__.lower()}: not run, missing: {', '.join(missing)}")
        return 0
    folder = tempfile.mkdtemp(prefix="oci-clients-")
    engine = kind(runtime, folder, verbose)
    passed = failed = 0
    try:
        try:
            engine.start()
        except (Failed, subprocess.TimeoutExpired) as error:
            print(f"{kind.__name__.lower()}: cannot be set up: {error}")
            return 1
        for case in kind.cases:
            if names and case not in names:
                continue
            try:
                getattr(engine, case)()
                passed += 1
            except (Failed, subprocess.TimeoutExpired, OSError, ValueError, KeyError) as error:
                failed += 1
                print(f"{kind.__name__.lower()}: {case}: {error}", flush=True)
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{kind.__name__.lower()}: {passed} passed, {failed} failed", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("names", nargs="*", help="podman, containerd, or cases")
    options = parser.parse_args()
    engines = {"podman": Podman, "containerd": Containerd}
    chosen = [name for name in options.names if name in engines] or list(engines)
    cases = [name for name in options.names if name not in engines]
    runtime = os.path.abspath(options.runtime)
    return 1 if sum(session(engines[name], runtime, cases, options.verbose) for name in chosen) else 0


sys.exit(main())
