import FileSystems
import HostOS
import LinuxABI
import Loader
import VirtualFileSystem

/// The caller's standard input, output and error as the program's descriptors 0, 1 and 2. A closed one stays closed.
struct StandardStreams {
    let descriptors = DescriptorTable()
    /// The terminal among them, if any.
    let terminal: HostTerminal?

    init(open: [Bool], namespace: MountNamespace, caller: BootCaller) throws(BootFailure) {
        var given: [SharedHostDescriptor?] = []
        for number: Int32 in 0...2 {
            // The Sentry keeps its own standard error for messages: the streams are duplicates.
            guard open[Int(number)] else {
                given.append(nil)
                continue
            }
            given.append(
                try Boot.step("duplicate descriptor \(number)") { () throws(Errno) in SharedHostDescriptor(try HostFileCalls.duplicate(number)) })
        }
        try self.init(given, caller: caller)
        terminal?.registerConsole(in: namespace.devices)
    }

    /// Host descriptors as descriptors 0, 1, 2 and so on; nil stays closed.
    init(_ given: [SharedHostDescriptor?], caller: BootCaller) throws(BootFailure) {
        // A container may come without /dev.
        let console = try? VFS.resolve(Array("/dev/console".utf8), [.follow], caller: caller)
        let streams = HostStreams(given, terminalPath: console) { number, flags in
            // The host's /dev/null is the guest's.
            guard let path = Devfs.memoryDevicePath(number),
                let place = try? VFS.resolve(path, [.follow], caller: caller)
            else { return nil }
            return try? VFS.open(place, flags, caller: caller)
        }
        for (number, description) in streams.descriptions.enumerated() {
            guard let description else { continue }
            let table = descriptors
            try Boot.step("take over descriptor \(number)") { () throws(Errno) in
                _ = try table.replace(Int32(number), description, closeOnExec: false, limit: Int32(given.count))
            }
        }
        terminal = streams.terminal
    }
}
