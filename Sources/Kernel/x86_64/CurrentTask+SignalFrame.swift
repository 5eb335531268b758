import LinuxABI
import Memory

extension CurrentTask {
    /// Pushes a frame for `signal` and points `registers` at its handler. On a throw nothing has changed but guest memory.
    /// - Throws: EFAULT when the frame cannot be written, or the action names no restorer.
    func pushSignalFrame(
        _ signal: Signal, _ info: SignalInfo, _ action: SignalAction, mask: SignalSet, _ registers: inout RegisterFile
    ) throws(Errno) {
        guard action.has(.restorer) else { throw .EFAULT }

        // Below the red zone of the interrupted function (System V ABI, 3.2.2).
        var sp = registers.rsp &- 128
        let wasOnAlternate = alternateStack.contains(registers.rsp)
        var entersAlternate = false
        if action.has(.onStack) && alternateStack.state(sp) == 0 {
            sp = alternateStack.base.rawValue &+ alternateStack.size
            entersAlternate = true
        }
        let state = SignalFrame.describe(context.extendedState())
        let hasExtendedState = state.count > SignalFrame.minimumSize
        sp = (sp &- UInt64(state.count)) & ~63
        let stateAddress = sp
        sp = ((sp &- UInt64(SignalFrame.count * 8)) & ~15) &- 8
        // A frame that would overflow the alternate stack kills rather than corrupts.
        if wasOnAlternate || entersAlternate {
            let offset = sp &- alternateStack.base.rawValue
            guard sp > alternateStack.base.rawValue, offset <= alternateStack.size else { throw .EFAULT }
        }
        try memory.copyOut(state, to: GuestAddress(stateAddress))

        var w = [UInt64](repeating: 0, count: SignalFrame.countWithoutInfo)
        w[SignalFrame.Word.returnAddress] = action.restorer
        w[SignalFrame.Word.contextFlags] =
            SignalFrame.savesStackSegment | SignalFrame.strictStackSegment | (hasExtendedState ? SignalFrame.hasExtendedState : 0)
        w[SignalFrame.Word.stackBase] = alternateStack.base.rawValue
        w[SignalFrame.Word.stackFlags] = UInt64(UInt32(bitPattern: alternateStack.flags))
        w[SignalFrame.Word.stackSize] = alternateStack.size
        SignalFrame.store(registers, into: &w)
        w[SignalFrame.Word.error] = trap.error
        w[SignalFrame.Word.trap] = trap.number
        w[SignalFrame.Word.oldMask] = mask.rawValue
        w[SignalFrame.Word.faultAddress] = trap.address
        w[SignalFrame.Word.extendedState] = stateAddress
        w[SignalFrame.Word.mask] = mask.rawValue
        if action.has(.information) { w += SignalFrame.words(of: info) }
        try memory.storeArray(w, at: GuestAddress(sp))

        registers.rdi = UInt64(signal.rawValue)
        registers.rax = 0
        registers.rsi = sp &+ UInt64(SignalFrame.Word.info * 8)
        registers.rdx = sp &+ UInt64(SignalFrame.Word.contextFlags * 8)
        registers.rip = action.handler
        registers.rsp = sp
        registers.cs = SignalFrame.codeSegment
        registers.ss = SignalFrame.dataSegment
        registers.flags &= ~SignalFrame.clearedFlags
        registers.originalRAX = .max
    }

    /// rt_sigreturn(2). A frame that cannot be read or loaded raises SIGSEGV.
    public func returnFromSignal() {
        var registers = context.registers
        let frame = GuestAddress(registers.rsp &- 8)
        do {
            let w = try memory.loadArray(UInt64.self, at: frame, count: SignalFrame.countWithoutInfo)
            setBlockedSignals(SignalSet(rawValue: w[SignalFrame.Word.mask]))
            let segments = w[SignalFrame.Word.segments]
            // Only 64-bit code runs here; where Linux would fault on a bad selector, this does at once.
            guard segments & 0xffff | 3 == SignalFrame.codeSegment else { throw Errno.EFAULT }
            SignalFrame.load(w, into: &registers)
            registers.cs = SignalFrame.codeSegment
            registers.ss = SignalFrame.dataSegment
            registers.originalRAX = .max
            context.registers = registers
            replacedRegisters = true
            try restoreExtendedState(w[SignalFrame.Word.extendedState])

            var stack = SignalStack()
            stack.base = GuestAddress(w[SignalFrame.Word.stackBase])
            stack.flags = Int32(truncatingIfNeeded: w[SignalFrame.Word.stackFlags])
            stack.size = w[SignalFrame.Word.stackSize]
            // As Linux: an invalid stack in the frame is ignored.
            _ = try? setAlternateStack(stack, stackPointer: registers.rsp)
        } catch {
            force(SignalInfo(.SIGSEGV, code: SignalInfo.SI_KERNEL))
        }
    }

    /// Loads the x87, SSE and AVX state that a frame points at; null clears it.
    private func restoreExtendedState(_ pointer: UInt64) throws(Errno) {
        if pointer == 0 {
            context.resetExtendedState()
            return
        }
        let address = GuestAddress(pointer)
        let own = context.extendedState().count
        var legacy = try memory.copyIn(address, count: SignalFrame.legacySize)
        let size = Int(SignalFrame.word(legacy, SignalFrame.softwareBytes + 16))
        let extended = Int(SignalFrame.word(legacy, SignalFrame.softwareBytes + 4))
        var isComplete = false
        if SignalFrame.word(legacy, SignalFrame.softwareBytes) == SignalFrame.magic1, size >= SignalFrame.minimumSize, size <= own,
            size <= extended
        {
            let magic = try memory.load(UInt32.self, at: address + UInt64(size))
            isComplete = magic == SignalFrame.magic2
        }
        if isComplete {
            var image = try memory.copyIn(address, count: size)
            for index in SignalFrame.softwareBytes..<SignalFrame.legacySize { image[index] = 0 }
            if size < own { image += [UInt8](repeating: 0, count: own - size) }
            try context.setExtendedState(image)
        } else {
            // Only the FXSAVE part is valid: the other components go back to their initial state.
            for index in SignalFrame.softwareBytes..<SignalFrame.legacySize { legacy[index] = 0 }
            var image = legacy
            if own > SignalFrame.legacySize {
                image += [UInt8](repeating: 0, count: own - SignalFrame.legacySize)
                image[SignalFrame.legacySize] = 3  // XSTATE_BV: x87 and SSE
            }
            try context.setExtendedState(image)
        }
    }
}
