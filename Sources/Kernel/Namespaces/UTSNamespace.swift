import LinuxABI
import Synchronization
import VirtualFileSystem

/// Host and domain name: uts_namespaces(7).
public final class UTSNamespace: Namespace {
    public let hostName: Mutex<[UInt8]>
    public let domainName: Mutex<[UInt8]>
    public let number: UInt64
    public let owner: UserNamespace
    private let charge: NamespaceCharge?

    init(hostName: [UInt8]) {
        self.hostName = Mutex(hostName)
        domainName = Mutex(Array("(none)".utf8))
        number = NamespaceKind.uts.initialNumber
        owner = .initial
        charge = nil
    }
    /// A copy. - Throws: ENOSPC.
    init(copying old: UTSNamespace, owner: UserNamespace, by uid: UInt32) throws(Errno) {
        charge = try NamespaceCharge(.uts, in: owner, by: uid)
        hostName = Mutex(old.hostName.withLock { $0 })
        domainName = Mutex(old.domainName.withLock { $0 })
        number = NamespaceKind.nextNumber()
        self.owner = owner
    }
    public var kind: NamespaceKind { .uts }
}
