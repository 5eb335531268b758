import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

extension GoferInode {
    func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        let name = try Self.attributeName(name)
        let known = connection.knownAttributes
        if known.contains(name, on: key.device), let names = try attributeNamesAhead(), !names.contains(name) { throw .ENODATA }
        return try known.asking(name, on: key.device) { () throws(Errno) in
            let (target, kept) = try readingTarget()
            defer { withExtendedLifetime(kept) {} }
            return try connection.call(GetExtendedAttributeRequest(target, name: name)).bytes
        }
    }
    func setExtendedAttribute(_ name: [UInt8], _ value: [UInt8], flags: Int32, caller: any Caller) throws(Errno) {
        guard value.count <= ProtocolLimits.maximumValue else { throw .E2BIG }
        changed()
        _ = try connection.call(
            SetExtendedAttributeRequest(
                node: try handle().id, name: try Self.attributeName(name), value: value, flags: UInt32(bitPattern: flags) & 3))
    }
    func removeExtendedAttribute(_ name: [UInt8], caller: any Caller) throws(Errno) {
        changed()
        _ = try connection.call(RemoveExtendedAttributeRequest(node: try handle().id, name: try Self.attributeName(name)))
    }
    func extendedAttributeNames() throws(Errno) -> [[UInt8]] {
        if let names = try attributeNamesAhead() { return names }
        let (target, kept) = try readingTarget()
        defer { withExtendedLifetime(kept) {} }
        return GoferConnection.attributeNames(try connection.call(ListExtendedAttributesRequest(target)).bytes)
    }

    /// Of a file that was seen in a listing only: what was asked for with others' names, or is now. An event about the entry ends it.
    private func attributeNamesAhead() throws(Errno) -> [[UInt8]]? {
        guard let origin = state.withLock({ $0.handle == nil ? $0.origin : nil }) else { return nil }
        synchronizeNames()
        let hash = origin.hash
        guard let listing = origin.directory.names.withLock({ $0.watch == 0 ? nil : $0.ahead })?.current,
            case .entry(let status, _) = listing.answer(hash), GoferFileSystem.Key(status) == key, let place = listing.place(hash)
        else { return nil }
        if let names = listing.attributeNames[place] { return names }
        let places = listing.attributeNames.others(with: place, of: listing.names.count)
        if places.count < 2 { return nil }
        let above = try origin.directory.handle()
        defer { withExtendedLifetime(above) {} }
        try connection.fetchAttributeNames(above.id, places.map { listing.names[$0] }, at: places, into: listing.attributeNames)
        return listing.attributeNames[place]
    }
    private static func attributeName(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        guard (1...ProtocolLimits.maximumAttributeName).contains(name.count), NameRule.isPlain(name) else { throw .ERANGE }
        return name
    }
}
