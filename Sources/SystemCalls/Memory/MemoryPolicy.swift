import Kernel
import LinuxABI
import Memory

/// NUMA policy calls as a kernel with the single node 0 answers them: every valid policy leads to the same placement.
extension SystemCallFamilies {
    public static let memoryPolicy: [SystemCallEntry] = [
        .init(237, "mbind", sysMbind),
        .init(238, "set_mempolicy", sysSetMempolicy),
        .init(239, "get_mempolicy", sysGetMempolicy),
        .init(256, "migrate_pages", sysMigratePages),
        .init(279, "move_pages", sysMovePages),
        .init(450, "set_mempolicy_home_node", sysSetMempolicyHomeNode),
    ]
}

/// A node mask argument: bit n is node n. Only bit 0 can be allowed here.
private func nodeMask(_ current: CurrentTask, _ address: GuestAddress, _ maximum: UInt64) throws(Errno) -> UInt64 {
    // The kernel counts one less than it is told (get_nodes in mm/mempolicy.c).
    let bits = maximum &- 1
    if bits == 0 || address.isNull || maximum == 0 { return 0 }
    guard bits <= Page.size * 8 else { throw .EINVAL }
    let words = Int((bits + 63) / 64)
    var mask = try current.memory.loadArray(UInt64.self, at: address, count: words)
    if bits % 64 != 0 { mask[words - 1] &= (1 << (bits % 64)) - 1 }
    // Nodes past MAX_NUMNODES (1024).
    for word in mask.dropFirst(16) where word != 0 { throw .EINVAL }
    // Nodes that are possible but absent count as asked for: they show in the second word on.
    if mask.dropFirst().contains(where: { $0 != 0 }) { return mask[0] | 1 << 63 }
    return mask[0]
}

/// mpol_new and mpol_set_nodemask: - Throws: EINVAL.
private func checkedPolicy(_ mode: Int32, _ nodes: UInt64) throws(Errno) -> MemoryPolicy {
    let staticNodes: Int32 = 1 << 15
    let relativeNodes: Int32 = 1 << 14
    let balancing: Int32 = 1 << 13
    let flags = mode & (staticNodes | relativeNodes | balancing)
    let kind = mode & ~flags
    guard let kind = MemoryPolicy.Kind(rawValue: kind) else { throw .EINVAL }
    if flags & staticNodes != 0 && flags & relativeNodes != 0 { throw .EINVAL }
    if flags & balancing != 0 && kind != .bind && kind != .preferredMany { throw .EINVAL }
    switch kind {
    case .standard:
        guard nodes == 0 else { throw .EINVAL }
    case .local:
        guard nodes == 0, flags == 0 else { throw .EINVAL }
    case .preferred where nodes == 0:
        guard flags == 0 else { throw .EINVAL }
        return MemoryPolicy(kind: .local, flags: 0, nodes: 0)
    default:
        guard nodes & 1 != 0 else { throw .EINVAL }
    }
    return MemoryPolicy(kind: kind, flags: flags, nodes: nodes & 1)
}

private func sysSetMempolicy(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let policy = try checkedPolicy(a.int(0), try nodeMask(current, a.address(1), a[2]))
    current.memory.setPolicy(policy, thread: current.task.id)
    return 0
}

private func sysMbind(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    // MPOL_MF_STRICT 1, MOVE 2, MOVE_ALL 4.
    guard a.uint(5) & ~7 == 0 else { throw .EINVAL }
    if a.uint(5) & 4 != 0 && !current.credentials.has(.sysNice) { throw .EPERM }
    let nodes = try nodeMask(current, a.address(3), a[4])
    guard a.address(0).isPageAligned else { throw .EINVAL }
    guard let length = Page.up(a[1]), a.address(0).adding(length) != nil else { throw .EINVAL }
    guard length != 0 else { return 0 }
    _ = try checkedPolicy(a.int(2), nodes)
    guard current.memory.isMapped(a.address(0), length: length) else { throw .EFAULT }
    return 0
}

private func sysGetMempolicy(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let node: UInt64 = 1
    let byAddress: UInt64 = 2
    let allowed: UInt64 = 4
    let flags = a[4]
    guard flags & ~(node | byAddress | allowed) == 0 else { throw .EINVAL }
    var mode: Int32 = 0
    var nodes: UInt64 = 0
    if flags & allowed != 0 {
        guard flags == allowed else { throw .EINVAL }
        nodes = 1
    } else if flags & byAddress != 0 {
        guard current.memory.isMapped(a.address(3).pageBase, length: Page.size) else { throw .EFAULT }
    } else {
        guard a[3] == 0 else { throw .EINVAL }
        let policy = current.memory.policy(thread: current.task.id)
        if flags & node != 0 && policy.kind != .interleave && policy.kind != .weightedInterleave { throw .EINVAL }
        mode = flags & node != 0 ? 0 : policy.kind.rawValue | policy.flags
        nodes = policy.nodes
    }
    if !a.address(0).isNull { try current.memory.store(mode, at: a.address(0)) }
    if !a.address(1).isNull {
        guard a[2] >= 1, a[2] <= Page.size * 8 else { throw .EINVAL }
        let bytes = Int((a[2] - 1 + 63) / 64 * 8)
        if bytes >= 8 { try current.memory.store(nodes, at: a.address(1)) }
        if bytes > 8 { try current.memory.zero(a.address(1) + 8 as GuestAddress, count: UInt64(bytes - 8)) }
    }
    return 0
}

/// All pages are on node 0 already: none can fail to move.
private func sysMigratePages(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    _ = try nodeMask(current, a.address(2), a[1])
    let target = try nodeMask(current, a.address(3), a[1])
    if a.int(0) != 0 && current.findTask(a.int(0)) == nil { throw .ESRCH }
    guard target & 1 != 0 else { throw target == 0 ? .EINVAL : .EPERM }
    return 0
}

private func sysMovePages(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a.uint(5) & ~6 == 0 else { throw .EINVAL }
    if a.uint(5) & 4 != 0 && !current.credentials.has(.sysNice) { throw .EPERM }
    guard a.int(0) == 0 || a.int(0) == current.threadGroup.ownID || a.int(0) == current.task.ownID else {
        throw current.findTask(a.int(0)) == nil ? .ESRCH : .EPERM
    }
    let step: UInt64 = 1024
    var done: UInt64 = 0
    while done < a[1] {
        let count = Int(min(step, a[1] - done))
        let pages = try current.memory.loadArray(UInt64.self, at: a.address(2) + (done &* 8), count: count)
        if !a.address(3).isNull {
            for node in try current.memory.loadArray(Int32.self, at: a.address(3) + (done &* 4), count: count) where node != 0 {
                throw .ENODEV
            }
        }
        var status: [Int32] = []
        for page in pages {
            let address = GuestAddress(page).pageBase
            if let present = try? current.memory.residency(address, length: Page.size) {
                status.append(present.first == 1 ? 0 : -Errno.ENOENT.rawValue)
            } else {
                status.append(-Errno.EFAULT.rawValue)
            }
        }
        try current.memory.storeArray(status, at: a.address(4) + (done &* 4))
        done += UInt64(count)
    }
    return 0
}

/// Only ranges with a bind policy can have a home node, and none keeps one here.
private func sysSetMempolicyHomeNode(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a.address(0).isPageAligned, a[3] == 0, a[2] == 0, let length = Page.up(a[1]), a.address(0).adding(length) != nil else {
        throw .EINVAL
    }
    return 0
}
