import Synchronization
import VirtualFileSystem

extension UnixSocket {
    public func reports() -> [SocketReport] {
        let (phase, local) = state.withLock { ($0.phase, $0.address.encoded) }
        let kind: SocketReport.State =
            switch phase {
            case .listening: .listening
            case .connected: .established
            default: .closed
            }
        var report = SocketReport(family: family, type: type.rawValue, protocolNumber: 0, state: kind, local: local)
        if case .listening(let listener) = phase {
            report.receiveQueue = listener.pending.count
            report.sendQueue = listener.backlog
        } else {
            report.receiveQueue = incoming.readableBytes
            report.sendQueue = options.account.outstanding
        }
        if case .connected(let peer) = phase { report.peerInode = peer.inodeNumber.load(ordering: .relaxed) }
        return [report]
    }

    public func opened(inode: UInt64) { inodeNumber.store(inode, ordering: .relaxed) }
}
