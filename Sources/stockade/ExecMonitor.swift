import HostOS
import LinuxABI
import OCIRuntime
import SandboxControl

/// The process that stands for one of a container's on the host.
struct ExecMonitor {
    /// Descriptor to which it says once how the start went: nothing and the end of the file, or the message of a failure.
    let report: Int32

    private static let reportDescriptor: Int32 = 3
    private static let firstPreserved: Int32 = 4

    /// Starts the monitor with this command's own words, and waits until the process runs. Returns the monitor's number.
    static func start(_ context: Context, _ slave: SharedHostDescriptor?, preserved: Int) throws(RuntimeError) -> Int32 {
        let near: SharedHostDescriptor
        let pid: Int32
        do throws(Errno) {
            guard preserved >= 0, preserved < 1024 else { throw .EINVAL }
            let pair = try SocketPair()
            let far = SharedHostDescriptor(try HostIO.duplicate(pair.far.number, from: 3))
            near = SharedHostDescriptor(pair.takeNear())
            var copies: [SharedHostDescriptor] = []
            var descriptors: [(source: Int32, target: Int32)] = []
            let least = Self.firstPreserved + Int32(preserved) + 32
            func give(_ source: Int32, _ target: Int32) throws(Errno) {
                let copy = SharedHostDescriptor(try HostIO.duplicate(source, from: least))
                copies.append(copy)
                descriptors.append((source: copy.number, target: target))
            }
            try give(far.number, reportDescriptor)
            for index in 0..<Int32(preserved) { try give(3 + index, firstPreserved + index) }
            if let slave { for target: Int32 in 0...2 { try give(slave.number, target) } }
            let all = context.globalWords + ["exec", "--\(ExecCommand.monitorOption)=\(reportDescriptor)"] + context.commandWords
            let words = [Array("stockade".utf8)] + all.map { Array($0.utf8) }
            pid = try HostProcess.spawn(
                "/proc/self/exe", arguments: words, environment: HostProcess.environmentBytes, descriptors: descriptors)
            _ = copies
        } catch { throw RuntimeError("the monitor of the process cannot be started: \(error)") }
        let message = (try? HostPaths.readAll(near.number, limit: 1 << 16)) ?? []
        guard message.first == UInt8(ascii: "+") else {
            _ = try? HostProcess.waitStatus(of: pid, wait: true)
            let text = String(decoding: message, as: UTF8.self)
            throw RuntimeError(text.isEmpty ? "the monitor of the process ended" : text)
        }
        return pid
    }

    func run(_ context: Context, _ request: ExecCommand.Request, _ process: RuntimeSpec.Process) throws(RuntimeError) -> Int32 {
        HostStartup.setCloseOnExec(report)
        do throws(RuntimeError) {
            return try serve(context, request, process.processConfiguration())
        } catch {
            try? HostIO.writeAll(report, Array(error.message.utf8))
            HostProcess.exitNow(255)
        }
    }

    private func serve(
        _ context: Context, _ request: ExecCommand.Request, _ process: ProcessConfiguration
    ) throws(RuntimeError) -> Int32 {
        let signals: HostSignalQueue
        do throws(Errno) {
            HostProcess.startSession()
            if process.isTerminal { try HostTerminalCalls.takeAsControlling(0) }
            let all = (1...31).compactMap { Signal(rawValue: $0) }
            signals = try HostSignalQueue(all.filter { ![.SIGKILL, .SIGSTOP, .SIGCHLD, .SIGSEGV, .SIGBUS, .SIGFPE, .SIGILL].contains($0) })
        } catch { throw RuntimeError("the terminal cannot be taken: \(error)") }
        var descriptors: [Int32] = [0, 1, 2]
        for index in 0..<Int32(request.preserved) { descriptors.append(Self.firstPreserved + index) }
        let added = try context.runtime().exec(request.id, process, descriptors: descriptors, ignoringPause: request.ignoresPause)
        try? HostIO.writeAll(report, [UInt8(ascii: "+")])
        // Whoever started us reads up to the end.
        _ = HostDescriptor(owning: report)
        // The streams are the container's now: held open here they would hide their end.
        if let null = try? HostDescriptor(openingNull: ()) {
            for number: Int32 in 0...2 { try? HostIO.replace(number, by: null.number) }
        }
        while true {
            let ready = HostPoll.waitReadable([signals.number, added.socket.number], until: nil)
            if ready.contains(signals.number) {
                while let signal = signals.next() {
                    let isKey = process.isTerminal && signal.isFromKernel
                    try? added.socket.send(
                        ContainerRequest.signal(pid: 0, number: signal.number, all: false, fromTerminal: isKey).encoded())
                }
            }
            guard ready.contains(added.socket.number) else { continue }
            let reply: ContainerReply
            do throws(ControlError) { reply = try added.socket.reply() } catch { return 137 }
            if case .exited(let status) = reply {
                let signal = status & 0x7f
                return signal == 0 ? (status >> 8) & 0xff : 128 + signal
            }
        }
    }
}

extension SocketPair {
    /// Our end; the other is closed.
    consuming func takeNear() -> HostDescriptor { near }
}
