import FileSystems
import Kernel
import LinuxABI
import SandboxControl

/// The booted sandbox as the control channel sees it.
final class RunningSandbox: Sendable {
    private let kernel: SandboxKernel
    private let terminal: HostTerminal?

    private let gofer: GoferConnection
    private let root: OverlayFileSystem?
    private let configuration: SandboxConfiguration

    init(
        kernel: SandboxKernel, terminal: HostTerminal?, gofer: GoferConnection, root: OverlayFileSystem?, configuration: SandboxConfiguration
    ) {
        self.gofer = gofer
        self.root = root
        self.configuration = configuration
        self.kernel = kernel
        self.terminal = terminal
    }

    /// Wait status of the program, once everything has ended.
    func waitForExit() -> Int32 { kernel.waitForExit().waitStatus }

    /// What is to be told after the end: the changes, and what the rules refused.
    func report(to control: ControlChannel) {
        // An archive without its end tells the command line that it could not be written.
        if configuration.exportsChanges, let root,
            let missing = try? ChangeExport(root: root, descriptor: SandboxConfiguration.changesDescriptor).write(), !missing.isEmpty
        {
            control.tellMissingChanges(missing)
        }
        if configuration.reportsRefusals { control.tellRefusals(refusals) }
    }

    private var refusals: [String] {
        var lines: [String] = []
        for (number, count) in gofer.refusals.sorted(by: { $0.key < $1.key }) where Int(number) <= configuration.hides.count {
            let hide = configuration.hides[Int(number) - 1]
            let path = Boot.text(hide.path)
            lines.append("\(path): \(hide.isRefused ? "EACCES" : "ENOENT"), \(count)\u{d7}, by --hide \(path)")
        }
        for mount in kernel.mountNamespace.mounts {
            guard let refused = mount.superblock.refusals.load() else { continue }
            for (path, count) in refused.entries { lines.append("\(Boot.text(path)): EROFS, \(count)\u{d7}, by \(refused.rule)") }
        }
        return lines
    }

    /// A key of the terminal goes to its foreground group, everything else to the program. A shell outside that continues the command
    /// (fg, bg) means all that its terminal stopped, so SIGCONT goes to the program's whole group.
    func deliver(_ number: Int32, fromTerminal: Bool) {
        guard let signal = Signal(rawValue: number) else { return }
        if fromTerminal, let terminal {
            terminal.deliver(signal)
        } else {
            kernel.sendFromOutside(signal, toGroup: signal == .SIGCONT)
        }
    }

    func killAll() { kernel.killAll() }
}
