import LinuxABI
import Memory
import VirtualFileSystem

extension MemoryLimits {
    /// What of a process's resource limits concerns its address space.
    public init(_ limits: [ResourceLimit], _ credentials: Credentials) {
        func soft(_ kind: ResourceLimit.Kind) -> UInt64 { limits[Int(kind.rawValue)].soft }
        self.init(
            addressSpace: soft(.addressSpace), data: soft(.data), stack: soft(.stack), lockedMemory: soft(.lockedMemory),
            mayLockAny: credentials.has(.ipcLock))
    }
}
