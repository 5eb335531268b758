import Foundation
import Testing

/// The command line: options, exit statuses, isolation of writes, bad input.
@Suite struct SandboxExecTests {
    @Test func exitStatusIsTheProgramsOwn() throws {
        #expect(try Run.sandbox([], ["sh", "-c", "exit 41"]).status == 41)
    }

    @Test func signalDeathIs128PlusN() throws {
        #expect(try Run.sandbox([], ["sh", "-c", "kill -KILL $$"]).status == 137)
    }

    @Test func timeOutGives124() throws {
        #expect(try Run.sandbox(["--timeout", "0.3"], ["sleep", "30"]).status == 124)
    }

    @Test func unknownCommandGives127() throws {
        let outcome = try Run.sandbox([], ["no-such-command"])
        #expect(outcome.status == 127)
        #expect(outcome.errorText.contains("no-such-command"))
    }

    @Test func directoryAsCommandGives126() throws { #expect(try Run.sandbox([], ["/usr"]).status == 126) }

    @Test func writesStayInside() throws {
        let marker = "/tmp/stockade-\(UUID().uuidString)"
        let outcome = try Run.sandbox([], ["sh", "-c", "echo secret > \(marker) && cat \(marker)"])
        #expect(outcome.text == "secret\n")
        #expect(!FileManager.default.fileExists(atPath: marker))
    }

    @Test func bindWritesReachTheHost() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let outcome = try Run.sandbox(["--bind", "\(folder.path):/out"], ["sh", "-c", "echo kept > /out/file"])
        #expect(outcome.status == 0)
        #expect(try String(contentsOf: folder.appendingPathComponent("file"), encoding: .utf8) == "kept\n")
    }

    @Test func readOnlyBindRefusesWrites() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let outcome = try Run.sandbox(["--bind", "\(folder.path):/out:ro"], ["sh", "-c", "echo kept > /out/file"])
        #expect(outcome.status != 0)
        #expect(outcome.errorText.contains("Read-only file system"))
    }

    @Test func tmpfsStartsEmpty() throws {
        #expect(try Run.sandbox(["--tmpfs", "/usr/share/doc"], ["ls", "/usr/share/doc"]).text == "")
    }

    @Test func environmentOptions() throws {
        #expect(try Run.sandbox(["--clear-env", "--env", "A=b"], ["/usr/bin/env"]).text == "A=b\n")
    }

    @Test func workingDirectoryHostNameAndUser() throws {
        #expect(try Run.sandbox(["--cwd", "/usr"], ["pwd"]).text == "/usr\n")
        #expect(try Run.sandbox(["--hostname", "castle"], ["uname", "-n"]).text == "castle\n")
        #expect(try Run.sandbox(["--user", "1000:1001"], ["sh", "-c", "id -u; id -g"]).text == "1000\n1001\n")
    }

    @Test func inputPassesThrough() throws {
        #expect(try Run.sandbox([], ["cat"], input: "a\u{0}b\n").text == "a\u{0}b\n")
    }

    @Test func closedInputIsANormalUse() throws {
        let outcome = try Run.host(["sh", "-c", "\(Run.sandboxExec) -- sh -c 'cat; echo $?' <&-"])
        #expect(outcome.text == "1\n")
    }

    @Test func outputFileIsAppendedTo() throws {
        let outcome = try Run.host(["sh", "-c", "f=$(mktemp); echo a > $f; \(Run.sandboxExec) -- echo b >> $f; echo c >> $f; cat $f; rm $f"])
        #expect(outcome.text == "a\nb\nc\n")
    }

    @Test func sharedFilePositionAdvances() throws {
        let outcome = try Run.host(["sh", "-c", "f=$(mktemp); { echo a; \(Run.sandboxExec) -- echo b; echo c; } > $f; cat $f; rm $f"])
        #expect(outcome.text == "a\nb\nc\n")
    }

    @Test func wrongOptionsGive125AndOneLine() throws {
        for options in [["--platform", "nope"], ["--bind", "/nonexistent-source:/x"], ["--bind", "x"], ["--timeout", "-3"], ["--user", "x"]] {
            let outcome = try Run.sandbox(options, ["true"])
            #expect(outcome.status == 125, "\(options)")
            #expect(outcome.errorText.split(separator: "\n").count == 1, "\(outcome)")
        }
    }

    @Test func straceShowsCalls() throws {
        #expect(try Run.sandbox(["--strace=getpid,write"], ["sh", "-c", "echo x"]).errorText.contains("write(1, \"x\\n\", 2) = 2"))
    }

    @Test func twoSandboxesAtOnce() async throws {
        async let a = Task.detached { try Run.sandbox([], ["sh", "-c", "sleep 0.2; echo a"]).text }.value
        async let b = Task.detached { try Run.sandbox([], ["sh", "-c", "sleep 0.2; echo b"]).text }.value
        let texts = try await [a, b]
        #expect(texts == ["a\n", "b\n"])
    }

    /// A hand-off between processors costs many times one on the same: the Gofer keeps to the one that it is asked from, whoever started the sandbox.
    @Test func theGoferFollowsItsCaller() throws {
        let outcome = try Run.host([
            "bash", "-c",
            #"""
            below() { local p; for p in $(cat /proc/$1/task/*/children 2>/dev/null); do echo $p; below $p; done; }
            exec 3< <(exec "$0" -- sh -c 'echo started; exec sleep 60'); command=$!; read -u 3
            for p in $(below $command); do case $(tr '\0' ' ' < /proc/$p/cmdline) in *stockade-gofer*)
                awk '/^Cpus_allowed_list/ { print $2 }' /proc/$p/status;; esac; done
            kill $command
            """#, Run.sandboxExec,
        ])
        #expect(Int(outcome.text.trimmingCharacters(in: .newlines)) != nil, "\(outcome)")
    }
}
