import LinuxABI

/// One path resolution in progress: path_resolution(7), Linux's nameidata. Symbolic links are followed with a stack of unfinished
/// paths, without recursion. On cached directories a walk allocates nothing and holds one lock at a time.
struct PathWalk {
    /// MAXSYMLINKS of path_resolution(7).
    static let maximumLinks = 40

    let caller: any Caller
    let credentials: Credentials
    let namespace: MountNamespace
    private(set) var options: LookupOptions
    /// `/` and the end of `..`: the process's root, or the starting point when scoped.
    let root: Path

    private(set) var mount: Mount
    private(set) var dentry: Dentry
    private var bytes: [UInt8]
    private var index = 0
    /// Rests of paths whose symbolic links are being followed.
    private var unfinished: [(bytes: [UInt8], index: Int)] = []
    private var links = 0
    /// What the host changed before the walk came to a shared tree is known.
    private var isSynchronized = false
    /// The last component had a slash behind it.
    private var mustBeDirectory: Bool

    var path: Path { Path(mount: mount, dentry: dentry) }

    /// - Throws: ENOENT for an empty path, EXDEV, ENOTDIR when `base` is needed and is no directory.
    init(_ bytes: [UInt8], from base: Path?, _ options: LookupOptions, caller: any Caller, credentials: Credentials?) throws(Errno) {
        self.caller = caller
        self.credentials = credentials ?? caller.credentials
        self.options = options
        self.bytes = bytes
        namespace = caller.mountNamespace
        mustBeDirectory = options.contains(.directory)
        if bytes.isEmpty && !options.contains(.emptyPath) { throw .ENOENT }
        let isAbsolute = bytes.first == UInt8(ascii: "/")
        let start: Path
        if options.isScoped {
            start = base ?? caller.workingDirectory
            root = start
            if isAbsolute && options.contains(.beneath) { throw .EXDEV }
        } else {
            root = caller.root
            start = isAbsolute ? root : base ?? caller.workingDirectory
        }
        mount = start.mount
        dentry = start.dentry
        if !bytes.isEmpty && !dentry.isDirectory { throw .ENOTDIR }
    }

    /// What `toLast` stopped at.
    enum Last {
        /// A name, not looked up yet; `path` is the directory.
        case name(FileName, hash: UInt64, trailingSlash: Bool)
        case dot
        case dotDot
        /// No component is left: the path is nothing but slashes, or a link led to `path` itself.
        case none
    }

    /// Walks the whole path.
    mutating func finish() throws(Errno) -> Path {
        while let component = try nextComponent() {
            // A slash at the end holds for the links that lead on from here as well.
            if component.trailingSlash {
                mustBeDirectory = true
                options.insert(.follow)
            }
            switch component.kind {
            case .dot: break
            case .dotDot: try goUp()
            case .name:
                guard let child = try lookup(component) else { throw .ENOENT }
                try step(into: child, follow: !component.isLast || options.contains(.follow), isLast: component.isLast)
            }
        }
        if mustBeDirectory && !dentry.isDirectory { throw .ENOTDIR }
        return path
    }

    /// Walks up to the last component.
    mutating func toLast() throws(Errno) -> Last {
        while let component = try nextComponent() {
            if component.isLast {
                switch component.kind {
                case .dot: return .dot
                case .dotDot: return .dotDot
                case .name:
                    return .name(
                        FileName(Array(bytes[component.start..<component.end])), hash: component.hash,
                        trailingSlash: component.trailingSlash)
                }
            }
            switch component.kind {
            case .dot: break
            case .dotDot: try goUp()
            case .name:
                guard let child = try lookup(component) else { throw .ENOENT }
                try step(into: child, follow: true, isLast: false)
            }
        }
        return .none
    }

    /// After `toLast` gave a name: goes into `child`, following it when it is a symbolic link and `follow` is set. Returns whether a
    /// link was followed, so that `toLast` must go on.
    mutating func enter(_ child: Dentry, follow: Bool) throws(Errno) -> Bool {
        let before = links
        try step(into: child, follow: follow, isLast: true)
        return links != before
    }

    // MARK: components

    private enum Kind { case name, dot, dotDot }
    private struct Component {
        var kind: Kind
        var start: Int
        var end: Int
        var hash: UInt64
        var isLast: Bool
        var trailingSlash: Bool
    }

