import LinuxABI
import Memory
import VirtualFileSystem

/// What became of one name of the lower tree, or a name that the lower tree does not have.
public struct OverlayChange {
    public enum Kind: Sendable {
        case created
        case modified
        case deleted
    }
    public let kind: Kind
    /// From the root, without a slash in front.
    public let path: [UInt8]
    /// The rest is meaningless for a deleted name.
    public let type: FileType
    /// A directory below which nothing of the lower tree shows.
    public let isOpaque: Bool
    public let attributes: FileAttributes
    /// Target of a symbolic link.
    public let link: [UInt8]
    /// The path under which the same file was told before.
    public let earlierName: [UInt8]?
    public let extendedAttributes: [(name: [UInt8], value: [UInt8])]
    fileprivate let data: TmpfsData?

    /// Bytes of a regular file. Empty at its end.
    public func read(at offset: UInt64, count: Int) throws(Errno) -> [UInt8] {
        guard let data else { return [] }
        var buffer = IOBuffer(kernelCapacity: count)
        _ = try data.read(&buffer, at: offset, lower: nil)
        return buffer.kernelBytes
    }
}

extension OverlayFileSystem {
    /// What the sandbox made of the tree so far is its own set-up: no change of the program's.
    public func markSetUp() {
        var pending = [rootNode]
        while let node = pending.popLast() {
            node.state.withLock { $0.changes = .setUp }
            guard let directory = node.directory else { continue }
            pending += directory.state.withLock { s in
                s.children.values.compactMap { if case .node(let child) = $0.content { child } else { nil } }
            }
        }
    }

    /// Tells every difference to the lower tree: a directory before what lies in it, names in order. `unknown` hears of the paths whose
    /// changes can't be found out, since the host does not list or tell any more what lies under them.
    public func forEachChange<Failure: Error>(
        unknown: ([UInt8], Errno) -> Void, _ body: (OverlayChange) throws(Failure) -> Void
    ) throws(Failure) {
        var walk = ChangeWalk()
        // A stack of its own: trees are as deep as the program made them.
        var pending: [ChangeWalk.Step] = [.directory(rootNode, path: [], isWhole: false)]
        while let step = pending.popLast() {
            switch step {
            case .tell(let change): try body(change)
            case .unknown(let path, let error): unknown(path, error)
            case .directory(let node, let path, let isWhole): pending += walk.steps(in: node, path, isWhole: isWhole).reversed()
            }
        }
    }
}

private struct ChangeWalk {
    enum Step {
        case tell(OverlayChange)
        case unknown(path: [UInt8], Errno)
        /// `isWhole`: the directory moved here, so that all that lies in it is news.
        case directory(TmpfsInode, path: [UInt8], isWhole: Bool)
    }
    /// Files with several names that were told.
    private var names: [UInt64: [UInt8]] = [:]

    mutating func steps(in node: TmpfsInode, _ path: [UInt8], isWhole: Bool) -> [Step] {
        guard let directory = node.directory else { return [] }
        var steps: [Step] = []
        if isWhole {
            do throws(Errno) { try directory.complete(node.core) } catch { steps.append(.unknown(path: path, error)) }
        }
        let children = directory.state.withLock { Array($0.children) }
        for (name, child) in children.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            let place = path.isEmpty ? name.bytes : path + [UInt8(ascii: "/")] + name.bytes
            switch child.content {
            case .whiteout: if !isWhole { steps.append(.tell(deleted(place))) }
            case .lower:
                guard isWhole else { continue }
                do throws(Errno) {
                    guard let found = try node.child(name) else { throw .ENOENT }
                    steps += told(found, place, replaces: false, isWhole: true)
                } catch { steps.append(.unknown(path: place, error)) }
            case .node(let found): steps += told(found, place, replaces: child.shadowsLower && !isWhole, isWhole: isWhole)
            }
        }
        return steps
    }

    /// `replaces`: the lower tree has something under this name.
    private mutating func told(_ node: TmpfsInode, _ path: [UInt8], replaces: Bool, isWhole: Bool) -> [Step] {
        let changes = node.state.withLock { $0.changes }
        let hasMoved = isWhole || (changes.contains(.moved) && node.lower != nil)
        var steps: [Step] = []
        // That names came or went in a directory shows by the names.
        let own = node.type == .directory ? changes.subtracting([.names]) : changes
        let isOwnWork = own != .setUp && !(own.isEmpty && replaces && !hasMoved)
        // The character device 0:0 stands for a deletion, as in the layers of overlayfs.
        if isOwnWork, node.type != .socket {
            let isOpaque = replaces && node.type == .directory && (node.lower == nil || hasMoved)
            do throws(Errno) {
                steps.append(.tell(try change(node, path, replaces ? .modified : .created, isOpaque: isOpaque)))
            } catch { steps.append(.unknown(path: path, error)) }
        }
        if node.type == .directory { steps.append(.directory(node, path: path, isWhole: hasMoved && node.lower != nil)) }
        return steps
    }

    private func deleted(_ path: [UInt8]) -> OverlayChange {
        OverlayChange(
            kind: .deleted, path: path, type: .regular, isOpaque: false,
            attributes: FileAttributes(device: DeviceNumber(major: 0, minor: 0), inode: 0, mode: FileMode(.regular, 0)), link: [],
            earlierName: nil, extendedAttributes: [], data: nil)
    }

    private mutating func change(
        _ node: TmpfsInode, _ path: [UInt8], _ kind: OverlayChange.Kind, isOpaque: Bool
    ) throws(Errno) -> OverlayChange {
        let attributes = try node.attributes()
        var extended: [(name: [UInt8], value: [UInt8])] = []
        for name in try node.extendedAttributeNames() {
            // Some namespaces are listed to whom they are not told.
            do { extended.append((name, try node.extendedAttribute(name))) } catch { if error != .ENODATA && error != .EOPNOTSUPP { throw error } }
        }
        var earlier: [UInt8]?
        if node.type != .directory && attributes.linkCount > 1 {
            earlier = names[node.number]
            if earlier == nil { names[node.number] = path }
        }
        let link = if case .symbolicLink(let target) = node.content { target } else { [UInt8]() }
        return OverlayChange(
            kind: kind, path: path, type: node.type, isOpaque: isOpaque, attributes: attributes, link: link, earlierName: earlier,
            extendedAttributes: extended, data: node.data)
    }
}
