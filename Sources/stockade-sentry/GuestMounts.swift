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
        MessageQueueFileSystem.register(in: types)
        try mount(terminals, at: "/dev/pts", flags: [.noSetUserID, .noExecute], source: "devpts")
        // A path's mount lies over those of the paths above it, whatever the order of the options.
        let hidden = configuration.hides.map { Self.components($0.path) }
        var steps: [(place: [[UInt8]], memory: Int?, bind: Int?)] = []
        for hide in configuration.hides where configuration.hasGrant(below: hide) { steps.append((Self.components(hide.path), nil, nil)) }
        for (index, memory) in configuration.tmpfs.enumerated() { steps.append((Self.components(memory.path), index, nil)) }
        for (index, bind) in configuration.binds.enumerated() { steps.append((Self.components(bind.destination), nil, index)) }
        for step in steps.enumerated().sorted(by: { ($0.element.place.count, $0.offset) < ($1.element.place.count, $1.offset) }).map(\.element) {
            if let index = step.memory {
                if !hidden.contains(step.place) { try mount(configuration.tmpfs[index], configuration) }
            } else if let index = step.bind {
                try mount(configuration.binds[index], grant: index + 1)
            } else {
                // What is granted below a hidden path lies in an empty directory.
                let place = step.place.reduce(into: [UInt8]()) { $0 += [UInt8(ascii: "/")] + $1 }
                try mount(
                    TmpfsFileSystem(memoryFile: memoryFile, sizeLimit: 1 << 20, mode: 0o755), at: Boot.text(place),
                    flags: [.noSetUserID, .noDevices], source: "hidden")
            }
        }
    }

    private static func components(_ path: [UInt8]) -> [[UInt8]] { SandboxConfiguration.components(path) }

    private func mount(_ memory: SandboxConfiguration.Memory, _ configuration: SandboxConfiguration) throws(BootFailure) {
        let fileSystem = TmpfsFileSystem(
            memoryFile: memoryFile, sizeLimit: memory.size, mode: 0o1777, uid: configuration.uid, gid: configuration.gid)
        try mount(fileSystem, at: Boot.text(memory.path), flags: [.noSetUserID, .noDevices, .relativeAccessTime], source: "tmpfs")
    }

    private func mount(_ bind: SandboxConfiguration.Bind, grant: Int) throws(BootFailure) {
        let source = Boot.text(bind.source)
        let fileSystem = try Boot.step("use \(source) of the host") { () throws(Errno) in
            try GoferFileSystem(gofer, grant: grant, isReadOnly: !bind.isWritable)
        }
        var flags: MountFlags = [.noSetUserID, .noDevices, .relativeAccessTime]
        if !bind.isWritable { flags.insert(.readOnly) }
        let mount = try mount(fileSystem, at: Boot.text(bind.destination), flags: flags, source: source)
        if !bind.isWritable { _ = mount.superblock.refusals.storeIfNil(RefusalLog(rule: bind.rule)) }
    }

    /// Mounts at `path`, which is made in the overlay when the root has no such place, as bubblewrap does.
    @discardableResult
    func mount(_ fileSystem: any FileSystem, at path: String, flags: MountFlags, source: String) throws(BootFailure) -> Mount {
        try Boot.step("mount \(fileSystem.typeName) at \(path)") { () throws(Errno) in
            let place = try mountPoint(Array(path.utf8), isDirectory: fileSystem.root.type == .directory)
            return try kernel.mountNamespace.mount(fileSystem, at: place, flags: flags, source: Array(source.utf8))
        }
    }

    func mountPoint(_ path: [UInt8], isDirectory: Bool) throws(Errno) -> Path {
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
