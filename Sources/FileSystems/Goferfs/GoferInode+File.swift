import GoferProtocol
import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

extension GoferInode {
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        switch type {
        case .directory: return GoferDirectory(self)
        case .regular: break
        // Devices of the host are out of reach.
        default: throw .ENXIO
        }
        let reads = flags.isReadable || flags.accessMode == 3
        guard flags.isWritable else { return GoferFile(self, readable: try readableDescriptor(), writable: nil) }
        let writable = try writableDescriptor(alsoReading: reads)
        return GoferFile(self, readable: reads ? writable : nil, writable: writable)
    }

    /// A descriptor that reads, from the cache or the Gofer.
    func readableDescriptor() throws(Errno) -> SharedHostDescriptor {
        let present = state.withLock { s in
            let found = s.readable?.current ?? (s.writableReads ? s.writable : nil)
            s.created = nil
            return found
        }
        if let present { return present }
        let (file, slot) = try openForReading()
        let replaced = state.withLock { s in
            defer { s.readable = slot }
            return s.readable
        }
        replaced?.clear()
        return file
    }

    /// A descriptor that writes, and reads where the host allows both.
    func writableDescriptor(alsoReading: Bool) throws(Errno) -> SharedHostDescriptor {
        let present = state.withLock { s in
            defer { s.created = nil }
            return alsoReading && !s.writableReads ? nil : s.writable
        }
        if let present { return present }
        let file: SharedHostDescriptor
        var reads = true
        do {
            file = try donated(.readWrite)
        } catch {
            guard error == .EACCES, !alsoReading else { throw error }
            file = try donated(.write)
            reads = false
        }
        state.withLock { [reads] in
            $0.writable = file
            $0.writableReads = reads
        }
        return file
    }

    private typealias Opened = (file: SharedHostDescriptor, slot: CacheSlot<SharedHostDescriptor>)

    private func openForReading() throws(Errno) -> Opened {
        if let opened = try openedAhead() { return opened }
        let file = try donated(.read)
        return (file, connection.descriptors.insert(file))
    }

    /// A file that was seen in a listing and has no handle yet: as it was opened with another one, or is now with others; nil: open it alone.
    private func openedAhead() throws(Errno) -> Opened? {
        guard let origin = state.withLock({ $0.handle == nil ? $0.origin : nil }) else { return nil }
        let hash = origin.hash
        guard let listing = origin.directory.names.withLock({ $0.watch == 0 ? nil : $0.ahead })?.current, let place = listing.place(hash) else {
            return nil
        }
        if let opened = listing.opens.take(place) {
            // The name may mean another file since.
            guard let file = opened.descriptor.current, let handle = opened.handle, let status = try? HostFileStatus(of: file.number),
                GoferFileSystem.Key(status) == key
            else {
                opened.descriptor.clear()
                return nil
            }
            adopt(handle, watch: 0)
            return (file, opened.descriptor)
        }
        // Each file brings a handle.
        if connection.handles.isShort { return nil }
        let others = listing.opens.others(with: place, of: listing.openCandidates)
        if others.isEmpty { return nil }
        let above = try origin.directory.handle()
        defer { withExtendedLifetime(above) {} }
        let request = OpenSeveralRequest(directory: above.id, handles: .all, names: [origin.name] + others.map { listing.names[$0] })
        guard let outcomes = try connection.openSeveral(request) else { return nil }
        var own: (opened: OpenAhead.Opened, file: SharedHostDescriptor, handle: NodeHandle)?
        for (index, outcome) in outcomes.enumerated() {
            guard case .success(let (node, file)) = outcome else { continue }
            let handle = NodeHandle(node.node, connection)
            let opened = OpenAhead.Opened(descriptor: connection.descriptors.insert(file), status: node.status, handle: handle)
            if index == 0 { own = (opened, file, handle) } else { listing.opens.keep(opened, at: others[index - 1]) }
        }
        _ = try outcomes[0].get()
        guard let own else { throw .ESTALE }
        guard GoferFileSystem.Key(own.opened.status) == key else {
            own.opened.descriptor.clear()
            throw stale(origin)
        }
        try requireSame(own.file)
        adopt(own.handle, watch: 0)
        return (own.file, own.opened.descriptor)
    }

    private func requireSame(_ file: SharedHostDescriptor) throws(Errno) {
        guard GoferFileSystem.Key(try HostFileStatus(of: file.number)) == key else { throw connection.fail("the Gofer donated another file") }
    }

    private func donated(_ access: OpenAccess) throws(Errno) -> SharedHostDescriptor {
        let (_, file) = try asking { (target, wish) throws(Errno) in
            try connection.callForDescriptor(OpenFileRequest(target, access, handles: wish))
        }
        try requireSame(file)
        return file
    }

    func truncate(to length: UInt64, caller: any Caller) throws(Errno) {
        guard type == .regular else { throw type == .directory ? .EISDIR : .EINVAL }
        guard let size = Int64(exactly: length) else { throw .EFBIG }
        if let writable = state.withLock({ $0.writable }) {
            try HostFileCalls.truncate(writable.number, to: size)
        } else {
            var request = SetAttributesRequest(node: try handle().id)
            request.size = length
            _ = try connection.call(request)
        }
        changed()
        // Pages behind the new end go from private mappings too; the host sees to the shared ones.
        let start = Page.up(length) ?? UInt64.max
        for record in state.withLock({ $0.mappings }) {
            record.invalidate(offset: start, length: UInt64(Int64.max) - min(start, UInt64(Int64.max)), includingPrivate: true)
        }
    }
}

extension GoferInode: MemoryMappable {
    func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece] {
        let descriptor = forWriting ? try writableDescriptor(alsoReading: true) : try readableDescriptor()
        let size = try HostFileStatus(of: descriptor.number).size
        return HostFilePieces.pieces(of: descriptor, size: size, offset: offset, length: length)
    }
    func addMapping(_ record: MappingRecord) { state.withLock { $0.mappings.append(record) } }
    func removeMapping(_ record: MappingRecord) {
        state.withLock { s in
            if let index = s.mappings.firstIndex(where: { $0 === record }) {
                s.mappings.swapAt(index, s.mappings.count - 1)
                s.mappings.removeLast()
            }
        }
        // No event tells of what was stored.
        if record.mayWrite { changed() }
    }
    var mappingIdentity: (device: DeviceNumber, inode: UInt64) { (key.device, key.inode) }
    var mappableSize: UInt64 { (try? currentStatus().size) ?? 0 }
    func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno) {
        guard let writable = state.withLock({ $0.writable }) else { return }
        try HostFileCalls.synchronize(writable.number, dataOnly: true)
    }
}

/// What lies behind a range of a host file.
enum HostFilePieces {
    static func pieces(of descriptor: SharedHostDescriptor, size: UInt64, offset: UInt64, length: UInt64) -> [MappablePiece] {
        let end = Page.up(size) ?? UInt64.max & ~(Page.size - 1)
        guard offset < end else { return [.beyondEnd(length: length)] }
        let inside = min(length, end - offset)
        var pieces: [MappablePiece] = [.hostFile(descriptor, offset: offset, length: inside)]
        if inside < length { pieces.append(.beyondEnd(length: length - inside)) }
        return pieces
    }
}
