import FileSystems
import Kernel
import LinuxABI

/// The booted sandbox as the control channel sees it.
final class RunningSandbox: Sendable {
    private let kernel: SandboxKernel
    private let terminal: HostTerminal?

    init(kernel: SandboxKernel, terminal: HostTerminal?) {
        self.kernel = kernel
        self.terminal = terminal
    }

    /// Wait status of the program, once everything has ended.
    func waitForExit() -> Int32 { kernel.waitForExit().waitStatus }

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
