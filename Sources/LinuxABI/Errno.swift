/// An error number of the Linux x86-64 system-call interface: errno(3).
///
/// It is the only error type of the kernel proper. Values 512 and up never reach a guest: they tell the return path how an
/// interrupted call restarts, as in Linux's include/linux/errno.h.
public struct Errno: Error, Hashable, Sendable, RawRepresentable {
    public let rawValue: Int32

    @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}

extension Errno {
    public static let EPERM = Errno(rawValue: 1)
    public static let ENOENT = Errno(rawValue: 2)
    public static let ESRCH = Errno(rawValue: 3)
    public static let EINTR = Errno(rawValue: 4)
    public static let EIO = Errno(rawValue: 5)
    public static let ENXIO = Errno(rawValue: 6)
    public static let E2BIG = Errno(rawValue: 7)
    public static let ENOEXEC = Errno(rawValue: 8)
    public static let EBADF = Errno(rawValue: 9)
    public static let ECHILD = Errno(rawValue: 10)
    public static let EAGAIN = Errno(rawValue: 11)
    public static let ENOMEM = Errno(rawValue: 12)
    public static let EACCES = Errno(rawValue: 13)
    public static let EFAULT = Errno(rawValue: 14)
    public static let ENOTBLK = Errno(rawValue: 15)
    public static let EBUSY = Errno(rawValue: 16)
    public static let EEXIST = Errno(rawValue: 17)
    public static let EXDEV = Errno(rawValue: 18)
    public static let ENODEV = Errno(rawValue: 19)
    public static let ENOTDIR = Errno(rawValue: 20)
    public static let EISDIR = Errno(rawValue: 21)
    public static let EINVAL = Errno(rawValue: 22)
    public static let ENFILE = Errno(rawValue: 23)
    public static let EMFILE = Errno(rawValue: 24)
    public static let ENOTTY = Errno(rawValue: 25)
    public static let ETXTBSY = Errno(rawValue: 26)
    public static let EFBIG = Errno(rawValue: 27)
    public static let ENOSPC = Errno(rawValue: 28)
    public static let ESPIPE = Errno(rawValue: 29)
    public static let EROFS = Errno(rawValue: 30)
    public static let EMLINK = Errno(rawValue: 31)
    public static let EPIPE = Errno(rawValue: 32)
    public static let EDOM = Errno(rawValue: 33)
    public static let ERANGE = Errno(rawValue: 34)
    public static let EDEADLK = Errno(rawValue: 35)
    public static let ENAMETOOLONG = Errno(rawValue: 36)
    public static let ENOLCK = Errno(rawValue: 37)
    public static let ENOSYS = Errno(rawValue: 38)
    public static let ENOTEMPTY = Errno(rawValue: 39)
    public static let ELOOP = Errno(rawValue: 40)
    public static let ENOMSG = Errno(rawValue: 42)
    public static let EIDRM = Errno(rawValue: 43)
    public static let ECHRNG = Errno(rawValue: 44)
    public static let EL2NSYNC = Errno(rawValue: 45)
    public static let EL3HLT = Errno(rawValue: 46)
    public static let EL3RST = Errno(rawValue: 47)
    public static let ELNRNG = Errno(rawValue: 48)
    public static let EUNATCH = Errno(rawValue: 49)
    public static let ENOCSI = Errno(rawValue: 50)
    public static let EL2HLT = Errno(rawValue: 51)
    public static let EBADE = Errno(rawValue: 52)
    public static let EBADR = Errno(rawValue: 53)
    public static let EXFULL = Errno(rawValue: 54)
    public static let ENOANO = Errno(rawValue: 55)
    public static let EBADRQC = Errno(rawValue: 56)
    public static let EBADSLT = Errno(rawValue: 57)
    public static let EBFONT = Errno(rawValue: 59)
    public static let ENOSTR = Errno(rawValue: 60)
    public static let ENODATA = Errno(rawValue: 61)
    public static let ETIME = Errno(rawValue: 62)
    public static let ENOSR = Errno(rawValue: 63)
    public static let ENONET = Errno(rawValue: 64)
    public static let ENOPKG = Errno(rawValue: 65)
    public static let EREMOTE = Errno(rawValue: 66)
    public static let ENOLINK = Errno(rawValue: 67)
    public static let EADV = Errno(rawValue: 68)
    public static let ESRMNT = Errno(rawValue: 69)
    public static let ECOMM = Errno(rawValue: 70)
    public static let EPROTO = Errno(rawValue: 71)
    public static let EMULTIHOP = Errno(rawValue: 72)
    public static let EDOTDOT = Errno(rawValue: 73)
    public static let EBADMSG = Errno(rawValue: 74)
    public static let EOVERFLOW = Errno(rawValue: 75)
    public static let ENOTUNIQ = Errno(rawValue: 76)
    public static let EBADFD = Errno(rawValue: 77)
    public static let EREMCHG = Errno(rawValue: 78)
    public static let ELIBACC = Errno(rawValue: 79)
    public static let ELIBBAD = Errno(rawValue: 80)
    public static let ELIBSCN = Errno(rawValue: 81)
    public static let ELIBMAX = Errno(rawValue: 82)
    public static let ELIBEXEC = Errno(rawValue: 83)
    public static let EILSEQ = Errno(rawValue: 84)
    public static let ERESTART = Errno(rawValue: 85)
    public static let ESTRPIPE = Errno(rawValue: 86)
    public static let EUSERS = Errno(rawValue: 87)
    public static let ENOTSOCK = Errno(rawValue: 88)
    public static let EDESTADDRREQ = Errno(rawValue: 89)
    public static let EMSGSIZE = Errno(rawValue: 90)
    public static let EPROTOTYPE = Errno(rawValue: 91)
    public static let ENOPROTOOPT = Errno(rawValue: 92)
    public static let EPROTONOSUPPORT = Errno(rawValue: 93)
    public static let ESOCKTNOSUPPORT = Errno(rawValue: 94)
    public static let EOPNOTSUPP = Errno(rawValue: 95)
    public static let EPFNOSUPPORT = Errno(rawValue: 96)
    public static let EAFNOSUPPORT = Errno(rawValue: 97)
    public static let EADDRINUSE = Errno(rawValue: 98)
    public static let EADDRNOTAVAIL = Errno(rawValue: 99)
    public static let ENETDOWN = Errno(rawValue: 100)
    public static let ENETUNREACH = Errno(rawValue: 101)
    public static let ENETRESET = Errno(rawValue: 102)
    public static let ECONNABORTED = Errno(rawValue: 103)
    public static let ECONNRESET = Errno(rawValue: 104)
    public static let ENOBUFS = Errno(rawValue: 105)
    public static let EISCONN = Errno(rawValue: 106)
    public static let ENOTCONN = Errno(rawValue: 107)
    public static let ESHUTDOWN = Errno(rawValue: 108)
    public static let ETOOMANYREFS = Errno(rawValue: 109)
    public static let ETIMEDOUT = Errno(rawValue: 110)
    public static let ECONNREFUSED = Errno(rawValue: 111)
    public static let EHOSTDOWN = Errno(rawValue: 112)
    public static let EHOSTUNREACH = Errno(rawValue: 113)
    public static let EALREADY = Errno(rawValue: 114)
    public static let EINPROGRESS = Errno(rawValue: 115)
    public static let ESTALE = Errno(rawValue: 116)
    public static let EUCLEAN = Errno(rawValue: 117)
    public static let ENOTNAM = Errno(rawValue: 118)
    public static let ENAVAIL = Errno(rawValue: 119)
    public static let EISNAM = Errno(rawValue: 120)
    public static let EREMOTEIO = Errno(rawValue: 121)
    public static let EDQUOT = Errno(rawValue: 122)
    public static let ENOMEDIUM = Errno(rawValue: 123)
    public static let EMEDIUMTYPE = Errno(rawValue: 124)
    public static let ECANCELED = Errno(rawValue: 125)
    public static let ENOKEY = Errno(rawValue: 126)
    public static let EKEYEXPIRED = Errno(rawValue: 127)
    public static let EKEYREVOKED = Errno(rawValue: 128)
    public static let EKEYREJECTED = Errno(rawValue: 129)
    public static let EOWNERDEAD = Errno(rawValue: 130)
    public static let ENOTRECOVERABLE = Errno(rawValue: 131)
    public static let ERFKILL = Errno(rawValue: 132)
    public static let EHWPOISON = Errno(rawValue: 133)

