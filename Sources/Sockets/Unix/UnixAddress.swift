import LinuxABI
import Synchronization
import VirtualFileSystem

/// A parsed `sockaddr_un` (unix(7)).
enum UnixAddress: Sendable {
    /// Only the family: bind(2) picks an abstract name.
    case unnamed
    /// Path bytes up to the first NUL.
    case path([UInt8])
    /// All bytes after the leading NUL, which may hold NULs.
    case abstract([UInt8])

    /// - Throws: EINVAL for a wrong family or length.
    init(_ bytes: [UInt8]) throws(Errno) {
        guard bytes.count >= 2, bytes.count <= SocketAddress.unixLength, SocketAddress.family(bytes) == AddressFamily.unix else {
            throw .EINVAL
        }
        let name = bytes.dropFirst(SocketAddress.unixPathOffset)
        guard let lead = name.first else {
            self = .unnamed
            return
        }
        if lead == 0 {
            self = .abstract(Array(name.dropFirst()))
        } else {
            self = .path(Array(name.prefix { $0 != 0 }))
        }
    }

    /// As getsockname(2) gives it: a path with its NUL.
    var encoded: [UInt8] {
        let family: [UInt8] = [UInt8(AddressFamily.unix), 0]
        return switch self {
        case .unnamed: family
        case .path(let path): family + path + [0]
        case .abstract(let name): family + [0] + name
        }
    }
}

/// Abstract names of a network namespace, each per socket type.
final class UnixNamespace: Sendable {
    private struct Key: Hashable {
        let name: [UInt8]
        let type: SocketType
    }
    private struct State {
        var sockets: [Key: UnixSocket] = [:]
        var nextAutomatic: UInt32 = 0
    }
    private let state = Mutex(State())

    /// - Throws: EADDRINUSE.
    func bind(_ name: [UInt8], _ socket: UnixSocket) throws(Errno) {
        try state.withLock { s throws(Errno) in
            let key = Key(name: name, type: socket.type)
            if s.sockets[key] != nil { throw .EADDRINUSE }
            s.sockets[key] = socket
        }
    }

    /// Autobind: a name of five hexadecimal digits. - Throws: ENOSPC.
    func bindAutomatically(_ socket: UnixSocket) throws(Errno) -> [UInt8] {
        try state.withLock { s throws(Errno) in
            for _ in 0..<0x10_0000 {
                s.nextAutomatic = (s.nextAutomatic &+ 1) & 0xf_ffff
                let digits = String(s.nextAutomatic, radix: 16)
                let name = Array(repeating: UInt8(ascii: "0"), count: 5 - digits.utf8.count) + Array(digits.utf8)
                let key = Key(name: name, type: socket.type)
                if s.sockets[key] == nil {
                    s.sockets[key] = socket
                    return name
                }
            }
            throw .ENOSPC
        }
    }

    func find(_ name: [UInt8], type: SocketType) -> UnixSocket? { state.withLock { $0.sockets[Key(name: name, type: type)] } }

    func remove(_ name: [UInt8], _ socket: UnixSocket) {
        let key = Key(name: name, type: socket.type)
        // The socket must not end inside the lock.
        let removed = state.withLock { s -> UnixSocket? in
            guard s.sockets[key] === socket else { return nil }
            return s.sockets.removeValue(forKey: key)
        }
        _ = removed
    }
}
