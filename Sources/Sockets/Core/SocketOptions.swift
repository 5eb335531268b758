import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// Options of level SOL_SOCKET that every family has (socket(7)).
public final class SocketOptions: Sendable {
    struct State {
        var sendBuffer = SocketOptions.defaultBuffer
        var receiveBuffer = SocketOptions.defaultBuffer
        /// Nanoseconds; nil for no limit.
        var sendTimeout: Int64?
        var receiveTimeout: Int64?
        var receiveLowWater: Int32 = 1
        var linger = Linger()
        var priority: Int32 = 0
        var mark: Int32 = 0
        var flags: Set<Int32> = []
    }
    /// net.core.wmem_default and its companions.
    static let defaultBuffer = 212_992
    static let maximumBuffer = 4_194_304
    static let minimumSend = 4608
    static let minimumReceive = 2304

    let state = Mutex(State())
    /// SO_PASSCRED, looked at on every receive.
    let passesCredentials = Atomic<Bool>(false)
    /// SO_PEEK_OFF: where MSG_PEEK begins; below zero for always the front.
    let peekOffset = Atomic<Int>(-1)
    /// Bytes on their way, and SO_SNDBUF.
    let account: SendAccount

    init(waiters: WaitQueue) { account = SendAccount(limit: Self.defaultBuffer, waiters: waiters) }

    func isSet(_ name: Int32) -> Bool { state.withLock { $0.flags.contains(name) } }
    var receiveBuffer: Int { state.withLock { $0.receiveBuffer } }

    /// When a wait that begins now has to end: SO_RCVTIMEO or SO_SNDTIMEO.
    func deadline(forReading: Bool) -> MonotonicInstant? {
        let limit = state.withLock { forReading ? $0.receiveTimeout : $0.sendTimeout }
        return limit.map { .after(nanoseconds: $0) }
    }

    /// Linux's sk_peek_offset_fwd and sk_peek_offset_bwd: peeks move it on, reads back.
    func movePeekOffset(by count: Int, peek: Bool) {
        let old = peekOffset.load(ordering: .relaxed)
        if old < 0 { return }
        peekOffset.store(peek ? old + count : max(0, old - count), ordering: .relaxed)
    }

    /// Boolean options that are stored and reported; their effect, where one exists inside a sandbox, is read from here.
    private static let booleans: Set<Int32> = [
        SocketOption.debug, SocketOption.reuseAddress, SocketOption.dontRoute, SocketOption.broadcast, SocketOption.keepAlive,
        SocketOption.outOfBandInline, SocketOption.noCheck, SocketOption.reusePort, SocketOption.timestamp,
        SocketOption.timestampNanoseconds, SocketOption.passPIDFD,
        SocketOption.passSecurity, SocketOption.receiveQueueOverflow,
    ]

    /// - Throws: ENOPROTOOPT for an option that is not among the common ones.
    func set(_ name: Int32, _ value: [UInt8], caller: any Caller) throws(Errno) {
        switch name {
        case SocketOption.linger:
            guard value.count >= 8 else { throw .EINVAL }
            let linger = Linger(bytes: value)
            state.withLock { $0.linger = linger }
            return
        case SocketOption.sendTimeout, SocketOption.receiveTimeout:
            let timeout = try Self.timeout(value)
            state.withLock {
                if name == SocketOption.sendTimeout { $0.sendTimeout = timeout } else { $0.receiveTimeout = timeout }
            }
            return
        case SocketOption.bindToDevice:
            // Only the loopback device exists; there is nothing to bind to but it.
            let device = value.prefix { $0 != 0 }
            guard device.isEmpty || Array(device) == Array("lo".utf8) else { throw .ENODEV }
            return
        default: break
        }
        guard let number = Bytes.int32(value) else { throw .EINVAL }
        switch name {
        case SocketOption.sendBuffer, SocketOption.sendBufferForce:
            let forced = name == SocketOption.sendBufferForce
            if forced && !caller.credentials.has(.netAdmin) { throw .EPERM }
            setSendBuffer(number)
        case SocketOption.receiveBuffer, SocketOption.receiveBufferForce:
            let forced = name == SocketOption.receiveBufferForce
            if forced && !caller.credentials.has(.netAdmin) { throw .EPERM }
            let size = max(Self.minimumReceive, min(Int(max(number, 0)), Self.maximumBuffer) * 2)
            state.withLock { $0.receiveBuffer = size }
        case SocketOption.debug where number != 0 && !caller.credentials.has(.netAdmin): throw .EACCES
        // No filter is ever attached.
        case SocketOption.detachFilter: throw .ENOENT
        case SocketOption.passCredentials:
            passesCredentials.store(number != 0, ordering: .relaxed)
        case SocketOption.peekOffset:
            // Negative: peeks begin at the front again.
            peekOffset.store(Int(number), ordering: .relaxed)
        case SocketOption.receiveLowWater:
            state.withLock { $0.receiveLowWater = number < 0 ? Int32.max : max(1, number) }
        case SocketOption.priority:
            guard (0...6).contains(number) || caller.credentials.has(.netAdmin) else { throw .EPERM }
            state.withLock { $0.priority = number }
        case SocketOption.mark:
            guard caller.credentials.has(.netAdmin) || caller.credentials.has(.netRaw) else { throw .EPERM }
            state.withLock { $0.mark = number }
        case SocketOption.type, SocketOption.protocolNumber, SocketOption.domain, SocketOption.error, SocketOption.acceptConnections,
            SocketOption.sendLowWater, SocketOption.peerCredentials:
            throw .ENOPROTOOPT
        default:
            guard Self.booleans.contains(name) else { throw .ENOPROTOOPT }
            state.withLock {
                // The two forms of time stamps exclude each other.
                if name == SocketOption.timestamp || name == SocketOption.timestampNanoseconds {
                    $0.flags.subtract([SocketOption.timestamp, SocketOption.timestampNanoseconds])
                }
                if number != 0 { $0.flags.insert(name) } else { $0.flags.remove(name) }
            }
        }
    }

