import LinuxABI
import Synchronization

/// What open(2), openat(2) and openat2(2) ask for. Flag combinations were checked by `validate`.
public struct OpenRequest: Sendable {
    public var flags: OpenFlags
    /// Permission bits of a new file, before umask.
    public var permissions: UInt16
    /// RESOLVE_* bits.
    public var resolve: LookupOptions

    public init(flags: OpenFlags, permissions: UInt16 = 0, resolve: LookupOptions = []) {
        self.flags = flags
        self.permissions = permissions
        self.resolve = resolve
    }

    /// Rules that concern the flags alone (build_open_flags). - Throws: EINVAL, EAGAIN.
    public func validate() throws(Errno) {
        let creates = flags.contains(.create), temporary = flags.contains(.temporaryFileBit)
        if creates && flags.contains(.directory) { throw .EINVAL }
        if temporary {
            guard flags.contains(.directory), flags.isWritable || flags.accessMode == 3 else { throw .EINVAL }
        }
        if resolve.contains(.cachedOnly) && (creates || temporary || flags.contains(.truncate)) { throw .EAGAIN }
    }
}

extension VFS {
    /// Opens `path`: the whole of openat2(2) but for the descriptor.
    public static func open(_ path: [UInt8], from base: Path? = nil, _ request: OpenRequest, caller: any Caller) throws(Errno)
        -> FileDescription
    {
        try request.validate()
        let flags = request.flags
        var options = request.resolve
        if !flags.contains(.noFollow) { options.insert(.follow) }
        if flags.contains(.directory) { options.insert(.directory) }

        if flags.contains(.temporaryFileBit) {
            var walk = try PathWalk(path, from: base, options, caller: caller, credentials: nil)
            let file = try createTemporary(
                in: try walk.finish(), permissions: request.permissions, linkable: !flags.contains(.exclusive), caller: caller)
            return try openCreated(file, flags, caller: caller)
        }
        if flags.contains(.create) && !flags.contains(.path) {
            return try openOrCreate(path, from: base, request, options, caller: caller)
        }
        var walk = try PathWalk(path, from: base, options, caller: caller, credentials: nil)
        let place = try walk.finish()
        return try open(place, flags, caller: caller)
    }

    /// Opens a place that was found already, with all permission checks.
    /// - Throws: ELOOP for a symbolic link, EISDIR, ENOTDIR, EACCES, EROFS, EPERM (O_NOATIME), ENXIO, ETXTBSY.
    public static func open(_ place: Path, _ flags: OpenFlags, caller: any Caller) throws(Errno) -> FileDescription {
        if flags.contains(.path) {
            let kept = flags.intersection([.path, .directory, .noFollow])
            return FileDescription(
                operations: PathOnlyOperations.shared, inode: place.node, path: place, anonymousName: "", flags: kept,
                holdsWriteAccess: false)
        }
        var flags = flags
        let type = place.dentry.type
        let truncates = flags.contains(.truncate) && type == .regular
        if truncates { try requireWritable(place) }
        let writes = flags.isWritable || flags.accessMode == 3 || flags.contains(.truncate)
        switch type {
        case .symbolicLink: throw .ELOOP
        case .directory: if writes { throw .EISDIR }
        case .characterDevice, .blockDevice: if !place.mount.allowsDevices { throw .EACCES }
        case .regular: break
        case .fifo, .socket: flags.remove(.truncate)
        }
        let credentials = caller.credentials
        var access: AccessMask = []
        if flags.isReadable || flags.accessMode == 3 { access.insert(.read) }
        if writes { access.insert(.write) }
        try place.node.checkAccess(access, credentials)
        if writes { try checkAppendOnly(place.node, flags) }
        if flags.contains(.noAccessTime), !ownsOrCapable(try place.node.attributes(), credentials) { throw .EPERM }
        return try finish(place, flags, truncating: truncates, caller: caller)
    }

    /// Opens for execution: a regular file that the caller may execute, on a mount that allows it. Reads need no read permission.
    /// - Throws: EACCES, ELOOP is left to the walk.
    public static func openForExecution(_ place: Path, caller: any Caller) throws(Errno) -> FileDescription {
        guard place.dentry.type == .regular, !place.mount.flags.contains(.noExecute) else { throw .EACCES }
        try place.node.checkAccess(.execute, caller.credentials)
        return try finish(place, [.largeFile], truncating: false, executing: true, caller: caller)
    }

    /// O_CREAT: the last component is looked up, and made if need be, under the directory's lock.
    private static func openOrCreate(
        _ path: [UInt8], from base: Path?, _ request: OpenRequest, _ options: LookupOptions, caller: any Caller
    ) throws(Errno) -> FileDescription {
        let flags = request.flags
        let isExclusive = flags.contains(.exclusive)
        var walk = try PathWalk(path, from: base, options, caller: caller, credentials: nil)
        while true {
            switch try walk.toLast() {
            case .dotDot:
                throw isExclusive ? .EEXIST : .EISDIR
            case .dot:
                throw isExclusive ? .EEXIST : .EISDIR
            case .none:
                return try openExisting(walk.path, flags, caller: caller)
            case .name(let name, let hash, let trailingSlash):
                if trailingSlash { throw .EISDIR }
                let directory = walk.path
                let (child, isNew) = try lookupOrCreate(name, hash, in: directory, request, caller: caller)
                if isNew {
                    directory.dentry.tree.trimIfNeeded()
                    return try openCreated(Path(mount: directory.mount, dentry: child), flags, caller: caller)
                }
                if isExclusive { throw .EEXIST }
                if try walk.enter(child, follow: !flags.contains(.noFollow)) { continue }
                return try openExisting(walk.path, flags, caller: caller)
            }
        }
    }