    public static let EWOULDBLOCK = EAGAIN
    public static let ENOTSUP = EOPNOTSUPP

    /// Restart when the handler has SA_RESTART, else EINTR.
    public static let ERESTARTSYS = Errno(rawValue: 512)
    /// Restart always.
    public static let ERESTARTNOINTR = Errno(rawValue: 513)
    /// Restart only when no handler runs.
    public static let ERESTARTNOHAND = Errno(rawValue: 514)
    /// Restart through restart_syscall(2) with the task's restart block; EINTR when a handler runs.
    public static let ERESTART_RESTARTBLOCK = Errno(rawValue: 516)

    /// Whether this value only steers the return path and must not reach a guest.
    public var isRestart: Bool { rawValue >= 512 && rawValue <= 516 }
}

extension Errno: CustomStringConvertible {
    /// The symbolic name, `EINVAL`.
    public var description: String { Errno.names[rawValue] ?? "E\(rawValue)" }

    private static let names: [Int32: String] = [
        1: "EPERM",
        2: "ENOENT",
        3: "ESRCH",
        4: "EINTR",
        5: "EIO",
        6: "ENXIO",
        7: "E2BIG",
        8: "ENOEXEC",
        9: "EBADF",
        10: "ECHILD",
        11: "EAGAIN",
        12: "ENOMEM",
        13: "EACCES",
        14: "EFAULT",
        15: "ENOTBLK",
        16: "EBUSY",
        17: "EEXIST",
        18: "EXDEV",
        19: "ENODEV",
        20: "ENOTDIR",
        21: "EISDIR",
        22: "EINVAL",
        23: "ENFILE",
        24: "EMFILE",
        25: "ENOTTY",
        26: "ETXTBSY",
        27: "EFBIG",
        28: "ENOSPC",
        29: "ESPIPE",
        30: "EROFS",
        31: "EMLINK",
        32: "EPIPE",
        33: "EDOM",
        34: "ERANGE",
        35: "EDEADLK",
        36: "ENAMETOOLONG",
        37: "ENOLCK",
        38: "ENOSYS",
        39: "ENOTEMPTY",
        40: "ELOOP",
        42: "ENOMSG",
        43: "EIDRM",
        44: "ECHRNG",
        45: "EL2NSYNC",
        46: "EL3HLT",
        47: "EL3RST",
        48: "ELNRNG",
        49: "EUNATCH",
        50: "ENOCSI",
        51: "EL2HLT",
        52: "EBADE",
        53: "EBADR",
        54: "EXFULL",
        55: "ENOANO",
        56: "EBADRQC",
        57: "EBADSLT",
        59: "EBFONT",
        60: "ENOSTR",
        61: "ENODATA",
        62: "ETIME",
        63: "ENOSR",
        64: "ENONET",
        65: "ENOPKG",
        66: "EREMOTE",
        67: "ENOLINK",
        68: "EADV",
        69: "ESRMNT",
        70: "ECOMM",
        71: "EPROTO",
        72: "EMULTIHOP",
        73: "EDOTDOT",
        74: "EBADMSG",
        75: "EOVERFLOW",
        76: "ENOTUNIQ",
        77: "EBADFD",
        78: "EREMCHG",
        79: "ELIBACC",
        80: "ELIBBAD",
        81: "ELIBSCN",
        82: "ELIBMAX",
        83: "ELIBEXEC",
        84: "EILSEQ",
        85: "ERESTART",
        86: "ESTRPIPE",
        87: "EUSERS",
        88: "ENOTSOCK",
        89: "EDESTADDRREQ",
        90: "EMSGSIZE",
        91: "EPROTOTYPE",
        92: "ENOPROTOOPT",
        93: "EPROTONOSUPPORT",
        94: "ESOCKTNOSUPPORT",
        95: "EOPNOTSUPP",
        96: "EPFNOSUPPORT",
        97: "EAFNOSUPPORT",
        98: "EADDRINUSE",
        99: "EADDRNOTAVAIL",
        100: "ENETDOWN",
        101: "ENETUNREACH",
        102: "ENETRESET",
        103: "ECONNABORTED",
        104: "ECONNRESET",
        105: "ENOBUFS",
        106: "EISCONN",
        107: "ENOTCONN",
        108: "ESHUTDOWN",
        109: "ETOOMANYREFS",
        110: "ETIMEDOUT",
        111: "ECONNREFUSED",
        112: "EHOSTDOWN",
        113: "EHOSTUNREACH",
        114: "EALREADY",
        115: "EINPROGRESS",
        116: "ESTALE",
        117: "EUCLEAN",
        118: "ENOTNAM",
        119: "ENAVAIL",
        120: "EISNAM",
        121: "EREMOTEIO",
        122: "EDQUOT",
        123: "ENOMEDIUM",
        124: "EMEDIUMTYPE",
        125: "ECANCELED",
        126: "ENOKEY",
        127: "EKEYEXPIRED",
        128: "EKEYREVOKED",
        129: "EKEYREJECTED",
        130: "EOWNERDEAD",
        131: "ENOTRECOVERABLE",
        132: "ERFKILL",
        133: "EHWPOISON",
        512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 516: "ERESTART_RESTARTBLOCK",
    ]
}
