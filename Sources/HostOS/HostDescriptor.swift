import CHost
import Glibc
import LinuxABI

/// An open descriptor of the host, owned: closed when the value ends.
public struct HostDescriptor: ~Copyable, Sendable {
    public let number: Int32

    /// Takes ownership of `number`, which must be open.
    public init(owning number: Int32) { self.number = number }

    /// /dev/null, for reading and writing.
    public init(openingNull: Void) throws(Errno) { number = try hostCall(unsafe open("/dev/null", O_RDWR | O_CLOEXEC)) }

    deinit { _ = close(number) }

    /// Gives up ownership without closing.
    public consuming func take() -> Int32 {
        let n = number
        discard self
        return n
    }
}

/// A host descriptor with shared ownership, closed when the last reference goes. Used where several kernel objects refer to one
/// donated file.
public final class SharedHostDescriptor: Sendable {
    public let number: Int32
    public init(_ descriptor: consuming HostDescriptor) { number = descriptor.take() }
    deinit { _ = close(number) }
}

/// The calling thread's host errno as a typed error. Host and guest share x86-64 errno values.
@inlinable public func hostErrno() -> Errno { Errno(rawValue: Glibc.errno) }

/// Throws the host's errno when `result` is -1, else returns it.
@inlinable @discardableResult
public func hostCall<T: BinaryInteger>(_ result: T) throws(Errno) -> T {
    if result == -1 { throw hostErrno() }
    return result
}
