import LinuxABI
import Synchronization
import VirtualFileSystem

/// Extended attributes, xattr(7): the lower node's until one is changed, then all of them here.
extension TmpfsInode {
    /// Bytes of names and values that one inode holds at most.
    private static let limit = 1 << 20

    /// - Throws: EOPNOTSUPP for namespaces that the file system does not keep, EINVAL for a bare prefix.
    private func checkNamespace(_ name: [UInt8]) throws(Errno) {
        for prefix in ["user.", "trusted.", "security."] where name.starts(with: prefix.utf8) {
            if name.count == prefix.utf8.count { throw .EINVAL }
            return
        }
        throw .EOPNOTSUPP
    }

    func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        try checkNamespace(name)
        let (known, value) = state.withLock { ($0.extendedAttributes != nil, $0.extendedAttributes?[name]) }
        if known || lower == nil {
            guard let value else { throw .ENODATA }
            return value
        }
        guard let lower else { throw .ENODATA }
        do {
            return try lower.extendedAttribute(name)
        } catch {
            throw error == .EOPNOTSUPP ? .ENODATA : error
        }
    }

    func extendedAttributeNames() throws(Errno) -> [[UInt8]] {
        if let names = state.withLock({ $0.extendedAttributes.map { Array($0.keys) } }) { return names.sorted { $0.lexicographicallyPrecedes($1) } }
        return try lowerNames()
    }

    private func lowerNames() throws(Errno) -> [[UInt8]] {
        guard let lower else { return [] }
        let names: [[UInt8]]
        do {
            names = try lower.extendedAttributeNames()
        } catch {
            if error == .EOPNOTSUPP { return [] }
            throw error
        }
        return names.filter { !$0.starts(with: "system.".utf8) }
    }

    func setExtendedAttribute(_ name: [UInt8], _ value: [UInt8], flags: Int32, caller: any Caller) throws(Errno) {
        try checkNamespace(name)
        try loadExtendedAttributes()
        let now = FileSystemClock.now
        try state.withLock { s throws(Errno) in
            var all = s.extendedAttributes ?? [:]
            let exists = all[name] != nil
            if flags & 1 != 0 && exists { throw .EEXIST }
            if flags & 2 != 0 && !exists { throw .ENODATA }
            let used = all.reduce(0) { $0 + $1.key.count + $1.value.count } - (all[name].map { $0.count + name.count } ?? 0)
            if used + name.count + value.count > Self.limit { throw .ENOSPC }
            all[name] = value
            s.extendedAttributes = all
            s.changeTime = now
            s.changes.insert(.extendedAttributes)
        }
    }

    func removeExtendedAttribute(_ name: [UInt8], caller: any Caller) throws(Errno) {
        try checkNamespace(name)
        try loadExtendedAttributes()
        let now = FileSystemClock.now
        try state.withLock { s throws(Errno) in
            guard s.extendedAttributes?.removeValue(forKey: name) != nil else { throw .ENODATA }
            s.changeTime = now
            s.changes.insert(.extendedAttributes)
        }
    }

    /// Copies the lower node's up, before the first change.
    private func loadExtendedAttributes() throws(Errno) {
        pin()
        guard let lower, state.withLock({ $0.extendedAttributes == nil }) else { return }
        var all: [[UInt8]: [UInt8]] = [:]
        for name in try lowerNames() {
            do { all[name] = try lower.extendedAttribute(name) } catch { if error != .ENODATA && error != .EOPNOTSUPP { throw error } }
        }
        let loaded = all
        state.withLock { if $0.extendedAttributes == nil { $0.extendedAttributes = loaded } }
    }
}
