/// `struct flock` of x86-64 (fcntl(2)), 32 bytes.
public struct FlockBuffer: GuestData {
    public var type: Int16 = 0
    public var whence: Int16 = 0
    public var padding: UInt32 = 0
    public var start: Int64 = 0
    public var length: Int64 = 0
    public var processID: Int32 = 0
    public var padding2: UInt32 = 0

    public init() {}

    /// F_RDLCK, F_WRLCK, F_UNLCK.
    public static let read: Int16 = 0
    public static let write: Int16 = 1
    public static let unlock: Int16 = 2
}

/// `struct f_owner_ex` (fcntl(2)), 8 bytes.
public struct FileOwnerBuffer: GuestData {
    /// F_OWNER_TID 0, F_OWNER_PID 1, F_OWNER_PGRP 2.
    public var type: Int32 = 0
    public var id: Int32 = 0

    public init() {}
}

/// `struct open_how` (openat2(2)), 24 bytes in its first version.
public struct OpenHow: GuestData {
    public var flags: UInt64 = 0
    public var mode: UInt64 = 0
    public var resolve: UInt64 = 0

    public init() {}
}

/// `struct cachestat_range` and `struct cachestat` (cachestat(2)).
public struct CachestatRange: GuestData {
    public var offset: UInt64 = 0
    public var length: UInt64 = 0
    public init() {}
}

public struct CachestatBuffer: GuestData {
    public var cached: UInt64 = 0
    public var dirty: UInt64 = 0
    public var writeback: UInt64 = 0
    public var evicted: UInt64 = 0
    public var recentlyEvicted: UInt64 = 0
    public init() {}
}

/// `struct xattr_args` (setxattrat(2), getxattrat(2)), 16 bytes.
public struct ExtendedAttributeArguments: GuestData {
    public var value: UInt64 = 0
    public var size: UInt32 = 0
    public var flags: UInt32 = 0
    public init() {}
}

/// `struct utimbuf` (utime(2)).
public struct UtimeBuffer: GuestData {
    public var accessTime: Int64 = 0
    public var modificationTime: Int64 = 0
    public init() {}
}

/// Commands of fcntl(2).
public enum FcntlCommand {
    public static let F_DUPFD: Int32 = 0
    public static let F_GETFD: Int32 = 1
    public static let F_SETFD: Int32 = 2
    public static let F_GETFL: Int32 = 3
    public static let F_SETFL: Int32 = 4
    public static let F_GETLK: Int32 = 5
    public static let F_SETLK: Int32 = 6
    public static let F_SETLKW: Int32 = 7
    public static let F_SETOWN: Int32 = 8
    public static let F_GETOWN: Int32 = 9
    public static let F_SETSIG: Int32 = 10
    public static let F_GETSIG: Int32 = 11
    public static let F_SETOWN_EX: Int32 = 15
    public static let F_GETOWN_EX: Int32 = 16
    public static let F_GETOWNER_UIDS: Int32 = 17
    public static let F_OFD_GETLK: Int32 = 36
    public static let F_OFD_SETLK: Int32 = 37
    public static let F_OFD_SETLKW: Int32 = 38
    public static let F_SETLEASE: Int32 = 1024
    public static let F_GETLEASE: Int32 = 1025
    public static let F_NOTIFY: Int32 = 1026
    public static let F_DUPFD_QUERY: Int32 = 1027
    public static let F_CREATED_QUERY: Int32 = 1028
    public static let F_GET_RW_HINT: Int32 = 1035
    public static let F_SET_RW_HINT: Int32 = 1036
    public static let F_DUPFD_CLOEXEC: Int32 = 1030
    public static let F_SETPIPE_SZ: Int32 = 1031
    public static let F_GETPIPE_SZ: Int32 = 1032
    public static let F_ADD_SEALS: Int32 = 1033
    public static let F_GET_SEALS: Int32 = 1034
}

/// AT_* of the *at system calls.
public struct AtFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// AT_FDCWD: the working directory instead of a descriptor.
    public static let workingDirectory: Int32 = -100
    public static let symlinkNoFollow = AtFlags(rawValue: 0x100)
    /// AT_EACCESS of faccessat2(2) and AT_REMOVEDIR of unlinkat(2) share a bit.
    public static let effectiveAccess = AtFlags(rawValue: 0x200)
    public static let removeDirectory = AtFlags(rawValue: 0x200)
    public static let symlinkFollow = AtFlags(rawValue: 0x400)
    public static let noAutomount = AtFlags(rawValue: 0x800)
    public static let emptyPath = AtFlags(rawValue: 0x1000)
    public static let forceSync = AtFlags(rawValue: 0x2000)
    public static let dontSync = AtFlags(rawValue: 0x4000)
}

/// RWF_* of preadv2(2) and pwritev2(2).
public struct ReadWriteFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let highPriority = ReadWriteFlags(rawValue: 0x01)
    public static let dataSync = ReadWriteFlags(rawValue: 0x02)
    public static let sync = ReadWriteFlags(rawValue: 0x04)
    public static let noWait = ReadWriteFlags(rawValue: 0x08)
    public static let append = ReadWriteFlags(rawValue: 0x10)
    public static let noAppend = ReadWriteFlags(rawValue: 0x20)
    public static let noSignal = ReadWriteFlags(rawValue: 0x100)
    public static let supported: ReadWriteFlags = [.highPriority, .dataSync, .sync, .noWait, .append, .noAppend, .noSignal]
}

/// UTIME_NOW and UTIME_OMIT of utimensat(2).
public enum UtimeSpecial {
    public static let now: Int64 = 0x3fff_ffff
    public static let omit: Int64 = 0x3fff_fffe
}
