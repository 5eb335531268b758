import HostOS
import LinuxABI
import SandboxControl

/// Makes approved changes of a run on the host, with the user's rights. What the sandbox wrote is not trusted: a path is walked without
/// following symbolic links, set-ID bits and file capabilities are left out, device nodes are not made, and what was hidden stays as it is.
struct ChangeApplication {
    private struct Identity: Hashable {
        var device: DeviceNumber
        var inode: UInt64
    }
    private let root: SharedHostDescriptor
    private let approved: [[[UInt8]]]
    private let hidden: [[[UInt8]]]
    /// The files that `hidden` names, whatever other names they have.
    private var hiddenFiles: Set<Identity> = []
    /// Directories get their attributes last: what is made in them changes their times, and may need more than their mode allows.
    private var directories: [(path: [[UInt8]], entry: ChangeEntry)] = []
    private static let slash = UInt8(ascii: "/")
    private static let rules: ResolveFlags = [.beneath, .noMagicLinks, .noSymbolicLinks]

    init(_ paths: [[UInt8]], hidden: [[UInt8]]) throws(Errno) {
        root = SharedHostDescriptor(try HostNames.openTrusted([Self.slash], [.path, .directory]))
        approved = paths.map { $0.split(separator: Self.slash).map { Array($0) } }
        self.hidden = hidden.map { $0.split(separator: Self.slash).map { Array($0) } }
        for path in hidden {
            do throws(Errno) {
                let file = try HostNames.openTrusted(path, [.path])
                let status = try HostFileStatus(of: file.number)
                hiddenFiles.insert(Identity(device: status.device, inode: status.inode))
            } catch { if error != .ENOENT && error != .ENOTDIR { throw error } }
        }
    }

    /// Returns whether the change was made, or was none of the approved ones. A failure is reported.
    mutating func apply(_ entry: ChangeEntry, from archive: Int32, at data: UInt64) -> Bool {
        let components = entry.path.split(separator: Self.slash).map { Array($0) }
        guard let name = components.last, approved.contains(where: { components.starts(with: $0) }) else { return true }
        do throws(Errno) {
            if hidden.contains(where: { components.starts(with: $0) }) { throw .EACCES }
            let directory = try open(components.dropLast())
            try make(entry, name, in: directory.number, archive, data)
            if entry.change != .deleted && entry.kind == .directory && !entry.isOpaqueMark { directories.append((components, entry)) }
            return true
        } catch {
            report(entry, error)
            return false
        }
    }

    /// After the last entry. Returns whether every directory got its attributes.
    func finish() -> Bool {
        var isDone = true
        for (path, entry) in directories.reversed() {
            do throws(Errno) {
                guard let name = path.last else { continue }
                let above = try open(path.dropLast())
                let directory = try subdirectory(name, in: above.number)
                try finish(directory.number, entry)
            } catch {
                report(entry, error)
                isDone = false
            }
        }
        return isDone
    }

    private func report(_ entry: ChangeEntry, _ error: Errno) {
        Diagnostics.report("--apply: /\(String(decoding: entry.path, as: UTF8.self)): \(error)")
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
        switch entry.kind {
        case .directory:
            if entry.isOpaqueMark {
                // What lay in it before goes; what the run put there follows.
                let inside = try HostNames.open(name, in: directory, [.directory, .noFollow], resolve: Self.rules)
                return try removeContents(of: inside.number)
            }
            if let status = try? HostFileStatus(of: name, in: directory), !status.mode.isDirectory { try remove(name, in: directory) }
            do throws(Errno) { try HostNames.makeDirectory(name, in: directory, mode: 0o700) } catch { if error != .EEXIST { throw error } }
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
                try finish(file.number, entry)
            }
        case .hardLink:
            let target = entry.link.split(separator: Self.slash).map { Array($0) }
            guard let last = target.last, approved.contains(where: { target.starts(with: $0) }) else { throw .EXDEV }
            let from = try open(target.dropLast())
            try requireNotHidden(last, in: from.number)
            try replace(name, in: directory) { (temporary) throws(Errno) in
                try HostNames.link(last, in: from.number, to: temporary, in: directory, flags: 0)
            }
        case .symbolicLink:
            try replace(name, in: directory) { (temporary) throws(Errno) in
                try HostNames.makeSymbolicLink(temporary, in: directory, target: entry.link)
                try finish(temporary, in: directory, entry)
            }
        case .fifo:
            try replace(name, in: directory) { (temporary) throws(Errno) in
                try HostNames.makeFIFO(temporary, in: directory, mode: 0o600)
                try finish(temporary, in: directory, entry)
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
            try requireNotHidden(name, in: directory)
            if let status = try? HostFileStatus(of: name, in: directory), status.mode.isDirectory { try remove(name, in: directory) }
            try HostNames.rename(temporary, in: directory, to: name, in: directory, flags: 0)
        } catch {
            try? HostNames.unlink(temporary, in: directory, isDirectory: false)
            throw error
        }
    }

    private func finish(_ name: [UInt8], in directory: Int32, _ entry: ChangeEntry) throws(Errno) {
        let rules: ResolveFlags = [.beneath, .noMagicLinks]
        let file = try HostNames.open(name, in: directory, [.path, .noFollow], resolve: rules)
        try finish(file.number, entry)
    }

    /// `file` may be a descriptor with O_PATH.
    private func finish(_ file: Int32, _ entry: ChangeEntry) throws(Errno) {
        // Only root can give files away.
        if HostProcess.realUID == 0 { try HostNames.changeOwner([], in: file, uid: entry.uid, gid: entry.gid, flags: HostAt.emptyPath) }
        let path = Array("/proc/self/fd/\(file)".utf8)
        if entry.kind != .symbolicLink {
            if entry.kind == .directory { try removeAttributes(path, but: entry) }
            for attribute in entry.extendedAttributes where attribute.name.starts(with: Array("user.".utf8)) {
                try HostExtendedAttributes.set(path, attribute.name, attribute.value, flags: 0)
            }
            try HostNames.changeMode(path, in: HostAt.workingDirectory, mode: entry.permissions & 0o1777)
        }
        do throws(Errno) {
            try HostNames.changeTimes([], in: file, access: .omit, modification: .set(entry.modificationTime), flags: HostAt.emptyPath)
        } catch {
            // AT_EMPTY_PATH came with Linux 5.8.
            guard error == .EINVAL || error == .ENOENT, entry.kind != .symbolicLink else { throw error }
            try HostNames.changeTimes(path, in: HostAt.workingDirectory, access: .omit, modification: .set(entry.modificationTime), flags: 0)
        }
    }

    /// Takes the user's extended attributes away that the program took away.
    private func removeAttributes(_ path: [UInt8], but entry: ChangeEntry) throws(Errno) {
        let names: [UInt8]
        do throws(Errno) { names = try HostExtendedAttributes.list(path) } catch { return }
        for name in names.split(separator: 0) where name.starts(with: Array("user.".utf8)) {
            if !entry.extendedAttributes.contains(where: { $0.name.elementsEqual(name) }) { try HostExtendedAttributes.remove(path, Array(name)) }
        }
    }

    /// - Throws: EACCES for a file that the program was not to see.
    private func requireNotHidden(_ name: [UInt8], in directory: Int32) throws(Errno) {
        guard !hiddenFiles.isEmpty, let status = try? HostFileStatus(of: name, in: directory) else { return }
        if hiddenFiles.contains(Identity(device: status.device, inode: status.inode)) { throw .EACCES }
    }

    // MARK: removing

    private func remove(_ name: [UInt8], in directory: Int32) throws(Errno) {
        try requireNotHidden(name, in: directory)
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
