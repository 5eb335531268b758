import Synchronization
import VirtualFileSystem

/// Nodes of which somebody asked for a handle. It holds none of them: a file that goes is found no more.
final class TmpfsHandles: Sendable {
    private struct WeakNode: Sendable {
        weak let node: TmpfsInode?
    }
    private struct State: Sendable {
        var nodes: [UInt64: WeakNode] = [:]
        /// Nodes that have gone are dropped when there are that many.
        var sweepAt = 64
    }
    private let state = Mutex(State())

    func add(_ node: TmpfsInode) {
        state.withLock { state in
            state.nodes[node.number] = WeakNode(node: node)
            guard state.nodes.count >= state.sweepAt else { return }
            state.nodes = state.nodes.filter { $0.value.node != nil }
            state.sweepAt = max(64, state.nodes.count * 2)
        }
    }
    func node(_ number: UInt64) -> TmpfsInode? { state.withLock { $0.nodes[number]?.node } }
}

extension TmpfsFileSystem {
    /// As tmpfs makes them: type 1, the inode number and a generation.
    private static var handleType: Int32 { 1 }

    public func handle(of inode: any Inode) -> FileHandle? {
        guard let node = inode as? TmpfsInode else { return nil }
        handles.add(node)
        return FileHandle(type: Self.handleType, number: node.number)
    }

    public func inode(of handle: FileHandle) -> (any Inode)? {
        // Linux's tmpfs does not look at the type.
        guard let number = handle.number, let node = handles.node(number) else { return nil }
        return node.state.withLock { $0.linkCount } > 0 ? node : nil
    }
}
