import FileSystems
import HostOS
import Kernel
import LinuxABI
import Loader
import Memory
import SandboxControl
import VirtualFileSystem

/// The mounts of an OCI container, in the order of its configuration; then what the specification puts over them: devices, hidden and read-only
/// paths, kernel settings.
struct ContainerMounts {
    let kernel: SandboxKernel
    let gofer: GoferConnection
    let caller: BootCaller
    let mounting: GuestMounts
    private var namespace: MountNamespace { kernel.mountNamespace }

    /// MS_* that stay with a mount.
    private static let perMount: MountFlags = [
        .readOnly, .noSetUserID, .noDevices, .noExecute, .noSymbolicLinks, .noAccessTime, .noDirectoryAccessTime, .relativeAccessTime,
    ]

    /// Returns what could not be had, without harm.
    func mountAll(_ configuration: SandboxConfiguration, _ container: ContainerConfiguration) throws(BootFailure) -> [String] {
        let terminals = DevptsFileSystem()
        terminals.register(in: namespace.devices)
        if !container.mounts.contains(where: { $0.destination == Array("/dev".utf8) }) {
            try mountDevices([.noSetUserID], source: "tmpfs")
        }
        for request in container.mounts {
            let flags = MountFlags(rawValue: request.flags).intersection(Self.perMount)
            try mounting.mount(
                try fileSystem(request, configuration, terminals), at: Boot.text(request.destination), flags: flags,
                source: Boot.text(request.source))
        }
        for device in container.devices { try make(device) }
        let warnings = container.settings.compactMap { apply($0) }
        try makeDirectories(container.process.workingDirectory)
        for path in container.maskedPaths { try hide(path) }
        for path in container.readOnlyPaths { try protect(path) }
        if container.isRootReadOnly { namespace.root.mount.flags.insert(.readOnly) }
        return warnings
    }

    private func mountDevices(_ flags: MountFlags, source: String) throws(BootFailure) {
        let devices = try Boot.step("make /dev") { () throws(Errno) in try Devfs.make(memoryFile: kernel.memoryFile) }
        try mounting.mount(devices, at: "/dev", flags: flags, source: source)
    }

    private func fileSystem(
        _ request: ContainerConfiguration.MountRequest, _ configuration: SandboxConfiguration, _ terminals: DevptsFileSystem
    ) throws(BootFailure) -> any FileSystem {
        let memoryFile = kernel.memoryFile
        if let bind = request.bind {
            let isReadOnly = configuration.binds.indices.contains(Int(bind)) ? !configuration.binds[Int(bind)].isWritable : true
            return try Boot.step("use \(Boot.text(request.source)) of the host") { () throws(Errno) in
                try GoferFileSystem(gofer, grant: Int(bind) + 1, isReadOnly: isReadOnly)
            }
        }
        let type = Boot.text(request.type)
        return try Boot.step("make a file system of type \(type) for \(Boot.text(request.destination))") { () throws(Errno) in
            switch type {
            case "proc": return ProcFileSystem(kernel: kernel, machine: MachineFacts())
            case "sysfs": return SysFileSystem(processorCount: MachineFacts().processorCount, memoryBytes: memoryFile.totalBytes)
            case "devpts": return terminals
            case "tmpfs" where request.destination == Array("/dev".utf8): return try Devfs.make(memoryFile: memoryFile)
            case "mqueue" where !namespace.fileSystemTypes.names.contains(type): return TmpfsFileSystem(memoryFile: memoryFile, typeName: "mqueue")
            // The guest has no control groups of its own: an empty place, as in a container without a delegated group.
            case "cgroup", "cgroup2": return TmpfsFileSystem(memoryFile: memoryFile, mode: 0o555)
            default: return try namespace.fileSystemTypes.make(type, source: request.source, options: request.options, caller: caller)
            }
        }
    }

    private func make(_ device: ContainerConfiguration.Device) throws(BootFailure) {
        try Boot.step("make the device \(Boot.text(device.path))") { () throws(Errno) in
            let mode = FileMode(rawValue: UInt16(truncatingIfNeeded: device.mode))
            let kind: NodeKind
            switch mode.type {
            case .fifo: kind = .fifo
            case .characterDevice: kind = .device(.characterDevice, DeviceNumber(major: device.major, minor: device.minor))
            case .blockDevice: kind = .device(.blockDevice, DeviceNumber(major: device.major, minor: device.minor))
            default: throw .EINVAL
            }
            if let present = try? VFS.resolve(device.path, [.follow], caller: caller) {
                // The standard ones are there already.
                guard present.dentry.type == mode.type else { throw .EEXIST }
                return
            }
            var parent = device.path
            while let last = parent.popLast(), last != UInt8(ascii: "/") {}
            if !parent.isEmpty { _ = try mounting.mountPoint(parent, isDirectory: true) }
            let made = try VFS.createNode(device.path, kind, permissions: mode.permissions, caller: caller)
            if device.uid != 0 || device.gid != 0 { try VFS.changeOwner(made, uid: device.uid, gid: device.gid, caller: caller) }
            try VFS.changeMode(made, mode.permissions, caller: caller)
        }
    }

    private func makeDirectories(_ path: [UInt8]) throws(BootFailure) {
        do throws(Errno) { _ = try mounting.mountPoint(path, isDirectory: true) } catch {
            throw .sandbox("could not make the working directory \(Boot.text(path)): \(error)")
        }
    }

    /// Nothing can be read below or from a masked path. A path that isn't there needs no hiding.
    private func hide(_ path: [UInt8]) throws(BootFailure) {
        try Boot.step("hide \(Boot.text(path))") { () throws(Errno) in
            guard let place = try existing(path) else { return }
            if place.dentry.isDirectory {
                let empty = TmpfsFileSystem(memoryFile: kernel.memoryFile, mode: 0o555)
                try namespace.mount(empty, at: place, flags: [.readOnly], source: Array("tmpfs".utf8))
            } else {
                try namespace.bind(try VFS.resolve(Array("/dev/null".utf8), [.follow], caller: caller), at: place)
            }
        }
    }

    private func protect(_ path: [UInt8]) throws(BootFailure) {
        try Boot.step("make \(Boot.text(path)) read-only") { () throws(Errno) in
            guard let place = try existing(path) else { return }
            let mount = try namespace.bind(place, at: place, recursive: true)
            mount.flags.insert(.readOnly)
        }
    }

    private func existing(_ path: [UInt8]) throws(Errno) -> Path? {
        do throws(Errno) { return try VFS.resolve(path, [.follow], caller: caller) } catch {
            if error == .ENOENT || error == .ENOTDIR { return nil }
            throw error
        }
    }

    /// A setting of /proc/sys. Returns a warning when it stays as it is.
    private func apply(_ setting: ContainerConfiguration.Setting) -> String? {
        let path = Array("/proc/sys/".utf8) + setting.name
        do throws(Errno) {
            let present = try VFS.open(path, OpenRequest(flags: []), caller: caller)
            var buffer = IOBuffer(kernelCapacity: 4096)
            _ = try present.operations.read(&buffer, at: .offset(0), caller: caller)
            let words = buffer.kernelBytes.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a }
            let wanted = setting.value.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a }
            if words == wanted { return nil }
            let file = try VFS.open(path, OpenRequest(flags: [.writeOnly]), caller: caller)
            var value = IOBuffer(kernelBytes: setting.value)
            _ = try file.operations.write(&value, at: .offset(0), caller: caller)
            return nil
        } catch {
            return "linux.sysctl: \(Boot.text(setting.name)) keeps its value, for the sandbox's kernel cannot change it (\(error))"
        }
    }
}
