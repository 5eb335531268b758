import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// /dev: a tmpfs with the usual nodes in it. What opening a node does is decided by its device number, in the mount namespace's
/// `DeviceRegistry`; terminals register there too.
public enum Devfs {
    /// The group of terminals on Debian and most others.
    private static let terminalGroup: UInt32 = 5

    /// A populated /dev. `pts`, `shm` and `mqueue` are empty directories to mount on.
    public static func make(memoryFile: MemoryFile) throws(Errno) -> TmpfsFileSystem {
        let fileSystem = TmpfsFileSystem(memoryFile: memoryFile, mode: 0o755, typeName: "devtmpfs")
        let root = fileSystem.rootNode
        for kind in MemoryDevice.Kind.allCases {
            try root.add(kind.name, .device(.characterDevice, kind.device), 0o666)
        }
        try root.add("tty", .device(.characterDevice, DeviceNumber(major: 5, minor: 0)), 0o666, gid: terminalGroup)
        try root.add("console", .device(.characterDevice, DeviceNumber(major: 5, minor: 1)), 0o620, gid: terminalGroup)
        try root.add("ptmx", .device(.characterDevice, DeviceNumber(major: 5, minor: 2)), 0o666, gid: terminalGroup)
        for directory in ["pts", "shm", "mqueue"] { try root.add(directory, .directory, directory == "shm" ? 0o1777 : 0o755) }
        let links = [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
            ("core", "/proc/kcore"),
        ]
        for (name, target) in links { try root.add(name, .symbolicLink(target: Array(target.utf8)), 0o777) }
        return fileSystem
    }

    /// Where null, zero, full, random and urandom are in /dev; nil for other devices.
    public static func memoryDevicePath(_ device: DeviceNumber) -> [UInt8]? {
        MemoryDevice.Kind.allCases.first { $0.device == device }.map { Array("/dev/\($0.name)".utf8) }
    }

    /// Registers null, zero, full, random and urandom.
    public static func register(in devices: DeviceRegistry, memoryFile: MemoryFile) {
        for kind in MemoryDevice.Kind.allCases {
            let operations = MemoryDevice(kind, memoryFile)
            devices.register(kind.device) { (_, _, _) throws(Errno) in operations }
        }
    }
}

extension TmpfsInode {
    /// Makes a node at boot, when there is no caller.
    @discardableResult
    func add(_ name: String, _ kind: NodeKind, _ permissions: UInt16, uid: UInt32 = 0, gid: UInt32 = 0) throws(Errno) -> TmpfsInode {
        try add(FileName(name), NodeRequest(kind: kind, permissions: permissions, uid: uid, gid: gid))
    }
}
