import HostOS
import LinuxABI
import SandboxControl

/// Makes approved changes of a run on the host, with the user's rights. What the sandbox wrote is not trusted: a path is walked without
/// following symbolic links, set-ID bits and file capabilities are left out, and device nodes are not made.
struct ChangeApplication {
    private let root: SharedHostDescriptor
    private let approved: [[[UInt8]]]
    private static let slash = UInt8(ascii: "/")
    private static let rules: ResolveFlags = [.beneath, .noMagicLinks, .noSymbolicLinks]

    init(_ paths: [[UInt8]]) throws(Errno) {
        root = SharedHostDescriptor(try HostNames.openTrusted([Self.slash], [.path, .directory]))
        approved = paths.map { $0.split(separator: Self.slash).map { Array($0) } }
    }

    /// Returns whether the change was made, or was none of the approved ones. A failure is reported.
    func apply(_ entry: ChangeEntry, from archive: Int32, at data: UInt64) -> Bool {
        let components = entry.path.split(separator: Self.slash).map { Array($0) }
        guard let name = components.last, approved.contains(where: { components.starts(with: $0) }) else { return true }
        do throws(Errno) {
            let directory = try open(components.dropLast())
            try make(entry, name, in: directory.number, archive, data)
            return true
        } catch {
            Diagnostics.report("--apply: /\(String(decoding: entry.path, as: UTF8.self)): \(error)")
            return false
        }
    }

    /// The directory, made where it lacks.
    private func open(_ components: ArraySlice<[UInt8]>) throws(Errno) -> SharedHostDescriptor {
        var directory = SharedHostDescriptor(try HostNames.open([0x2e], in: root.number, [.path, .directory], resolve: Self.rules))
        for name in components {
            do throws(Errno) {
                directory = try subdirectory(name, in: directory.number)
            } catch .ENOENT {
                try HostNames.makeDirectory(name, in: directory.number, mode: 0o755)
                directory = try subdirectory(name, in: directory.number)
            } catch { throw error }
        }
        return directory
    }

    private func subdirectory(_ name: [UInt8], in directory: Int32) throws(Errno) -> SharedHostDescriptor {
        SharedHostDescriptor(try HostNames.open(name, in: directory, [.path, .directory, .noFollow], resolve: Self.rules))
    }

    private func make(_ entry: ChangeEntry, _ name: [UInt8], in directory: Int32, _ archive: Int32, _ data: UInt64) throws(Errno) {
        if entry.change == .deleted { return try remove(name, in: directory) }
        let permissions = entry.permissions & 0o1777
        switch entry.kind {
        case .directory:
            if entry.isOpaqueMark {
                // What lay in it before goes; what the run put there follows.
                let inside = try HostNames.open(name, in: directory, [.directory, .noFollow], resolve: Self.rules)
                return try removeContents(of: inside.number)
            }
            if let status = try? HostFileStatus(of: name, in: directory), !status.mode.isDirectory { try remove(name, in: directory) }
            do throws(Errno) { try HostNames.makeDirectory(name, in: directory, mode: permissions) } catch { if error != .EEXIST { throw error } }
            let made = try HostNames.open(name, in: directory, [.directory, .noFollow], resolve: Self.rules)
            try finish(made.number, entry, permissions)
        case .file:
            try replace(name, in: directory) { (temporary) throws(Errno) in
                let file = try HostNames.open(
                    temporary, in: directory, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600, resolve: Self.rules)
                var done: UInt64 = 0
                while done < entry.size {
                    let bytes = try HostIO.positionedRead(archive, at: data + done, count: Int(min(1 << 18, entry.size - done)))
                    if bytes.isEmpty { throw .EBADMSG }
                    try HostIO.writeAll(file.number, bytes)
                    done += UInt64(bytes.count)
                }
                try finish(file.number, entry, permissions)
            }
        case .hardLink:
            let target = entry.link.split(separator: Self.slash).map { Array($0) }
            guard let last = target.last, approved.contains(where: { target.starts(with: $0) }) else { throw .EXDEV }
            let from = try open(target.dropLast())
            try replace(name, in: directory) { (temporary) throws(Errno) in
                try HostNames.link(last, in: from.number, to: temporary, in: directory, flags: 0)
            }
        case .symbolicLink:
            try replace(name, in: directory) { (temporary) throws(Errno) in
                try HostNames.makeSymbolicLink(temporary, in: directory, target: entry.link)
            }
        case .fifo:
            try replace(name, in: directory) { (temporary) throws(Errno) in
                try HostNames.makeFIFO(temporary, in: directory, mode: permissions)
            }
        case .characterDevice, .blockDevice: throw .EPERM
        }
    }

    /// Makes something under a name of its own, then puts it in the place of what is there.
    private func replace(_ name: [UInt8], in directory: Int32, _ make: ([UInt8]) throws(Errno) -> Void) throws(Errno) {
        let temporary = Array(".stockade-apply-\(HostProcess.id)".utf8)
        try? HostNames.unlink(temporary, in: directory, isDirectory: false)
        try make(temporary)
        do throws(Errno) {
            if let status = try? HostFileStatus(of: name, in: directory), status.mode.isDirectory { try remove(name, in: directory) }
            try HostNames.rename(temporary, in: directory, to: name, in: directory, flags: 0)
        } catch {
            try? HostNames.unlink(temporary, in: directory, isDirectory: false)
            throw error
        }
    }

    private func finish(_ file: Int32, _ entry: ChangeEntry, _ permissions: UInt16) throws(Errno) {
        // Only root can give files away.
        if HostProcess.realUID == 0 { try HostNames.changeOwner([], in: file, uid: entry.uid, gid: entry.gid, flags: HostAt.emptyPath) }
        try HostNames.changeMode(Array("/proc/self/fd/\(file)".utf8), in: HostAt.workingDirectory, mode: permissions)
        for attribute in entry.extendedAttributes where attribute.name.starts(with: Array("user.".utf8)) {
            try HostExtendedAttributes.set(Array("/proc/self/fd/\(file)".utf8), attribute.name, attribute.value, flags: 0)
        }
        try HostNames.changeTimes(
            Array("/proc/self/fd/\(file)".utf8), in: HostAt.workingDirectory, access: .omit, modification: .set(entry.modificationTime), flags: 0)
    }

    // MARK: removing

    private func remove(_ name: [UInt8], in directory: Int32) throws(Errno) {
        do throws(Errno) {
            try HostNames.unlink(name, in: directory, isDirectory: false)
        } catch {
            if error == .ENOENT { return }
            guard error == .EISDIR || error == .EPERM else { throw error }
            let inside = try HostNames.open(name, in: directory, [.directory, .noFollow], resolve: Self.rules)
            try removeContents(of: inside.number)
            try HostNames.unlink(name, in: directory, isDirectory: true)
        }
    }

    /// The directory must be open for reading.
    private func removeContents(of directory: Int32) throws(Errno) {
        var names: [[UInt8]] = []
        while true {
            let records = try HostFileCalls.directoryRecords(directory, capacity: 32768)
            if records.isEmpty { break }
            var start = 0
            // struct linux_dirent64: the length lies at 16, the name at 19.
            while start + 19 < records.count {
                let length = Int(records[start + 16]) | Int(records[start + 17]) << 8
                guard length > 19, start + length <= records.count else { break }
                let name = Array(records[start + 19..<start + length].prefix { $0 != 0 })
                if name != [0x2e] && name != [0x2e, 0x2e] { names.append(name) }
                start += length
            }
        }
        for name in names { try remove(name, in: directory) }
    }
}
