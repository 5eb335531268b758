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
        for path in ro { result.binds.append(try parseGrant(path, isWritable: false)) }
        for path in rw { result.binds.append(try parseGrant(path, isWritable: true)) }
        for text in hide { result.hides.append(try parseHide(text)) }
        // A path's mounts lie over those of the paths above it, whatever the order of the options; hiding wins at equality.
        result.binds = result.binds.enumerated().sorted {
            let (a, b) = (Self.depth($0.element.destination), Self.depth($1.element.destination))
            return a != b ? a < b : $0.offset < $1.offset
        }.map(\.element)
        result.binds.removeAll { bind in result.hides.contains { Self.components($0.path) == Self.components(bind.destination) } }
        for text in tmpfs { result.tmpfs.append(try parseTmpfs(text)) }
        if let overlaySize { result.overlaySize = try parseSize(overlaySize, option: "--overlay-size") }
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
        guard let fastPathChoice = SandboxConfiguration.FastPathChoice(name: fastPath) else {
            let known = SandboxConfiguration.FastPathChoice.allCases.map(\.name).joined(separator: ", ")
            throw UsageFailure(message: "--fast-path \(fastPath): choose one of: \(known)")
        }
        result.fastPath = fastPathChoice
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
        return .init(source: source, destination: Array(parts[1].utf8), isWritable: isWritable, rule: "--bind \(text)")
    }

    /// --ro, --rw: the host path at its own place.
    private func parseGrant(_ text: String, isWritable: Bool) throws(UsageFailure) -> SandboxConfiguration.Bind {
        let option = isWritable ? "--rw" : "--ro"
        let path = try cleanPath(text, option: option)
        if path.count == 1 { throw UsageFailure(message: "\(option) /: the root is the host's already; name a directory or file in it") }
        if case .absent(let error) = HostProcess.kind(ofPath: path) {
            throw UsageFailure(message: "\(option) \(text): cannot be used (\(error)); create it or name another path")
        }
        return .init(source: path, destination: path, isWritable: isWritable, rule: "\(option) \(text)")
    }

    private func parseHide(_ text: String) throws(UsageFailure) -> SandboxConfiguration.Hide {
        var path = text
        var isRefused = false
        for (suffix, refuses) in [(":EACCES", true), (":ENOENT", false)] where text.hasSuffix(suffix) {
            path = String(text.dropLast(suffix.count))
            isRefused = refuses
        }
        let clean = try cleanPath(path, option: "--hide")
        if clean.count == 1 { throw UsageFailure(message: "--hide /: nothing would be left; hide a path in it") }
        return .init(path: clean, isRefused: isRefused)
    }

    private func parseTmpfs(_ text: String) throws(UsageFailure) -> SandboxConfiguration.Memory {
        guard let range = text.range(ofOption: ":size=") else { return .init(path: try absolute(text, option: "--tmpfs")) }
        return .init(
            path: try absolute(String(text[..<range.lowerBound]), option: "--tmpfs"),
            size: try parseSize(String(text[range.upperBound...]), option: "--tmpfs"))
    }

    /// A number of bytes, with K, M, G or T for powers of 1024.
    private func parseSize(_ text: String, option: String) throws(UsageFailure) -> UInt64 {
        let units: [(Character, UInt64)] = [("K", 10), ("M", 20), ("G", 30), ("T", 40)]
        let last = text.last.map { Character($0.uppercased()) }
        let shift = units.first { $0.0 == last }?.1 ?? 0
        guard let number = UInt64(shift == 0 ? text : String(text.dropLast())), number > 0, number <= UInt64(Int64.max) >> shift else {
            throw UsageFailure(message: "\(option): \(text) is no size; write bytes or 64K, 500M, 2G")
        }
        return number << shift
    }

    /// Absolute, without `.`, `..` and doubled slashes.
    private func cleanPath(_ text: String, option: String) throws(UsageFailure) -> [UInt8] {
        var components: [[UInt8]] = []
        for component in Self.components(try hostPath(text, option: option)) {
            switch String(decoding: component, as: UTF8.self) {
            case ".": break
            case "..": _ = components.popLast()
            default: components.append(component)
            }
        }
        return components.isEmpty ? Array("/".utf8) : components.reduce(into: []) { $0 += Array("/".utf8) + $1 }
    }
    private static func components(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: UInt8(ascii: "/")).map { Array($0) } }
    private static func depth(_ path: [UInt8]) -> Int { components(path).count }

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

extension String {
    /// Where the last `option` stands.
    fileprivate func range(ofOption option: String) -> Range<Index>? {
        var index = endIndex
        while index > startIndex {
            index = self.index(before: index)
            if self[index...].hasPrefix(option) { return index..<self.index(index, offsetBy: option.count) }
        }
        return nil
    }
}
