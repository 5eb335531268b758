import Kernel
import LinuxABI

/// The security modules: capabilities always, and Landlock. Neither has attributes of a task.
extension SystemCallFamilies {
    public static let securityModules: [SystemCallEntry] = [
        .init(459, "lsm_get_self_attr", sysLsmGetSelfAttr),
        .init(460, "lsm_set_self_attr", sysLsmSetSelfAttr),
        .init(461, "lsm_list_modules", sysLsmListModules),
    ]

    private enum Module {
        static let capability: UInt64 = 100
        static let landlock: UInt64 = 110
    }

    @Sendable static func sysLsmListModules(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(2) == 0 else { throw .EINVAL }
        let modules = [Module.capability, Module.landlock]
        let needed = UInt32(modules.count * 8)
        let room = try current.memory.load(UInt32.self, at: a.address(1))
        try current.memory.store(needed, at: a.address(1))
        if room < needed { throw .E2BIG }
        try current.memory.storeArray(modules, at: a.address(0))
        return modules.count
    }

    /// security_getselfattr: with LSM_FLAG_SINGLE for one module only.
    @Sendable static func sysLsmGetSelfAttr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.uint(0) == 0 { throw .EINVAL }
        if a.address(2).isNull { throw .EINVAL }
        _ = try current.memory.load(UInt32.self, at: a.address(2))
        let single: UInt32 = 1
        if a.uint(3) != 0 {
            guard a.uint(3) == single, !a.address(1).isNull else { throw .EINVAL }
            let id = try current.memory.load(UInt64.self, at: a.address(1))
            if id == 0 { throw .EINVAL }
        }
        // What modules told comes to nothing.
        try current.memory.store(UInt32(0), at: a.address(2))
        throw .EOPNOTSUPP
    }

    /// security_setselfattr, in its order of checks: `struct lsm_ctx` has a head of 32 bytes.
    @Sendable static func sysLsmSetSelfAttr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let size = a.uint(2), head: UInt64 = 32
        guard a.uint(3) == 0, UInt64(size) >= head else { throw .EINVAL }
        if size > 4096 { throw .E2BIG }
        _ = try current.memory.copyIn(a.address(1), count: Int(size))
        // Identifier, flags, whole length, length of the context.
        let words = try current.memory.loadArray(UInt64.self, at: a.address(1), count: 4)
        let (needed, overflow) = head.addingReportingOverflow(words[3])
        guard !overflow, UInt64(size) >= words[2], words[2] >= needed else { throw .EINVAL }
        throw .EOPNOTSUPP
    }
}