    /// The next component, nil at the end. The current place is a directory that may be searched.
    private mutating func nextComponent() throws(Errno) -> Component? {
        let slash = UInt8(ascii: "/")
        while true {
            while index < bytes.count && bytes[index] == slash { index += 1 }
            if index < bytes.count { break }
            guard let outer = unfinished.popLast() else { return nil }
            bytes = outer.bytes
            index = outer.index
        }
        guard dentry.isDirectory else { throw .ENOTDIR }
        if !isSynchronized && dentry.tree.policy == .shared {
            // Once: each component then was what it is found to be at one moment during the walk.
            isSynchronized = true
            dentry.node.synchronizeNames()
        }
        try dentry.node.checkAccess(.execute, credentials)
        let start = index
        var hash = NameHash.initial
        while index < bytes.count && bytes[index] != slash {
            hash = NameHash.add(bytes[index], to: hash)
            index += 1
        }
        let end = index
        while index < bytes.count && bytes[index] == slash { index += 1 }
        let isLast = index == bytes.count && unfinished.isEmpty
        var kind = Kind.name
        if bytes[start] == UInt8(ascii: ".") {
            if end - start == 1 { kind = .dot }
            if end - start == 2 && bytes[start + 1] == UInt8(ascii: ".") { kind = .dotDot }
        }
        if kind == .name && end - start > FileName.maximumLength { throw .ENAMETOOLONG }
        return Component(
            kind: kind, start: start, end: end, hash: NameHash.finish(hash), isLast: isLast, trailingSlash: isLast && index > end)
    }

    private mutating func lookup(_ component: Component) throws(Errno) -> Dentry? {
        switch dentry.tree.policy {
        case .exclusive:
            switch dentry.cachedChild(component.hash, bytes, component.start, component.end) {
            case .child(let child): return child
            case .negative: return nil
            case .unknown: break
            }
        case .shared:
            switch dentry.cachedChild(component.hash, bytes, component.start, component.end) {
            case .child(let child): if child.isMountPoint || dentry.node.isCertain(component.hash, child: child.node) { return child }
            case .negative: if dentry.node.isCertain(component.hash, child: nil) { return nil }
            case .unknown: break
            }
        case .none: break
        }
        return try lookup(FileName(Array(bytes[component.start..<component.end])), component.hash)
    }

    /// The child `name` of the current directory; nil when there is none.
    func lookup(_ name: FileName, _ hash: UInt64) throws(Errno) -> Dentry? {
        if options.contains(.cachedOnly) {
            let cached = dentry.cachedChild(hash, name.bytes, 0, name.bytes.count)
            guard dentry.tree.policy == .exclusive else { throw .EAGAIN }
            switch cached {
            case .child(let child): return child
            case .negative: return nil
            case .unknown: throw .EAGAIN
            }
        }
        return try dentry.lookup(name, hash, caller: caller)
    }

    // MARK: steps

    private mutating func step(into child: Dentry, follow: Bool, isLast: Bool) throws(Errno) {
        var place = Path(mount: mount, dentry: child)
        if child.isMountPoint {
            place = namespace.top(of: place)
            if place.mount !== mount {
                if options.contains(.noCrossDevice) { throw .EXDEV }
                if !options.contains(.unmounting) { place.mount.expires.store(false, ordering: .relaxed) }
            }
        }
        if follow && place.dentry.type == .symbolicLink {
            try followLink(place)
        } else {
            mount = place.mount
            dentry = place.dentry
        }
    }

    private mutating func goUp() throws(Errno) {
        while true {
            if dentry === root.dentry && mount === root.mount {
                if options.contains(.beneath) { throw .EXDEV }
                break
            }
            if dentry !== mount.root {
                if let parent = dentry.parent { dentry = parent }
                break
            }
            guard let position = mount.position.withLock({ $0 }) else { break }
            if options.contains(.noCrossDevice) { throw .EXDEV }
            mount = position.parent
            dentry = position.mountPoint
        }
        if dentry.isMountPoint {
            let place = namespace.top(of: path)
            if place.mount !== mount && options.contains(.noCrossDevice) { throw .EXDEV }
            mount = place.mount
            dentry = place.dentry
        }
    }

    private mutating func followLink(_ link: Path) throws(Errno) {
        if options.contains(.noSymbolicLinks) || link.mount.flags.contains(.noSymbolicLinks) { throw .ELOOP }
        links += 1
        if links > Self.maximumLinks { throw .ELOOP }
        if let target = try link.node.followMagicLink(caller: caller) {
            if options.contains(.noMagicLinks) { throw .ELOOP }
            if options.contains(.noCrossDevice) && target.mount !== mount { throw .EXDEV }
            if options.isScoped { throw .EXDEV }
            mount = target.mount
            dentry = target.dentry
            return
        }
        let target = try link.node.readLink(caller: caller)
        guard let first = target.first else { throw .ENOENT }
        if first == UInt8(ascii: "/") {
            if options.contains(.beneath) { throw .EXDEV }
            if options.contains(.noCrossDevice) && root.mount !== mount { throw .EXDEV }
            mount = root.mount
            dentry = root.dentry
        }
        if index < bytes.count {
            unfinished.append((bytes, index))
        } else if unfinished.isEmpty && index > 0 && bytes[index - 1] == UInt8(ascii: "/") {
            mustBeDirectory = true
        }
        bytes = target
        index = 0
    }
}
