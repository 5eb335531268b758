import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// clone(2), clone3(2), fork(2), vfork(2), unshare(2), setns(2).
extension SystemCallFamilies {
    public static let clone: [SystemCallEntry] = [
        .init(56, "clone", sysClone),
        .init(57, "fork", sysFork),
        .init(58, "vfork", sysVfork),
        .init(272, "unshare", sysUnshare),
        .init(308, "setns", sysSetns),
        .init(435, "clone3", sysClone3),
    ]

    @Sendable static func sysFork(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        Int(try current.clone(CloneRequest(flags: [], exitSignal: .SIGCHLD)))
    }

    @Sendable static func sysVfork(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        Int(try current.clone(CloneRequest(flags: [.vfork, .memory], exitSignal: .SIGCHLD)))
    }

    @Sendable static func sysClone(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let word = a[0] & 0xffff_ffff
        let flags = CloneFlags(rawValue: word & ~CloneFlags.signalMask)
        // Both would be stored at the same place.
        if flags.isSuperset(of: [.pidFile, .parentSetTID]) { throw .EINVAL }
        return Int(
            try current.clone(
                CloneRequest(
                    flags: flags, exitSignal: Signal(rawValue: Int32(word & CloneFlags.signalMask)), stackPointer: a.address(1), tls: a[4],
                    parentTID: a.address(2), childTID: a.address(3), pidFile: a.address(2))))
    }

    /// `struct clone_args`: 64, 80 or 88 bytes by version.
    private enum CloneArguments {
        static let firstSize: UInt64 = 64
        static let currentSize: UInt64 = 88
        static let currentWords = 11
        static let allowed: UInt64 = 0x3_ffff_ff00 | CloneFlags.newTime.rawValue
    }

    @Sendable static func sysClone3(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let size = a[1]
        if size > Page.size { throw .E2BIG }
        if size < CloneArguments.firstSize { throw .EINVAL }
        var w = try structureWords(current, a.address(0), size: size, known: CloneArguments.currentWords)
        while w.count < CloneArguments.currentWords { w.append(0) }
        let flags = CloneFlags(rawValue: w[0])
        let (stack, stackSize) = (w[5], w[6])
        let (setTID, setTIDCount) = (w[8], w[9])
        if setTIDCount > 32 || (setTID == 0) != (setTIDCount == 0) { throw .EINVAL }
        if w[4] & ~CloneFlags.signalMask != 0 || w[4] > 64 { throw .EINVAL }
        if flags.contains(.intoCgroup) && (w[10] > UInt64(Int32.max) || size < CloneArguments.currentSize) { throw .EINVAL }
        if w[0] & ~CloneArguments.allowed != 0 || flags.contains(.detached) { throw .EINVAL }
        if flags.isSuperset(of: [.signalHandlers, .clearSignalHandlers]) { throw .EINVAL }
        if !flags.isDisjoint(with: [.thread, .parent]) && w[4] != 0 { throw .EINVAL }
        if (stack == 0) != (stackSize == 0) { throw .EINVAL }
        let (top, overflow) = stack.addingReportingOverflow(stackSize)
        if overflow || top > 0x7fff_ffff_f000 { throw .EINVAL }
        // There are no control groups to clone into.
        if flags.contains(.intoCgroup) { throw .EBADF }
        let wanted = setTIDCount == 0 ? [] : try wantedNumbers(current, GuestAddress(setTID), count: setTIDCount, inNewNamespace: flags.contains(.newPID))
        return Int(
            try current.clone(
                CloneRequest(
                    flags: flags, exitSignal: Signal(rawValue: Int32(w[4])), stackPointer: GuestAddress(top), tls: w[7],
                    parentTID: GuestAddress(w[3]), childTID: GuestAddress(w[2]), pidFile: GuestAddress(w[1]), wantedNumbers: wanted)))
    }

