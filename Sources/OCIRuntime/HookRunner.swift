import HostOS
import LinuxABI

/// Runs the hooks of a configuration on the host, in their order, with the container's state on standard input.
struct HookRunner {
    let bundle: String

    /// Runs them all. - Throws: at the first that fails or takes too long.
    func run(_ name: String, _ hooks: [RuntimeSpec.Hook]?, state: JSONText) throws(RuntimeError) {
        for (index, hook) in (hooks ?? []).enumerated() {
            do throws(RuntimeError) { try run(hook, state) } catch {
                throw RuntimeError("error running \(name) hook #\(index): \(error.message)")
            }
        }
    }

    /// Runs them all, whatever happens; returns what failed. poststart and poststop only warn.
    func runAll(_ name: String, _ hooks: [RuntimeSpec.Hook]?, state: JSONText) -> [String] {
        var failures: [String] = []
        for (index, hook) in (hooks ?? []).enumerated() {
            do throws(RuntimeError) { try run(hook, state) } catch { failures.append("error running \(name) hook #\(index): \(error.message)") }
        }
        return failures
    }

    private func run(_ hook: RuntimeSpec.Hook, _ state: JSONText) throws(RuntimeError) {
        let path = hook.path ?? ""
        let arguments = (hook.args ?? []).isEmpty ? [path] : hook.args ?? []
        let pid: Int32
        let output: SharedHostDescriptor
        do throws(Errno) {
            let input = try HostIO.file(holding: Array(state.text().utf8))
            output = SharedHostDescriptor(try HostIO.file(holding: []))
            pid = try HostProcess.spawn(
                path, arguments: arguments.map { Array($0.utf8) }, environment: (hook.env ?? []).map { Array($0.utf8) },
                descriptors: [(input.number, 0), (output.number, 1), (output.number, 2)])
        } catch { throw RuntimeError("\(path) cannot be started: \(error)") }
        let deadline = hook.timeout.map { MonotonicInstant.after(nanoseconds: Int64(clamping: $0).multipliedReportingOverflow(by: 1_000_000_000).partialValue) }
        guard let status = wait(for: pid, until: deadline) else {
            throw RuntimeError("\(path): timed out after \(hook.timeout ?? 0) seconds")
        }
        guard status == 0 else {
            let signal = status & 0x7f
            let how = signal == 0 ? "exit status \((status >> 8) & 0xff)" : "signal \(signal)"
            throw RuntimeError("\(path): \(how), output: \(text(of: output.number))")
        }
    }

    /// The wait status; nil after the deadline, when the hook was killed.
    private func wait(for pid: Int32, until deadline: MonotonicInstant?) -> Int32? {
        if let deadline, let process = try? HostProcess.openProcess(pid) {
            while HostPoll.waitReadable([process.number], until: deadline).isEmpty {
                guard MonotonicInstant.now >= deadline else { continue }
                try? HostProcess.send(9, to: pid)
                _ = try? HostProcess.waitStatus(of: pid, wait: true)
                return nil
            }
        }
        return (try? HostProcess.waitStatus(of: pid, wait: true)) ?? nil
    }

    private func text(of descriptor: Int32) -> String {
        _ = try? HostFileCalls.seek(descriptor, offset: 0, whence: 0)
        let bytes = (try? HostIO.readSome(descriptor, capacity: 4096)) ?? []
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last?.isNewline ?? false { text.removeLast() }
        return text
    }
}
