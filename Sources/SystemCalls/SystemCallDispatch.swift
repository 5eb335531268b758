import HostOS
import Kernel
import LinuxABI
import Synchronization

/// From a number to its handler. One per sandbox; every task thread uses it.
public final class SystemCallDispatch: SystemCallDispatcher {
    private let handlers: [SystemCallHandler?]
    private let tracer: SystemCallTracer?
    private let report: @Sendable (String) -> Void
    /// Numbers already reported as unsupported: each is reported once.
    private let reported = Mutex<Set<UInt64>>([])

    /// - Parameters:
    ///   - tracer: writes calls to somewhere; nil for none.
    ///   - report: takes one line about each unsupported number, once.
    public init(entries: [SystemCallEntry], tracer: SystemCallTracer?, report: @escaping @Sendable (String) -> Void) {
        var handlers = [SystemCallHandler?](repeating: nil, count: SystemCallName.limit)
        for entry in entries {
            precondition(SystemCallName.of(entry.number) == entry.name, "\(entry.name) has the wrong number")
            precondition(handlers[entry.number] == nil, "\(entry.name) is registered twice")
            handlers[entry.number] = entry.handler
        }
        self.handlers = handlers
        self.tracer = tracer
        self.report = report
    }

    /// Runs the handler of `number`. - Throws: what it throws, ENOSYS where there is none.
    public func dispatch(_ current: CurrentTask, number: UInt64, arguments: SystemCallArguments) throws(Errno) -> Int {
        // The kernel looks at the low 32 bits, with the x32 bit an invalid number here (arch/x86/entry/common.c).
        let index = Int(truncatingIfNeeded: number & 0xffff_ffff)
        if let tracer, tracer.traces(index) { return try tracer.traced(current, index, arguments, run) }
        return try run(current, index, arguments)
    }

    private func run(_ current: CurrentTask, _ index: Int, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        guard index < handlers.count, let handler = handlers[index] else {
            reportUnsupported(UInt64(index))
            throw .ENOSYS
        }
        return try handler(current, arguments)
    }

    private func reportUnsupported(_ number: UInt64) {
        // Numbers that no table has count as one.
        let isNew = reported.withLock { $0.insert(min(number, UInt64(handlers.count))).inserted }
        guard isNew else { return }
        report("unsupported system call \(SystemCallName.of(Int(number)) ?? "number") (\(number)): ENOSYS")
    }

    /// Names of the calls that have a handler.
    public var supportedNumbers: [Int] { handlers.indices.filter { handlers[$0] != nil } }
}
