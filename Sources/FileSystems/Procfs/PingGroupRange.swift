import LinuxABI
import VirtualFileSystem

/// /proc/sys/net/ipv4/ping_group_range of the caller's network namespace, whose root may change it. It says who may have ICMP sockets; to
/// them socket(2) says that there are none, to all others EACCES.
struct PingGroupRange: SyntheticContent {
    var permissions: UInt16 { 0o644 }

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] {
        let range = caller.networkNamespace.pingGroups.withLock { $0 }
        let credentials = caller.credentials
        return Array("\(credentials.shownGroup(range.first))\t\(credentials.shownGroup(range.last))\n".utf8)
    }

    /// Linux's ipv4_ping_group_range: one or two groups; a number that is left out stays. - Throws: EPERM, EINVAL.
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) {
        let namespace = caller.networkNamespace
        let credentials = caller.credentials
        guard credentials.has(.netAdmin, in: namespace.owner) else { throw .EPERM }
        let words = bytes.split { [0x20, 0x09, 0x0a, 0].contains($0) }.prefix(2)
        let former = namespace.pingGroups.withLock { $0 }
        var shown = [credentials.shownGroup(former.first), credentials.shownGroup(former.last)]
        if words.isEmpty { throw .EINVAL }
        for (index, word) in words.enumerated() {
            guard let number = TextNumber.parse(Array(word)), (0...Int64(Int32.max)).contains(number) else { throw .EINVAL }
            shown[index] = UInt32(number)
        }
        let space = credentials.userNamespace
        guard let first = space.kernelGroup(shown[0]), let last = space.kernelGroup(shown[1]) else { throw .EINVAL }
        namespace.pingGroups.withLock { $0 = shown[1] < shown[0] || last < first ? (1, 0) : (first, last) }
    }
}
