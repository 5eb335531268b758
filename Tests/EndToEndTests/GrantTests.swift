import Foundation
import Testing

/// What the sandbox may see and change of the host, and what is told of it afterwards.
@Suite struct GrantTests {
    /// A tree of the host for one test.
    final class Tree {
        let path = NSTemporaryDirectory() + "grants-" + UUID().uuidString
        init(_ files: [String: String]) throws {
            for (name, content) in files {
                let file = URL(fileURLWithPath: path + "/" + name)
                try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(content.utf8).write(to: file)
            }
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func text(_ name: String) -> String? { (try? Data(contentsOf: URL(fileURLWithPath: path + "/" + name))).map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test(arguments: Run.platforms) func theMostSpecificRuleHolds(platform: String) throws {
        let tree = try Tree(["open/secret/key": "k", "open/secret/shared/f": "s", "open/main": "m", "read/f": "r"])
        let t = tree.path
        let outcome = try Run.sandbox(
            ["--rw", t + "/open", "--hide", t + "/open/secret", "--rw", t + "/open/secret/shared", "--ro", t + "/read", "--report"],
            ["sh", "-c", "cd \(t); ls open; cat open/secret/key; cat open/secret/shared/f; echo new > open/made; echo x > read/f; rm read/f; mv open/secret away"],
            platform: platform)
        #expect(outcome.text == "main\nsecret\ns", "\(outcome)")
        #expect(tree.text("open/made") == "new\n" && tree.text("open/secret/key") == "k" && tree.text("read/f") == "r")
        #expect(outcome.errorText.contains("refused \(t)/read/f: EROFS, 2\u{d7}, by --ro \(t)/read"), "\(outcome)")
    }

    @Test(arguments: Run.platforms) func hidingWinsAtEquality(platform: String) throws {
        let tree = try Tree(["a/f": "1", "b/f": "2"])
        let t = tree.path
        let options = ["--rw", t + "/a", "--hide", t + "/a", "--hide", t + "/b:EACCES", "--report"]
        let outcome = try Run.sandbox(options, ["sh", "-c", "cat \(t)/a/f; cat \(t)/b/f; true"], platform: platform)
        #expect(outcome.text.isEmpty)
        #expect(outcome.errorText.contains("a/f: No such file") && outcome.errorText.contains("b/f: Permission denied"), "\(outcome)")
        #expect(outcome.errorText.contains("refused \(t)/a: ENOENT") && outcome.errorText.contains("refused \(t)/b: EACCES"), "\(outcome)")
    }

    /// A hidden directory stays hidden whatever the program does to the directories above it.
    @Test func hiddenPathsCannotBeMovedIntoView() throws {
        let tree = try Tree(["work/a/b/secret/key": "k", "work/other/f": "f"])
        let t = tree.path + "/work"
        let outcome = try Run.sandbox(
            ["--rw", t, "--hide", t + "/a/b/secret"],
            ["sh", "-c", "cd \(t); mv a c; mv a/b a/d; mv other/f a/b/secret; ln other/f a/b/secret; rm -rf a; find . -name key; find . -type f | sort"])
        #expect(outcome.text == "./other/f\n", "\(outcome)")
        #expect(tree.text("work/a/b/secret/key") == "k")
    }

    @Test(arguments: Run.platforms) func sizesGiveENOSPC(platform: String) throws {
        let outcome = try Run.sandbox(
            ["--tmpfs", "/mem:size=64K", "--overlay-size", "1M"],
            ["sh", "-c", "dd if=/dev/zero of=/mem/f bs=4k count=17; dd if=/dev/zero of=/big bs=64k count=17; stat -c %s /mem/f /big"], platform: platform)
        #expect(outcome.text == "65536\n1048576\n", "\(outcome)")
        #expect(outcome.errorText.components(separatedBy: "No space left on device").count == 3, "\(outcome)")
    }

    @Test func changesAreListedAndApplied() throws {
        let tree = try Tree(["keep": "1", "edit": "2", "old/f": "3", "gone/x": "4", "mv/sub/q": "5", "del": "6", "other/same": "7"])
        let t = tree.path
        let archive = t + ".tar"
        defer { try? FileManager.default.removeItem(atPath: archive) }
        let script = """
            cd \(t); echo more >> edit; rm del; rm -r gone; mkdir -p new/dir; echo n > new/dir/f; ln -s f new/dir/l; ln new/dir/f new/dir/h
            chmod 4711 new/dir/f; mv mv moved; rm -r old; mkdir old; echo fresh > old/g; echo not > other/same; cat keep > /dev/null
            """
        let approved = ["edit", "del", "gone", "new", "mv", "moved", "old"].flatMap { ["--apply", t + "/" + $0] }
        let outcome = try Run.sandbox(["--changes", "--export-changes", archive] + approved, ["sh", "-c", script])
        #expect(outcome.status == 0, "\(outcome)")
        let list = outcome.errorText.split(separator: "\n").map { $0.replacingOccurrences(of: t, with: "T") }
        #expect(
            list == [
                "D T/del", "M T/edit", "D T/gone", "A T/moved/", "A T/moved/sub/", "A T/moved/sub/q", "D T/mv", "A T/new/", "A T/new/dir/",
                "A T/new/dir/f", "A T/new/dir/h", "A T/new/dir/l", "M T/old/", "A T/old/g", "M T/other/same",
            ], "\(outcome)")
        #expect(tree.text("edit") == "2more\n" && tree.text("old/g") == "fresh\n" && tree.text("moved/sub/q") == "5")
        #expect(tree.text("del") == nil && tree.text("gone/x") == nil && tree.text("mv/sub/q") == nil && tree.text("old/f") == nil)
        #expect(tree.text("other/same") == "7", "not approved")
        let mode = try Run.host(["stat", "-c", "%a %h", t + "/new/dir/f"])
        #expect(mode.text == "711 2\n", "set-ID bits stay behind: \(mode)")
        let names = try Run.host(["tar", "tf", archive])
        #expect(names.status == 0 && names.text.contains("/.wh.del\n") && names.text.contains("/old/.wh..wh..opq\n"), "\(names)")
    }

    /// A file of a hidden directory has no other name either, and what is hidden stays when changes are made on the host.
    @Test func hiddenFilesHaveNoOtherName() throws {
        let tree = try Tree(["g/secret": "file", "g/dir/deep/key": "inner", "g/plain": "p"])
        let t = tree.path + "/g"
        try FileManager.default.linkItem(atPath: t + "/secret", toPath: t + "/alias")
        try FileManager.default.linkItem(atPath: t + "/dir/deep/key", toPath: t + "/other")
        try FileManager.default.linkItem(atPath: t + "/plain", toPath: t + "/second")
        let script = "cd \(t); ls; cat alias other second; ln other stolen; mv other stolen; cp other stolen; ls -l > /dev/null; ls"
        for options in [["--rw", t], ["--ro", t], []] {
            let outcome = try Run.sandbox(options + ["--hide", t + "/secret", "--hide", t + "/dir"], ["sh", "-c", script])
            #expect(!outcome.text.contains("file") && !outcome.text.contains("inner"), "\(outcome)")
            #expect(outcome.text.contains("p") && outcome.text.hasSuffix("plain\nsecond\n"), "\(outcome)")
        }
        let outcome = try Run.sandbox(["--hide", t + "/dir/deep", "--apply", t], ["rm", "-rf", t])
        #expect(outcome.errorText.contains("EACCES") && outcome.status == 125, "\(outcome)")
        #expect(tree.text("g/dir/deep/key") == "inner")
    }

    /// What a guest writes never runs on the host with the rights of somebody else.
    @Test(arguments: Run.platforms) func setIDBitsStayInside(platform: String) throws {
        let tree = try Tree(["d/tool": "0123456789"])
        let t = tree.path
        _ = try Run.host(["chmod", "4755", t + "/d/tool"])
        let script = """
            import os, mmap
            os.umask(0)
            def attempt(f, *a):
                try: f(*a); return 'did'
                except OSError as e: return e.strerror
            open('/m/new', 'w').close()
            print(attempt(os.chmod, '/m/new', 0o4755), attempt(os.chmod, '/m/new', 0o2755), attempt(os.chmod, '/m/new', 0o755))
            print(attempt(os.open, '/m/made', os.O_CREAT | os.O_WRONLY, 0o4777), attempt(os.open, '/m/tool', os.O_RDWR), attempt(os.truncate, '/m/tool', 1))
            print(attempt(os.mkdir, '/m/sub'), attempt(os.chmod, '/m/sub', 0o2775), attempt(os.setxattr, '/m/new', 'security.capability', b'x'))
            print(attempt(os.chmod, '/m/tool', 0o755), attempt(os.open, '/m/tool', os.O_RDWR), attempt(os.mknod, '/m/null', 0o20666, os.makedev(1, 3)))
            """
        let outcome = try Run.sandbox(["--bind", t + "/d:/m"], ["python3", "-c", script], platform: platform)
        let no = "Operation not permitted"
        #expect(outcome.text == "\(no) \(no) did\n\(no) \(no) \(no)\ndid did \(no)\ndid did \(no)\n", "\(outcome)")
        let modes = try Run.host(["sh", "-c", "cd \(t)/d; stat -c '%n %a' *"])
        #expect(modes.text == "new 755\nsub 2775\ntool 755\n", "\(modes)")
        let installed = try Run.sandbox(["--bind", t + "/d:/m"], ["install", "-m", "754", "/bin/true", "/m/installed"], platform: platform)
        #expect(installed.status == 0, "\(installed)")
        #expect(try Run.host(["stat", "-c", "%a", t + "/d/installed"]).text == "754\n")
    }

    /// More files than the Gofer may hold open.
    @Test(arguments: Run.platforms) func filesAreMoreThanDescriptors(platform: String) throws {
        let tree = try Tree(["d/f": ""])
        let script = "cd /m; i=0; while [ $i -lt 800 ]; do echo $i > f$i || exit 1; i=$((i+1)); done; cat f* | wc -l; rm f*; ls | wc -l"
        let command = [Run.sandboxExec, "--platform", platform, "--bind", tree.path + "/d:/m", "--", "sh", "-c", script]
        let outcome = try Run.host(["sh", "-c", "ulimit -n 600; exec \"$@\"", "sh"] + command)
        #expect(outcome.text == "800\n0\n" && outcome.status == 0, "\(outcome)")
    }

    /// A change that can't be told any more is an error, and nothing is applied.
    @Test func changesThatTheHostLostAreAnError() throws {
        let tree = try Tree(["t/file": "content", "t/dir/f": "inner", "t/edit": "1", "sync/x": ""])
        let t = tree.path
        let inside = "cd \(t)/t; mv file moved; mv dir away; echo 2 > edit; echo > /sync/ready; while [ ! -e /sync/go ]; do sleep 0.05; done"
        let outside = """
            t=$1; shift; "$@" & while [ ! -e $t/sync/ready ]; do sleep 0.05; done; rm -r $t/t/file $t/t/dir; echo > $t/sync/go; wait $!
            """
        let command = [Run.sandboxExec, "--changes", "--apply", t + "/t", "--bind", t + "/sync:/sync", "--timeout", "30", "--", "sh", "-c", inside]
        let outcome = try Run.host(["sh", "-c", outside, "sh", t] + command)
        #expect(outcome.status == 125, "\(outcome)")
        for part in ["\(t)/t/moved: ", "\(t)/t/away: ", "nothing was applied", "M \(t)/t/edit\n"] {
            #expect(outcome.errorText.contains(part), "\(part): \(outcome)")
        }
        #expect(tree.text("t/edit") == "1")
    }

    /// Modes, times, links and attributes are applied as the program left them, those of directories too.
    @Test func appliedChangesKeepTheirAttributes() throws {
        let tree = try Tree(["d/old": "1", "d/sub/g": "2"])
        let t = tree.path
        let script = """
            import os
            os.chdir('\(t)/d'); os.umask(0)
            os.mkdir('new', 0o750); open('new/f', 'w').write('x'); os.link('new/f', 'new/h'); os.symlink('../old', 'new/l'); os.mkfifo('new/p', 0o622)
            os.setxattr('new/f', 'user.a', b'v'); os.setxattr('sub', 'user.d', b'w'); os.chmod('new/f', 0o604); os.chmod('sub', 0o711)
            os.mkdir('closed', 0o700); open('closed/in', 'w').close(); os.unlink('old'); os.chmod('closed', 0o555)
            for n, s in [('new/f', 1), ('new/l', 2), ('new/p', 3), ('new', 4), ('sub', 5), ('closed', 6)]: os.utime(n, ns=(10**18, 10**18 + s), follow_symlinks=False)
            """
        let outcome = try Run.sandbox(["--apply", t + "/d"], ["python3", "-c", script])
        #expect(outcome.status == 0, "\(outcome)")
        let look = """
            import os
            os.chdir('\(t)/d')
            for d, _, f in sorted(os.walk('.')):
                for n in sorted([d] + [d + '/' + x for x in f]):
                    s = os.lstat(n)
                    if n != '.': print(n, oct(s.st_mode), s.st_nlink if n[-1] in 'fh' else 0, s.st_mtime_ns - 10**18 if s.st_mtime_ns < 10**18 + 9 else '-')
            print(os.getxattr('new/f', 'user.a'), os.getxattr('sub', 'user.d'), os.readlink('new/l'))
            """
        let seen = try Run.host(["python3", "-c", look])
        #expect(
            seen.text == """
                ./closed 0o40555 0 6
                ./closed/in 0o100666 0 -
                ./new 0o40750 0 4
                ./new/f 0o100604 2 1
                ./new/h 0o100604 2 1
                ./new/l 0o120777 0 2
                ./new/p 0o10622 0 3
                ./sub 0o40711 0 5
                ./sub/g 0o100644 0 -
                b'v' b'w' ../old

                """, "\(seen)")
    }

