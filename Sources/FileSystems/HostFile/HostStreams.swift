import HostOS
import LinuxABI
import VirtualFileSystem

/// The descriptors that the sandbox's first process starts with, made from host descriptors.
public struct HostStreams: Sendable {
    /// In the order given; nil where none was given or the descriptor is not open.
    public let descriptions: [FileDescription?]
    /// The terminal, when one of them is a terminal.
    public let terminal: HostTerminal?

    /// Wraps host descriptors: standard input, output, error, as far as there are any. `terminalPath` is where the guest finds the
    /// terminal, /dev/console in practice, so that ttyname(3) names it. `device` opens the guest's own device in
    /// place of one of the host that is the same in both, such as /dev/null.
    public init(
        _ descriptors: [SharedHostDescriptor?], terminalPath: Path? = nil,
        device: (DeviceNumber, OpenFlags) -> FileDescription? = { _, _ in nil }
    ) {
        HostFileCalls.ignoreWriteSignals()
        var terminal: HostTerminal?
        var result: [FileDescription?] = []
        for descriptor in descriptors {
            guard let descriptor, let inode = try? HostInode(descriptor) else {
                result.append(nil)
                continue
            }
            let kept = inode.hostFlags.intersection([.writeOnly, .readWrite, .append, .nonBlocking])
            if HostTerminal.isTerminal(descriptor.number), let device = terminal ?? HostTerminal(descriptor), device.isSame(as: inode) {
                terminal = device
                let file = HostTerminalFile(device, inode, own: descriptor)
                result.append(
                    FileDescription(
                        operations: file, inode: terminalPath?.inode ?? inode, path: terminalPath, anonymousName: "/dev/tty", flags: kept))
                continue
            }
            if inode.type == .characterDevice, let number = try? HostFileStatus(of: descriptor.number).specialDevice,
                let own = device(number, kept)
            {
                result.append(own)
                continue
            }
            let file = HostFile(inode, sharesPosition: true, appends: false)
            result.append(
                FileDescription(operations: file, inode: inode, anonymousName: Self.name(inode), flags: kept))
        }
        self.descriptions = result
        self.terminal = terminal
    }

    private static func name(_ inode: HostInode) -> String {
        switch inode.type {
        case .fifo: "pipe:[\(inode.number)]"
        case .socket: "socket:[\(inode.number)]"
        default: "host:[\(inode.number)]"
        }
    }
}
