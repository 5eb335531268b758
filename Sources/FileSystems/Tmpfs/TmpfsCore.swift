import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// What all nodes of one in-memory file system share: the memory file, the quotas, the numbering. Nodes hold it strongly; it knows its
/// file system weakly, so that an unmounted tree goes away.
///
/// Lock order: `identities` and `owner` are leaves.
final class TmpfsCore: Sendable {
    struct Limits: Sendable {
        /// In pages.
        var pages: Int
        var inodes: Int
    }

    /// A host file: device and inode number.
    struct HostIdentity: Hashable, Sendable {
        var device: DeviceNumber
        var inode: UInt64
    }

    private struct WeakNode: Sendable {
        weak let node: TmpfsInode?
    }
    private struct WeakOwner: Sendable {
        weak let owner: (any FileSystem)?
    }
    private struct Identities {
        /// Lower files with several links that have a node now.
        var linked: [HostIdentity: WeakNode] = [:]
        /// Position of each further host device in the inode numbering.
        var devices: [DeviceNumber: UInt64] = [:]
        /// Host inode numbers too large to keep.
        var large: [HostIdentity: UInt64] = [:]
    }

    let memoryFile: MemoryFile
    let device: DeviceNumber
    /// A remount changes them.
    private let pageLimit: Atomic<Int>
    private let inodeLimit: Atomic<Int>
    var limits: Limits {
        get { Limits(pages: pageLimit.load(ordering: .relaxed), inodes: inodeLimit.load(ordering: .relaxed)) }
        set {
            pageLimit.store(newValue.pages, ordering: .relaxed)
            inodeLimit.store(newValue.inodes, ordering: .relaxed)
        }
    }
    /// The host device whose inode numbers appear unchanged: that of the lower root.
    private let lowerDevice: DeviceNumber?
    private let owner = Mutex(WeakOwner(owner: nil))
    private let identities = Mutex(Identities())
    private let pagesUsed = Atomic<Int>(0)
    private let inodesUsed = Atomic<Int>(0)
    private let nextNumber: Atomic<UInt64>

    /// Host inode numbers below this are kept; the file system's own and translated ones lie above it, and all below 2^53, so that
    /// programs that hold them in a double see them exactly.
    private static let ownNumbers: UInt64 = 1 << 48

    init(memoryFile: MemoryFile, limits: Limits, lowerDevice: DeviceNumber?) {
        self.memoryFile = memoryFile
        pageLimit = Atomic(limits.pages)
        inodeLimit = Atomic(limits.inodes)
        self.lowerDevice = lowerDevice
        device = AnonymousDevice.allocate()
        nextNumber = Atomic(lowerDevice == nil ? 1 : Self.ownNumbers)
    }

    /// Whether this is an overlay.
    var hasLower: Bool { lowerDevice != nil }

    // MARK: the file system

    func attach(_ fileSystem: any FileSystem) { owner.withLock { $0 = WeakOwner(owner: fileSystem) } }
    /// A stand-in once the file system is gone and only open files remain.
    var fileSystem: any FileSystem { owner.withLock { $0.owner } ?? DetachedFileSystem(core: self) }

    // MARK: quotas

    /// Charges `count` pages, or as many as are left. Returns how many.
    /// - Throws: ENOSPC when none is.
    func chargePages(upTo count: UInt64) throws(Errno) -> UInt64 {
        let wanted = Int(clamping: count)
        let used = pagesUsed.wrappingAdd(wanted, ordering: .relaxed).newValue
        let excess = min(wanted, used - limits.pages)
        guard excess > 0 else { return count }
        pagesUsed.wrappingSubtract(excess, ordering: .relaxed)
        if excess == wanted { throw .ENOSPC }
        return UInt64(wanted - excess)
    }
    func unchargePages(_ count: UInt64) { pagesUsed.subtract(Int(truncatingIfNeeded: count), ordering: .relaxed) }
    var usedPages: Int { pagesUsed.load(ordering: .relaxed) }

    /// - Throws: ENOSPC.
    func chargeInode() throws(Errno) {
        let used = inodesUsed.add(1, ordering: .relaxed).newValue
        if used > limits.inodes {
            inodesUsed.subtract(1, ordering: .relaxed)
            throw .ENOSPC
        }
    }
    /// Counts a node that no limit applies to: a root, a lower node.
    func countInode() { inodesUsed.add(1, ordering: .relaxed) }
    func unchargeInode() { inodesUsed.subtract(1, ordering: .relaxed) }
    var usedInodes: Int { inodesUsed.load(ordering: .relaxed) }

    // MARK: numbering

    func newNumber() -> UInt64 { nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// The number under which a host inode appears.
    func number(forHost inode: UInt64, device: DeviceNumber) -> UInt64 {
        if device == lowerDevice && inode < Self.ownNumbers { return inode }
        return identities.withLock {
            if inode < Self.ownNumbers {
                let position = $0.devices[device] ?? UInt64($0.devices.count)
                if position < 28 {
                    $0.devices[device] = position
                    // Own numbers use the first span above the kept ones, further devices one span each.
                    return (position + 2) << 48 | inode
                }
            }
            let key = HostIdentity(device: device, inode: inode)
            if let known = $0.large[key] { return known }
            let fresh = newNumber()
            $0.large[key] = fresh
            return fresh
        }
    }

    // MARK: lower files with several links

    /// The one node of a lower file; `make` runs when there is none.
    func node(for identity: HostIdentity, _ make: () -> TmpfsInode) -> TmpfsInode {
        if let found = identities.withLock({ $0.linked[identity]?.node }) { return found }
        let fresh = make()
        return identities.withLock {
            if let found = $0.linked[identity]?.node { return found }
            $0.linked[identity] = WeakNode(node: fresh)
            return fresh
        }
    }
    /// A node of a lower file with several links went away.
    func forget(_ identity: HostIdentity) {
        identities.withLock {
            if let entry = $0.linked[identity], entry.node == nil { $0.linked[identity] = nil }
        }
    }
}

/// What the files of an unmounted file system answer when asked for it: an empty one.
private final class DetachedFileSystem: FileSystem {
    let core: TmpfsCore
    init(core: TmpfsCore) { self.core = core }
    var typeName: String { "tmpfs" }
    var device: DeviceNumber { core.device }
    var cachePolicy: CachePolicy { .exclusive }
    var root: any Inode {
        TmpfsInode(core: core, content: .directory(TmpfsDirectory(parentNumber: 1)), mode: FileMode(.directory, 0), uid: 0, gid: 0)
    }
    func statistics() throws(Errno) -> FileSystemStatistics { throw .ENODEV }
}
