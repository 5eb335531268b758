import Kernel
import LinuxABI

/// Writes system calls as strace(1) does: `[pid 2] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3`.
public final class SystemCallTracer: Sendable {
    /// Nil: all.
    private let numbers: Set<Int>?
    private let sink: @Sendable (String) -> Void

    /// - Parameter names: which calls; nil for all. Unknown names are the caller's to refuse: see `unknownNames`.
    public init(names: [String]?, sink: @escaping @Sendable (String) -> Void) {
        numbers = names.map { names in
            let wanted = Set(names)
            return Set((0..<SystemCallName.limit).filter { SystemCallName.of($0).map(wanted.contains) ?? false })
        }
        self.sink = sink
    }

    /// Those of `names` that are no system call.
    public static func unknownNames(_ names: [String]) -> [String] {
        let known = Set((0..<SystemCallName.limit).compactMap(SystemCallName.of))
        return names.filter { !known.contains($0) }
    }

    func traces(_ number: Int) -> Bool { numbers?.contains(number) ?? true }

    /// Runs the call between formatting its arguments (before it can change them) and its result.
    func traced(
        _ current: CurrentTask, _ number: Int, _ arguments: SystemCallArguments,
        _ run: (CurrentTask, Int, SystemCallArguments) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let name = SystemCallName.of(number) ?? "syscall_\(number)"
        let signature = SystemCallSignature.of(name)
        let formatter = ArgumentFormatter(current: current, arguments: arguments)
        var call = "[pid \(current.task.id)] \(name)(" + formatter.before(signature) 
        if name == "exit" || name == "exit_group" { sink(call + ") = ?\n") }
        do {
            let result = try run(current, number, arguments)
            call += formatter.after(signature, result: result)
            if name != "exit" && name != "exit_group" { sink("\(call)) = \(signature.format(result: result))\n") }
            return result
        } catch {
            sink("\(call)\(formatter.afterFailure(signature))) = \(error.isRestart ? "? " : "-1 ")\(error)\n")
            throw error
        }
    }
}
