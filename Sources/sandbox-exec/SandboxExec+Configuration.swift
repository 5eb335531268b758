import HostOS
import LinuxABI
import SandboxControl

extension SandboxExec {
    /// Checks every option and makes the configuration and the time limit of the run.
    func sandboxConfiguration(command: [[UInt8]]) throws(UsageFailure) -> (SandboxConfiguration, nanoseconds: Int64?) {
        guard !command.isEmpty else {
            throw UsageFailure(message: "no command given; say what to run: sandbox-exec -- COMMAND [ARG...]")
        }
        var result = SandboxConfiguration()
        guard let choice = SandboxConfiguration.PlatformChoice(name: platform) else {
            let known = SandboxConfiguration.PlatformChoice.allCases.map(\.name).joined(separator: ", ")
            throw UsageFailure(message: "--platform \(platform): unknown platform; choose one of: \(known)")
        }
        result.platform = choice
        result.arguments = command
        result.root = try existingDirectory(root, option: "--root")
        for text in bind { result.binds.append(try parseBind(text)) }
        for path in tmpfs { result.tmpfs.append(try absolute(path, option: "--tmpfs")) }
        result.environment = try programEnvironment()
        result.workingDirectory = try programDirectory()
        guard !hostname.isEmpty, hostname.utf8.count <= 64 else {
            throw UsageFailure(message: "--hostname: a host name has 1 to 64 bytes")
        }
        result.hostName = hostname
        try applyIdentity(to: &result)
        result.umask = HostProcess.umask
        result.showsDiagnostics = debug
        result.auditsFilter = audit
        if let strace {
            result.trace = strace == "all" ? .all : .named(strace.split(separator: ",").map(String.init))
        }
        var limit: Int64?
        if let timeout { limit = try parseDuration(timeout) }
        return (result, limit)
    }

    private func programEnvironment() throws(UsageFailure) -> [[UInt8]] {
        var entries = clearEnv ? [] : HostProcess.environmentBytes
        for setting in env {
            let bytes = Array(setting.utf8)
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
                throw UsageFailure(message: "--env \(setting): expected NAME=VALUE")
            }
            let name = bytes[...equals]
            entries.removeAll { $0.starts(with: name) }
            entries.append(bytes)
        }
        return entries
    }

    private func programDirectory() throws(UsageFailure) -> [UInt8] {
        if let cwd { return try absolute(cwd, option: "--cwd") }
        if root != "/" { return Array("/".utf8) }
        do {
            return try HostProcess.workingDirectory()
        } catch {
            throw UsageFailure(message: "the working directory cannot be read (\(error)); name one with --cwd DIR")
        }
    }

    private func applyIdentity(to configuration: inout SandboxConfiguration) throws(UsageFailure) {
        configuration.uid = HostProcess.realUID
        configuration.gid = HostProcess.realGID
        configuration.groups = HostProcess.groups
        if let user {
            let parts = user.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let uid = UInt32(parts[0]), uid != .max, let gid = UInt32(parts.count == 2 ? parts[1] : parts[0]),
                gid != .max
            else {
                throw UsageFailure(message: "--user \(user): expected UID or UID:GID as numbers")
            }
            configuration.uid = uid
            configuration.gid = gid
            configuration.groups = [gid]
        }
        configuration.isPrivileged = configuration.uid == 0
    }

    private func parseBind(_ text: String) throws(UsageFailure) -> SandboxConfiguration.Bind {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3, !parts[0].isEmpty, parts[1].hasPrefix("/") else {
            throw UsageFailure(message: "--bind \(text): expected SRC:DST, SRC:DST:ro or SRC:DST:rw with DST absolute")
        }
        var isWritable = true
        if parts.count == 3 {
            guard parts[2] == "ro" || parts[2] == "rw" else {
                throw UsageFailure(message: "--bind \(text): the mode is `ro` or `rw`, not `\(parts[2])`")
            }
            isWritable = parts[2] == "rw"
        }
        let source = try hostPath(parts[0], option: "--bind")
        if case .absent(let error) = HostProcess.kind(ofPath: source) {
            throw UsageFailure(message: "--bind \(text): \(parts[0]) cannot be used (\(error)); create it or name another path")
        }
        return .init(source: source, destination: Array(parts[1].utf8), isWritable: isWritable)
    }

    private func existingDirectory(_ path: String, option: String) throws(UsageFailure) -> [UInt8] {
        let absolute = try hostPath(path, option: option)
        switch HostProcess.kind(ofPath: absolute) {
        case .directory:
            do {
                try HostProcess.maySearch(absolute)
                return absolute
            } catch {
                throw UsageFailure(message: "\(option) \(path): may not be read (\(error)); change its permissions or name another directory")
            }
        case .other: throw UsageFailure(message: "\(option) \(path): not a directory; name a directory")
        case .absent(let error): throw UsageFailure(message: "\(option) \(path): cannot be used (\(error)); name a readable directory")
        }
    }

    private func hostPath(_ path: String, option: String) throws(UsageFailure) -> [UInt8] {
        guard !path.isEmpty else { throw UsageFailure(message: "\(option): empty path") }
        if path.hasPrefix("/") { return Array(path.utf8) }
        do {
            return try HostProcess.workingDirectory() + Array("/".utf8) + Array(path.utf8)
        } catch {
            throw UsageFailure(message: "\(option) \(path): the working directory cannot be read (\(error)); use an absolute path")
        }
    }

    private func absolute(_ path: String, option: String) throws(UsageFailure) -> [UInt8] {
        guard path.hasPrefix("/") else { throw UsageFailure(message: "\(option) \(path): must be an absolute path inside the sandbox") }
        return Array(path.utf8)
    }

    /// `10`, `1.5s`, `200ms`, `5m`, `1h`, in nanoseconds.
    private func parseDuration(_ text: String) throws(UsageFailure) -> Int64 {
        let units: [(String, Double)] = [("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("", 1e9)]
        for (suffix, scale) in units where text.hasSuffix(suffix) {
            guard let number = Double(text.dropLast(suffix.count)), number > 0, number * scale < 9e18 else { break }
            return Int64(number * scale)
        }
        throw UsageFailure(message: "--timeout \(text): expected a positive duration such as 10, 1.5s, 5m or 1h")
    }
}
