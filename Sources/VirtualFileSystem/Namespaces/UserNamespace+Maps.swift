import LinuxABI
import Synchronization

/// The three maps of a user namespace.
public enum IDMapKind: Sendable {
    case users, groups, projects
}

extension UserNamespace {
    /// UID_GID_MAP_MAX_EXTENTS.
    private static let maximumExtents = 340

    /// The text of /proc/PID/uid_map and its relatives, in the IDs of whoever opened the file.
    public func mapText(_ kind: IDMapKind, reader: UserNamespace) -> [UInt8] {
        // A reader inside sees the IDs of the parent.
        let lower = reader === self ? parent ?? self : reader
        var text: [UInt8] = []
        for e in map(kind).extents {
            let shown = lower.map(kind).up(e.lower) ?? .max
            for (index, value) in [e.first, shown, e.count].enumerated() {
                let digits = Array(String(value).utf8)
                if index > 0 { text.append(UInt8(ascii: " ")) }
                text += repeatElement(UInt8(ascii: " "), count: max(0, 10 - digits.count))
                text += digits
            }
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    func map(_ kind: IDMapKind) -> IDMap {
        state.withLock {
            switch kind {
            case .users: $0.users
            case .groups: $0.groups
            case .projects: $0.projects
            }
        }
    }

    /// Writes a map, once: map_write of Linux's user_namespace.c. `opener`: who opened the file; `writer`: who writes.
    /// - Throws: EPERM, EINVAL.
    public func setMap(_ kind: IDMapKind, _ text: [UInt8], opener: Credentials, writer: Credentials) throws(Errno) {
        guard let parent else { throw .EPERM }
        let openerSpace = opener.userNamespace
        guard openerSpace === self || openerSpace === parent else { throw .EPERM }
        guard map(kind).isEmpty else { throw .EPERM }
        if kind != .projects && !opener.has(.sysAdmin, in: self) { throw .EPERM }
        var extents = try Self.parse(text)
        guard isPermitted(kind, extents, parent, opener: opener, writer: writer) else { throw .EPERM }
        let above = parent.map(kind)
        for index in extents.indices {
            guard let lower = above.down(extents[index].lower, count: extents[index].count) else { throw .EPERM }
            extents[index].lower = lower
        }
        var new = IDMap()
        new.extents = extents
        try state.withLock { s throws(Errno) in
            switch kind {
            case .users:
                guard s.users.isEmpty else { throw .EPERM }
                s.users = new
            case .groups:
                guard s.groups.isEmpty else { throw .EPERM }
                s.groups = new
            case .projects:
                guard s.projects.isEmpty else { throw .EPERM }
                s.projects = new
            }
        }
    }

    /// new_idmap_permitted.
    private func isPermitted(_ kind: IDMapKind, _ extents: [IDMap.Extent], _ parent: UserNamespace, opener: Credentials, writer: Credentials)
        -> Bool
    {
        if kind == .users, extents.contains(where: { $0.lower == 0 }) {
            // User 0 of the parent can give files capabilities that count there.
            if opener.userNamespace === self {
                guard makerHadSetfcap else { return false }
            } else if !opener.has(.setfcap, in: parent) {
                return false
            }
        }
        if extents.count == 1, extents[0].count == 1, ownerUID == opener.effectiveUID {
            if kind == .users, parent.kernelUser(extents[0].lower) == opener.effectiveUID { return true }
            if kind == .groups, !allowsSetgroups, parent.kernelGroup(extents[0].lower) == opener.effectiveGID { return true }
        }
        switch kind {
        case .projects: return true
        case .users: return writer.has(.setuid, in: parent) && opener.has(.setuid, in: parent)
        case .groups: return writer.has(.setgid, in: parent) && opener.has(.setgid, in: parent)
        }
    }

    /// Lines of three numbers. - Throws: EINVAL.
    private static func parse(_ text: [UInt8]) throws(Errno) -> [IDMap.Extent] {
        guard text.count < 4096 else { throw .EINVAL }
        var extents: [IDMap.Extent] = []
        var lines = text.prefix { $0 != 0 }.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines {
            let words = line.split { $0 == 0x20 || (9...13).contains($0) }
            guard words.count == 3 else { throw .EINVAL }
            var numbers: [UInt32] = []
            for word in words {
                guard let number = UInt32(String(decoding: word, as: UTF8.self)) else { throw .EINVAL }
                numbers.append(number)
            }
            let (first, lower, count) = (numbers[0], numbers[1], numbers[2])
            guard first != .max, lower != .max, count > 0 else { throw .EINVAL }
            let (end, overflow) = first.addingReportingOverflow(count)
            let (lowerEnd, lowerOverflow) = lower.addingReportingOverflow(count)
            guard !overflow, !lowerOverflow else { throw .EINVAL }
            for e in extents {
                let apart = end <= e.first || first >= e.first + e.count
                let lowerApart = lowerEnd <= e.lower || lower >= e.lower + e.count
                guard apart && lowerApart else { throw .EINVAL }
            }
            extents.append(IDMap.Extent(first: first, lower: lower, count: count))
            guard extents.count <= maximumExtents else { throw .EINVAL }
        }
        guard !extents.isEmpty else { throw .EINVAL }
        return extents
    }
}
