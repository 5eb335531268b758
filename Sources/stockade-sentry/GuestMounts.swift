import FileSystems
import HostOS
import Kernel
import LinuxABI
import Loader
import Memory
import SandboxControl
import VirtualFileSystem

/// What lies over the root: the kernel's own file systems, then what the user asked for, in the order given.
struct GuestMounts {
    let kernel: SandboxKernel
    let gofer: GoferConnection
    let caller: BootCaller
    private var memoryFile: MemoryFile { kernel.memoryFile }

    func mountAll(_ configuration: SandboxConfiguration) throws(BootFailure) {
        let secure: MountFlags = [.noSetUserID, .noDevices, .noExecute, .relativeAccessTime]
        let machine = MachineFacts()
        let types = kernel.mountNamespace.fileSystemTypes
        ProcFileSystem.register(in: types, kernel: kernel, machine: machine)
        try mount(ProcFileSystem(kernel: kernel, machine: machine), at: "/proc", flags: secure, source: "proc")
        let system = SysFileSystem(processorCount: machine.processorCount, memoryBytes: memoryFile.totalBytes)
        SysFileSystem.register(in: types, system)
        try mount(system, at: "/sys", flags: secure.union(.readOnly), source: "sysfs")
        let devices = try Boot.step("make /dev") { () throws(Errno) in try Devfs.make(memoryFile: memoryFile) }
        try mount(devices, at: "/dev", flags: [.noSetUserID], source: "devtmpfs")
        try mount(TmpfsFileSystem(memoryFile: memoryFile, mode: 0o1777), at: "/dev/shm", flags: [.noSetUserID, .noDevices], source: "tmpfs")
        let terminals = DevptsFileSystem()
        terminals.register(in: kernel.mountNamespace.devices)
        DevptsFileSystem.register(in: types)
        try mount(terminals, at: "/dev/pts", flags: [.noSetUserID, .noExecute], source: "devpts")
        for path in configuration.tmpfs {
            let fileSystem = TmpfsFileSystem(memoryFile: memoryFile, mode: 0o1777, uid: configuration.uid, gid: configuration.gid)
            try mount(fileSystem, at: Boot.text(path), flags: [.noSetUserID, .noDevices, .relativeAccessTime], source: "tmpfs")
        }
        for (index, bind) in configuration.binds.enumerated() {
            let source = Boot.text(bind.source)
            let fileSystem = try Boot.step("use \(source) of the host") { () throws(Errno) in
                try GoferFileSystem(gofer, grant: index + 1, isReadOnly: !bind.isWritable)
            }
            var flags: MountFlags = [.noSetUserID, .noDevices, .relativeAccessTime]
            if !bind.isWritable { flags.insert(.readOnly) }
            try mount(fileSystem, at: Boot.text(bind.destination), flags: flags, source: source)
        }
    }

    /// Mounts at `path`, which is made in the overlay when the root has no such place, as bubblewrap does.
    private func mount(_ fileSystem: any FileSystem, at path: String, flags: MountFlags, source: String) throws(BootFailure) {
        try Boot.step("mount \(fileSystem.typeName) at \(path)") { () throws(Errno) in
            let place = try mountPoint(Array(path.utf8), isDirectory: fileSystem.root.type == .directory)
            try kernel.mountNamespace.mount(fileSystem, at: place, flags: flags, source: Array(source.utf8))
        }
    }

    private func mountPoint(_ path: [UInt8], isDirectory: Bool) throws(Errno) -> Path {
        do throws(Errno) {
            return try VFS.resolve(path, [.follow], caller: caller)
        } catch .ENOENT {
            var parent = path
            while parent.last == UInt8(ascii: "/") { parent.removeLast() }
            while let last = parent.popLast(), last != UInt8(ascii: "/") {}
            if !parent.isEmpty { _ = try mountPoint(parent, isDirectory: true) }
            let request: NodeKind = isDirectory ? .directory : .regular
            try VFS.createNode(path, request, permissions: isDirectory ? 0o755 : 0o644, caller: caller)
            return try VFS.resolve(path, [.follow], caller: caller)
        } catch { throw error }
    }
}
