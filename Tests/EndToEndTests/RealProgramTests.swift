import Testing

/// Unmodified programs give the same output and exit status inside as outside.
@Suite struct RealProgramTests {
    private func expectSame(_ command: [String], input: String = "", sourceLocation: SourceLocation = #_sourceLocation) throws {
        let native = try Run.host(command, input: input)
        for platform in Run.platforms {
            let inside = try Run.sandbox(["--timeout", "120"], command, platform: platform, input: input)
            #expect(inside == native, "\(platform)", sourceLocation: sourceLocation)
        }
    }

    @Test func trueAndFalse() throws {
        try expectSame(["true"])
        try expectSame(["false"])
    }

    @Test func staticShell() throws {
        try expectSame(["busybox", "sh", "-c", "for i in 1 2 3; do echo $i; done | busybox wc -l; exit 7"])
    }

    @Test func shellPipelinesAndHereDocuments() throws {
        try expectSame(["bash", "-c", "cat <<END | tr a-z A-Z | sort -r\nalpha\nbeta\ngamma\nEND\necho ${PIPESTATUS[@]}"])
    }

    @Test func shellTraps() throws {
        try expectSame(["bash", "-c", "trap 'echo caught' USR1; kill -USR1 $$; trap 'echo bye' EXIT; exit 3"])
    }

    @Test func shellJobs() throws {
        try expectSame(["bash", "-c", "sleep 0.05 & wait $!; echo $?; (exit 9) & wait $!; echo $?; set -m; sleep 0.05 & fg >/dev/null; echo done"])
    }

    @Test func deathBySignal() throws { try expectSame(["bash", "-c", "kill -TERM $$"]) }

    @Test func treeOfFiles() throws {
        try expectSame(["sh", "-c", "cd /usr/share/doc && find . -type f | sort | sha256sum; tar c --sort=name . | sha256sum"])
    }

    @Test func pythonOverAFile() throws {
        try expectSame(["/usr/bin/python3", "-c", "print(len(open('/usr/share/common-licenses/GPL-3').read().split()))"])
    }

    @Test func pythonSubprocessAndThreads() throws {
        try expectSame([
            "/usr/bin/python3", "-c",
            """
            import subprocess, threading, multiprocessing, asyncio, ctypes, mmap, signal
            print(subprocess.run(['echo', 'hi'], capture_output=True).stdout)
            seen = []
            threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(20)]
            [t.start() for t in threads]; [t.join() for t in threads]
            print(sorted(seen))
            with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(abs, range(-5, 5)))
            async def main():
                await asyncio.sleep(0.01)
                p = await asyncio.create_subprocess_exec('echo', 'x', stdout=asyncio.subprocess.PIPE)
                return await p.communicate()
            print(asyncio.run(main()))
            print(ctypes.CDLL(None).abs(-4))
            m = mmap.mmap(-1, 8192); m[:5] = b'hello'; print(m[:5])
            signal.signal(signal.SIGALRM, lambda *a: print('alarm')); signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
            """,
        ])
    }

    @Test func sqlite() throws {
        try expectSame([
            "sh", "-c",
            """
            d=$(mktemp -d); sqlite3 $d/a.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a,b);
            WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<20000) INSERT INTO t SELECT x, x*x FROM c;
            SELECT count(*), sum(b) FROM t;'; rm -r $d
            """,
        ])
    }

    @Test func compileAndRun() throws {
        try expectSame([
            "sh", "-c",
            """
            d=$(mktemp -d); cd $d; echo 'int f(void); int main(void){return f();}' > a.c; echo 'int f(void){return 42;}' > b.c
            printf 'p: a.o b.o\\n\\tcc -o p a.o b.o\\n' > Makefile; make -s && ./p; echo $?; cd /; rm -r $d
            """,
        ])
    }

    @Test func git() throws {
        try expectSame([
            "sh", "-c",
            """
            export HOME=$(mktemp -d) GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z
            git config --global user.email a@b; git config --global user.name n; git config --global init.defaultBranch main
            cd $HOME; mkdir r; cd r; git init -q; seq 1000 > f; git add f; git commit -qm one; echo x >> f; git status --short; git log --oneline
            git gc -q; git fsck; cd /; rm -rf $HOME
            """,
        ])
    }

    @Test func perl() throws { try expectSame(["perl", "-e", "for (1..3) { my $p = fork // die; if (!$p) { exit $_ } waitpid $p, 0; print $? >> 8, qq(\\n) }"]) }

    /// The cases of Tests/Programs that take about a second; the folder's run.sh runs them all.
    @Test(arguments: ["bash", "busybox", "faults", "static_threads", "python_basic", "python_multiprocessing", "make_c", "git", "perl"])
    func programCaseIsTheSame(name: String) throws {
        for platform in Run.platforms {
            let outcome = try Run.host([Run.repository + "/Tests/Programs/run.sh", Run.sandboxExec, platform, name])
            #expect(outcome.status == 0 && outcome.text.hasPrefix("same"), "\(platform): \(outcome)")
        }
    }
}