    private func setSendBuffer(_ number: Int32) {
        // The kernel doubles the value to allow for its overhead, and reports it doubled (socket(7)).
        let size = max(Self.minimumSend, min(Int(max(number, 0)), Self.maximumBuffer) * 2)
        state.withLock { $0.sendBuffer = size }
        account.setLimit(size)
    }

    /// A `struct timeval`: zero means no limit, negative seconds mean not to wait at all. - Throws: EINVAL, EDOM.
    private static func timeout(_ value: [UInt8]) throws(Errno) -> Int64? {
        guard value.count >= 16 else { throw .EINVAL }
        let seconds = Int64(bitPattern: Bytes.uint64(value, 0)), micros = Int64(bitPattern: Bytes.uint64(value, 8))
        guard micros >= 0 && micros < 1_000_000 else { throw .EDOM }
        if seconds < 0 { return 0 }
        if seconds == 0 && micros == 0 { return nil }
        return Timespec(seconds: seconds, nanoseconds: micros * 1000).totalNanoseconds
    }

    /// Nil for an option that is not among the common ones.
    func get(_ name: Int32) -> [UInt8]? {
        let s = state.withLock { $0 }
        switch name {
        case SocketOption.sendBuffer: return Bytes.of(Int32(s.sendBuffer))
        case SocketOption.receiveBuffer: return Bytes.of(Int32(s.receiveBuffer))
        case SocketOption.linger: return Bytes.of(s.linger.isOn) + Bytes.of(s.linger.seconds)
        case SocketOption.sendTimeout: return Self.timeval(s.sendTimeout)
        case SocketOption.receiveTimeout: return Self.timeval(s.receiveTimeout)
        case SocketOption.receiveLowWater: return Bytes.of(s.receiveLowWater)
        case SocketOption.peekOffset: return Bytes.of(Int32(truncatingIfNeeded: peekOffset.load(ordering: .relaxed)))
        case SocketOption.sendLowWater: return Bytes.of(Int32(1))
        case SocketOption.priority: return Bytes.of(s.priority)
        case SocketOption.mark: return Bytes.of(s.mark)
        case SocketOption.passCredentials: return Bytes.of(Int32(passesCredentials.load(ordering: .relaxed) ? 1 : 0))
        case SocketOption.bindToDevice: return []
        case SocketOption.incomingCPU: return Bytes.of(Int32(-1))
        case SocketOption.busyPoll: return Bytes.of(Int32(0))
        default:
            guard Self.booleans.contains(name) else { return nil }
            return Bytes.of(Int32(s.flags.contains(name) ? 1 : 0))
        }
    }

    private static func timeval(_ nanoseconds: Int64?) -> [UInt8] {
        let total = nanoseconds ?? 0
        return Bytes.of(UInt64(bitPattern: total / 1_000_000_000)) + Bytes.of(UInt64(bitPattern: total % 1_000_000_000 / 1000))
    }

    /// For an accepted connection, which inherits its listener's options.
    func copy(from other: SocketOptions) {
        let inherited = other.state.withLock { $0 }
        state.withLock { $0 = inherited }
        account.setLimit(inherited.sendBuffer)
        passesCredentials.store(other.passesCredentials.load(ordering: .relaxed), ordering: .relaxed)
    }
}

extension Linger {
    init(bytes: [UInt8]) {
        self.init()
        isOn = Bytes.int32(bytes) ?? 0 != 0 ? 1 : 0
        seconds = Bytes.int32(Array(bytes.dropFirst(4))) ?? 0
    }
}
