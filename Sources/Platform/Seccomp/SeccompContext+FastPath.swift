import CHost
import CStub
import HostOS
import LinuxABI

/// Calls that are handed over in the thread's area (README, "The fast path").
extension SeccompContext {
    // MARK: spinning

    /// Spins for a call after an answer, while the two threads are paired. Nil: what comes next is a notification.
    func takeFastCall() -> PlatformEvent? {
        if let end = policy.willAnswer(at: chost_cycles(), isCrowded: platform.fastPath?.isCrowded ?? false) { part(end) }
        guard isServed else { return nil }
        if !policy.isPaired {
            // The pair has ended while the call was served.
        } else if !isAwaited {
            switch unsafe chost_fast_wait(thread.area.memory, thread.listener, policy.patience, &taken) {
            case Int32(CHOST_FAST_TAKEN): return fastCall()
            // A fault, a trapped call, a call from a place that is not patched: it is there or comes at once, and the pair stays.
            case Int32(CHOST_FAST_NOTIFIED): break
            case Int32(CHOST_FAST_PREEMPTED): if policy.isDear(at: chost_cycles()) { part(.contended) }
            default: part()
            }
        } else {
            // The call took long, or the host had something else to do.
            part(.longCall)
        }
        isServed = false
        return unsafe chost_fast_stop(thread.area.memory, &taken) != 0 ? fastCall() : nil
    }

    func serve() {
        guard !isServed else { return }
        isServed = true
        thread.serve()
    }

    private func fastCall() -> PlatformEvent {
        state = .inFastCall
        isLoaded = false
        policy.tookCall(at: chost_cycles())
        let a = taken.arguments
        return .systemCall(number: taken.number, SystemCallArguments(a.0, a.1, a.2, a.3, a.4, a.5))
    }

    /// A plain call came by notification: patches its site when it comes often, and pairs the threads when its like follow one
    /// another.
    func countCall() {
        let isPatched = call.instruction_pointer &- UInt64(CSTUB_SITES) < UInt64(CSTUB_SITES_SIZE)
        if !isPatched && calls.isOften(call.instruction_pointer) {
            sites?.patch(returnAddress: call.instruction_pointer, number: UInt64(bitPattern: call.number))
        }
        if policy.isPaired {
            if !isPatched, !Self.changesMappings(call.number), policy.sawDear() { part() }
        } else if let fastPath = platform.fastPath,
            policy.sawCall(patched: isPatched || Self.changesMappings(call.number), at: chost_cycles()), fastPath.takePair()
        {
            policy.paired(at: chost_cycles())
            let cpu = chost_current_cpu()
            if chost_bind_to_cpu(thread.id, cpu) == 0 { _ = chost_leave_cpu(cpu) }
        }
    }

    /// mmap, mprotect, munmap, brk, mremap, madvise: the manager thread does most of the work, on the task thread's processor in either case.
    private static func changesMappings(_ number: Int64) -> Bool {
        switch number {
        case 9...12, 25, 28: true
        default: false
        }
    }

    func part(_ end: SpinPolicy.End = .quiet) {
        guard policy.isPaired else { return }
        chost_unbind(thread.id)
        platform.fastPath?.returnPair()
        policy.parted(end, at: chost_cycles())
    }

    /// The task thread sleeps: the guest thread must not spin for it.
    func stopSpinning() {
        policy.sawAnother()
        if state == .inFastCall { thread.blockFastCall() }
        part()
    }

    /// Whether the present notification is that of a guest thread which waits for the result of a call that was taken.
    var isWait: Bool { call.number == Int64(CSTUB_WAIT) && call.instruction_pointer == FastPath.labels.wait_site }
    /// The result is in the area.
    func answerWait() -> Bool {
        isAwaited = false
        return chost_notify_answer(thread.listener, call.id, 0) != Int32(CHOST_NOTIFY_GONE)
    }

    // MARK: doorbells in the stub's code

    /// As goToDoorbell, for a call that was taken from the area: its thread spins in the stub's code, or waits in the host.
    func takeBackFastCall() {
        kick.send()
        repeat {
            guard unsafe chost_notify_receive_within(thread.listener, Self.kickPatience, &call) == Int32(CHOST_NOTIFY_OK),
                isWait || isOwnDoorbell
            else {
                _ = exited()
                return
            }
        } while isWait
        arriveAtDoorbell()
        if !normalise(finishing: UInt64(bitPattern: -Int64(Errno.ENOSYS.rawValue))) { _ = exited() }
    }

