/// Address families (socket(2)).
public enum AddressFamily {
    public static let unspecified: Int32 = 0
    public static let unix: Int32 = 1
    public static let inet: Int32 = 2
    public static let inet6: Int32 = 10
    public static let netlink: Int32 = 16
    public static let packet: Int32 = 17
    /// One past the largest number Linux knows (AF_MAX).
    public static let limit: Int32 = 46
}

public enum SocketType: Int32, Sendable {
    case stream = 1
    case datagram = 2
    case raw = 3
    case reliableDatagram = 4
    case sequentialPacket = 5
    case congestionControlled = 6
    case packet = 10

    /// Type bits of the argument of socket(2).
    public static let mask: Int32 = 0xf
    public static let nonBlocking: Int32 = 0o4000
    public static let closeOnExec: Int32 = 0o2000000
}

/// Flags of send(2) and recv(2).
public struct MessageFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let outOfBand = MessageFlags(rawValue: 0x1)
    public static let peek = MessageFlags(rawValue: 0x2)
    public static let dontRoute = MessageFlags(rawValue: 0x4)
    public static let controlTruncated = MessageFlags(rawValue: 0x8)
    public static let truncated = MessageFlags(rawValue: 0x20)
    public static let dontWait = MessageFlags(rawValue: 0x40)
    public static let endOfRecord = MessageFlags(rawValue: 0x80)
    public static let waitAll = MessageFlags(rawValue: 0x100)
    public static let confirm = MessageFlags(rawValue: 0x800)
    public static let errorQueue = MessageFlags(rawValue: 0x2000)
    public static let noSignal = MessageFlags(rawValue: 0x4000)
    public static let more = MessageFlags(rawValue: 0x8000)
    public static let waitForOne = MessageFlags(rawValue: 0x10000)
    public static let fastOpen = MessageFlags(rawValue: 0x2000_0000)
    public static let closeOnExec = MessageFlags(rawValue: 0x4000_0000)
    /// MSG_CMSG_COMPAT: 32-bit callers only, refused.
    public static let compat = MessageFlags(rawValue: 0x8000_0000)
}

/// `struct msghdr` (recvmsg(2)), 56 bytes.
public struct MessageHeader: GuestData {
    public var name = GuestAddress.null
    public var nameLength: Int32 = 0
    public var padding: UInt32 = 0
    public var vectors = GuestAddress.null
    public var vectorCount: UInt64 = 0
    public var control = GuestAddress.null
    public var controlLength: UInt64 = 0
    public var flags: UInt32 = 0
    public var padding2: UInt32 = 0
    public init() {}
}

/// `struct cmsghdr` (cmsg(3)), 16 bytes.
public struct ControlHeader: GuestData {
    public var length: UInt64 = 0
    public var level: Int32 = 0
    public var type: Int32 = 0
    public init() {}
    public static let size = 16
    /// CMSG_ALIGN.
    public static func align(_ n: Int) -> Int { (n &+ 7) & ~7 }
}

/// `struct ucred` (unix(7)), 12 bytes.
public struct UserCredentials: GuestData, Hashable {
    public var pid: Int32 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public init() {}
    public init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
    /// What SO_PEERCRED gives without a peer.
    public static let none = UserCredentials(pid: 0, uid: .max, gid: .max)
}

/// `struct linger`, 8 bytes.
public struct Linger: GuestData {
    public var isOn: Int32 = 0
    public var seconds: Int32 = 0
    public init() {}
}

/// Option levels and names of setsockopt(2).
public enum SocketOption {
    public static let levelSocket: Int32 = 1
    public static let levelIP: Int32 = 0
    public static let levelTCP: Int32 = 6
    public static let levelUDP: Int32 = 17
    public static let levelIPv6: Int32 = 41
    public static let levelNetlink: Int32 = 270

    public static let debug: Int32 = 1
    public static let reuseAddress: Int32 = 2
    public static let type: Int32 = 3
    public static let error: Int32 = 4
    public static let dontRoute: Int32 = 5
    public static let broadcast: Int32 = 6
    public static let sendBuffer: Int32 = 7
    public static let receiveBuffer: Int32 = 8
    public static let keepAlive: Int32 = 9
    public static let outOfBandInline: Int32 = 10
    public static let noCheck: Int32 = 11
    public static let priority: Int32 = 12
    public static let linger: Int32 = 13
    public static let reusePort: Int32 = 15
    public static let passCredentials: Int32 = 16
    public static let peerCredentials: Int32 = 17
    public static let receiveLowWater: Int32 = 18
    public static let sendLowWater: Int32 = 19
    public static let receiveTimeout: Int32 = 20
    public static let sendTimeout: Int32 = 21
    public static let bindToDevice: Int32 = 25
    public static let detachFilter: Int32 = 27
    public static let timestamp: Int32 = 29
    public static let timestampNanoseconds: Int32 = 35
    public static let passPIDFD: Int32 = 76
    public static let acceptConnections: Int32 = 30
    public static let peerSecurity: Int32 = 31
    public static let sendBufferForce: Int32 = 32
    public static let receiveBufferForce: Int32 = 33
    public static let passSecurity: Int32 = 34
    public static let mark: Int32 = 36
    public static let protocolNumber: Int32 = 38
    public static let domain: Int32 = 39
    public static let receiveQueueOverflow: Int32 = 40
    public static let peekOffset: Int32 = 42
    public static let busyPoll: Int32 = 46
    public static let incomingCPU: Int32 = 49
    public static let cookie: Int32 = 57
    public static let peerGroups: Int32 = 59
    public static let peerPIDFD: Int32 = 77

    /// Control message types of SOL_SOCKET.
    public static let controlRights: Int32 = 1
    public static let controlCredentials: Int32 = 2
    public static let controlPIDFD: Int32 = 4
}

/// Socket addresses as bytes: families share only their first two.
public enum SocketAddress {
    /// sizeof(struct sockaddr_storage): the longest that any call takes.
    public static let maximumLength = 128
    /// sizeof(struct sockaddr_un), and where its path starts.
    public static let unixLength = 110
    public static let unixPathOffset = 2
    public static let inetLength = 16
    public static let inet6Length = 28
    public static let netlinkLength = 12

    /// `sa_family`, nil for less than two bytes.
    public static func family(_ bytes: [UInt8]) -> Int32? {
        guard bytes.count >= 2 else { return nil }
        return Int32(bytes[0]) | Int32(bytes[1]) << 8
    }
}
