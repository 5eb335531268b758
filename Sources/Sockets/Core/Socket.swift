import HostOS
import LinuxABI
import Memory
import VirtualFileSystem

/// A socket of some family: Linux's `struct sock` with its `proto_ops`. `SocketFile` is its face as an open file.
///
/// No operation but `connect` waits: what would have to throws EAGAIN, and the system call sleeps on `waiters` and tries again.
public protocol Socket: ReportingSocket {
    var family: Int32 { get }
    var type: SocketType { get }
    var protocolNumber: Int32 { get }
    /// State common to all families: buffers, time-outs, flags.
    var options: SocketOptions { get }
    var waiters: WaitQueue { get }

    /// Addresses are `sockaddr` bytes, as long as the guest gave them.
    func bind(_ address: [UInt8], caller: any Caller) throws(Errno)
    func listen(backlog: Int32, caller: any Caller) throws(Errno)
    /// Connects, or for datagrams sets or (AF_UNSPEC) drops the default peer. Sleeps itself, because what it waits for belongs to
    /// another socket. - Throws: EAGAIN or EINPROGRESS instead of waiting when `isNonBlocking`.
    func connect(_ address: [UInt8], isNonBlocking: Bool, caller: any Caller) throws(Errno)
    func accept(caller: any Caller) throws(Errno) -> any Socket
    func localAddress() -> [UInt8]
    /// - Throws: ENOTCONN.
    func peerAddress() throws(Errno) -> [UInt8]
    func shutdown(_ direction: ShutdownDirection) throws(Errno)
    /// Sends as much as fits of a stream, all or nothing of a message.
    func send(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int
    func receive(_ buffer: inout IOBuffer, flags: MessageFlags, caller: any Caller) throws(Errno) -> ReceivedMessage
    func readiness() -> PollEvents
    /// Whether a partial transfer is continued: SOCK_STREAM.
    var isStream: Bool { get }

    /// Bytes that can be read now (the next message of a message socket): SIOCINQ. - Throws: EINVAL for a listener.
    func readableBytes() throws(Errno) -> Int
    /// Bytes sent that the peer has not read: SIOCOUTQ. - Throws: EINVAL for a listener.
    func unsentBytes() throws(Errno) -> Int
    /// Takes the pending error: SO_ERROR.
    func takeError() -> Errno?
    var isListening: Bool { get }
    /// Options above SOL_SOCKET, and those of SOL_SOCKET that only this family has.
    func setOption(level: Int32, name: Int32, _ value: [UInt8], caller: any Caller) throws(Errno)
    func option(level: Int32, name: Int32, caller: any Caller) throws(Errno) -> [UInt8]
    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int
    /// The socket has become a file.
    func opened(inode: UInt64)
    /// The last reference to the description went away.
    func close()
}

extension Socket {
    public var isStream: Bool { type == .stream }
    public var isListening: Bool { false }
    public func opened(inode: UInt64) {}
    public func listen(backlog: Int32, caller: any Caller) throws(Errno) { throw .EOPNOTSUPP }
    public func accept(caller: any Caller) throws(Errno) -> any Socket { throw .EOPNOTSUPP }
    public func setOption(level: Int32, name: Int32, _ value: [UInt8], caller: any Caller) throws(Errno) {
        throw level == SocketOption.levelSocket ? .ENOPROTOOPT : .EOPNOTSUPP
    }
    public func option(level: Int32, name: Int32, caller: any Caller) throws(Errno) -> [UInt8] {
        throw level == SocketOption.levelSocket ? .ENOPROTOOPT : .EOPNOTSUPP
    }
    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int { throw .ENOTTY }
}

public enum ShutdownDirection: Int32, Sendable {
    case read = 0
    case write = 1
    case both = 2
    var closesRead: Bool { self != .write }
    var closesWrite: Bool { self != .read }
}

/// What goes with the bytes of a send.
public struct SendRequest: Sendable {
    public var flags: MessageFlags = []
    /// Destination, nil when none was given.
    public var address: [UInt8]?
    /// SCM_RIGHTS.
    public var descriptions: [FileDescription] = []
    /// With `descriptions`: how many of the sender's may wait in messages already. More is ETOOMANYREFS.
    public var inFlightLimit = Int.max
    /// SCM_CREDENTIALS, checked already; nil for the sender's own.
    public var credentials: UserCredentials?
    public init() {}
}

/// What a receive gives beside the bytes in the buffer.
public struct ReceivedMessage: Sendable {
    /// The return value of recv(2): bytes stored, or with MSG_TRUNC on a message the length of the whole message.
    public var count: Int
    /// MSG_TRUNC, MSG_EOR and the like for `msg_flags`.
    public var flags: MessageFlags = []
    /// Sender, empty when it has no name; nil where the family or type reports none (connected streams).
    public var address: [UInt8]?
    public var descriptions: [FileDescription] = []
    /// Sender's credentials, when the receiver asked for them with SO_PASSCRED or SO_PASSPIDFD.
    public var credentials: UserCredentials?
    /// Of the datagram, before the receiver's options choose from it.
    var header = PacketHeader()
    public var ancillary: [AncillaryData] = []
    public init(count: Int) { self.count = count }
}