    /// What a doorbell means that was rung in the stub's own code, or at a patched site. Nil: what it means anywhere else.
    func fastEvent(_ signal: Int32) -> PlatformEvent? {
        trappedAt = nil
        let rip = thread.instructionPointer
        if signal == Signal.SIGILL.rawValue, let site = sites?.site(withCallAt: rip) {
            // Somebody came to the old `syscall` instruction by another way than through the one before it.
            load()
            steppedTo = nil
            enter(site, values.flags)
            isDirty = true
            if values.flags & Self.trapFlag != 0 { steppedTo = values.rip }
            return .systemCall(number: UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: values.rax))), SystemCallArguments(values))
        }
        guard isInStub(rip) else { return nil }
        guard normalise(stepping: signal == Signal.SIGTRAP.rawValue || signal == Signal.SIGSEGV.rawValue) else { return exited() }
        guard values.rip != rip else { return nil }
        if signal == Signal.SIGTRAP.rawValue { trappedAt = values.rip }
        // The area was not where GS base says: the call goes on without it.
        return signal == Signal.SIGSEGV.rawValue ? .interrupted : nil
    }

    /// What a processor that steps raises behind an instruction.
    static func step(to address: UInt64) -> SignalInfo {
        var info = SignalInfo(.SIGTRAP, code: 2)  // TRAP_TRACE
        info.address = GuestAddress(address)
        return info
    }
    private static let trapFlag: UInt64 = 0x100

    private func isInStub(_ address: UInt64) -> Bool {
        let labels = FastPath.labels
        return address &- UInt64(CSTUB_SITES) < UInt64(CSTUB_SITES_SIZE) || (address >= labels.entry && address < labels.end)
    }

    /// RIP, RCX and R11 as `syscall` leaves them.
    private func enter(_ site: CallSite, _ flags: UInt64) {
        values.rip = site.returnAddress
        values.rcx = site.returnAddress
        values.r11 = flags
    }

    /// Gives a thread that rang in the middle of a patched call the registers that it would have without the patch: at the site if
    /// its call has not been taken, behind it if it has its result.
    ///
    /// `value`: the result of the call that was taken and is unanswered. `stepping`: the call must not begin anew, but go on in
    /// another way.
    /// - Returns: false for what cannot be.
    func normalise(finishing value: UInt64? = nil, stepping: Bool = false) -> Bool {
        guard let sites else { return true }
        let rip = thread.instructionPointer
        let labels = FastPath.labels
        guard isInStub(rip) else { return value == nil }
        load()
        let flags: UInt64
        var block = values.r11
        switch rip {
        case labels.entry..<labels.saved, labels.restored..<labels.end: flags = values.flags
        case labels.saved..<labels.posted, labels.slow..<labels.overflow: flags = Self.flags(values.flags, saved: values.rax)
        case labels.overflow..<labels.restored: flags = Self.flags(values.flags, saved: values.rax) & ~0x800 | values.flags & 0x800
        case labels.posted..<labels.slow:
            flags = Self.flags(values.flags, saved: UInt64(thread.fastFlags))
            block = thread.fastBlock
            if let value {
                guard let site = sites.site(ofBlockAt: taken.block) else { return false }
                return finish(site, flags, value)
            }
            let state = thread.fastState
            if state == CSTUB_FAST_DONE || rip >= labels.done {
                guard let site = sites.site(ofBlockAt: taken.block) else { return false }
                return finish(site, flags, answeredWith)
            }
            // Posted: nobody else takes it, so it is taken back. Idle: the guest thread has done so.
            guard state == CSTUB_FAST_POSTED && thread.withdrawFastCall() || state == CSTUB_FAST_IDLE else { return false }
        default:
            flags = values.flags
            block = rip
        }
        guard value == nil else { return false }
        // A guest that jumped here with registers of its own stays where it is.
        guard let site = sites.site(ofBlockAt: block) else { return true }
        if block == rip {
            switch block % UInt64(CSTUB_BLOCK_SIZE) {
            case UInt64(CSTUB_BLOCK_ENTRY)..<UInt64(CSTUB_BLOCK_SLOW_SITE): break
            case UInt64(CSTUB_BLOCK_SLOW_SITE): return finish(site, flags, values.rax)
            default: return true
            }
        }
        values.rip = stepping ? site.callAddress : site.address
        values.rax = UInt64(site.number)
        values.flags = flags
        isDirty = true
        return true
    }

    private func finish(_ site: CallSite, _ flags: UInt64, _ value: UInt64) -> Bool {
        values.flags = flags
        enter(site, flags)
        values.rax = value
        isDirty = true
        thread.setFastIdle()
        return true
    }

    /// What LAHF and SETO put into AX, in their places.
    private static func flags(_ flags: UInt64, saved ax: UInt64) -> UInt64 {
        flags & ~0x8d5 | ax >> 8 & 0xd5 | (ax & 1) << 11
    }
}
