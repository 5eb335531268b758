import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// An open namespace: nothing can be read from it; setns(2) enters it and ioctl_nsfs(2) asks about it.
public final class NamespaceFile: FileOperations {
    public let namespace: any Namespace
    init(_ namespace: any Namespace) { self.namespace = namespace }

    /// The namespace that a file of nsfs stands for.
    public static func namespace(of place: Path) -> (any Namespace)? { (place.node as? NamespaceInode)?.namespace }

    private static func makeDescription(_ namespace: any Namespace) -> FileDescription {
        let inode = NamespaceInode(namespace)
        return FileDescription(
            operations: NamespaceFile(namespace), inode: inode, path: Path(detached: inode, named: namespace.displayName), flags: [])
    }

    private enum Request {
        static let owner: UInt32 = 0xb701
        static let parent: UInt32 = 0xb702
        static let kind: UInt32 = 0xb703
        static let ownerUser: UInt32 = 0xb704
        static let mountID: UInt32 = 0x8008_b705
        static let processInParent: UInt32 = 0x8004_b706
        static let threadGroupInParent: UInt32 = 0x8004_b707
        static let processHere: UInt32 = 0x8004_b708
        static let threadGroupHere: UInt32 = 0x8004_b709
    }

    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        guard let current = caller as? CurrentTask else { throw .ENOTTY }
        switch request {
        case Request.owner:
            // Of a user namespace: what it lies in.
            if namespace is UserNamespace, namespace.outer == nil { throw .EPERM }
            return try open(namespace.owner, isVisible: namespace.owner.isWithin(current.credentials.userNamespace), current)
        case Request.parent:
            guard namespace is UserNamespace || namespace is PIDNamespace else { throw .EINVAL }
            guard let outer = namespace.outer else { throw .EPERM }
            let isVisible =
                (outer as? UserNamespace)?.isWithin(current.credentials.userNamespace)
                ?? (outer as? PIDNamespace)?.isWithin(current.pidNamespace) ?? false
            return try open(outer, isVisible: isVisible, current)
        case Request.kind: return Int(namespace.kind.cloneFlag)
        case Request.ownerUser:
            guard let user = namespace as? UserNamespace else { throw .EINVAL }
            try caller.memory.store(caller.credentials.shownUser(user.ownerUID), at: GuestAddress(argument))
            return 0
        case Request.mountID:
            guard namespace is MountNamespace else { throw .EINVAL }
            try caller.memory.store(namespace.number, at: GuestAddress(argument))
            return 0
        case Request.processInParent, Request.threadGroupInParent, Request.processHere, Request.threadGroupHere:
            return try translate(request, Int32(truncatingIfNeeded: argument), current)
        default: throw .ENOTTY
        }
    }

    private func open(_ other: any Namespace, isVisible: Bool, _ current: CurrentTask) throws(Errno) -> Int {
        guard isVisible else { throw .EPERM }
        return try current.install(Self.makeDescription(other), closeOnExec: true)
    }

    /// A number of this pid namespace as the caller's, or the other way round. - Throws: EINVAL, ESRCH.
    private func translate(_ request: UInt32, _ number: Int32, _ current: CurrentTask) throws(Errno) -> Int {
        guard let space = namespace as? PIDNamespace else { throw .EINVAL }
        let isInward = request == Request.processHere || request == Request.threadGroupHere
        let wantsGroup = request == Request.threadGroupInParent || request == Request.threadGroupHere
        let found: Task?
        if isInward {
            found = current.findTask(number)
        } else {
            found = number > 0 ? space.global(number).flatMap { current.kernel.processes.task($0) } : nil
        }
        guard let task = found else { throw .ESRCH }
        let numbers = wantsGroup ? task.threadGroup.numbers : task.numbers
        let result = numbers.number(in: isInward ? space : current.pidNamespace)
        guard result != 0 else { throw .ESRCH }
        return Int(result)
    }
}
