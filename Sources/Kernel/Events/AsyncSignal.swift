import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// Signals a description's owner when its file becomes ready: O_ASYNC of fcntl(2), Linux's fasync.
///
/// Events come with wait queues locked, where no signal may be sent: the timer thread sends it. So the signal may come a moment
/// after the call that caused it, where Linux sends it within that call.
public final class AsyncSignal: WaitObserver, DescriptionObserver {
    private weak let description: FileDescription?
    private let operations: any FileOperations
    private let descriptor: Int32
    private let kernel: SandboxKernel
    private let pending = Atomic<UInt32>(0)
    private let registration = Mutex<(entry: WaitEntry, timer: TimerService.Timer)?>(nil)

    private init(_ description: FileDescription, descriptor: Int32, kernel: SandboxKernel) {
        self.description = description
        self.descriptor = descriptor
        self.kernel = kernel
        operations = description.operations
    }

    /// O_ASYNC of `description` was set or cleared through `descriptor`.
    public static func set(_ isOn: Bool, on description: FileDescription, descriptor: Int32, kernel: SandboxKernel) {
        guard description.operations.isPollable else { return }
        let fresh = isOn ? AsyncSignal(description, descriptor: descriptor, kernel: kernel) : nil
        let old = description.asyncSender.withLock { sender -> (any AnyObject & Sendable)? in
            defer { sender = fresh }
            return sender
        }
        (old as? AsyncSignal)?.detach()
        fresh?.attach(description)
    }

    private func attach(_ description: FileDescription) {
        var events: PollEvents = []
        if description.isReadable { events.formUnion(.allReadable.union(.readHangUp)) }
        if description.isWritable { events.formUnion(.allWritable) }
        let entry = WaitEntry(events: events, observer: self)
        let timer = kernel.timers.makeTimer { [weak self] in self?.send() }
        registration.withLock { $0 = (entry, timer) }
        description.addObserver(self)
        operations.addWaiter(entry)
    }

    private func detach() {
        guard let (entry, timer) = registration.withLock({ $0.take() }) else { return }
        operations.removeWaiter(entry)
        kernel.timers.set(timer, nil)
        description?.removeObserver(self)
    }

    public func descriptionReleased() { detach() }

    public func notified(_ events: PollEvents) {
        pending.bitwiseOr(events.rawValue, ordering: .acquiringAndReleasing)
        // The timer service's lock comes after every other.
        if let timer = registration.withLock({ $0?.timer }) { kernel.timers.set(timer, .now) }
    }

    // MARK: sending

    private func send() {
        let events = PollEvents(rawValue: pending.exchange(0, ordering: .acquiringAndReleasing))
        guard !events.isEmpty, let owner = description?.asyncOwner.withLock({ $0 }) else { return }
        Self.tell(owner, Self.info(events, signal: owner.signal, descriptor: descriptor), kernel)
    }

    /// Sends to whoever owns a description.
    static func tell(_ owner: AsyncOwner, _ info: SignalInfo, _ kernel: SandboxKernel) {
        switch owner.kind {
        case .none: return
        case .thread(let id):
            guard let task = kernel.processes.task(id) else { return }
            send(info, to: task.threadGroup, task, owner)
        case .process(let id):
            guard let group = kernel.processes.threadGroup(id) else { return }
            send(info, to: group, nil, owner)
        case .processGroup(let id):
            for group in kernel.processes.processGroup(id)?.threadGroups ?? [] { send(info, to: group, nil, owner) }
        }
    }

    private static func send(_ info: SignalInfo, to group: ThreadGroup, _ task: Task?, _ owner: AsyncOwner) {
        // sigio_perm: whoever set the owner must have been allowed to signal it.
        guard let target = (task ?? group.tasks.first)?.credentials else { return }
        let ids = [target.realUID, target.savedUID]
        guard owner.effectiveUID == 0 || ids.contains(owner.effectiveUID) || ids.contains(owner.realUID) else { return }
        // With the queue full, Linux falls back to a SIGIO without information.
        do throws(Errno) {
            try group.send(info, to: task, options: [])
        } catch {
            try? group.send(SignalInfo(.SIGIO, code: SignalInfo.SI_KERNEL), to: task, options: .kernel)
        }
    }

    /// POLL_MSG, of what is no reading or writing.
    static func message(signal: Int32, descriptor: Int32) -> SignalInfo {
        guard let chosen = Signal(rawValue: signal) else { return SignalInfo(.SIGIO, code: SignalInfo.SI_KERNEL) }
        let (code, band): (Int32, UInt32) = (3, 0x1 | 0x40 | 0x400)
        var info = SignalInfo(chosen, code: code)
        info.setFile(descriptor, band: band)
        return info
    }

    /// send_sigio_to_task: only a signal that F_SETSIG chose tells what happened and where.
    private static func info(_ events: PollEvents, signal: Int32, descriptor: Int32) -> SignalInfo {
        guard let chosen = Signal(rawValue: signal) else { return SignalInfo(.SIGIO, code: SignalInfo.SI_KERNEL) }
        let (pollIn, pollOut): (Int32, Int32) = (1, 2)
        let isReadable = !events.isDisjoint(with: .allReadable.union(.hangUp))
        var info = SignalInfo(chosen, code: isReadable ? pollIn : pollOut)
        let band: PollEvents = isReadable ? [.readable, .readNormal] : [.writable, .writeNormal, .writeBand]
        info.setFile(descriptor, band: band.rawValue)
        return info
    }
}
