/// What a command of the runtime failed at, for the user: one line.
public struct RuntimeError: Error, Sendable, Equatable {
    public var message: String
    /// The command's exit status.
    public var status: Int32
    public init(_ message: String, status: Int32 = 1) {
        self.message = message
        self.status = status
    }
    /// The same with the action in front.
    public func during(_ action: String) -> RuntimeError { RuntimeError("\(action): \(message)", status: status) }
}