    private static func lookupOrCreate(
        _ name: FileName, _ hash: UInt64, in directory: Path, _ request: OpenRequest, caller: any Caller
    ) throws(Errno) -> (Dentry, isNew: Bool) {
        let dentry = directory.dentry
        // A cached name needs no lock: opening an existing file with O_CREAT is common.
        if dentry.tree.policy == .exclusive, case .child(let child) = dentry.cachedChild(hash, name.bytes, 0, name.bytes.count) {
            return (child, false)
        }
        return try dentry.directoryLock.withLock { _ throws(Errno) in
            if let child = createUnseen(name, hash, in: directory, request, caller: caller) { return (child, true) }
            if let child = try dentry.lookupLocked(name, hash, caller: caller) { return (child, false) }
            try requireWritable(directory, name)
            try caller.credentials.landlock?.check(.makeRegular, at: directory)
            return (try create(name, .regular, permissions: request.permissions, in: dentry, caller: caller), true)
        }
    }

    /// On a shared tree a name of which nothing is known costs one message to look up and one to make. Making it tells whether it was there:
    /// nil when it was, or anything else stood in the way, which looking then brings up in its order.
    private static func createUnseen(
        _ name: FileName, _ hash: UInt64, in directory: Path, _ request: OpenRequest, caller: any Caller
    ) -> Dentry? {
        let dentry = directory.dentry
        guard dentry.tree.policy == .shared, !directory.mount.isReadOnly, caller.credentials.landlock == nil else { return nil }
        guard case .unknown = dentry.cachedChild(hash, name.bytes, 0, name.bytes.count) else { return nil }
        return try? create(name, .regular, permissions: request.permissions, in: dentry, caller: caller)
    }

    private static func openExisting(_ place: Path, _ flags: OpenFlags, caller: any Caller) throws(Errno) -> FileDescription {
        if flags.contains(.exclusive) { throw .EEXIST }
        if place.dentry.isDirectory { throw .EISDIR }
        return try open(place, flags, caller: caller)
    }

    /// A file that this call made: its mode does not restrict the one who made it.
    private static func openCreated(_ place: Path, _ flags: OpenFlags, caller: any Caller) throws(Errno) -> FileDescription {
        let file = try finish(place, flags, truncating: false, caller: caller)
        file.wasCreated = true
        return file
    }

    /// Permission was checked: makes the description.
    private static func finish(
        _ place: Path, _ flags: OpenFlags, truncating: Bool, executing: Bool = false, caller: any Caller
    ) throws(Errno) -> FileDescription {
        var denied = LandlockFileAccess()
        if let domain = caller.credentials.landlock {
            denied = try domain.checkOpen(place, flags, executing: executing, truncating: truncating)
        }
        let inode = place.node
        let isRegular = place.dentry.type == .regular
        if flags.isWritable && isRegular { try requireWritable(place) }
        let countsAsWriter = flags.isWritable && isRegular
        if countsAsWriter { try inode.shared.addWriter() }
        do throws(Errno) {
            if truncating { try truncate(inode, to: 0, caller: caller) }
            let clean = flags.subtracting([.create, .exclusive, .truncate, .noControllingTerminal, .closeOnExec])
            let operations = try openOperations(inode, place.dentry.type, flags, caller: caller)
            let file = FileDescription(
                operations: operations, inode: inode, path: place, anonymousName: "", flags: clean, holdsWriteAccess: countsAsWriter,
                denied: denied)
            FileNotice.post(.open, place.dentry)
            if truncating { FileNotice.post(.modify, place.dentry) }
            return file
        } catch {
            if countsAsWriter { inode.shared.removeWriter() }
            throw error
        }
    }

    private static func openOperations(_ inode: any Inode, _ type: FileType, _ flags: OpenFlags, caller: any Caller) throws(Errno)
        -> any FileOperations
    {
        if inode.opensItself { return try inode.open(flags, caller: caller) }
        switch type {
        case .socket: throw .ENXIO
        case .fifo: return try Pipe.openFIFO(inode: inode, flags: flags, caller: caller)
        case .characterDevice:
            do throws(Errno) {
                return try inode.open(flags, caller: caller)
            } catch {
                guard error == .ENXIO else { throw error }
                let device = try inode.attributes().specialDevice
                return try caller.mountNamespace.devices.open(device, inode, flags, caller: caller)
            }
        default: return try inode.open(flags, caller: caller)
        }
    }
}