    /// Locks on a shared mount hold against processes of the host, and theirs inside.
    @Test(arguments: Run.platforms) func locksHoldAgainstTheHost(platform: String) throws {
        let tree = try Tree(["f": "0123456789"])
        let inside = """
            import fcntl, sys
            f = open('/m/f', 'r+')
            def attempt(lock, *range):
                try: lock(f, fcntl.LOCK_EX | fcntl.LOCK_NB, *range); return 'had'
                except OSError: return 'refused'
            for line in sys.stdin:
                what = line.split()
                if what[0] == 'record': print(attempt(fcntl.lockf, int(what[1]), int(what[2])), flush=True)
                if what[0] == 'whole': print(attempt(fcntl.flock), flush=True)
                if what[0] == 'drop': fcntl.lockf(f, fcntl.LOCK_UN); fcntl.flock(f, fcntl.LOCK_UN); print('gone', flush=True)
            """
        let outside = """
            import fcntl, subprocess, sys
            command = sys.argv[2:]
            guest = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            def ask(text): guest.stdin.write(text + '\\n'); guest.stdin.flush(); return guest.stdout.readline().strip()
            f = open(sys.argv[1], 'r+')
            def attempt(lock, *range):
                try: lock(f, fcntl.LOCK_EX | fcntl.LOCK_NB, *range); return 'had'
                except OSError: return 'refused'
            seen = [ask('record 4 2'), attempt(fcntl.lockf, 1, 5), attempt(fcntl.lockf, 2, 8), ask('record 1 8'), ask('drop'), attempt(fcntl.lockf, 1, 5)]
            fcntl.lockf(f, fcntl.LOCK_UN)
            seen += [ask('whole'), attempt(fcntl.flock), ask('drop'), attempt(fcntl.flock), ask('whole')]
            print(*seen)
            """
        let outcome = try Run.host(
            ["python3", "-c", outside, tree.path + "/f", Run.sandboxExec, "--platform", platform, "--bind", tree.path + ":/m", "--", "python3", "-c", inside])
        #expect(outcome.text == "had refused had refused gone had had refused gone had refused\n", "\(outcome)")
    }

