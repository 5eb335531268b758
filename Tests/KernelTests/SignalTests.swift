import LinuxABI
import Synchronization
import Testing

@testable import Kernel

/// Delivery of signals to a scripted guest.
@Suite struct SignalTests {
    private static let restart = SignalAction.Flags.restart.rawValue
    private static let information = SignalAction.Flags.information.rawValue

    /// A parent that waits for its child with a handler for SIGUSR1, which the child sends before it goes on.
    private func waitInterrupted(flags: UInt64) throws -> [String] {
        let sandbox = try Sandbox([
            .call(Call.sigaction, 10, Sandbox.data, 0, 8),  // 0
            .call(Call.fork),
            .jump(6) { $0.rax == 0 },
            .call(Call.wait4, .max, 0, 0, 0),
            .note("wait"),
            .call(Call.exitGroup, 0),
            .jump(6) { _ in SignalTests.initIsAwake() },  // 6: the child, once its parent waits
            .call(Call.kill, 1, 10),
            .call(Call.kill, 1, 0),
            .jump(8) { _ in SignalTests.handlerHasNotRun() },
            .call(Call.exitGroup, 0),
            .note("handler") { $0.rdi },  // 11
            .set { _ in SignalTests.noteHandler() },
            .set { r in
                // `ret`: to the restorer, with the return address taken off the stack.
                r.rip = ScriptedPlatform.address(ofStep: 14)
                r.rsp &+= 8
            },
            .call(Call.sigreturn),  // 14
        ])
        Self.kernel.withLock { $0 = sandbox.kernel }
        defer { Self.kernel.withLock { $0 = nil } }
        return try sandbox.run { memory in
            SignalTests.handlerRan.set(false)
            try Sandbox.storeAction(memory, at: Sandbox.data, handlerStep: 11, flags: flags, restorerStep: 14)
        }.log
    }
    static let kernel = Mutex<SandboxKernel?>(nil)
    static func initIsAwake() -> Bool {
        guard case .sleeping = kernel.withLock({ $0 })?.processes.task(1)?.runState else { return true }
        return false
    }
    static let handlerRan = Flag()
    static func noteHandler() { handlerRan.set(true) }
    static func handlerHasNotRun() -> Bool { !handlerRan.isSet }

    @Test func interruptedCallsRestartOrFailAsTheActionSays() throws {
        #expect(try waitInterrupted(flags: Self.restart) == ["handler=10", "wait=2"])
        #expect(try waitInterrupted(flags: 0) == ["handler=10", "wait=-4"])
    }

    @Test func sigreturnRestoresRegisters() throws {
        let result = try Sandbox([
            .call(Call.sigaction, 12, Sandbox.data, 0, 8),  // 0
            .set { r in
                r.rbx = 11
                r.r15 = 15
            },
            .call(Call.kill, 1, 12),
            .note("rax"),
            .note("rbx") { $0.rbx },
            .note("r15") { $0.r15 },
            .note("sp") { $0.rsp &- Sandbox.stack },
            .call(Call.exitGroup, 0),
            .note("aligned") { ($0.rsp &+ 8) % 16 },  // 8: the handler
            .note("red zone") { Sandbox.stack - $0.rsp >= 128 + 440 ? 1 : 0 },
            .note("info") { $0.rsi &- $0.rsp },
            .note("context") { $0.rdx &- $0.rsp },
            .set { r in
                r.rbx = 0
                r.r15 = 0
                r.rip = ScriptedPlatform.address(ofStep: 13)
                r.rsp &+= 8
            },
            .call(Call.sigreturn),
        ]).run { memory in
            try Sandbox.storeAction(memory, at: Sandbox.data, handlerStep: 8, flags: Self.information, restorerStep: 13)
        }
        #expect(
            result.log == ["aligned=0", "red zone=1", "info=312", "context=8", "rax=0", "rbx=11", "r15=15", "sp=0"])
    }

    @Test func faultWithoutHandlerKillsEvenInit() throws {
        let result = try Sandbox([.fault(0xdead_0000)]).run()
        #expect(result.status == .killed(.SIGSEGV))
    }

    @Test func faultInHandlerOfABlockedSignalKills() throws {
        let result = try Sandbox([
            .call(Call.sigaction, 11, Sandbox.data, 0, 8),
            .fault(0xdead_0000),
            .fault(0xdead_0000),  // 2: the handler, with SIGSEGV blocked
        ]).run { memory in
            try Sandbox.storeAction(memory, at: Sandbox.data, handlerStep: 2, flags: 0, restorerStep: 2)
        }
        #expect(result.status == .killed(.SIGSEGV))
    }

    @Test func hostileFrameIsASegmentationFault() throws {
        let result = try Sandbox([
            .set { $0.rsp = 0x10 },
            .call(Call.sigreturn),
        ]).run()
        #expect(result.status == .killed(.SIGSEGV))
    }

    @Test func initIgnoresOtherProcessesSignalsWithoutHandler() throws {
        let result = try Sandbox([
            .call(Call.fork),
            .jump(4) { $0.rax == 0 },
            .call(Call.wait4, .max, 0, 0, 0),
            .call(Call.exitGroup, 4),
            .call(Call.kill, 1, 15),
            .call(Call.kill, 1, 9),
            .call(Call.exitGroup, 0),
        ]).run()
        #expect(result.status == .exited(4))
    }

    @Test func initEndsOfItsOwnSignalAndOfThoseFromOutside() throws {
        #expect(try Sandbox([.call(Call.kill, 1, 6), .spin]).run().status == .killed(.SIGABRT))
        let sandbox = try Sandbox([.spin])
        try sandbox.start()
        sandbox.kernel.sendFromOutside(.SIGTERM)
        #expect(sandbox.kernel.waitForExit() == .killed(.SIGTERM))
    }

    @Test func ignoredChildSignalReapsChildren() throws {
        let result = try Sandbox([
            .call(Call.sigaction, 17, Sandbox.data, 0, 8),
            .call(Call.fork),
            .jump(6) { $0.rax == 0 },
            .call(Call.wait4, .max, 0, 0, 0),
            .note("wait"),
            .call(Call.exitGroup, 0),
            .call(Call.exitGroup, 1),
        ]).run { memory in
            var action = SignalAction()
            action.handler = SignalAction.ignoreHandler
            try memory.store(action, at: GuestAddress(Sandbox.data))
        }
        #expect(result.log == ["wait=-10"])
    }
}
