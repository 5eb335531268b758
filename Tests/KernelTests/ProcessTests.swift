import LinuxABI
import Testing

@testable import Kernel

/// Processes and their ends, with a scripted guest.
@Suite struct ProcessTests {
    @Test func statusOfInitIsReturned() throws {
        let result = try Sandbox([.call(Call.exitGroup, 7)]).run()
        #expect(result.status == .exited(7))
    }

    @Test func parentSeesTheStatusOfItsChild() throws {
        let result = try Sandbox([
            .call(Call.fork),  // 0
            .jump(6) { $0.rax == 0 },
            .note("pid"),
            .call(Call.wait4, .max, Sandbox.data, 0, 0),
            .note("waited"),
            .call(Call.exitGroup, 0),
            .call(Call.getpid),  // 6
            .note("own"),
            .call(Call.exitGroup, 3),
        ]).run()
        #expect(Set(result.log) == ["pid=2", "own=2", "waited=2"])
        #expect(result.status == .exited(0))
    }

    /// The guest gets what Linux's fork gives; whoever runs the sandbox learns once what the host refused.
    @Test func refusalOfTheHostIsReportedOnce() throws {
        let sandbox = try Sandbox(
            [.call(Call.fork), .note("first"), .call(Call.fork), .note("second"), .call(Call.exitGroup, 0)], contextLimit: 1)
        let result = try sandbox.run()
        #expect(result.log == ["first=-11", "second=-11"])
        #expect(result.status == .exited(0))
        let lines = sandbox.reports.lines.withLock { $0 }
        #expect(lines.count == 1)
        #expect(lines.allSatisfy { $0.contains("EMFILE") && $0.contains("ulimit -n") })
    }

    @Test func waitingWithoutChildrenFails() throws {
        let result = try Sandbox([.call(Call.wait4, .max), .note("wait"), .call(Call.exitGroup, 0)]).run()
        #expect(result.log == ["wait=-10"])
    }

    @Test func vforkParentContinuesAfterTheChild() throws {
        let result = try Sandbox([
            .call(Call.vfork),
            .jump(4) { $0.rax == 0 },
            .note("parent"),
            .call(Call.exitGroup, 0),
            .note("child"),  // 4
            .call(Call.exitGroup, 0),
        ]).run()
        #expect(result.log == ["child=0", "parent=2"])
    }

    @Test func orphanIsAdoptedByInit() throws {
        let result = try Sandbox([
            .call(Call.fork),  // 0
            .jump(6) { $0.rax == 0 },
            .call(Call.wait4, 2, 0, 0, 0),
            .call(Call.wait4, .max, 0, 0, 0),
            .note("adopted"),
            .call(Call.exitGroup, 0),
            .call(Call.fork),  // 6: the child
            .jump(9) { $0.rax == 0 },
            .call(Call.exitGroup, 0),
            .call(Call.getppid),  // 9: the grandchild
            .jump(9) { $0.rax != 1 },
            .call(Call.exitGroup, 0),
        ]).run()
        #expect(result.log == ["adopted=3"])
    }

    @Test func computingChildIsKilled() throws {
        let result = try Sandbox([
            .call(Call.fork),  // 0
            .jump(7) { $0.rax == 0 },
            .keep,
            .call(Call.kill) { r in SystemCallArguments(r.rbx, 9) },
            .call(Call.wait4) { r in SystemCallArguments(r.rbx, Sandbox.data, 0, 0) },
            .note("waited"),
            .call(Call.exitGroup, 0),
            .spin,  // 7
        ]).run()
        #expect(result.log == ["waited=2"])
    }

    @Test func initTakesAllOthersWithIt() throws {
        let result = try Sandbox([
            .call(Call.fork),
            .jump(3) { $0.rax == 0 },
            .call(Call.exitGroup, 5),
            .spin,
        ]).run()
        #expect(result.status == .exited(5))
    }

    @Test func exitGroupEndsComputingThreads() throws {
        // CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD
        let result = try Sandbox([
            .call(Call.clone, 0x10f00, Sandbox.data + 0x8000, 0, 0),
            .jump(4) { $0.rax == 0 },
            .note("thread"),
            .call(Call.exitGroup, 9),
            .spin,
        ]).run()
        #expect(result.log == ["thread=2"])
        #expect(result.status == .exited(9))
    }

    @Test func cloneRefusesInconsistentFlags() throws {
        let result = try Sandbox([
            .call(Call.clone, 0x10000),  // CLONE_THREAD alone
            .note("thread"),
            .call(Call.clone, 0x800),  // CLONE_SIGHAND without CLONE_VM
            .note("handlers"),
            .call(Call.clone, 0x1000_0200),  // CLONE_NEWUSER with CLONE_FS
            .note("user"),
            .call(Call.exitGroup, 0),
        ]).run()
        #expect(result.log == ["thread=-22", "handlers=-22", "user=-22"])
    }

    @Test func processGroupsAndSessionsFollowTheirRules() throws {
        let result = try Sandbox([
            .call(Call.setsid),
            .note("leader"),  // init is a session leader already
            .call(Call.setpgid, 0, 0),
            .note("setpgid"),
            .call(Call.fork),  // 4
            .jump(9) { $0.rax == 0 },
            .call(Call.wait4, .max, 0, 0, 0),
            .call(Call.exitGroup, 0),
            .spin,
            .call(Call.setpgid, 0, 77),  // 9: no such group
            .note("unknown"),
            .call(Call.setsid),
            .note("session"),
            .call(Call.setpgid, 0, 0),
            .note("own"),
            .call(Call.exitGroup, 0),
        ]).run()
        #expect(result.log == ["leader=-1", "setpgid=-1", "unknown=-1", "session=2", "own=-1"])
    }

    @Test func stoppedAndContinuedChildrenAreReported() throws {
        let result = try Sandbox([
            .call(Call.fork),  // 0
            .jump(14) { $0.rax == 0 },
            .keep,
            .call(Call.kill) { r in SystemCallArguments(r.rbx, 19) },
            .call(Call.wait4) { r in SystemCallArguments(r.rbx, Sandbox.data, 2, 0) },  // WUNTRACED
            .note("stopped"),
            .call(Call.wait4) { r in SystemCallArguments(r.rbx, Sandbox.data, 3, 0) },  // WNOHANG too: reported once
            .note("again"),
            .call(Call.kill) { r in SystemCallArguments(r.rbx, 18) },
            .call(Call.wait4) { r in SystemCallArguments(r.rbx, Sandbox.data, 8, 0) },  // WCONTINUED
            .note("continued"),
            .call(Call.kill) { r in SystemCallArguments(r.rbx, 9) },
            .call(Call.wait4) { r in SystemCallArguments(r.rbx, Sandbox.data, 0, 0) },
            .call(Call.exitGroup, 0),
            .spin,  // 14
        ]).run()
        #expect(result.log == ["stopped=2", "again=0", "continued=2"])
    }
}