    /// What the host does on a shared mount wakes who waits for it with inotify.
    @Test(arguments: Run.platforms) func theHostsChangesAreNoticed(platform: String) throws {
        let tree = try Tree(["d/old": "1"])
        let inside = """
            import ctypes, os, struct, sys
            c = ctypes.CDLL(None)
            q = c.inotify_init1(0); c.inotify_add_watch(q, b'/m/d', 0x3c6)
            os.stat('/m/d/old'); print('ready', flush=True)
            seen = []
            while len(seen) < 5:
                data = os.read(q, 4096)
                while data:
                    _, mask, _, n = struct.unpack('iIII', data[:16])
                    seen.append('%x %s' % (mask, data[16:16 + n].rstrip(b'\\0').decode())); data = data[16 + n:]
            print(';'.join(seen), flush=True)
            """
        let outside = """
            import os, subprocess, sys
            guest = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True)
            guest.stdout.readline()
            d = sys.argv[1]
            os.mkdir(d + '/sub'); os.rename(d + '/old', d + '/new'); os.rmdir(d + '/sub'); os.unlink(d + '/new')
            print(guest.stdout.readline().strip())
            """
        let outcome = try Run.host(
            ["python3", "-c", outside, tree.path + "/d", Run.sandboxExec, "--timeout", "20", "--platform", platform, "--bind", tree.path + ":/m", "--", "python3", "-c", inside])
        #expect(outcome.text == "40000100 sub;40 old;80 new;40000200 sub;200 new\n", "\(outcome)")
    }

