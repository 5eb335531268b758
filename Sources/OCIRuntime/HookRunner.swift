import HostOS
import LinuxABI
import SandboxControl

/// Runs the hooks of a configuration in their order, with the container's state on standard input: on the host, or with `start` wherever the
/// caller starts them.
struct HookRunner {
    /// Starts one hook with these descriptors as its standard streams.
    typealias Start = (RuntimeSpec.Hook, [Int32]) throws(RuntimeError) -> any RunningHook

    /// Runs them all. - Throws: at the first that fails or takes too long.
    func run(
        _ name: String, _ hooks: [RuntimeSpec.Hook]?, state: JSONText,
        start: Start = { hook, descriptors throws(RuntimeError) in try HostHook(hook, descriptors) }
    ) throws(RuntimeError) {
        for (index, hook) in (hooks ?? []).enumerated() {
            do throws(RuntimeError) { try run(hook, state, start) } catch {
                throw RuntimeError("error running \(name) hook #\(index): \(error.message)")
            }
        }
    }

    /// Runs them all, whatever happens; returns what failed. poststart and poststop only warn.
    func runAll(_ name: String, _ hooks: [RuntimeSpec.Hook]?, state: JSONText) -> [String] {
        var failures: [String] = []
        for hook in (hooks ?? []) {
            do throws(RuntimeError) { try run(name, [hook], state: state) } catch { failures.append(error.message) }
        }
        return failures
    }

    private func run(_ hook: RuntimeSpec.Hook, _ state: JSONText, _ start: Start) throws(RuntimeError) {
        let path = hook.path ?? ""
        let input: SharedHostDescriptor, output: SharedHostDescriptor
        do throws(Errno) {
            input = SharedHostDescriptor(try HostIO.file(holding: Array(state.text().utf8)))
            output = SharedHostDescriptor(try HostIO.file(holding: []))
        } catch { throw RuntimeError("\(path) cannot be given the state: \(error)") }
        let running: any RunningHook
        do throws(RuntimeError) { running = try start(hook, [input.number, output.number, output.number]) } catch { throw error.during(path) }
        let deadline = hook.timeout.map { MonotonicInstant.after(nanoseconds: Int64(clamping: $0).multipliedReportingOverflow(by: 1_000_000_000).partialValue) }
        guard let status = running.wait(until: deadline) else {
            throw RuntimeError("\(path): timed out after \(hook.timeout ?? 0) seconds")
        }
        guard status == 0 else {
            let signal = status & 0x7f
            let how = signal == 0 ? "exit status \((status >> 8) & 0xff)" : "signal \(signal)"
            throw RuntimeError("\(path): \(how), output: \(text(of: output.number))")
        }
    }

    private func text(of descriptor: Int32) -> String {
        _ = try? HostFileCalls.seek(descriptor, offset: 0, whence: 0)
        let bytes = (try? HostIO.readSome(descriptor, capacity: 4096)) ?? []
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last?.isNewline ?? false { text.removeLast() }
        return text
    }
}

/// A hook that was started.
protocol RunningHook {
    /// The wait status; nil after the deadline, when the hook was killed.
    func wait(until deadline: MonotonicInstant?) -> Int32?
}

/// One on the host, in the caller's own surroundings.
private struct HostHook: RunningHook {
    private let pid: Int32

    init(_ hook: RuntimeSpec.Hook, _ descriptors: [Int32]) throws(RuntimeError) {
        let path = hook.path ?? ""
        do throws(Errno) {
            pid = try HostProcess.spawn(
                path, arguments: hook.words, environment: (hook.env ?? []).map { Array($0.utf8) },
                descriptors: descriptors.enumerated().map { (source: $0.element, target: Int32($0.offset)) })
        } catch { throw RuntimeError("cannot be started: \(error)") }
    }

    func wait(until deadline: MonotonicInstant?) -> Int32? {
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
}

/// One inside a container. It is killed when this is dropped.
final class ContainerHook: RunningHook {
    private let process: Runtime.AddedProcess
    init(_ process: consuming Runtime.AddedProcess) { self.process = process }

    func wait(until deadline: MonotonicInstant?) -> Int32? {
        while HostPoll.waitReadable([process.socket.number], until: deadline).isEmpty {
            if let deadline, MonotonicInstant.now >= deadline { return nil }
        }
        do throws(ControlError) {
            guard case .exited(let status) = try process.socket.reply() else { return 9 }
            return status
        } catch { return 9 }
    }
}

extension RuntimeSpec.Hook {
    fileprivate var words: [[UInt8]] { (args ?? []).isEmpty ? [Array((path ?? "").utf8)] : (args ?? []).map { Array($0.utf8) } }

    /// As runc: the rights of the container's program, but its own words and variables.
    func processConfiguration(like program: RuntimeSpec.Process) -> ProcessConfiguration {
        var process = program.processConfiguration()
        process.executable = Array((path ?? "").utf8)
        process.arguments = words
        process.environment = (env ?? []).map { Array($0.utf8) }
        process.isTerminal = false
        return process
    }
}
