import LinuxABI
import Synchronization
import VirtualFileSystem

/// The names in a directory: those made or changed here, over those of the lower directory if there is one.
///
/// Every live name has a cookie, handed out in ascending order and never again; listings go by it. A name that stays is therefore
/// neither lost nor repeated while others come and go. The lower directory's names get theirs when it is first listed.
///
/// Lock order: `state` is a leaf; the lower directory is asked with it free.
final class TmpfsDirectory: Sendable {
    enum Content: Sendable {
        /// A node that was made or changed here: held for good.
        case node(TmpfsInode)
        /// A lower node without changes: held by whoever uses it, made again when asked for after that.
        case lower(WeakNode, number: UInt64, type: FileType)
        /// Hides a name of the lower directory.
        case whiteout
    }
    struct WeakNode: Sendable {
        weak let node: TmpfsInode?
    }
    struct Child: Sendable {
        var content: Content
        var cookie: Int64
        /// The lower directory has this name: removing it leaves a whiteout.
        var shadowsLower: Bool
    }
    struct Listed: Sendable {
        var cookie: Int64
        /// Nil once the name was removed.
        var name: FileName?
    }
    struct State {
        var children: [FileName: Child] = [:]
        var order: [Listed] = []
        var liveCount = 0
        /// 0 and 1 are `.` and `..`.
        var nextCookie: Int64 = 2
        /// All names of the lower directory are in `children`.
        var isComplete: Bool
        var parentNumber: UInt64
    }

    let lower: (any LowerNode)?
    /// The host device of the lower directory.
    private let lowerDevice: DeviceNumber
    let state: Mutex<State>

    init(parentNumber: UInt64) {
        lower = nil
        lowerDevice = DeviceNumber(major: 0, minor: 0)
        state = Mutex(State(isComplete: true, parentNumber: parentNumber))
    }

    init(lower: any LowerNode, device: DeviceNumber, parentNumber: UInt64) {
        self.lower = lower
        lowerDevice = device
        state = Mutex(State(isComplete: false, parentNumber: parentNumber))
    }

    var parentNumber: UInt64 {
        get { state.withLock { $0.parentNumber } }
        set { state.withLock { $0.parentNumber = newValue } }
    }
    var liveCount: Int { state.withLock { $0.liveCount } }

    /// Brings the lower directory's names in. Their inodes are taken to be on the directory's own device, as they are but for mount
    /// points.
    func complete(_ core: TmpfsCore) throws(Errno) {
        guard let lower, !state.withLock({ $0.isComplete }) else { return }
        let entries = try lower.list()
        state.withLock { s in
            guard !s.isComplete else { return }
            s.children.reserveCapacity(entries.count)
            // Nobody has listed the directory yet: names that were looked up or made before get their place now, so that the order
            // is the lower directory's whatever happened before.
            let known = s.order
            let firstCookie = s.nextCookie
            s.order = []
            s.order.reserveCapacity(entries.count + known.count)
            for entry in entries {
                if s.children[entry.name] != nil {
                    s.children[entry.name]?.shadowsLower = true
                    s.listAgain(entry.name)
                } else {
                    let number = core.number(forHost: entry.inode, device: lowerDevice)
                    s.set(entry.name, .lower(WeakNode(node: nil), number: number, type: entry.type), shadowsLower: true)
                }
            }
            for case let name? in known.map(\.name) {
                if let child = s.children[name], child.cookie < firstCookie { s.listAgain(name) }
            }
            s.isComplete = true
        }
    }

    /// Whether no name is left.
    func isEmpty(_ core: TmpfsCore) throws(Errno) -> Bool {
        if liveCount > 0 { return false }
        try complete(core)
        return liveCount == 0
    }

    /// Takes all nodes out that only this directory holds, for tearing it down.
    func takeNodes() -> [TmpfsInode] {
        state.withLock { s in
            var nodes: [TmpfsInode] = []
            for case .node(let node) in s.children.values.map(\.content) { nodes.append(node) }
            s.children = [:]
            s.order = []
            return nodes
        }
    }
}

extension TmpfsDirectory.State {
    /// Adds a live name, or gives an existing one other content in its place.
    mutating func set(_ name: FileName, _ content: TmpfsDirectory.Content, shadowsLower: Bool) {
        if var child = children[name] {
            if case .whiteout = child.content {
                child.cookie = list(name)
            }
            child.content = content
            child.shadowsLower = child.shadowsLower || shadowsLower
            children[name] = child
        } else {
            children[name] = .init(content: content, cookie: list(name), shadowsLower: shadowsLower)
        }
    }

    /// Removes a live name, leaving a whiteout where the lower directory has it.
    mutating func remove(_ name: FileName) {
        guard let child = children[name] else { return }
        if case .whiteout = child.content { return }
        if child.shadowsLower {
            children[name]?.content = .whiteout
        } else {
            children[name] = nil
        }
        liveCount -= 1
        let index = position(of: child.cookie)
        if index < order.count, order[index].cookie == child.cookie { order[index].name = nil }
        // Half of the list is gaps: close them.
        if order.count > 64 && order.count > liveCount * 2 { order.removeAll { $0.name == nil } }
    }

    /// Moves a live name to the end of the order.
    mutating func listAgain(_ name: FileName) {
        guard let child = children[name] else { return }
        if case .whiteout = child.content { return }
        liveCount -= 1
        let cookie = list(name)
        children[name]?.cookie = cookie
    }

    private mutating func list(_ name: FileName) -> Int64 {
        let cookie = nextCookie
        nextCookie += 1
        order.append(.init(cookie: cookie, name: name))
        liveCount += 1
        return cookie
    }

    /// Index of the first entry of `order` whose cookie is `cookie` or later.
    func position(of cookie: Int64) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) >> 1
            if order[middle].cookie < cookie { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