    /// Who may not list a directory may use the names in it; what would be read ahead can't be.
    @Test func directoriesThatCanNotBeListedCanBeUsed() throws {
        let tree = try Tree(["x": ""])
        let outcome = try Run.host([
            "sh", "-c",
            #"""
            run() { if [ $(id -u) = 0 ]; then setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; else "$@"; fi; }
            chmod 777 $1
            run "$0" --bind $1:/m -- sh -c 'cd /m && mkdir d && touch d/one d/two && chmod 311 d && for n in 1 2 3 4 5 6; do
                stat -c %s d/one && touch d/new$n d/two && test ! -e d/absent$n || exit; done | uniq -c'
            """#, Run.sandboxExec, tree.path,
        ])
        #expect(outcome.text.split(separator: " ").map { $0.trimmingCharacters(in: .newlines) } == ["6", "0"], "\(outcome)")
    }

    /// Programs that use files at random and know what must come out, on each kind of file system.
    @Test(arguments: Run.platforms, ["file-model", "tree-model"]) func filesBehaveAsTheModel(platform: String, program: String) throws {
        let seconds = ProcessInfo.processInfo.environment["STOCKADE_STRESS_SECONDS"] ?? "2"
        let binary = Run.repository + "/Tests/FileStress/build/" + program
        let tree = try Tree(["x/y": ""])
        for (options, place) in [([], "/tmp"), (["--tmpfs", "/mem"], "/mem"), (["--bind", tree.path + ":/host"], "/host")] {
            let outcome = try Run.sandbox(options, [binary, place, seconds], platform: platform)
            #expect(outcome.status == 0, "\(place): \(outcome)")
        }
    }
}