    /// Numbers for the child, innermost pid namespace first. - Throws: EFAULT, EINVAL, EPERM.
    private static func wantedNumbers(_ current: CurrentTask, _ address: GuestAddress, count: UInt64, inNewNamespace: Bool) throws(Errno)
        -> [Int32]
    {
        let numbers = try current.memory.loadArray(Int32.self, at: address, count: Int(count))
        let home = current.namespaces.pidForChildren
        guard numbers.count <= home.level + (inNewNamespace ? 2 : 1) else { throw .EINVAL }
        var namespace: PIDNamespace? = home
        for (index, number) in numbers.enumerated() {
            guard number > 0, number < ProcessTable.maximum else { throw .EINVAL }
            // The new namespace belongs to the child.
            if index == 0 && inNewNamespace {
                guard number == 1 else { throw .EINVAL }
                continue
            }
            guard let space = namespace else { throw .EINVAL }
            let c = current.credentials
            guard c.has(.sysAdmin, in: space.owner) || c.has(.checkpointRestore, in: space.owner) else { throw .EPERM }
            namespace = space.parent
        }
        return numbers
    }

    /// An extensible structure of 8-byte words: copy_struct_from_user. Bytes past `known` words must be zero.
    /// - Throws: EFAULT, E2BIG.
    private static func structureWords(_ current: CurrentTask, _ address: GuestAddress, size: UInt64, known: Int) throws(Errno) -> [UInt64] {
        let bytes = try current.memory.copyIn(address, count: Int(size))
        if bytes.count > known * 8, bytes[(known * 8)...].contains(where: { $0 != 0 }) { throw .E2BIG }
        return (0..<min(known, bytes.count / 8)).map { index in
            (0..<8).reduce(0) { $0 | UInt64(bytes[index * 8 + $1]) << UInt64($1 * 8) }
        }
    }

    @Sendable static func sysUnshare(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = CloneFlags(rawValue: a[0])
        let known: CloneFlags = CloneFlags([.thread, .fileSystem, .signalHandlers, .memory, .files, .systemVSemaphores]).union(.namespaces)
        guard flags.subtracting(known).isEmpty else { throw .EINVAL }
        let isAlone = current.threadGroup.threadCount == 1
        if !flags.isDisjoint(with: [.thread, .signalHandlers, .memory, .newUser]) && !isAlone { throw .EINVAL }
        if !flags.isDisjoint(with: [.signalHandlers, .memory]) && current.sharesMemory { throw .EINVAL }
        try current.unshareNamespaces(flags)
        if flags.contains(.fileSystem) { current.unshareFileSystem() }
        if flags.contains(.files) { current.unshareFiles() }
        return 0
    }

    /// `fd` is a file of /proc/PID/ns, or a pidfd with the kinds to enter as flags.
    @Sendable static func sysSetns(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let description = try current.files.get(a.int(0))
        let flags = CloneFlags(rawValue: a[1] & 0xffff_ffff)
        if let file = description.operations as? NamespaceFile {
            guard flags.isEmpty || flags.rawValue == file.namespace.kind.cloneFlag else { throw .EINVAL }
            try current.enter([file.namespace])
            return 0
        }
        guard !description.isPathOnly, let group = ProcessPlace.process(of: description) ?? (description.operations as? PidFile)?.threadGroup
        else { throw .EINVAL }
        guard !flags.isEmpty, flags.subtracting(.namespaces).isEmpty else { throw .EINVAL }
        guard let task = group.leader, let namespaces = task.namespaces else { throw .ESRCH }
        guard current.mayInspect(task) else { throw .EPERM }
        var targets: [any Namespace] = []
        if flags.contains(.newUser) { targets.append(task.credentials.userNamespace) }
        if flags.contains(.newMount) { targets.append(namespaces.mounts) }
        if flags.contains(.newUTS) { targets.append(namespaces.uts) }
        if flags.contains(.newIPC) { targets.append(namespaces.ipc) }
        if flags.contains(.newPID) { targets.append(task.pidNamespace) }
        if flags.contains(.newCgroup) { targets.append(namespaces.cgroup) }
        if flags.contains(.newNetwork) { targets.append(namespaces.network) }
        if flags.contains(.newTime) { targets.append(namespaces.time) }
        try current.enter(targets)
        return 0
    }
}
