import LinuxABI

extension LandlockDomain {
    private func forEachLayer(_ body: (LandlockLayer) throws(Errno) -> Void) throws(Errno) {
        var domain: LandlockDomain? = self
        while let candidate = domain {
            try body(candidate.layer)
            domain = candidate.parent
        }
    }

    /// What the rules of `layer` allow at `place`: those of the file and of every directory above it.
    private func granted(_ layer: LandlockLayer, at place: Path) -> LandlockFileAccess {
        var (mount, dentry) = (place.mount, place.dentry)
        var granted = LandlockFileAccess()
        while true {
            granted.formUnion(layer.access(at: dentry.node))
            if dentry === mount.root {
                guard let position = mount.position.withLock({ $0 }) else {
                    // Pipes, sockets, memory files and the like have no place that a rule could name.
                    return mount.id == 0 ? .all : granted
                }
                (mount, dentry) = (position.parent, position.mountPoint)
                continue
            }
            guard let parent = dentry.parent else { return granted }
            dentry = parent
        }
    }

    /// Whether every layer that handles a right of `access` grants it at `place`.
    func allows(_ access: LandlockFileAccess, at place: Path) -> Bool { missing(access, at: place).isEmpty }

    /// What of `access` some layer denies at `place`.
    private func missing(_ access: LandlockFileAccess, at place: Path) -> LandlockFileAccess {
        var missing = LandlockFileAccess()
        var domain: LandlockDomain? = self
        while let candidate = domain {
            let wanted = access.intersection(candidate.layer.handledFiles)
            if !wanted.isEmpty { missing.formUnion(wanted.subtracting(granted(candidate.layer, at: place))) }
            domain = candidate.parent
        }
        return missing
    }

    /// - Throws: EACCES.
    func check(_ access: LandlockFileAccess, at place: Path) throws(Errno) {
        if !allows(access, at: place) { throw .EACCES }
    }

    /// An open file needs the rights of its access mode. - Returns: what its later operations must do without.
    /// - Throws: EACCES.
    func checkOpen(_ place: Path, _ flags: OpenFlags, executing: Bool, truncating: Bool) throws(Errno) -> LandlockFileAccess {
        var wanted = LandlockFileAccess()
        if place.dentry.isDirectory {
            wanted = .readDirectory
        } else {
            if flags.isReadable { wanted.insert(.readFile) }
            if flags.isWritable { wanted.insert(.writeFile) }
            if executing { wanted.insert(.execute) }
        }
        var optional = LandlockFileAccess.truncate
        let type = place.dentry.type
        if type == .characterDevice || type == .blockDevice { optional.insert(.deviceControl) }
        let missing = missing(wanted.union(optional), at: place)
        if !missing.isDisjoint(with: wanted) { throw .EACCES }
        if truncating && missing.contains(.truncate) { throw .EACCES }
        return missing.intersection(optional)
    }

    /// link(2) and rename(2): a file gets another name, in `new` instead of `old`, and may not gain rights by that.
    /// - Parameters:
    ///   - replaced: what the new name meant; with `exchange` it goes the other way.
    ///   - removing: the old name goes.
    /// - Throws: EACCES, EXDEV where only the move itself is forbidden.
    func checkMove(
        _ child: Dentry, from old: Path, to new: Path, replacing replaced: Dentry?, exchange: Bool, removing: Bool
    ) throws(Errno) {
        var atNew = Self.making(child.type)
        var atOld = LandlockFileAccess()
        if exchange, let replaced { atOld.formUnion(Self.making(replaced.type)) }
        if removing {
            atOld.formUnion(Self.removing(child))
            if let replaced { atNew.formUnion(Self.removing(replaced)) }
        }
        if old.dentry === new.dentry { return try check(atOld.union(atNew), at: old) }

        let missingOld = missing(atOld.union(.refer), at: old), missingNew = missing(atNew.union(.refer), at: new)
        var gains = false
        try forEachLayer { layer throws(Errno) in
            let (fromOld, fromNew) = (granted(layer, at: old), granted(layer, at: new))
            func gain(_ dentry: Dentry, _ before: LandlockFileAccess, _ after: LandlockFileAccess) -> Bool {
                let own = layer.access(at: dentry.node)
                let known = layer.handledFiles.intersection(dentry.isDirectory ? .all : .ofFiles)
                return !after.union(own).intersection(known).isSubset(of: before.union(own))
            }
            if gain(child, fromOld, fromNew) { gains = true }
            if exchange, let replaced, gain(replaced, fromNew, fromOld) { gains = true }
        }
        let denied = missingOld.union(missingNew)
        if denied.isEmpty && !gains { return }
        throw denied.subtracting(.refer).isEmpty ? .EXDEV : .EACCES
    }

    static func making(_ type: FileType) -> LandlockFileAccess {
        switch type {
        case .regular: .makeRegular
        case .directory: .makeDirectory
        case .symbolicLink: .makeSymbolicLink
        case .fifo: .makeFIFO
        case .socket: .makeSocket
        case .characterDevice: .makeCharacterDevice
        case .blockDevice: .makeBlockDevice
        }
    }
    static func removing(_ dentry: Dentry) -> LandlockFileAccess { dentry.isDirectory ? .removeDirectory : .removeFile }
}

extension NodeKind {
    var type: FileType {
        switch self {
        case .regular: .regular
        case .directory: .directory
        case .symbolicLink: .symbolicLink
        case .fifo: .fifo
        case .socket: .socket
        case .device(let type, _): type
        }
    }
}
