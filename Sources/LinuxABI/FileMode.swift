/// File type bits of `st_mode` (inode(7)).
public enum FileType: UInt16, Sendable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symbolicLink = 0o120000
    case socket = 0o140000

    /// `d_type` of getdents64(2).
    public var directoryEntryType: UInt8 { UInt8(rawValue >> 12) }
}

/// `st_mode`: file type and permission bits (inode(7)).
public struct FileMode: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public init(_ type: FileType, _ permissions: UInt16) { self.rawValue = type.rawValue | (permissions & 0o7777) }

    /// Nil only for a value that no inode of ours has.
    public var type: FileType? { FileType(rawValue: rawValue & 0o170000) }
    /// Permission bits with set-user-ID, set-group-ID and sticky.
    public var permissions: UInt16 {
        get { rawValue & 0o7777 }
        set { rawValue = (rawValue & 0o170000) | (newValue & 0o7777) }
    }
    public var isDirectory: Bool { type == .directory }
    public var isRegular: Bool { type == .regular }
    public var isSymbolicLink: Bool { type == .symbolicLink }

    public static let setUserID: UInt16 = 0o4000
    public static let setGroupID: UInt16 = 0o2000
    public static let sticky: UInt16 = 0o1000
}

/// A device number, encoded as the 64-bit `dev_t` of stat(2).
public struct DeviceNumber: Hashable, Sendable, BitwiseCopyable {
    public var major: UInt32
    public var minor: UInt32
    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }
    public init(encoded: UInt64) {
        major = UInt32(truncatingIfNeeded: ((encoded >> 8) & 0xfff) | ((encoded >> 32) & ~0xfff))
        minor = UInt32(truncatingIfNeeded: (encoded & 0xff) | ((encoded >> 12) & ~0xff))
    }
    public var encoded: UInt64 {
        UInt64(minor & 0xff) | (UInt64(major & 0xfff) << 8) | (UInt64(minor & ~0xff) << 12) | (UInt64(major & ~0xfff) << 32)
    }
}

/// Flags of open(2), x86-64 values.
public struct OpenFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let writeOnly = OpenFlags(rawValue: 0o1)
    public static let readWrite = OpenFlags(rawValue: 0o2)
    public static let create = OpenFlags(rawValue: 0o100)
    public static let exclusive = OpenFlags(rawValue: 0o200)
    public static let noControllingTerminal = OpenFlags(rawValue: 0o400)
    public static let truncate = OpenFlags(rawValue: 0o1000)
    public static let append = OpenFlags(rawValue: 0o2000)
    public static let nonBlocking = OpenFlags(rawValue: 0o4000)
    public static let dataSync = OpenFlags(rawValue: 0o10000)
    public static let async = OpenFlags(rawValue: 0o20000)
    public static let direct = OpenFlags(rawValue: 0o40000)
    public static let largeFile = OpenFlags(rawValue: 0o100000)
    public static let directory = OpenFlags(rawValue: 0o200000)
    public static let noFollow = OpenFlags(rawValue: 0o400000)
    public static let noAccessTime = OpenFlags(rawValue: 0o1000000)
    public static let closeOnExec = OpenFlags(rawValue: 0o2000000)
    public static let sync = OpenFlags(rawValue: 0o4010000)
    public static let path = OpenFlags(rawValue: 0o10000000)
    /// The O_TMPFILE bit alone; O_TMPFILE of the manual is this with O_DIRECTORY.
    public static let temporaryFileBit = OpenFlags(rawValue: 0o20000000)

    /// O_ACCMODE: 0 read, 1 write, 2 both, 3 neither (ioctl only).
    public var accessMode: UInt32 { rawValue & 3 }
    public var isReadable: Bool { accessMode == 0 || accessMode == 2 }
    public var isWritable: Bool { accessMode == 1 || accessMode == 2 }
}

/// Event bits of poll(2) and epoll(7), which share values.
public struct PollEvents: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = PollEvents(rawValue: 0x001)  // POLLIN
    public static let priority = PollEvents(rawValue: 0x002)  // POLLPRI
    public static let writable = PollEvents(rawValue: 0x004)  // POLLOUT
    public static let error = PollEvents(rawValue: 0x008)  // POLLERR
    public static let hangUp = PollEvents(rawValue: 0x010)  // POLLHUP
    public static let invalid = PollEvents(rawValue: 0x020)  // POLLNVAL
    public static let readNormal = PollEvents(rawValue: 0x040)  // POLLRDNORM
    public static let readBand = PollEvents(rawValue: 0x080)  // POLLRDBAND
    public static let writeNormal = PollEvents(rawValue: 0x100)  // POLLWRNORM
    public static let writeBand = PollEvents(rawValue: 0x200)  // POLLWRBAND
    public static let message = PollEvents(rawValue: 0x400)  // POLLMSG
    public static let readHangUp = PollEvents(rawValue: 0x2000)  // POLLRDHUP

    public static let allReadable: PollEvents = [.readable, .readNormal]
    public static let allWritable: PollEvents = [.writable, .writeNormal]
    /// Reported whether asked for or not.
    public static let always: PollEvents = [.error, .hangUp]
    public static let everything = PollEvents(rawValue: 0xffff)
}
