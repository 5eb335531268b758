import LinuxABI
import VirtualFileSystem

/// The registry of address families.
public enum SocketFamily {
    /// socket(2). - Throws: EAFNOSUPPORT, EINVAL for a type out of range, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM (raw sockets).
    public static func make(family: Int32, type: Int32, protocolNumber: Int32, caller: any Caller) throws(Errno) -> any Socket {
        guard family >= 0 && family < AddressFamily.limit else { throw .EAFNOSUPPORT }
        // SOCK_MAX
        guard type >= 0 && type < 11 else { throw .EINVAL }
        switch family {
        case AddressFamily.unix:
            return try UnixSocket.make(type: type, protocolNumber: protocolNumber, caller: caller)
        case AddressFamily.inet, AddressFamily.inet6:
            return try InetFamily.make(family: family, type: type, protocolNumber: protocolNumber, caller: caller)
        case AddressFamily.netlink:
            return try NetlinkSocket.make(type: type, protocolNumber: protocolNumber, caller: caller)
        default:
            throw .EAFNOSUPPORT
        }
    }

    /// socketpair(2). - Throws: as `make`, EOPNOTSUPP for families without pairs.
    public static func makePair(family: Int32, type: Int32, protocolNumber: Int32, caller: any Caller) throws(Errno)
        -> (any Socket, any Socket)
    {
        let first = try make(family: family, type: type, protocolNumber: protocolNumber, caller: caller)
        guard let a = first as? UnixSocket else { throw .EOPNOTSUPP }
        let b = try UnixSocket.make(type: type, protocolNumber: protocolNumber, caller: caller)
        UnixSocket.join(a, b, caller: caller)
        return (a, b)
    }
}
