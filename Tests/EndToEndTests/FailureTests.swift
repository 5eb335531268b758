import Foundation
import HostOS
import Testing

/// What happens when the host grants too little, and when somebody kills a part of the sandbox.
@Suite struct FailureTests {
    @Test(arguments: [("-n", "20", "open files"), ("-v", "200000", "address space"), ("-f", "100", "file size")])
    func lowLimitIsNamed(option: String, value: String, name: String) throws {
        let outcome = try Run.host(["bash", "-c", "ulimit \(option) \(value); \(Run.sandboxExec) -- true"])
        #expect(outcome.status == 125)
        #expect(outcome.errorText.contains("limit on \(name)"), "\(outcome)")
        #expect(outcome.errorText.split(separator: "\n").count == 1, "\(outcome)")
    }

    @Test func unreadableRootIsNamed() throws {
        let outcome = try Run.host([
            "bash", "-c",
            """
            d=$(mktemp -d); chmod 0 $d; trap "rmdir $d" EXIT
            run() { if [ $(id -u) = 0 ]; then setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; else "$@"; fi; }
            run \(Run.sandboxExec) --root $d -- true
            """,
        ])
        #expect(outcome.status == 125)
        #expect(outcome.errorText.contains("--root") && outcome.errorText.contains("EACCES"), "\(outcome)")
    }

    @Test func fullOutputIsTheProgramsError() throws {
        let outcome = try Run.host(["bash", "-c", "\(Run.sandboxExec) -- echo hi > /dev/full"])
        #expect(outcome.status == 1)
        #expect(outcome.errorText.contains("No space left on device"))
    }

    /// Kills one process below the command, then looks for survivors. The Sentry is started first; its first
    /// child but the Gofer is the zygote, then come stubs.
    private func killing(_ part: String) throws -> Outcome {
        try Run.host([
            "bash", "-c",
            #"""
            below() { local p; for p in $(cat /proc/$1/task/*/children 2>/dev/null); do echo $p; below $p; done; }
            "$0" -- sh -c 'sleep 1; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do /bin/true; done; echo end' &
            command=$!; sleep 0.4; all=($(below $command))
            for p in ${all[@]}; do case $(tr '\0' ' ' < /proc/$p/cmdline) in *stockade-gofer*) gofer=$p;; esac; done
            sentry=${all[0]} others=()
            for p in ${all[@]}; do case $p in $gofer|$sentry) ;; *) others+=($p);; esac; done
            zygote=${others[0]} stub=${others[1]}
            kill -KILL ${!1}; wait $command; status=$?
            for p in ${all[@]}; do [ -d /proc/$p ] && echo "left: $p"; done
            exit $status
            """#, Run.sandboxExec, part,
        ])
    }

    @Test(arguments: [("sentry", "stockade-sentry was killed"), ("zygote", "stub zygote ended"), ("gofer", "Gofer ended")])
    func deathOfAPartEndsTheSandbox(part: String, message: String) throws {
        let outcome = try killing(part)
        #expect(outcome.status == 125, "\(outcome)")
        #expect(outcome.errorText.contains(message), "\(outcome)")
        #expect(outcome.text.isEmpty, "\(outcome)")
    }

    /// The stub process of the shell, which is the first made: the program is killed, as by its own SIGKILL.
    @Test func deathOfAStubEndsItsProgramAlone() throws {
        let outcome = try killing("stub")
        #expect(outcome.status == 137, "\(outcome)")
        #expect(outcome.text.isEmpty, "\(outcome)")
    }

    @Test func deathOfTheCommandEndsEverything() throws {
        let outcome = try Run.host([
            "bash", "-c",
            #"""
            below() { local p; for p in $(cat /proc/$1/task/*/children 2>/dev/null); do echo $p; below $p; done; }
            "$0" -- sleep 100 & command=$!; sleep 0.4; all=($(below $command)); kill -KILL $command; wait $command
            for i in $(seq 100); do
                left=""; for p in ${all[@]}; do grep -qs '^State:.[^Z]' /proc/$p/status && left="$left $p"; done
                [ -z "$left" ] && break; sleep 0.02
            done
            echo "${#all[@]} processes, left:$left"
            """#, Run.sandboxExec,
        ])
        #expect(outcome.text.hasSuffix("left:\n") && !outcome.text.hasPrefix("0 "), "\(outcome)")
    }

    /// Ctrl-Z stops the whole foreground group inside, and the command with it; SIGCONT from outside continues the whole group.
    @Test func stopAndContinueReachTheWholeGroup() throws {
        let outcome = try Run.host([
            "python3", "-c",
            """
            import os, pty, signal, sys, time
            pid, master = pty.fork()
            if pid == 0: os.execv(sys.argv[1], [sys.argv[1], "--", "sh", "-c", "sleep 1; echo finished"])
            time.sleep(0.6)
            os.write(master, b"\\x1a")
            _, status = os.waitpid(pid, os.WUNTRACED)
            print("stopped" if os.WIFSTOPPED(status) else "not stopped: %d" % status)
            time.sleep(0.8)
            os.kill(pid, signal.SIGCONT)
            _, status = os.waitpid(pid, 0)
            print("finished" if b"finished" in os.read(master, 1000) else "silent", status)
            """, Run.sandboxExec,
        ])
        #expect(outcome.text == "stopped\nfinished 0\n", "\(outcome)")
    }

    @Test func scriptEndsWithItsCommand() throws {
        #expect(try Run.sandbox([], ["timeout", "20", "script", "-qec", "echo inner; exit 3", "/dev/null"]) == Outcome(output: Data("inner\r\n".utf8), errors: Data(), status: 3))
    }

    /// Attacks on the stub from inside: each gets an errno or dies, its parent and a neighbour are left alone, the Sentry goes on.
    @Test func hostileProgramsHarmNobodyElse() throws {
        for platform in Run.platforms {
            let outcome = try Run.sandbox(["--timeout", "200"], [Run.repository + "/Tests/Hostile/build/hostile"], platform: platform)
            #expect(outcome.status == 0 && outcome.text.hasSuffix("unharmed\n"), "\(platform): \(outcome)")
        }
    }
}
