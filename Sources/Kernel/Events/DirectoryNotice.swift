import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// Signals a description's owner when something happens in its directory: F_NOTIFY of fcntl(2), Linux's dnotify.
///
/// As with `AsyncSignal`, the timer thread sends the signal: events come with directory locks held.
public final class DirectoryNotice: WatchListener, DescriptionObserver {
    /// DN_MULTISHOT: the notice stays after the first signal.
    private static let stays: UInt32 = 0x8000_0000

    private struct State: Sendable {
        var requested: UInt32
        var descriptor: Int32
        var watch: FileWatch?
        var timer: TimerService.Timer?
    }
    private weak let description: FileDescription?
    private let kernel: SandboxKernel
    private let state: Mutex<State>
    private let pending = Atomic<Int>(0)
    /// Notices by the description they are of.
    private static let all = Mutex<[ObjectIdentifier: DirectoryNotice]>([:])

    private init(_ description: FileDescription, requested: UInt32, descriptor: Int32, kernel: SandboxKernel) {
        self.description = description
        self.kernel = kernel
        state = Mutex(State(requested: requested, descriptor: descriptor))
    }

    /// F_NOTIFY: asks for more of DN_*, or with none of them for no more notices. - Throws: ENOTDIR.
    public static func request(_ bits: UInt32, on description: FileDescription, descriptor: Int32, _ current: CurrentTask) throws(Errno) {
        if bits & ~stays == 0 {
            all.withLock { $0[ObjectIdentifier(description)] }?.detach()
            return
        }
        guard description.type == .directory, let place = description.path else { throw .ENOTDIR }
        let credentials = current.credentials
        description.asyncOwner.withLock { owner in
            guard case .none = owner.kind else { return }
            owner.kind = .process(current.threadGroup.id)
            owner.realUID = credentials.realUID
            owner.effectiveUID = credentials.effectiveUID
        }
        let id = ObjectIdentifier(description)
        let (notice, isNew) = all.withLock { all -> (DirectoryNotice, Bool) in
            if let old = all[id] { return (old, false) }
            let new = DirectoryNotice(description, requested: 0, descriptor: descriptor, kernel: current.kernel)
            all[id] = new
            return (new, true)
        }
        let requested = notice.state.withLock { state in
            state.requested |= bits
            state.descriptor = descriptor
            return state.requested
        }
        guard isNew else {
            notice.state.withLock { $0.watch }?.events = events(requested)
            return
        }
        let watch = FileWatch(descriptor: 0, place: place, events: events(requested), listener: notice)
        let timer = current.kernel.timers.makeTimer { [weak notice] in notice?.send() }
        notice.state.withLock {
            $0.watch = watch
            $0.timer = timer
        }
        description.addObserver(notice)
        watch.attach()
    }

    /// DN_* as events of the watch (convert_arg).
    private static func events(_ bits: UInt32) -> WatchEvents {
        let pairs: [(UInt32, WatchEvents)] = [
            (1, .access), (2, .modify), (4, [.create, .movedTo]), (8, [.delete, .movedFrom]), (0x10, .movedFrom), (0x20, .attributes),
        ]
        return pairs.reduce([]) { bits & $1.0 != 0 ? $0.union($1.1) : $0 }
    }

    // MARK: WatchListener

    public func happened(_ events: WatchEvents, to watch: FileWatch, name: FileName?, cookie: UInt32) {
        guard !events.isDisjoint(with: watch.events) else { return }
        // Once asked for is once told.
        let timer = state.withLock { state -> TimerService.Timer? in
            guard state.requested != 0 else { return nil }
            if state.requested & Self.stays == 0 { state.requested = 0 }
            return state.timer
        }
        guard let timer else { return }
        pending.wrappingAdd(1, ordering: .relaxed)
        kernel.timers.set(timer, .now)
    }
    public func ended(_ watch: FileWatch) { detach() }

    // MARK: sending

    private func send() {
        let count = pending.exchange(0, ordering: .acquiringAndReleasing)
        let (isOver, descriptor) = state.withLock { ($0.requested == 0, $0.descriptor) }
        if let owner = description?.asyncOwner.withLock({ $0 }) {
            for _ in 0..<count { AsyncSignal.tell(owner, AsyncSignal.message(signal: owner.signal, descriptor: descriptor), kernel) }
        }
        if isOver { detach() }
    }

    private func detach() {
        let watch = state.withLock { state in
            state.requested = 0
            defer { state.watch = nil }
            return state.watch
        }
        guard let watch else { return }
        watch.detach()
        if let description {
            description.removeObserver(self)
            Self.all.withLock { if $0[ObjectIdentifier(description)] === self { $0[ObjectIdentifier(description)] = nil } }
        }
    }

    public func descriptionReleased() {
        // The description is going: its identifier may be another's soon.
        Self.all.withLock { all in
            if let id = all.first(where: { $0.value === self })?.key { all[id] = nil }
        }
        detach()
    }
}
