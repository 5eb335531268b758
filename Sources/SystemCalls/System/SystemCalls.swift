import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Names of the system, random numbers, the kernel log.
extension SystemCallFamilies {
    public static let system: [SystemCallEntry] = [
        .init(63, "uname", sysUname),
        .init(103, "syslog", sysSyslog),
        .init(139, "sysfs", sysSysfs),
        .init(169, "reboot", sysReboot),
        .init(170, "sethostname", sysSethostname),
        .init(171, "setdomainname", sysSetdomainname),
        .init(318, "getrandom", sysGetrandom),
    ]

    /// __NEW_UTS_LEN.
    private static let nameLimit = 64

    /// `struct new_utsname`: six fields of 65 bytes.
    @Sendable static func sysUname(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let names = current.namespaces.uts
        var bytes: [UInt8] = []
        bytes.reserveCapacity(6 * (nameLimit + 1))
        func add(_ text: some Collection<UInt8>) {
            let end = bytes.count + nameLimit + 1
            bytes += text.prefix(nameLimit)
            bytes += repeatElement(0, count: end - bytes.count)
        }
        add(LinuxVersion.system.utf8)
        add(names.hostName.withLock { $0 })
        add(LinuxVersion.release.utf8)
        add(LinuxVersion.build.utf8)
        add(LinuxVersion.machine.utf8)
        add(names.domainName.withLock { $0 })
        try current.memory.copyOut(bytes, to: a.address(0))
        return 0
    }

    /// A new host or domain name. - Throws: EPERM without CAP_SYS_ADMIN, EINVAL, EFAULT.
    private static func newName(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> [UInt8] {
        guard current.credentials.has(.sysAdmin, in: current.namespaces.uts.owner) else { throw .EPERM }
        let length = Int(a.int(1))
        guard length >= 0 && length <= nameLimit else { throw .EINVAL }
        return length == 0 ? [] : try current.memory.copyIn(a.address(0), count: length)
    }
    @Sendable static func sysSethostname(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let name = try newName(current, a)
        current.namespaces.uts.hostName.withLock { $0 = name }
        return 0
    }
    @Sendable static func sysSetdomainname(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let name = try newName(current, a)
        current.namespaces.uts.domainName.withLock { $0 = name }
        return 0
    }

    /// getrandom(2). The host's pool is initialised, so GRND_NONBLOCK and GRND_RANDOM make no difference.
    @Sendable static func sysGetrandom(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (nonBlock, random, insecure): (UInt32, UInt32, UInt32) = (1, 2, 4)
        let flags = a.uint(2)
        if flags & ~(nonBlock | random | insecure) != 0 || flags & (random | insecure) == random | insecure { throw .EINVAL }
        // MAX_RW_COUNT.
        let total = Int(min(a[1], 0x7fff_f000))
        var done = 0
        while done < total {
            let count = min(total - done, 65536)
            do throws(Errno) {
                try current.memory.copyOut(try HostRandom.bytes(count), to: a.address(0) + done)
            } catch {
                if done > 0 { return done }
                throw error
            }
            done += count
            // Large requests can be interrupted between pieces.
            if done < total && current.isSignalPending { return done }
        }
        return done
    }

    /// syslog(2): an empty log. - Throws: EPERM without CAP_SYSLOG, as with kernel.dmesg_restrict.
    @Sendable static func sysSyslog(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let type = a.int(0)
        if !current.credentials.has(.syslog) && !current.credentials.has(.sysAdmin) { throw .EPERM }
        switch type {
        case 0, 1, 5, 6, 7: return 0  // close, open, clear, console off and on
        case 2, 3, 4:  // read, read all, read and clear
            if a.address(1).isNull || a.int(2) < 0 { throw .EINVAL }
            if type == 2 && a.int(2) > 0 {
                // Nothing will ever come.
                while true { try current.park(until: nil) }
            }
            return 0
        case 8:  // console level
            if a.int(2) < 1 || a.int(2) > 8 { throw .EINVAL }
            return 0
        case 9: return 0  // unread bytes
        case 10: return 1 << 17  // size of the buffer
        default: throw .EINVAL
        }
    }

    /// sysfs(2): the list of file-system types by index.
    @Sendable static func sysSysfs(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let names = current.mountNamespace.listedFileSystemTypes
        switch a.int(0) {
        case 1:
            let name = try current.path(at: a.address(1))
            guard let index = names.firstIndex(where: { Array($0.utf8) == name }) else { throw .EINVAL }
            return index
        case 2:
            guard a[1] < UInt64(names.count) else { throw .EINVAL }
            try current.memory.copyOut(Array(names[Int(a[1])].utf8) + [0], to: a.address(2))
            return 0
        case 3: return names.count
        default: throw .EINVAL
        }
    }

    /// reboot(2). - Throws: EPERM without CAP_SYS_BOOT, EINVAL: a sandbox's processes are in a pid namespace, where restart and halt
    /// end init.
    @Sendable static func sysReboot(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard current.credentials.has(.sysBoot, in: current.pidNamespace.owner) else { throw .EPERM }
        let magics: Set<UInt32> = [672_274_793, 85_072_278, 369_367_448, 537_993_216]
        guard a.uint(0) == 0xfee1_dead, magics.contains(a.uint(1)) else { throw .EINVAL }
        let signal: Signal
        switch a.uint(2) {
        case 0x0123_4567, 0xa1b2_c3d4: signal = .SIGHUP  // restart, restart with a command
        case 0xcdef_0123, 0x4321_fedc: signal = .SIGINT  // halt, power off
        case 0, 0x89ab_cdef: return 0  // Ctrl-Alt-Del off and on: the namespace has none
        default: throw .EINVAL
        }
        // pid_namespaces(7): init ends as if by this signal.
        if let initial = current.kernel.processes.initGroup(of: current.pidNamespace) {
            initial.end(by: signal)
        }
        current.endGroup(.exited(0))
        return 0
    }
}
