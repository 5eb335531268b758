import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// signalfd(2): pending signals of a mask as a readable file. Reads take signals of the reading task. Readiness, which has no caller,
/// goes by the task that last polled or registered the file, as the wait queue that Linux registers on is that task's.
public final class SignalFile: FileOperations {
    private struct State {
        var mask: SignalSet
        var owner: Task
        var registrations: [(entry: WaitEntry, queue: WaitQueue)] = []
    }
    private let state: Mutex<State>

    public init(mask: SignalSet, owner: CurrentTask) {
        state = Mutex(State(mask: mask, owner: owner.task))
    }

    /// Makes `current` the task whose signals readiness tells of: before it polls or registers the file.
    public func adopt(_ current: CurrentTask) {
        state.withLock { $0.owner = current.task }
    }

    /// signalfd(2) on an existing descriptor.
    public func setMask(_ mask: SignalSet, for current: CurrentTask) {
        state.withLock { $0.mask = mask }
        current.threadGroup.signalEvents.notify(.allReadable)
    }

    /// Reads as many `signalfd_siginfo` records as there are signals and room.
    /// - Throws: EINVAL for a short buffer, EAGAIN without a signal.
    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        let size = MemoryLayout<SignalFDInfo>.size
        guard buffer.remaining >= size, let current = caller as? CurrentTask else { throw .EINVAL }
        adopt(current)
        let mask = state.withLock { $0.mask }
        var total = 0
        while buffer.remaining >= size, let info = current.dequeueSignal(mask) {
            do throws(Errno) {
                try buffer.put(value: SignalFDInfo(info))
            } catch {
                if total > 0 { return total }
                throw error
            }
            total += size
        }
        if total == 0 { throw .EAGAIN }
        return total
    }

    public func readiness() -> PollEvents {
        let (mask, owner) = state.withLock { ($0.mask, $0.owner) }
        let pending = owner.threadGroup.pendingSignals.union(owner.pendingSignals)
        return pending.isDisjoint(with: mask) ? [] : .allReadable
    }

    public func addWaiter(_ entry: WaitEntry) {
        let queue = state.withLock { s -> WaitQueue in
            let queue = s.owner.threadGroup.signalEvents
            s.registrations.append((entry, queue))
            return queue
        }
        queue.add(entry)
    }
    public func removeWaiter(_ entry: WaitEntry) {
        let queue = state.withLock { s -> WaitQueue? in
            guard let index = s.registrations.firstIndex(where: { $0.entry === entry }) else { return nil }
            return s.registrations.remove(at: index).queue
        }
        queue?.remove(entry)
    }
    /// lseek(2) succeeds and does nothing (noop_llseek).
    public func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 { current }
    public var isPollable: Bool { true }

    public var descriptionInfo: String {
        "sigmask:\t\(Hexadecimal.padded(state.withLock { $0.mask.rawValue }, width: 16, with: "0"))\n"
    }
}
