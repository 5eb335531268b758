import HostOS
import LinuxABI
import SandboxControl

/// What the user wants to know and keep of a run: the refusals' report, the list of changes, their archive, changes made on the host.
final class RunOutputs {
    /// Where the Sentry writes the changes; nil when nobody asked for them.
    let changes: SharedHostDescriptor?
    let wantsReport: Bool
    private let reportTarget: SharedHostDescriptor?
    private let listTarget: SharedHostDescriptor?
    private let wantsList: Bool
    private let approved: [[UInt8]]
    private let hidden: [[UInt8]]
    private var isIncomplete = false

    /// `hidden`: paths that the program did not see, and that nothing of it changes.
    init(_ options: SandboxExec, hidden: [[UInt8]]) throws(UsageFailure) {
        self.hidden = hidden
        wantsReport = options.report != nil
        wantsList = options.changes != nil
        reportTarget = try Self.target(options.report, "--report")
        listTarget = try Self.target(options.changes, "--changes")
        var approved: [[UInt8]] = []
        for path in options.apply {
            guard path.hasPrefix("/") else { throw UsageFailure(message: "--apply \(path): must be an absolute path") }
            guard options.root == "/" else { throw UsageFailure(message: "--apply \(path): changes of another root than / are exported, not applied; use --export-changes") }
            approved.append(Array(path.utf8))
        }
        self.approved = approved
        if let file = options.exportChanges {
            changes = try Self.open(file, "--export-changes")
        } else if wantsList || !approved.isEmpty {
            do throws(Errno) {
                changes = SharedHostDescriptor(try HostMemory.makeMemoryFile())
            } catch {
                throw UsageFailure(message: "the changes cannot be kept: the host gives no memory file (\(error))")
            }
        } else {
            changes = nil
        }
    }

    private static func target(_ file: String?, _ option: String) throws(UsageFailure) -> SharedHostDescriptor? {
        guard let file, file != "-" else { return nil }
        return try open(file, option)
    }

    private static func open(_ file: String, _ option: String) throws(UsageFailure) -> SharedHostDescriptor {
        do throws(Errno) {
            return SharedHostDescriptor(try HostNames.openTrusted(Array(file.utf8), [.readWrite, .create, .truncate], mode: 0o644))
        } catch {
            throw UsageFailure(message: "\(option) \(file): cannot be written (\(error)); name another file")
        }
    }

    /// What the rules refused, before the run's end.
    func report(_ lines: [String]) {
        guard wantsReport else { return }
        let text = lines.isEmpty ? "no access was refused\n" : lines.map { "refused \($0)\n" }.joined()
        Diagnostics.write(text, to: reportTarget?.number ?? 2)
    }

    /// Changes that the archive lacks.
    func missing(_ lines: [String]) {
        isIncomplete = true
        for line in lines { Diagnostics.report("a change is missing: the host does not tell any more what is at \(line)") }
    }

    /// After the run: lists and applies. Returns an exit status when something of it failed.
    func finish() -> Int32? {
        guard let changes else { return nil }
        var reader = ChangeArchiveReader(changes.number)
        var host: ChangeApplication?
        var failed = false
        do throws(Errno) {
            if isIncomplete && !approved.isEmpty { Diagnostics.report("nothing was applied, since not all changes are known") }
            if !isIncomplete && !approved.isEmpty { host = try ChangeApplication(approved, hidden: hidden) }
            while let (entry, data) = try reader.next() {
                if wantsList { list(entry) }
                failed = !(host?.apply(entry, from: changes.number, at: data) ?? true) || failed
            }
            failed = !(host?.finish() ?? true) || failed
        } catch {
            Diagnostics.report("the changes cannot be read: \(error)")
            return ExitStatus.sandboxFailed
        }
        guard reader.isComplete else {
            Diagnostics.report("the changes are incomplete: the sandbox ended before it had written them, or there was no room")
            return ExitStatus.sandboxFailed
        }
        return failed || isIncomplete ? ExitStatus.sandboxFailed : nil
    }

    private func list(_ entry: ChangeEntry) {
        if entry.isOpaqueMark { return }
        let mark = String(UnicodeScalar(entry.change.rawValue))
        let path = Array("\(mark) /".utf8) + entry.path + Array(entry.kind == .directory ? "/\n".utf8 : "\n".utf8)
        try? HostIO.writeAll(listTarget?.number ?? 2, path)
    }
}
