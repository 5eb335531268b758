import Kernel
import LinuxABI

/// A handler: reads its arguments, calls the object that owns the state, returns RAX or throws.
public typealias SystemCallHandler = @Sendable (_ current: CurrentTask, _ arguments: SystemCallArguments) throws(Errno) -> Int

/// One row of the dispatch table.
public struct SystemCallEntry: Sendable {
    public let number: Int
    public let name: String
    public let handler: SystemCallHandler
    public init(_ number: Int, _ name: String, _ handler: @escaping SystemCallHandler) {
        self.number = number
        self.name = name
        self.handler = handler
    }
}

/// The dispatch table, put together from the families. Each family is one `extension SystemCallFamilies` with a static array.
public enum SystemCallFamilies {}
