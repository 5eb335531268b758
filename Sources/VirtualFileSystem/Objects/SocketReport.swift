import LinuxABI
import Synchronization

/// What /proc/net and the like show of one socket.
public struct SocketReport: Sendable {
    /// States of net/tcp_states.h, which all families use.
    public enum State: UInt8, Sendable {
        case established = 1
        case finishWait2 = 5
        case closed = 7
        case closeWait = 8
        case listening = 10
    }
    public var family: Int32
    public var type: Int32
    public var protocolNumber: Int32
    public var state: State
    /// `sockaddr` bytes. An unnamed remote end is empty.
    public var local: [UInt8]
    public var remote: [UInt8] = []
    /// Bytes; of a listener, the connections that wait and how many may.
    public var receiveQueue = 0
    public var sendQueue = 0
    /// Of the open file; 0 while a connection has not been accepted.
    public var inode: UInt64 = 0
    public var uid: UInt32 = 0
    /// The inode of the other end, where that is in the sandbox too and its family tells.
    public var peerInode: UInt64 = 0

    public init(family: Int32, type: Int32, protocolNumber: Int32, state: State, local: [UInt8]) {
        self.family = family
        self.type = type
        self.protocolNumber = protocolNumber
        self.state = state
        self.local = local
    }
}

/// A socket that can tell of itself.
public protocol ReportingSocket: AnyObject, Sendable {
    /// Its own state first; nothing while it is in no table of the kernel (unbound), more for connections nobody has accepted.
    func reports() -> [SocketReport]
    /// Number of the network namespace it was made in.
    var networkNumber: UInt64 { get }
}

extension ReportingSocket {
    public var networkNumber: UInt64 { NetworkNamespace.initial.number }
}

/// The open sockets of the sandbox, by inode number.
public final class OpenSockets: Sendable {
    public static let shared = OpenSockets()

    private struct Entry: Sendable {
        let socket: any ReportingSocket
        let uid: UInt32
    }
    private let entries = Mutex<[UInt64: Entry]>([:])

    public func add(_ socket: any ReportingSocket, inode: UInt64, uid: UInt32) {
        entries.withLock { $0[inode] = Entry(socket: socket, uid: uid) }
    }
    public func remove(inode: UInt64) {
        // The socket must not end inside the lock.
        let removed = entries.withLock { $0.removeValue(forKey: inode) }
        _ = removed
    }
    public var count: Int { entries.withLock { $0.count } }

    /// In order of their making.
    public func reports(in network: NetworkNamespace) -> [SocketReport] {
        var result: [SocketReport] = []
        for (inode, entry) in entries.withLock({ $0 }).sorted(by: { $0.key < $1.key })
        where entry.socket.networkNumber == network.number {
            for (index, report) in entry.socket.reports().enumerated() {
                var report = report
                if index == 0 { (report.inode, report.uid) = (inode, entry.uid) }
                result.append(report)
            }
        }
        return result
    }
}
