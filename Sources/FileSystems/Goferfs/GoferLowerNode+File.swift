import GoferProtocol
import HostOS
import LinuxABI
import VirtualFileSystem

extension GoferLowerNode {
    public func open() throws(Errno) -> SharedHostDescriptor {
        if let descriptor = state.withLock({ $0.descriptor })?.current { return descriptor }
        guard type == .regular else { throw type == .directory ? .EISDIR : .ENXIO }
        if let (file, slot) = try openedAhead() { return adopt(file, slot) }
        if let (file, slot) = try openWithOthers() { return adopt(file, slot) }
        let (reply, file) = try withTarget { target throws(Errno) in try tree.connection.callForDescriptor(OpenFileRequest(target, .read)) }
        guard isSame(reply.status) else { throw .ESTALE }
        return adopt(file, tree.connection.descriptors.insert(file))
    }

    private func isSame(_ other: HostFileStatus) -> Bool { other.inode == status.inode && other.device == status.device }

    /// Whoever opened it meanwhile was first; all then use the same one.
    private func adopt(_ file: SharedHostDescriptor, _ slot: CacheSlot<SharedHostDescriptor>) -> SharedHostDescriptor {
        let earlier = state.withLock { s -> CacheSlot<SharedHostDescriptor>? in
            if let present = s.descriptor, !present.isEmpty { return present }
            s.descriptor = slot
            return nil
        }
        if let earlier, let descriptor = earlier.current {
            slot.clear()
            return descriptor
        }
        return file
    }

    private typealias Opened = (file: SharedHostDescriptor, slot: CacheSlot<SharedHostDescriptor>)

    /// The listing of the directory that it lies in, and its place there.
    private var listed: (listing: LowerListing, place: Int)? {
        guard let listing = parent?.currentListing, let place = listing.place(FileName(name)) else { return nil }
        return (listing, place)
    }

    private func openedAhead() throws(Errno) -> Opened? {
        guard let (listing, place) = listed, let opened = listing.opens.take(place), let file = opened.descriptor.current else { return nil }
        // The host may have put another file there since the directory was listed.
        guard isSame(opened.status) else {
            opened.descriptor.clear()
            return nil
        }
        return (file, opened.descriptor)
    }

    /// Opens the file together with those that will probably be asked for next; nil when there is no reason to expect any.
    private func openWithOthers() throws(Errno) -> Opened? {
        guard let parent, let (listing, place) = listed else { return nil }
        let others = listing.opens.others(with: place, of: listing.openCandidates)
        if others.isEmpty { return nil }
        let connection = tree.connection
        let above = try parent.directoryHandle()
        defer { withExtendedLifetime(above) {} }
        let request = OpenSeveralRequest(directory: above.id, handles: .none, names: [name] + others.map { listing.entries[$0].name })
        guard let outcomes = try connection.openSeveral(request) else { return nil }
        var own: Opened?
        for (index, outcome) in outcomes.enumerated() {
            guard case .success(let (node, file)) = outcome else { continue }
            let slot = connection.descriptors.insert(file)
            if index > 0 {
                listing.opens.keep(.init(descriptor: slot, status: node.status), at: others[index - 1])
            } else if isSame(node.status) {
                own = (file, slot)
            } else {
                slot.clear()
            }
        }
        _ = try outcomes[0].get()
        guard let own else { throw .ESTALE }
        return own
    }

    // MARK: extended attributes

    public func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        guard (1...ProtocolLimits.maximumAttributeName).contains(name.count), NameRule.isPlain(name) else { throw .ERANGE }
        let known = tree.connection.knownAttributes
        if known.contains(name, on: status.device), !(try extendedAttributeNames().contains(name)) { throw .ENODATA }
        return try known.asking(name, on: status.device) { () throws(Errno) in
            try withTarget { target throws(Errno) in try tree.connection.call(GetExtendedAttributeRequest(target, name: name)).bytes }
        }
    }

    public func extendedAttributeNames() throws(Errno) -> [[UInt8]] {
        if let names = state.withLock({ $0.attributeNames }) { return names }
        let ahead = try attributeNamesAhead()
        let names = if let ahead { ahead } else { try ownAttributeNames() }
        state.withLock { $0.attributeNames = names }
        return names
    }

    private func ownAttributeNames() throws(Errno) -> [[UInt8]] {
        GoferConnection.attributeNames(
            try withTarget { target throws(Errno) in try tree.connection.call(ListExtendedAttributesRequest(target)).bytes })
    }

    /// What the directory's listing knows of them, after it asked for many when it is time; nil: ask for this one.
    private func attributeNamesAhead() throws(Errno) -> [[UInt8]]? {
        guard let parent, let (listing, place) = listed else { return nil }
        if let names = listing.attributeNames[place] { return names }
        let places = listing.attributeNames.others(with: place, of: listing.entries.count)
        if places.count < 2 { return nil }
        let above = try parent.directoryHandle()
        defer { withExtendedLifetime(above) {} }
        try tree.connection.fetchAttributeNames(
            above.id, places.map { listing.entries[$0].name }, at: places, into: listing.attributeNames)
        return listing.attributeNames[place]
    }
}
